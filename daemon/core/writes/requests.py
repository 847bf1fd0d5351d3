"""Send requests and remember that they are awaited: the one place where order commands are made.

Why: every write is registered before it leaves, so nothing can be sent twice or forgotten. Ids are derived from what
the order is for and the highest number that the venue is known to remember.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from connectors.vocabulary import Order, OrderSide, Side
from daemon.core import ids
from daemon.core.commands import (
    AmendStop,
    CancelOrder,
    FindOrders,
    PlaceStop,
    PlaceTakeProfit,
    ReadPicture,
    ReduceAtMarket,
)
from daemon.core.draft import Draft
from daemon.core.errors import InvariantBroken
from daemon.core.market.marks import ns
from daemon.core.memory.orders import WriteKind, WriteState
from daemon.core.memory.under_way import PendingKind, Write
from daemon.core.reasons import Reason
from daemon.core.state import Guarded
from daemon.core.writes import outcomes

SETTLED_AFTER_NS: Final = 10**9
"""A stop that rested this long was taken for good: what ends it later is another matter."""
FIRST_TAKE_PAUSE_NS: Final = 5 * 10**9
LONGEST_TAKE_PAUSE_NS: Final = 300 * 10**9
"""Nothing that protects hangs on a take-profit order: there is time."""
GROWTH_LIMIT: Final = 10
"""Pauses between tries grow to at most this many times the setting."""


def place_stop(draft: Draft, guarded: Guarded, reason: Reason, *, quantity: int | None, stop_price: Decimal) -> None:
    """Place a protective stop under the next number."""
    side, symbol = _side(guarded), guarded.position.key.symbol
    name = _next_id(draft, symbol, side, ids.Purpose.STOP)
    closing = ids.closing_side(side)
    command_id = draft.await_answer(PendingKind.WRITE, symbol, (name,))
    write = _write(draft, command_id, WriteKind.PLACE, name, closing)
    write = replace(write, quantity=quantity, stop_price=stop_price)
    draft.change(symbol, write=write, placed_ns=draft.now_ns)
    draft.emit(
        PlaceStop(
            command_id=command_id,
            reason=reason,
            client_order_id=name,
            key=guarded.position.key,
            side=closing,
            quantity=quantity,
            stop_price=stop_price,
        )
    )


def amend_stop(
    draft: Draft, guarded: Guarded, order: Order, reason: Reason, *, quantity: int | None, stop_price: Decimal | None
) -> None:
    """Move or resize a resting stop of ours; None leaves a field as it is."""
    symbol = guarded.position.key.symbol
    outcomes.note_repeat(draft, order)
    command_id = draft.await_answer(PendingKind.WRITE, symbol, (order.client_order_id,))
    write = _write(draft, command_id, WriteKind.AMEND, order.client_order_id, order.side)
    write = replace(write, order_id=order.order_id, quantity=quantity, stop_price=stop_price)
    draft.change(symbol, write=write)
    draft.emit(
        AmendStop(
            command_id=command_id,
            reason=reason,
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            key=guarded.position.key,
            side=order.side,
            stop_price=stop_price,
            quantity=quantity,
        )
    )


def cancel_order(draft: Draft, guarded: Guarded, order: Order, reason: Reason) -> None:
    """Cancel a stop of ours."""
    symbol = guarded.position.key.symbol
    command_id = draft.await_answer(PendingKind.WRITE, symbol, (order.client_order_id,))
    write = _write(draft, command_id, WriteKind.CANCEL, order.client_order_id, order.side)
    draft.change(symbol, write=replace(write, order_id=order.order_id))
    draft.emit(
        CancelOrder(
            command_id=command_id,
            reason=reason,
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            key=guarded.position.key,
        )
    )


def reduce_at_market(draft: Draft, guarded: Guarded, reason: Reason, quantity: int | None) -> None:
    """Shrink a position at the market under the next number."""
    side, symbol = _side(guarded), guarded.position.key.symbol
    name = _next_id(draft, symbol, side, ids.Purpose.REDUCE)
    closing = ids.closing_side(side)
    command_id = draft.await_answer(PendingKind.WRITE, symbol, (name,))
    write = replace(_write(draft, command_id, WriteKind.REDUCE, name, closing), quantity=quantity)
    draft.change(symbol, reduce=write, reductions=guarded.reductions + 1)
    draft.emit(
        ReduceAtMarket(
            command_id=command_id,
            reason=reason,
            client_order_id=name,
            key=guarded.position.key,
            side=closing,
            quantity=quantity,
        )
    )


def place_take_profit(draft: Draft, guarded: Guarded, rung: int, *, quantity: int, price: Decimal) -> None:
    """Place one stage of the take-profit ladder under the next number of its rung."""
    side, symbol = _side(guarded), guarded.position.key.symbol
    series = ids.series(draft.account, symbol, side, ids.Purpose.TAKE)
    name = f"{series}{ids.next_number(draft.numbers.get(series, 0), rung)}"
    closing = ids.closing_side(side)
    command_id = draft.await_answer(PendingKind.TAKE, symbol, (name,))
    write = replace(_write(draft, command_id, WriteKind.TAKE, name, closing), quantity=quantity)
    draft.change(symbol, bracket=replace(guarded.bracket, write=write))
    draft.emit(
        PlaceTakeProfit(
            command_id=command_id,
            reason=Reason.TAKE_PROFIT,
            client_order_id=name,
            key=guarded.position.key,
            side=closing,
            quantity=quantity,
            price=price,
        )
    )


def drop_take_profit(draft: Draft, guarded: Guarded, order: Order) -> None:
    """Cancel a take-profit order of ours."""
    symbol = guarded.position.key.symbol
    command_id = draft.await_answer(PendingKind.TAKE, symbol, (order.client_order_id,))
    write = _write(draft, command_id, WriteKind.DROP, order.client_order_id, order.side)
    draft.change(symbol, bracket=replace(guarded.bracket, write=replace(write, order_id=order.order_id)))
    draft.emit(
        CancelOrder(
            command_id=command_id,
            reason=Reason.TAKE_PROFIT,
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            key=guarded.position.key,
        )
    )


def find_orders(draft: Draft, symbol: str, reason: Reason, names: tuple[str, ...]) -> None:
    """Ask the venue what became of these ids; one question per symbol at a time."""
    command_id = draft.await_answer(PendingKind.FIND, symbol, names)
    draft.set_asking(symbol, command_id)
    draft.emit(FindOrders(command_id=command_id, reason=reason, client_order_ids=names))


def read_picture(draft: Draft) -> None:
    """Read the account over REST; one picture at a time."""
    command_id = draft.await_answer(PendingKind.PICTURE)
    reason = Reason(draft.pictures.reason) if draft.pictures.reason else Reason.RECONCILE
    draft.pictures = replace(draft.pictures, command_id=command_id, asked_ns=draft.now_ns)
    draft.emit(ReadPicture(command_id=command_id, reason=reason))


def grown_pause(draft: Draft, pause_ns: int) -> int:
    """The pause after one more failure."""
    first = ns(draft.policy.stop.retry_after_s)
    return min(max(first, 2 * pause_ns), GROWTH_LIMIT * first)


def pause(draft: Draft, symbol: str, kind: WriteKind, at_least_ns: int = 0) -> None:
    """Wait before the next try of this kind for one position, longer each time."""
    guarded = draft.positions[symbol]
    if kind in {WriteKind.TAKE, WriteKind.DROP}:
        bracket = guarded.bracket
        if draft.now_ns < bracket.retry_at_ns:
            return  # Of one cause: several orders that were swept away together are one.
        pause_ns = min(max(FIRST_TAKE_PAUSE_NS, 2 * bracket.pause_ns), LONGEST_TAKE_PAUSE_NS)
        due_ns = draft.now_ns + max(pause_ns, at_least_ns)
        draft.change(symbol, bracket=replace(bracket, pause_ns=pause_ns, retry_at_ns=due_ns))
        return
    if kind is WriteKind.REDUCE:
        pause_ns = grown_pause(draft, guarded.reduce_pause_ns)
        due_ns = draft.now_ns + max(pause_ns, at_least_ns)
        draft.change(symbol, reduce_pause_ns=pause_ns, reduce_at_ns=due_ns)
        return
    pause_ns = grown_pause(draft, guarded.pause_ns)
    draft.change(symbol, pause_ns=pause_ns, retry_at_ns=draft.now_ns + max(pause_ns, at_least_ns))


def pause_repeat(draft: Draft, symbol: str, kind: WriteKind, sent_ns: int) -> None:
    """Let what was lost be repeated at once, and what is lost again later each time, counted from when it left.

    A request that is turned back at once by something on the way, and asked for, and sent again, would otherwise use up
    the budget of the account as fast as the wire allows (P8).
    """
    guarded = draft.positions[symbol]
    if kind in {WriteKind.TAKE, WriteKind.DROP}:
        bracket = guarded.bracket
        grown_ns = min(max(FIRST_TAKE_PAUSE_NS, 2 * bracket.pause_ns), LONGEST_TAKE_PAUSE_NS)
        bracket = replace(bracket, pause_ns=grown_ns, retry_at_ns=sent_ns + bracket.pause_ns)
        draft.change(symbol, bracket=bracket)
    elif kind is WriteKind.REDUCE:
        due_ns = sent_ns + guarded.reduce_pause_ns
        draft.change(symbol, reduce_pause_ns=grown_pause(draft, guarded.reduce_pause_ns), reduce_at_ns=due_ns)
    else:
        due_ns = sent_ns + guarded.pause_ns
        draft.change(symbol, pause_ns=grown_pause(draft, guarded.pause_ns), retry_at_ns=due_ns)


def refused_by_venue(words: str) -> str:
    """The venue's no to a protective request, as people read it."""
    return f"the venue refuses the stop: {words}"


def held_back(words: str) -> str:
    """Our own check's no."""
    return f"our own check holds the stop back: {words}"


def _write(draft: Draft, command_id: int, kind: WriteKind, name: str, side: OrderSide) -> Write:
    return Write(
        command_id=command_id,
        kind=kind,
        state=WriteState.IN_FLIGHT,
        client_order_id=name,
        side=side,
        sent_ns=draft.now_ns,
    )


def _next_id(draft: Draft, symbol: str, side: Side, purpose: ids.Purpose) -> str:
    name = ids.series(draft.account, symbol, side, purpose)
    return f"{name}{draft.numbers.get(name, 0) + 1}"


def _side(guarded: Guarded) -> Side:
    if guarded.position.side is None:
        raise InvariantBroken(f"an order was asked for although {guarded.position.key.symbol} is flat")
    return guarded.position.side
