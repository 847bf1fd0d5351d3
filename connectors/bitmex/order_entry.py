"""Requests behind the `OrderEntry` port: stops, amendments, cancels, reductions, the dead man's switch, and reads.

Why: a write is sent once, and what the venue answered is read back before it is believed. Reads are tried again a few
times. Every error that leaves here is one of `connectors.errors`.

Source: www.bitmex.com/api/explorer.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Protocol

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from config.credentials import SigningKey
from config.venue import VenueSettings
from connectors.bitmex.protocol import answers, requests
from connectors.bitmex.protocol.numbers import MalformedRow, Row
from connectors.bitmex.protocol.parse import (
    order_status,
    parse_instrument,
    parse_key_rights,
    parse_margin,
    parse_order,
    parse_position,
)
from connectors.bitmex.protocol.refusals import Answer, unanswered
from connectors.bitmex.protocol.requests import PAGE, VenueRequest
from connectors.bitmex.protocol.switch import switch_receipt
from connectors.bitmex.rest_client import RestClient
from connectors.errors import Misconfigured, Rejected, Unavailable
from connectors.ports import (
    AccountPicture,
    BudgetPicture,
    KeyRights,
    LimitRequest,
    ReduceRequest,
    StopRequest,
    SwitchReceipt,
)
from connectors.vocabulary import Instrument, Order, Position

if TYPE_CHECKING:
    from collections.abc import Iterator

READ_ATTEMPTS: Final = 3
_WORTH_WAITING_S: Final = 2.0
"""A read whose pause is longer is not tried again here; the caller's next cycle comes soon enough."""
_MOST_PAGES: Final = 20
_PAGE_OVERLAP: Final = 50
_IDS_A_READ: Final = 40
"""Keeps the address of a query well below what proxies allow."""
_ABOUT_FROM_WHERE: Final = re.compile(r"\bIP\b")
"""A refusal of the address that a key is used from, and not of what was asked."""


class Line(Protocol):
    """What carries one request and brings its answer."""

    async def send(self, request: VenueRequest) -> Answer:
        """Send one request and return its answer if that is success.

        Raises:
            Rejected, Unavailable, OutcomeUnknown, Misconfigured: See `connectors.errors`.
        """

    async def close(self) -> None:
        """Let connections go."""


