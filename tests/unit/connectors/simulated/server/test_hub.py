"""Who reads what: the index of subscriptions, and what happens to it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from connectors.simulated.engine.inputs import CancelAll, PlaceOrder
from connectors.simulated.server.settings import PositionKeys
from tests.integration.exchange_client import START_MS, prices
from tests.unit.connectors.simulated.server.talks import a_session, a_venue, key_of, subscribe


def tables(said: list[Any]) -> list[tuple[str, str, str]]:
    """Return table, action and first symbol of each frame."""
    return [(one["table"], one["action"], one["data"][0].get("symbol")) for one in said if "table" in one]


async def test_a_frame_reaches_a_session_once_however_often_it_asked() -> None:
    """Whole table, symbol and group overlap; the frame does not come three times."""
    venue = a_venue()
    session, outlet = a_session(venue)
    subscribe(session, "quote", "quote:XBTUSD", "quote:CONTRACTS")
    outlet.taken()
    venue.submit(prices(START_MS + 1_000, XBTUSD=59_000))
    said = tables(outlet.taken())
    assert said.count(("quote", "insert", "XBTUSD")) == 1
    assert len(said) == len(set(said)) > 1


async def test_who_leaves_gets_nothing_more_and_is_remembered_nowhere() -> None:
    """After the end of a session neither index nor books know it."""
    venue = a_venue()
    session, outlet = a_session(venue, key=key_of(venue))
    subscribe(session, "instrument", "orderBookL2:XBTUSD", "order")
    venue.hub.remove(session)
    outlet.taken()
    venue.submit(prices(START_MS + 1_000, XBTUSD=59_000))
    assert outlet.taken() == []
    assert (venue.hub._readers, venue.hub._books._published, venue.hub.sessions()) == ({}, {}, ())


async def test_the_audience_follows_every_subscription() -> None:
    """A frame before and after somebody joined, and after he left again."""
    venue = a_venue()
    first, first_outlet = a_session(venue)
    second, second_outlet = a_session(venue)
    subscribe(first, "quote:XBTUSD")
    venue.submit(prices(START_MS + 1_000, XBTUSD=59_000))
    subscribe(second, "quote:XBTUSD")
    first_outlet.taken(), second_outlet.taken()
    venue.submit(prices(START_MS + 2_000, XBTUSD=59_100))
    assert len(tables(first_outlet.taken())) == len(tables(second_outlet.taken())) == 1
    second.take(json.dumps({"op": "unsubscribe", "args": ["quote:XBTUSD"]}))
    second_outlet.taken()
    venue.submit(prices(START_MS + 3_000, XBTUSD=59_200))
    assert (len(tables(first_outlet.taken())), second_outlet.taken()) == (1, [])


async def test_sessions_from_an_address_are_closed_on_its_ban() -> None:
    """Those of others stay."""
    venue = a_venue()
    _, outlet = a_session(venue)
    venue.hub.hang_up("10.0.0.1")
    assert not outlet.is_closed
    venue.hub.hang_up("127.0.0.1")
    assert (outlet.is_closed, outlet.code) == (True, 1000)


async def test_connected_counts_as_clients_come() -> None:
    """The counter is published to whoever reads it."""
    venue = a_venue()
    session, outlet = a_session(venue)
    subscribe(session, "connected")
    assert outlet.taken()[-1]["data"] == [{"users": 1, "bots": 1}]
    a_session(venue)
    assert outlet.taken() == [{"table": "connected", "action": "insert", "data": [{"users": 2, "bots": 2}]}]


async def test_a_resting_order_shows_in_the_book_at_once() -> None:
    """Placed and cancelled between two steps of the tape, both are frames of the book."""
    venue = a_venue()
    session, outlet = a_session(venue)
    subscribe(session, "orderBookL2_25:XBTUSD")
    outlet.taken()
    order = PlaceOrder(account=venue.accounts[0], symbol="XBTUSD", order_qty=100, side="Buy", price=Decimal(59_999))
    venue.submit(order)
    (placed,) = outlet.taken()
    venue.submit(CancelAll(account=venue.accounts[0], symbol=None, text=None))
    (cancelled,) = outlet.taken()
    for said in (placed, cancelled):
        assert said["table"] == "orderBookL2_25"
        assert [row["price"] for row in said["data"]] == [59_999]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (PositionKeys.STRATEGY, ["account", "symbol", "strategy"]),
        (PositionKeys.SYMBOL, ["account", "symbol"]),
    ],
)
async def test_the_keys_of_positions_are_a_switch(keys: PositionKeys, expected: list[str]) -> None:
    """With `strategy` since 2025, without before; other tables keep theirs."""
    venue = a_venue(position_keys=keys)
    session, outlet = a_session(venue, key=key_of(venue))
    subscribe(session, "position", "order")
    positions, orders = (one for one in outlet.taken() if one.get("action") == "partial")
    assert (positions["keys"], orders["keys"]) == (expected, ["orderID"])
