"""The document of the engine's state: identity, refusals, comparison."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from connectors.simulated.engine import snapshot
from connectors.simulated.engine.exchange import Exchange
from connectors.simulated.engine.inputs import PlaceOrder
from connectors.simulated.engine.resting.orders import Order
from connectors.simulated.engine.snapshot import Difference, SnapshotError
from connectors.simulated.engine.world import World
from tests.property.test_simulated_exchange import START_MS, opening


@pytest.fixture(name="exchange")
def _exchange() -> Exchange:
    """An exchange with prices, three accounts and two orders of the first."""
    exchange = Exchange()
    orders = [
        PlaceOrder(account=1, symbol="XBTUSD", order_qty=100, price=Decimal(price), cl_ord_id=f"at {price}")
        for price in (40_000, 41_000)
    ]
    for value in (*opening(), *orders):
        exchange.apply(value, at_ms=START_MS)
    exchange.take_changes()
    return exchange


def test_every_type_of_the_state_can_be_carried() -> None:
    """A field whose type has no exact form fails here on the day it is added."""
    snapshot.check(World)


def test_shared_orders_stay_shared(exchange: Exchange) -> None:
    """The tables of an account, and whatever else holds an order, hold one and the same after a load."""
    account = Exchange.load(exchange.save()).world.accounts[1]
    assert len(account.orders) == 2
    for order_id, order in account.orders.items():
        assert account.open_orders["XBTUSD"][order_id] is order
        assert account.client_ids[order.cl_ord_id] is order
        assert order.contract is account.positions["XBTUSD"].contract


def test_same_state_same_bytes(exchange: Exchange) -> None:
    """Written twice, and written after a load, the document is the same."""
    document = exchange.save()
    assert exchange.save() == document
    assert Exchange.load(document).save() == document


def test_difference_by_path(exchange: Exchange) -> None:
    """Two states that differ in one order differ in one place, with its name."""
    other = Exchange.load(exchange.save())
    order = next(iter(other.world.accounts[1].orders.values()))
    order.leaves = 50
    found = list(snapshot.differences(exchange.save(), other.save()))
    assert found == [Difference(path=f"/Order/{order.order_id}/leaves", left="100", right="50")]


def test_missing_and_reordered_entries_differ() -> None:
    """What only one side has is shown against nothing; an order of entries counts, as it may matter."""
    left, right = (json.dumps({"format": 1, "a": one}).encode() for one in ({"x": 1, "y": [1]}, {"y": [1, 2], "x": 1}))
    assert list(snapshot.differences(left, right)) == [
        Difference(path="/a/y/1", left=None, right="2"),
        Difference(path="/a (order)", left='["x","y"]', right='["y","x"]'),
    ]


@dataclass(kw_only=True, slots=True)
class Ledger:
    """A mutable value without a key."""

    sums: dict[str, int] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class Books:
    """A state that could hold one value twice."""

    one: Ledger
    other: Ledger
    orders: list[Order] = field(default_factory=list)


def test_a_shared_value_without_a_key_is_refused() -> None:
    """Loaded, there would be two of it: better no snapshot than a wrong one."""
    shared = Ledger()
    with pytest.raises(SnapshotError, match="a Ledger is reached on two ways and has no key"):
        snapshot.save(Books(one=shared, other=shared))
    with pytest.raises(SnapshotError, match="a dict is reached on two ways"):
        snapshot.save(Books(one=shared, other=Ledger(sums=shared.sums)))


def test_two_orders_of_one_key_are_refused(exchange: Exchange) -> None:
    """A copy that has parted from its original is a defect of the engine, not a state."""
    mine = next(iter(exchange.world.accounts[1].orders.values()))
    copy = next(iter(Exchange.load(exchange.save()).world.accounts[1].orders.values()))
    with pytest.raises(SnapshotError, match="two different values are Order"):
        snapshot.save(Books(one=Ledger(), other=Ledger(), orders=[mine, copy]))


REFUSED = [
    (b"", "no whole JSON document"),
    (b'{"format":1,"state":{', "no whole JSON document"),
    (b"[]", "another kind"),
    (b'{"format":9}', "format 9, this version reads 1"),
    (b'{"format":1,"state":{}}', "not a snapshot that can be read"),
]


@pytest.mark.parametrize(("document", "text"), REFUSED)
def test_other_documents_are_one_line(document: bytes, text: str) -> None:
    """Torn, foreign or of another version: one line says so."""
    with pytest.raises(SnapshotError, match=text) as caught:
        Exchange.load(document)
    assert "\n" not in str(caught.value)


def test_no_damage_is_read_as_a_state(exchange: Exchange) -> None:
    """Any part taken out of a document makes it unreadable, never a traceback or a half state."""
    whole = json.loads(exchange.save())
    order_id = next(iter(whole["Order"]))
    for path in (["Order"], ["Order", order_id], ["Order", order_id, "side"], ["state", "accounts", "1"]):
        damaged = json.loads(json.dumps(whole))
        place = damaged
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = 5 if path[0] == "state" else None
        with pytest.raises(SnapshotError):
            Exchange.load(json.dumps(damaged).encode())
