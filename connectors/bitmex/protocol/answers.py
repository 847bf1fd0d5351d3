"""What an answer with a 2xx status says, read back before it is believed.

Why: promise P1 and P12. A 200 means "received": the row in it may be cancelled, and it may be something else than what
was asked. A row that contradicts the request raises `MalformedRow`, which the caller turns into "outcome unknown: ask".
What a sparse row leaves out is not a contradiction; the order stream will say it.

Source: www.bitmex.com/api/explorer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from connectors.bitmex.protocol.numbers import NOT_JSON, MalformedRow, Row, integer, text
from connectors.bitmex.protocol.parse import execution_instructions, parse_order
from connectors.bitmex.protocol.refusals import Answer
from connectors.ports import LimitRequest, ReduceRequest, StopRequest
from connectors.vocabulary import Order, OrderKind, OrderSide, Trigger

_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def rows_of(body: bytes) -> list[Row]:
    """Return the rows of an answer; one row alone is a list of one.

    Raises:
        MalformedRow: If the body is anything else. The text never quotes it.
    """
    try:
        decoded = _decode(body)
    except NOT_JSON:
        raise MalformedRow("the answer is not JSON") from None
    rows = decoded if isinstance(decoded, list) else [decoded]
    if not all(isinstance(row, dict) for row in rows):
        raise MalformedRow("the answer holds no rows")
    return rows


def row_of(body: bytes) -> Row:
    """Return the one row of an answer.

    Raises:
        MalformedRow: If the body is anything else.
    """
    rows = rows_of(body)
    if len(rows) != 1:
        raise MalformedRow("the answer is not one row")
    return rows[0]


def placed_stop(body: bytes, request: StopRequest) -> Order:
    """Return the stop as the venue took it, whatever its status.

    Raises:
        MalformedRow: If the row cannot be read, or is not the stop that was asked for.
    """
    row = row_of(body)
    order = parse_order(row)
    _require_identity(order, request.client_order_id, request.symbol, request.side)
    if order.kind is not OrderKind.STOP_MARKET:
        raise MalformedRow("the venue placed something else than a stop-market order")
    if execution_instructions(row):
        if order.trigger is not Trigger.MARK:
            raise MalformedRow("the venue placed a stop that is not triggered by the mark price")
        _require_restraint(order)
    return order


def placed_reduction(body: bytes, request: ReduceRequest | LimitRequest) -> Order:
    """Return the market or limit order as the venue took it, whatever its status.

    Raises:
        MalformedRow: If the row cannot be read, or is not the order that was asked for.
    """
    row = row_of(body)
    order = parse_order(row)
    _require_identity(order, request.client_order_id, request.symbol, request.side)
    if execution_instructions(row):
        _require_restraint(order)
    return order


def amended_order(body: bytes, order_id: str) -> Order:
    """Return the order after the amendment.

    Raises:
        MalformedRow: If the row cannot be read or is another order.
    """
    order = parse_order(row_of(body))
    if order.order_id != order_id:
        raise MalformedRow("the venue answered about another order")
    return order


def cancelled_order(body: bytes, order_id: str) -> Order | None:
    """Return the cancelled order; None when there was nothing left to cancel (each row stands for itself).

    Raises:
        MalformedRow: If the row cannot be read, or there are rows and none is of this order.
    """
    rows = rows_of(body)
    if not rows:
        return None
    own = [row for row in rows if row.get("orderID") == order_id]
    if not own:
        raise MalformedRow("the venue answered about another order")
    if text(own[0], "error"):
        return None
    return parse_order(own[0])


def cancelled_orders(body: bytes, order_ids: Sequence[str]) -> tuple[Order, ...]:
    """Return the orders that were cancelled; one whose row tells of an error had ended before and is left out.

    Raises:
        MalformedRow: If a row cannot be read, or is of an order that was not asked for.
    """
    rows = rows_of(body)
    if any(row.get("orderID") not in order_ids for row in rows):
        raise MalformedRow("the venue answered about another order")
    return tuple(parse_order(row) for row in rows if not text(row, "error"))


def position_changed(body: bytes, symbol: str) -> None:
    """Check that the answer is about the position that was meant; what came of it, its row on the stream tells.

    Raises:
        MalformedRow: If it is not.
    """
    if text(row_of(body), "symbol") != symbol:
        raise MalformedRow("the venue answered about another position")


def _require_identity(order: Order, client_order_id: str, symbol: str, side: OrderSide) -> None:
    if order.client_order_id not in {"", client_order_id} or order.symbol != symbol:
        raise MalformedRow("the venue answered about another order")
    if order.side is not side:
        raise MalformedRow("the venue placed the order on the other side")


def _require_restraint(order: Order) -> None:
    if not order.is_reduce_only:
        raise MalformedRow("the venue placed an order that could add to the position")


def venue_time_ns(answer: Answer) -> int:
    """Return the venue's clock: milliseconds of the body, else the middle of the second its Date header names.

    Raises:
        MalformedRow: If the answer tells no time.
    """
    try:
        stamp_ms = integer(row_of(answer.body), "timestamp")
    except MalformedRow:
        stamp_ms = None
    if stamp_ms is not None:
        return stamp_ms * _NS_PER_MS
    try:
        moment = parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, OverflowError):
        raise MalformedRow("the answer tells no time") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * _NS_PER_S + _NS_PER_S // 2