class BitmexOrderEntry:
    """The `OrderEntry` port on BitMEX. All methods raise only `connectors.errors`."""

    def __init__(
        self,
        *,
        settings: VenueSettings,
        credentials: SigningKey,
        now_ns: Callable[[], int] = time.time_ns,
        line: Line | None = None,
    ) -> None:
        """Prepare requests of the account that the key belongs to; nothing is sent yet.

        Args:
            settings: Where the venue is, how patient to be, how much may be asked of it.
            credentials: The key; the secret signs each request and goes nowhere else.
            now_ns: The wall clock, nanoseconds since 1970 UTC; it dates signatures.
            line: What carries requests instead of HTTP connections, for an exchange in the same process.
        """
        self._client: Line = line or RestClient(settings=settings, credentials=credentials, now_ns=now_ns)
        self._credentials = credentials

    async def close(self) -> None:
        """Let connections go."""
        await self._client.close()

    # ------------------------------------------------------------------ writes

    async def place_stop(self, request: StopRequest) -> Order:
        """Place a protective stop, triggered by the mark price; the row returned may be in any status."""
        answer = await self._client.send(requests.place_stop(request))
        with _readable(is_write=True):
            return answers.placed_stop(answer.body, request)

    async def reduce_at_market(self, request: ReduceRequest) -> Order:
        """Shrink or close a position at the market; the row returned may be in any status."""
        answer = await self._client.send(requests.reduce_at_market(request))
        with _readable(is_write=True):
            return answers.placed_reduction(answer.body, request)

    async def place_take_profit(self, request: LimitRequest) -> Order:
        """Place a reduce-only limit order; the row returned may be in any status."""
        answer = await self._client.send(requests.place_take_profit(request))
        with _readable(is_write=True):
            return answers.placed_reduction(answer.body, request)

    async def amend_stop(self, *, order_id: str, stop_price: Decimal | None, quantity: int | None) -> Order:
        """Move a resting stop or change its size; None leaves a field as it is."""
        sent = requests.amend_stop(order_id=order_id, stop_price=stop_price, quantity=quantity)
        answer = await self._client.send(sent)
        with _readable(is_write=True):
            return answers.amended_order(answer.body, order_id)

    async def cancel_order(self, *, order_id: str) -> Order | None:
        """Cancel one order; None when there was nothing left to cancel."""
        try:
            answer = await self._client.send(requests.cancel_order(order_id=order_id))
        except Rejected as rejected:
            if rejected.status == 404:
                return None
            raise
        with _readable(is_write=True):
            return answers.cancelled_order(answer.body, order_id)

    async def cancel_orders(self, *, order_ids: Sequence[str]) -> tuple[Order, ...]:
        """Cancel many orders in one request; those cancelled, the others had ended."""
        try:
            answer = await self._client.send(requests.cancel_orders(order_ids=order_ids))
        except Rejected as rejected:
            if rejected.status == 404:
                return ()
            raise
        with _readable(is_write=True):
            return answers.cancelled_orders(answer.body, order_ids)

    async def add_margin(self, *, symbol: str, amount_sat: int) -> None:
        """Move margin from the account to an isolated position."""
        await self._change_position(requests.add_margin(symbol=symbol, amount_sat=amount_sat), symbol)

    async def set_leverage(self, *, symbol: str, leverage: Decimal) -> None:
        """Set a position's leverage, which isolates it."""
        await self._change_position(requests.set_leverage(symbol=symbol, leverage=leverage), symbol)

    async def isolate_position(self, *, symbol: str) -> None:
        """Give a cross position margin of its own."""
        await self._change_position(requests.isolate(symbol=symbol), symbol)

    async def _change_position(self, request: VenueRequest, symbol: str) -> None:
        answer = await self._client.send(request)
        with _readable(is_write=True):
            answers.position_changed(answer.body, symbol)

    async def cancel_all_after(self, timeout_ms: int) -> SwitchReceipt:
        """Feed the dead man's switch over REST; 0 disarms."""
        answer = await self._client.send(requests.cancel_all_after(timeout_ms))
        with _readable(is_write=True):
            return switch_receipt(answers.row_of(answer.body), timeout_ms=timeout_ms)

    # ------------------------------------------------------------------ reads

    async def order_by_client_id(self, client_order_ids: Sequence[str]) -> tuple[Order, ...]:
        """Return every order, of any status, that carries one of these ids."""
        found: list[Order] = []
        for start in range(0, len(client_order_ids), _IDS_A_READ):
            asked = client_order_ids[start : start + _IDS_A_READ]
            rows = await self._rows(requests.orders_by_client_id(asked))
            with _readable(is_write=False):
                found += [order for order in map(parse_order, rows) if order.client_order_id in asked]
        return tuple(found)

    async def picture(self) -> AccountPicture:
        """Return positions, orders and margins, read now; it fails as a whole if any part fails."""
        recent = await self._rows(requests.recent_orders())
        opened = await self._open_orders()
        margins = await self._rows(requests.margins())
        positions = await self._positions()
        with _readable(is_write=False):
            return AccountPicture(
                positions=positions,
                open_orders=tuple(order for order in map(parse_order, opened) if order.is_open),
                recent_orders=tuple(order for order in map(_recent_order, recent) if order is not None),
                margins=tuple(map(parse_margin, margins)),
            )

    async def _open_orders(self) -> list[Row]:
        """Read page after page: an account may have more open orders than one holds.

        An order that ends between two reads moves the rest one place up, so pages overlap; one that is met twice
        counts as it was read last.
        """
        found: dict[str, Row] = {}
        for page in range(_MOST_PAGES):
            rows = await self._rows(requests.open_orders(start=page * (PAGE - _PAGE_OVERLAP)))
            found |= {str(row.get("orderID")): row for row in rows}
            if len(rows) < PAGE:
                return list(found.values())
        raise Unavailable(
            f"more than {_MOST_PAGES * (PAGE - _PAGE_OVERLAP)} open orders; the picture would not be whole"
        )

    async def _positions(self) -> tuple[Position, ...]:
        """Read every row, or the open ones where flat rows fill a page; never a cut-off list."""
        rows = await self._rows(requests.positions())
        if len(rows) >= PAGE:
            rows = await self._rows(requests.open_positions())
        if len(rows) >= PAGE:
            raise Unavailable(f"{PAGE} open positions or more; the picture would not be whole")
        with _readable(is_write=False):
            return tuple(map(parse_position, rows))

    async def instruments(self) -> tuple[Instrument, ...]:
        """Return the figures of every open derivative; what cannot be read is left out."""
        found = (_instrument(row) for row in await self._rows(requests.instruments()))
        return tuple(instrument for instrument in found if instrument is not None and instrument.is_open)

    async def key_rights(self) -> KeyRights:
        """Return what this key may do; not readable where the venue does not let it look."""
        try:
            rows = await self._rows(requests.keys())
            return parse_key_rights(rows, key_id=self._credentials.key_id)
        except (Misconfigured, Rejected) as refused:
            if refused.status not in {403, 404} or _ABOUT_FROM_WHERE.search(refused.reason):
                raise  # a key that may not be used from here is no key whose rights are hidden
        except MalformedRow:
            pass
        return KeyRights(can_order=False, can_withdraw=False, is_readable=False)

    def budget(self) -> BudgetPicture | None:
        """Return what is left of the request budget; None where another line than ours carries the requests."""
        return self._client.budget() if isinstance(self._client, RestClient) else None

    async def server_time_ns(self) -> int:
        """Return the venue's clock."""
        answer = await self._read(requests.venue_clock())
        with _readable(is_write=False):
            return answers.venue_time_ns(answer)

    async def _rows(self, request: VenueRequest) -> list[Row]:
        answer = await self._read(request)
        with _readable(is_write=False):
            return answers.rows_of(answer.body)

    async def _read(self, request: VenueRequest) -> Answer:
        """Send a read, again after a short pause if the venue could not answer."""
        retrying = AsyncRetrying(
            retry=retry_if_exception(_is_worth_another_try),
            stop=stop_after_attempt(READ_ATTEMPTS),
            wait=_told_pause_s,
            reraise=True,
        )
        return await retrying(self._client.send, request)


def _is_worth_another_try(error: BaseException) -> bool:
    return isinstance(error, Unavailable) and error.retry_after_s <= _WORTH_WAITING_S


def _told_pause_s(state: RetryCallState) -> float:
    """As long as the error says, half as long again with each further try."""
    error = state.outcome.exception() if state.outcome is not None else None
    told_s = error.retry_after_s if isinstance(error, Unavailable) else 0.0
    return told_s * float(1.5 ** (state.attempt_number - 1))


@contextmanager
def _readable(*, is_write: bool) -> Iterator[None]:
    """Turn an unreadable answer into an error of the port: after a write nobody knows what happened."""
    try:
        yield
    except MalformedRow as malformed:
        raise unanswered(f"unreadable answer: {malformed}", is_write=is_write) from malformed


def _recent_order(row: Row) -> Order | None:
    """A finished order of somebody else that cannot be read must not take the whole picture away."""
    try:
        return parse_order(row)
    except MalformedRow:
        if order_status(row).is_final:
            return None
        raise


def _instrument(row: Row) -> Instrument | None:
    try:
        return parse_instrument(row)
    except MalformedRow:
        return None
