"""What the guard wants, as requests of the venue: endpoint, query, body.

Why: promise P1 begins here. There is no way to write an order that could grow a position: every order body carries
`ReduceOnly` or `Close`, every stop names the mark price as its trigger (sources disagree about the default), and an
amendment never carries `leavesQty`, which could bring a filled order back.

Source: www.bitmex.com/api/explorer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

import msgspec

from connectors.bitmex import endpoints
from connectors.bitmex.endpoints import Endpoint
from connectors.ports import LimitRequest, ReduceRequest, StopRequest
from connectors.vocabulary import OrderSide

ORDER_TEXT: Final = "Seawall"
"""Stands in the order's text, so that people see on the web page who placed it."""
CLIENT_ID_LENGTH: Final = 36
MOST_CANCELS: Final = 100
"""Orders named in one cancel."""
PAGE: Final = 500
"""The venue's largest page."""

_SIDES: Final = {OrderSide.BUY: "Buy", OrderSide.SELL: "Sell"}
_encode = msgspec.json.Encoder().encode

Fields = Mapping[str, str | int | msgspec.Raw]


@dataclass(frozen=True, kw_only=True, slots=True)
class VenueRequest:
    """One HTTP request without its signature."""

    endpoint: Endpoint
    target: str
    """Path with the query, percent-encoded: exactly what is sent and signed."""
    body: bytes = b""


def _with_body(endpoint: Endpoint, fields: Fields) -> VenueRequest:
    return VenueRequest(endpoint=endpoint, target=endpoint.path, body=_encode(fields))


def _with_query(endpoint: Endpoint, query: Mapping[str, str | int] | None = None) -> VenueRequest:
    target = f"{endpoint.path}?{urlencode(query)}" if query else endpoint.path
    return VenueRequest(endpoint=endpoint, target=target)


def _wire_price(value: Decimal) -> msgspec.Raw:
    """A JSON number without exponent and trailing zeros: some parsers on the way know neither."""
    return msgspec.Raw(f"{value.normalize():f}".encode())


def _identity(client_order_id: str, symbol: str, side: OrderSide) -> dict[str, str | int | msgspec.Raw]:
    if not 0 < len(client_order_id) <= CLIENT_ID_LENGTH:
        raise ValueError(f"a client order id has 1 to {CLIENT_ID_LENGTH} characters")
    return {"symbol": symbol, "side": _SIDES[side], "clOrdID": client_order_id, "text": ORDER_TEXT}


def _size(quantity: int | None) -> tuple[dict[str, int], str]:
    """The quantity field and the word that forbids growth; no quantity means Close, the whole position."""
    if quantity is None:
        return {}, "Close"
    if quantity <= 0:
        raise ValueError("a quantity is above zero")
    return {"orderQty": quantity}, "ReduceOnly"


def place_stop(request: StopRequest) -> VenueRequest:
    """Return the request for a mark-triggered stop-market order that can only shrink the position.

    Raises:
        ValueError: If id, quantity or price cannot be sent.
    """
    if not (request.stop_price.is_finite() and request.stop_price > 0):
        raise ValueError("a stop price is above zero")
    size, restraint = _size(request.quantity)
    return _with_body(
        endpoints.PLACE_ORDER,
        {
            **_identity(request.client_order_id, request.symbol, request.side),
            **size,
            "ordType": "Stop",
            "stopPx": _wire_price(request.stop_price),
            "execInst": f"MarkPrice,{restraint}",
        },
    )


def reduce_at_market(request: ReduceRequest) -> VenueRequest:
    """Return the request for a market order that can only shrink the position.

    Raises:
        ValueError: If id or quantity cannot be sent.
    """
    size, restraint = _size(request.quantity)
    return _with_body(
        endpoints.PLACE_ORDER,
        {
            **_identity(request.client_order_id, request.symbol, request.side),
            **size,
            "ordType": "Market",
            "execInst": restraint,
        },
    )


def place_take_profit(request: LimitRequest) -> VenueRequest:
    """Return the request for a limit order that can only shrink the position.

    Raises:
        ValueError: If id, quantity or price cannot be sent.
    """
    if not (request.price.is_finite() and request.price > 0):
        raise ValueError("a limit price is above zero")
    size, restraint = _size(request.quantity)
    return _with_body(
        endpoints.PLACE_PROFIT,
        {
            **_identity(request.client_order_id, request.symbol, request.side),
            **size,
            "ordType": "Limit",
            "price": _wire_price(request.price),
            "execInst": restraint,
        },
    )


