"""What goes over the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from connectors.bitmex.protocol import requests
from connectors.ports import LimitRequest, ReduceRequest, StopRequest
from connectors.vocabulary import OrderSide


def a_stop(**changed: Any) -> StopRequest:
    """Return a stop request."""
    asked: dict[str, Any] = {
        "client_order_id": "sw-1",
        "symbol": "XBTUSD",
        "side": OrderSide.SELL,
        "quantity": 100,
        "stop_price": Decimal("48000.5"),
    }
    return StopRequest(**(asked | changed))


def a_reduction(**changed: Any) -> ReduceRequest:
    """Return a reduce request."""
    asked: dict[str, Any] = {"client_order_id": "sw-2", "symbol": "XBTUSD", "side": OrderSide.BUY, "quantity": 100}
    return ReduceRequest(**(asked | changed))


def a_limit(**changed: Any) -> LimitRequest:
    """Return a take-profit request."""
    asked: dict[str, Any] = {
        "client_order_id": "sw-3",
        "symbol": "XBTUSD",
        "side": OrderSide.SELL,
        "quantity": 100,
        "price": Decimal("52000.50"),
    }
    return LimitRequest(**(asked | changed))


def sent(request: requests.VenueRequest) -> Any:
    """Return the body as a server reads it."""
    return msgspec.json.decode(request.body)


def test_stop_with_quantity() -> None:
    """P1, P2: a stop names the mark price as its trigger and can only reduce."""
    assert sent(requests.place_stop(a_stop())) == {
        "symbol": "XBTUSD",
        "side": "Sell",
        "clOrdID": "sw-1",
        "text": "Seawall",
        "orderQty": 100,
        "ordType": "Stop",
        "stopPx": 48000.5,
        "execInst": "MarkPrice,ReduceOnly",
    }


def test_close_stop_has_no_quantity() -> None:
    """P1: without a quantity the stop is Close; a Close with a quantity would be shed under overload."""
    body = sent(requests.place_stop(a_stop(quantity=None)))
    assert body["execInst"] == "MarkPrice,Close"
    assert "orderQty" not in body
    assert body["side"] == "Sell"


@pytest.mark.parametrize(("quantity", "restraint"), [(100, "ReduceOnly"), (None, "Close")])
def test_market_reduction(quantity: int | None, restraint: str) -> None:
    """P1: a market order of the guard is reduce-only or closes."""
    body = sent(requests.reduce_at_market(a_reduction(quantity=quantity)))
    assert (body["ordType"], body["execInst"], body.get("orderQty")) == ("Market", restraint, quantity)
    assert "price" not in body


def test_take_profit() -> None:
    """P1, P8: a reduce-only limit order, on an endpoint that leaves the protective reserve alone."""
    request = requests.place_take_profit(a_limit())
    assert not request.endpoint.is_protective
    assert sent(request) == {
        "symbol": "XBTUSD",
        "side": "Sell",
        "clOrdID": "sw-3",
        "text": "Seawall",
        "orderQty": 100,
        "ordType": "Limit",
        "price": 52000.5,
        "execInst": "ReduceOnly",
    }


@pytest.mark.parametrize("bad", [{"price": Decimal(0)}, {"price": Decimal("NaN")}, {"quantity": 0}])
def test_a_take_profit_that_cannot_be_meant_is_not_sent(bad: dict[str, Any]) -> None:
    """A price and a size above zero."""
    with pytest.raises(ValueError, match="above zero"):
        requests.place_take_profit(a_limit(**bad))


@pytest.mark.parametrize(
    ("price", "written"),
    [("5E+4", b"50000"), ("48000.50", b"48000.5"), ("0.00001", b"0.00001"), ("1E-7", b"0.0000001")],
)
def test_prices_are_plain_numbers(price: str, written: bytes) -> None:
    """Prices go as JSON numbers, digit for digit, without exponent or quotes."""
    assert b'"stopPx":' + written + b"," in requests.place_stop(a_stop(stop_price=Decimal(price))).body


@pytest.mark.parametrize(
    "bad",
    [
        {"client_order_id": ""},
        {"client_order_id": "x" * 37},
        {"quantity": 0},
        {"quantity": -5},
        {"stop_price": Decimal(0)},
        {"stop_price": Decimal("NaN")},
    ],
)
def test_what_cannot_be_meant_is_not_sent(bad: dict[str, Any]) -> None:
    """A quantity of zero, a price that is none, an id the venue would cut: refused before the wire."""
    with pytest.raises(ValueError, match=r"above zero|characters"):
        requests.place_stop(a_stop(**bad))


def test_amendments_never_carry_leaves_quantity() -> None:
    """P1: leavesQty can bring a filled order back, so it has no way into a request."""
    both = requests.amend_stop(order_id="o", stop_price=Decimal(48000), quantity=50)
    assert sent(both) == {"orderID": "o", "stopPx": 48000, "orderQty": 50, "text": "Seawall"}
    assert "orderQty" not in sent(requests.amend_stop(order_id="o", stop_price=Decimal(1), quantity=None))
    assert "stopPx" not in sent(requests.amend_stop(order_id="o", stop_price=None, quantity=5))


@pytest.mark.parametrize("bad", [(None, None), (Decimal(-1), None), (None, 0)])
def test_impossible_amendments(bad: tuple[Decimal | None, int | None]) -> None:
    """An amendment changes something, to something that can be meant."""
    with pytest.raises(ValueError, match=r"above zero|changes something"):
        requests.amend_stop(order_id="o", stop_price=bad[0], quantity=bad[1])


def test_the_switch_counts_in_milliseconds() -> None:
    """The time-out goes over both ways as it is, in milliseconds."""
    assert sent(requests.cancel_all_after(60_000)) == {"timeout": 60_000}
    assert requests.cancel_all_after_frame(60_000) == b'{"op":"cancelAllAfter","args":60000}'
    with pytest.raises(ValueError, match="below zero"):
        requests.cancel_all_after(-1)


def test_look_up_by_client_id() -> None:
    """P5: asking is one read with a list of ids, of any status, and may spend the reserve."""
    asked = requests.orders_by_client_id(["sw-1", "sw-2"])
    query = parse_qs(urlsplit(asked.target).query)
    assert msgspec.json.decode(query["filter"][0]) == {"clOrdID": ["sw-1", "sw-2"]}
    assert asked.endpoint.is_protective
    assert not asked.endpoint.is_write


def test_queries_are_percent_encoded() -> None:
    """What is signed is what is sent: the query is encoded once, here."""
    assert requests.open_orders(start=500).target == (
        "/api/v1/order?filter=%7B%22open%22%3Atrue%7D&count=500&start=500&reverse=true"
    )


def test_reads_of_the_picture_do_not_spend_the_reserve() -> None:
    """P8: only what protects may touch the reserve."""
    reads = [requests.open_orders(), requests.recent_orders(), requests.positions(), requests.margins()]
    assert not any(read.endpoint.is_protective or read.endpoint.is_write for read in reads)


def test_the_switch_is_not_in_the_bucket_of_the_second() -> None:
    """Orders count by the second, heartbeats do not."""
    assert not requests.cancel_all_after(0).endpoint.is_limited_by_second
    assert requests.cancel_order(order_id="o").endpoint.is_limited_by_second


def test_many_cancels_go_by_name_and_spare_half_of_the_reserve() -> None:
    """P8: one request for all; it may use the reserve, but not what the next stop needs."""
    asked = requests.cancel_orders(order_ids=["a", "b"])
    assert (asked.endpoint.verb, asked.target, asked.body) == ("DELETE", "/api/v1/order", b'{"orderID":["a","b"]}')
    assert asked.endpoint.is_protective
    assert asked.endpoint.is_sparing


@pytest.mark.parametrize("count", [0, requests.MOST_CANCELS + 1])
def test_a_cancel_of_none_or_of_too_many_is_not_made(count: int) -> None:
    """An empty list might be read as "all"."""
    with pytest.raises(ValueError, match="cancels 1 to"):
        requests.cancel_orders(order_ids=["x"] * count)


def test_what_backs_a_position_can_only_be_made_stronger() -> None:
    """P1: margin in, never out; leverage 0 would mean cross; isolating only."""
    assert requests.add_margin(symbol="XBTUSD", amount_sat=5).body == b'{"symbol":"XBTUSD","amount":5}'
    assert (
        requests.set_leverage(symbol="XBTUSD", leverage=Decimal("2.50")).body == b'{"symbol":"XBTUSD","leverage":2.5}'
    )
    assert requests.isolate(symbol="XBTUSD").body == b'{"symbol":"XBTUSD","enabled":true}'
    for amount in (0, -1):
        with pytest.raises(ValueError, match="only added"):
            requests.add_margin(symbol="XBTUSD", amount_sat=amount)
    for leverage in (Decimal(0), Decimal(-1), Decimal("NaN")):
        with pytest.raises(ValueError, match="above zero"):
            requests.set_leverage(symbol="XBTUSD", leverage=leverage)
