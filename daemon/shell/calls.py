"""One command of the core as one call of a port, and the call's end as one event.

Why: what happened to a request is decided here once, in four words (refused, not sent, unanswered, misconfigured)
beside the good answer. Nothing is retried here and nothing is judged: a second try is the core's decision.
"""

from __future__ import annotations

import asyncio
from typing import assert_never

from connectors.errors import DuplicateClientOrderId, Misconfigured, OutcomeUnknown, Rejected, Unavailable
from connectors.ports import DropCopy, LimitRequest, OrderEntry, ReduceRequest, StopRequest, SwitchReceipt
from connectors.vocabulary import Order
from daemon.core.commands import (
    AddMargin,
    AmendStop,
    CancelOrder,
    CancelOrders,
    DisarmSwitch,
    FeedSwitch,
    FindOrders,
    IsolatePosition,
    OrderCommand,
    PlaceStop,
    PlaceTakeProfit,
    PositionCommand,
    ReadPicture,
    ReduceAtMarket,
    SetLeverage,
    VenueCommand,
)
from daemon.core.events import (
    Event,
    OrdersCancelled,
    OrdersFound,
    PictureRead,
    RequestAnswered,
    RequestMisconfigured,
    RequestNotSent,
    RequestRefused,
    RequestUnanswered,
    SwitchAnswered,
)
from daemon.shell.clock import Clock

WRITE_TIMEOUT_S = 15.0
"""Above the connector's own time-outs together: a call that outlives them is stuck, and its outcome is unknown."""
READ_TIMEOUT_S = 45.0
"""Reads may be retried inside the connector."""
READ_RETRY_NS = 1_000_000_000

_READS = (FindOrders, ReadPicture)