def amend_stop(*, order_id: str, stop_price: Decimal | None, quantity: int | None) -> VenueRequest:
    """Return the request that moves a stop or changes its size; None leaves a field as it is.

    Raises:
        ValueError: If nothing would change, or a value cannot be sent.
    """
    if stop_price is None and quantity is None:
        raise ValueError("an amendment changes something")
    fields: dict[str, str | int | msgspec.Raw] = {"orderID": order_id}
    if stop_price is not None:
        if not (stop_price.is_finite() and stop_price > 0):
            raise ValueError("a stop price is above zero")
        fields["stopPx"] = _wire_price(stop_price)
    if quantity is not None:
        fields |= _size(quantity)[0]
    return _with_body(endpoints.AMEND_ORDER, {**fields, "text": ORDER_TEXT})


def cancel_order(*, order_id: str) -> VenueRequest:
    """Return the request that cancels one order."""
    return _with_body(endpoints.CANCEL_ORDER, {"orderID": order_id})


def cancel_orders(*, order_ids: Sequence[str]) -> VenueRequest:
    """Return the request that cancels many orders at once.

    Raises:
        ValueError: If there are none, or more than one request is meant to carry.
    """
    if not 0 < len(order_ids) <= MOST_CANCELS:
        raise ValueError(f"a request cancels 1 to {MOST_CANCELS} orders")
    return _with_body(endpoints.CANCEL_OTHERS, {"orderID": msgspec.Raw(_encode(list(order_ids)))})


def add_margin(*, symbol: str, amount_sat: int) -> VenueRequest:
    """Return the request that moves margin to an isolated position; minor units of its settlement currency.

    Raises:
        ValueError: If the amount is not above zero: taking margin out would bring liquidation nearer.
    """
    if amount_sat <= 0:
        raise ValueError("margin is only added")
    return _with_body(endpoints.TRANSFER_MARGIN, {"symbol": symbol, "amount": amount_sat})


def set_leverage(*, symbol: str, leverage: Decimal) -> VenueRequest:
    """Return the request that sets a leverage and isolates the position.

    Raises:
        ValueError: If it is not above zero: 0 would make the position cross.
    """
    if not (leverage.is_finite() and leverage > 0):
        raise ValueError("a leverage is above zero")
    return _with_body(endpoints.SET_LEVERAGE, {"symbol": symbol, "leverage": _wire_price(leverage)})


def isolate(*, symbol: str) -> VenueRequest:
    """Return the request that isolates a cross position."""
    return _with_body(endpoints.ISOLATE, {"symbol": symbol, "enabled": True})


def cancel_all_after(timeout_ms: int) -> VenueRequest:
    """Return the request that feeds the dead man's switch; milliseconds, 0 disarms.

    Raises:
        ValueError: If the time-out is below zero.
    """
    return _with_body(endpoints.CANCEL_ALL_AFTER, {"timeout": _timeout(timeout_ms)})


def cancel_all_after_frame(timeout_ms: int) -> bytes:
    """Return the WebSocket message that feeds the dead man's switch; milliseconds, 0 disarms.

    Raises:
        ValueError: If the time-out is below zero.
    """
    return _encode({"op": "cancelAllAfter", "args": _timeout(timeout_ms)})


def _timeout(timeout_ms: int) -> int:
    if timeout_ms < 0:
        raise ValueError("a time-out is not below zero")
    return timeout_ms


def orders_by_client_id(client_order_ids: Sequence[str]) -> VenueRequest:
    """Return the read of every order, of any status, that carries one of these ids."""
    names = _encode({"clOrdID": list(client_order_ids)}).decode()
    return _with_query(endpoints.ASK_ORDERS, {"filter": names, "count": PAGE, "reverse": "true"})


def open_orders(*, start: int = 0) -> VenueRequest:
    """Return the read of one page of the open orders."""
    return _with_query(
        endpoints.LIST_ORDERS, {"filter": '{"open":true}', "count": PAGE, "start": start, "reverse": "true"}
    )


def recent_orders() -> VenueRequest:
    """Return the read of the newest orders of any status."""
    return _with_query(endpoints.LIST_ORDERS, {"count": PAGE, "reverse": "true"})


def positions() -> VenueRequest:
    """Return the read of every position row, flat ones included."""
    return _with_query(endpoints.LIST_POSITIONS, {"count": PAGE})


def open_positions() -> VenueRequest:
    """Return the read of the open positions only, for accounts whose flat rows fill a page."""
    return _with_query(endpoints.LIST_POSITIONS, {"filter": '{"isOpen":true}', "count": PAGE})


def margins() -> VenueRequest:
    """Return the read of the margin rows of all currencies."""
    return _with_query(endpoints.LIST_MARGINS, {"currency": "all"})


def instruments() -> VenueRequest:
    """Return the read of the instruments now listed."""
    return _with_query(endpoints.LIST_INSTRUMENTS)


def keys() -> VenueRequest:
    """Return the read of the user's API keys. The answer holds secrets: it is never logged."""
    return _with_query(endpoints.LIST_KEYS)


def venue_clock() -> VenueRequest:
    """Return the read of the venue's clock."""
    return _with_query(endpoints.VENUE_CLOCK)
