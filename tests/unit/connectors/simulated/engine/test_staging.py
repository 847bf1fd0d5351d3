"""What a harness does to the exchange: positions, news and keys, refused where they cannot be."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.simulated.engine.inputs import Announce, Input, Scripted, SetFault, SetKey, SetPosition, SettleContract
from connectors.simulated.engine.refusals import Refused
from tests.unit.connectors.simulated.engine.desk import ALICE, Desk


def test_a_position_is_there_at_its_price_and_free() -> None:
    """Up, turned round and closed again; no fee, no unit lost."""
    desk = Desk()
    for quantity in (10_000, -5_000, 0):
        desk.apply(SetPosition(account=ALICE, symbol="XBTUSD", quantity=quantity))
        [row] = desk.exchange.position_rows(ALICE)
        assert row["currentQty"] == quantity
        assert row["currentComm"] == 0
        assert desk.exchange.money_is_conserved()


def test_reduce_only_orders_follow_a_position_that_is_put_there() -> None:
    """Cut down with it and gone with it, so they never open the other side."""
    desk = Desk()
    desk.apply(SetPosition(account=ALICE, symbol="XBTUSD", quantity=1_000))
    order = desk.place(-1_000, price=50_100, exec_inst="ReduceOnly")
    desk.apply(SetPosition(account=ALICE, symbol="XBTUSD", quantity=400))
    assert desk.order(order)["leavesQty"] == 400
    desk.apply(SetPosition(account=ALICE, symbol="XBTUSD", quantity=0))
    assert desk.order(order)["ordStatus"] == "Canceled"


def test_no_position_is_put_into_a_contract_that_has_ended() -> None:
    """Nobody would ever settle it again."""
    desk = Desk()
    desk.apply(SettleContract(symbol="XBTUSD"))
    with pytest.raises(Refused, match="Instrument expired"):
        desk.apply(SetPosition(account=ALICE, symbol="XBTUSD", quantity=100))


def test_news_are_numbered_and_the_urgent_ones_known() -> None:
    """Latest first, and published as rows."""
    desk = Desk()
    desk.exchange.take_changes()
    desk.apply(Announce(title="first", is_urgent=True))
    desk.apply(Announce(title="second", link="https://example.org"))
    assert [row["title"] for row in desk.exchange.announcement_rows()] == ["second", "first"]
    assert [row["title"] for row in desk.exchange.announcement_rows(only_urgent=True)] == ["first"]
    assert [change.table for change in desk.exchange.take_changes()] == ["announcement"] * 2


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (SetPosition(account=9, symbol="XBTUSD", quantity=100), "Invalid account"),
        (SetPosition(account=ALICE, symbol="NONE", quantity=100), "Invalid symbol"),
        (SetPosition(account=ALICE, symbol="XBTUSD", quantity=150), "multiple of lot size: 100"),
        (SetPosition(account=ALICE, symbol="XBTUSD", quantity=100, price=Decimal("1E-400")), "Invalid price"),
        (SetPosition(account=ALICE, symbol="XBTUSD", quantity=10**18), "Invalid orderQty"),
        (SetKey(account=9, key_id="k", secret="s"), "Invalid account"),
        (SetKey(account=ALICE, key_id="", secret="s"), "needs an id and a secret"),
        (SetKey(account=ALICE, key_id="k", secret="s", permissions=("all",)), "no permission 'all'"),
        (SetFault(name="stop-asleep", account=9), "Invalid account"),
        (SetFault(name="mark-frozen", symbol="NONE"), "Invalid symbol"),
    ],
)
def test_what_cannot_be_is_refused(value: Input, reason: str) -> None:
    """With the reason, and nothing has changed."""
    desk = Desk()
    with pytest.raises(Refused, match=reason):
        desk.apply(value)
    assert not desk.exchange.faults().active
    assert not desk.exchange.changed_keys()


def test_a_scripted_input_is_remembered_even_if_it_is_refused() -> None:
    """It has had its turn; the next one is the next."""
    desk = Desk()
    desk.apply(Scripted(number=1, input=Announce(title="news")))
    with pytest.raises(Refused):
        desk.apply(Scripted(number=2, input=SetPosition(account=9, symbol="XBTUSD", quantity=100)))
    assert desk.exchange.script_position() == 2