class Calls:
    """Carries commands to the two ports that take requests."""

    def __init__(self, *, orders: OrderEntry, drop_copy: DropCopy, clock: Clock) -> None:
        self._orders = orders
        self._drop_copy = drop_copy
        self._clock = clock

    async def carry(self, command: VenueCommand) -> Event:
        """Carry one command, for as long as it may take; whatever becomes of it is the event returned."""
        try:
            async with asyncio.timeout(READ_TIMEOUT_S if isinstance(command, _READS) else WRITE_TIMEOUT_S):
                return await self.attempt(command)
        except TimeoutError:
            return self._unanswered(command, "the request took too long")

    async def attempt(self, command: VenueCommand) -> Event:
        """Carry one command, however long it takes. Needs no event loop where the ports need none."""
        command_id = command.command_id
        try:
            return await self._send(command)
        except Rejected as refusal:
            return RequestRefused(
                at_ns=self._clock.now_ns(),
                command_id=command_id,
                reason=refusal.reason,
                is_duplicate=isinstance(refusal, DuplicateClientOrderId),
            )
        except Unavailable as absence:
            return self._not_sent(
                command_id, absence.reason, int(absence.retry_after_s * 1e9), is_limit=absence.is_limit
            )
        except OutcomeUnknown as silence:
            return self._unanswered(command, silence.reason)
        except Misconfigured as fault:
            return RequestMisconfigured(at_ns=self._clock.now_ns(), command_id=command_id, reason=fault.reason)

    def _not_sent(self, command_id: int, reason: str, retry_after_ns: int, *, is_limit: bool = False) -> Event:
        return RequestNotSent(
            at_ns=self._clock.now_ns(),
            command_id=command_id,
            reason=reason,
            retry_after_ns=retry_after_ns,
            is_limit=is_limit,
        )

    def _unanswered(self, command: VenueCommand, reason: str) -> Event:
        """A write without a verdict is unknown; a read without one has simply not been read."""
        if isinstance(command, _READS):
            return self._not_sent(command.command_id, reason, READ_RETRY_NS)
        return RequestUnanswered(at_ns=self._clock.now_ns(), command_id=command.command_id, reason=reason)

    async def _send(self, command: VenueCommand) -> Event:  # noqa: PLR0911 - one return per command
        match command:
            case PlaceStop() | AmendStop() | CancelOrder() | ReduceAtMarket() | PlaceTakeProfit():
                order = await self._write(command)
                return RequestAnswered(at_ns=self._clock.now_ns(), command_id=command.command_id, order=order)
            case CancelOrders(orders=orders):
                rows = await self._orders.cancel_orders(order_ids=tuple(each.order_id for each in orders))
                return OrdersCancelled(at_ns=self._clock.now_ns(), command_id=command.command_id, orders=tuple(rows))
            case AddMargin() | SetLeverage() | IsolatePosition():
                await self._correct(command)
                return RequestAnswered(at_ns=self._clock.now_ns(), command_id=command.command_id, order=None)
            case FindOrders(client_order_ids=ids):
                found = await self._orders.order_by_client_id(ids)
                return OrdersFound(at_ns=self._clock.now_ns(), command_id=command.command_id, orders=tuple(found))
            case ReadPicture():
                return await self._read_picture(command)
            case FeedSwitch(timeout_ns=timeout_ns):
                return await self._set_switch(command.command_id, timeout_ns // 1_000_000)
            case DisarmSwitch():
                return await self._set_switch(command.command_id, 0)
            case _:
                assert_never(command)

    async def _write(self, command: OrderCommand) -> Order | None:
        match command:
            case PlaceStop():
                return await self._orders.place_stop(
                    StopRequest(
                        client_order_id=command.client_order_id,
                        symbol=command.key.symbol,
                        side=command.side,
                        quantity=command.quantity,
                        stop_price=command.stop_price,
                    )
                )
            case AmendStop():
                return await self._orders.amend_stop(
                    order_id=command.order_id, stop_price=command.stop_price, quantity=command.quantity
                )
            case CancelOrder():
                return await self._orders.cancel_order(order_id=command.order_id)
            case PlaceTakeProfit():
                return await self._orders.place_take_profit(
                    LimitRequest(
                        client_order_id=command.client_order_id,
                        symbol=command.key.symbol,
                        side=command.side,
                        quantity=command.quantity,
                        price=command.price,
                    )
                )
            case ReduceAtMarket():
                return await self._orders.reduce_at_market(
                    ReduceRequest(
                        client_order_id=command.client_order_id,
                        symbol=command.key.symbol,
                        side=command.side,
                        quantity=command.quantity,
                    )
                )
            case _:
                assert_never(command)

    async def _correct(self, command: PositionCommand) -> None:
        """Change what backs a position; what came of it is read from its row."""
        symbol = command.key.symbol
        match command:
            case AddMargin(amount_sat=amount_sat):
                await self._orders.add_margin(symbol=symbol, amount_sat=amount_sat)
            case SetLeverage(leverage=leverage):
                await self._orders.set_leverage(symbol=symbol, leverage=leverage)
            case IsolatePosition():
                await self._orders.isolate_position(symbol=symbol)
            case _:
                assert_never(command)

    async def _read_picture(self, command: ReadPicture) -> Event:
        asked_ns = self._clock.now_ns()
        picture = await self._orders.picture()
        return PictureRead(
            at_ns=self._clock.now_ns(),
            command_id=command.command_id,
            asked_ns=asked_ns,
            positions=picture.positions,
            open_orders=picture.open_orders,
            recent_orders=picture.recent_orders,
            margins=picture.margins,
        )

    async def _set_switch(self, command_id: int, timeout_ms: int) -> Event:
        """Over the stream, where it costs no request budget; over REST only if the stream is known not to be there.

        A refusal with a status is the venue's own (no budget, overload): asking again at another door earns a ban.
        """
        sent_ns = self._clock.now_ns()
        try:
            receipt = await self._drop_copy.cancel_all_after(timeout_ms)
        except Unavailable as absence:
            if absence.status is not None:
                raise
            sent_ns = self._clock.now_ns()
            receipt = await self._orders.cancel_all_after(timeout_ms)
        return SwitchAnswered(
            at_ns=self._clock.now_ns(), command_id=command_id, sent_ns=sent_ns, timeout_ns=_countdown_ns(receipt)
        )


def _countdown_ns(receipt: SwitchReceipt) -> int:
    return 0 if receipt.cancel_time_ns is None else receipt.cancel_time_ns - receipt.now_ns
