"""Faults of orders and timers: what a guard's stop can meet."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.inputs import CancelAllAfter, ClearFault, PassTime, SetFault
from connectors.simulated.engine.refusals import Refused
from tests.unit.connectors.simulated.engine.desk import ALICE, BOB, Desk, prices


def desk_with(name: str, **fields: Any) -> Desk:
    """A desk where Alice is long and a fault is set."""
    desk = Desk()
    desk.place(10_000)
    desk.apply(SetFault(name=name, **fields))
    return desk


def stop(desk: Desk, stop_px: int = 49_000, **fields: Any) -> Row:
    """Place Alice's protective stop."""
    return desk.place(side="Sell", stop_px=stop_px, ord_type="Stop", exec_inst="Close,MarkPrice", **fields)


def found(desk: Desk, order: Row) -> Row:
    """The order as it is now."""
    return next(row for row in desk.exchange.order_rows(ALICE) if row["orderID"] == order["orderID"])


def test_stops_are_refused_and_other_orders_are_not() -> None:
    """Only orders that wait meet the fault, and the next one after its end does not."""
    desk = desk_with("stop-refused", parameters={"message": "No stops today"})
    with pytest.raises(Refused, match="No stops today"):
        stop(desk)
    assert desk.place(100)["ordStatus"] == "Filled"
    desk.apply(ClearFault())
    assert stop(desk)["ordStatus"] == "New"


def test_orders_are_refused() -> None:
    """Every new order of the account is."""
    desk = desk_with("order-refused", account=ALICE, parameters={"message": "Account is suspended"})
    with pytest.raises(Refused, match="Account is suspended"):
        desk.place(100)
    assert desk.place(100, account=BOB)["ordStatus"] == "Filled"


def test_a_stop_is_not_changed_and_a_new_one_is_taken() -> None:
    """The old one rests as it was, an execution tells of the refusal, and after the fault it moves."""
    desk = desk_with("amend-refused", account=ALICE, parameters={"message": "No amends today"})
    row = stop(desk)
    with pytest.raises(Refused, match="No amends today"):
        desk.amend(row, stop_px=49_500)
    assert found(desk, row)["stopPx"] == 49_000
    assert (desk.executions()[-1]["execType"], desk.executions()[-1]["text"]) == ("AmendReject", "No amends today")
    assert stop(desk, 49_500)["ordStatus"] == "New"
    desk.apply(ClearFault())
    assert desk.amend(row, stop_px=49_600)["stopPx"] == 49_600


def test_a_crossed_stop_is_refused_and_another_is_not() -> None:
    """Only a stop beyond its trigger."""
    desk = desk_with("crossed-stop-refused")
    with pytest.raises(Refused, match="Invalid stopPx for ordType"):
        stop(desk, 51_000)
    assert stop(desk)["ordStatus"] == "New"


def test_an_order_ends_rejected_in_its_own_answer() -> None:
    """A 200 whose row says Rejected."""
    desk = desk_with("order-rejected", count=1)
    row = stop(desk)
    assert (row["ordStatus"], row["ordRejReason"]) == ("Rejected", "Rejected by the venue")
    assert stop(desk)["ordStatus"] == "New"


def test_a_stop_is_accepted_and_then_cancelled_by_the_venue() -> None:
    """The answer says New, the table says Canceled."""
    desk = desk_with("stop-cancelled")
    row = stop(desk)
    assert row["ordStatus"] == "New"
    assert (found(desk, row)["ordStatus"], found(desk, row)["text"]) == ("Canceled", "Canceled: Canceled by the venue")


def test_a_stop_is_cancelled_when_it_is_old_enough() -> None:
    """Not before its age, then at the next step of prices."""
    desk = desk_with("stop-cancelled", parameters={"after_ms": 2_000})
    row = stop(desk)
    desk.move(prices())
    assert found(desk, row)["ordStatus"] == "New"
    desk.move(prices())
    assert found(desk, row)["ordStatus"] == "Canceled"


def test_a_stop_sleeps_through_its_price_and_wakes_up() -> None:
    """Once the fault is over the next step fires it."""
    desk = desk_with("stop-asleep", symbol="XBTUSD")
    row = stop(desk)
    desk.move(prices("XBTUSD", 48_500))
    assert found(desk, row)["triggered"] in (None, "")
    desk.apply(ClearFault())
    desk.move(prices("XBTUSD", 48_500))
    assert found(desk, row)["ordStatus"] == "Filled"


def test_a_stop_triggers_and_is_not_filled() -> None:
    """It is triggered, open, and the position is still there."""
    desk = desk_with("stop-unfilled")
    row = stop(desk)
    desk.move(prices("XBTUSD", 48_500))
    assert (found(desk, row)["triggered"], found(desk, row)["ordStatus"]) == ("StopOrderTriggered", "New")
    assert desk.exchange.position_rows(ALICE)[0]["currentQty"] == 10_000


@pytest.mark.parametrize(("quantity", "is_taken"), [(100, False), (-100, True), (-10_100, False)])
def test_only_shrinking_orders_are_taken(quantity: int, is_taken: bool) -> None:
    """What adds to a position or turns it round is refused."""
    desk = desk_with("new-positions-banned")
    if is_taken:
        assert desk.place(quantity)["ordStatus"] == "Filled"
        assert stop(desk)["ordStatus"] == "New"
    else:
        with pytest.raises(Refused, match="Account is restricted"):
            desk.place(quantity)


def test_the_switch_fires_and_is_disarmed_by_somebody_else() -> None:
    """Firing takes the stops along; disarming leaves them, and nothing fires when time is up."""
    desk = Desk()
    desk.place(10_000)
    row = stop(desk)
    desk.apply(CancelAllAfter(account=ALICE, timeout_ms=5_000))
    desk.apply(SetFault(name="switch-disarmed", account=ALICE))
    desk.at_ms += 6_000
    desk.apply(PassTime())
    assert found(desk, row)["ordStatus"] == "New"
    desk.apply(SetFault(name="switch-fired", account=ALICE))
    assert found(desk, row)["text"] == "Canceled\nCanceled by cancelAllAfter."


def test_the_switch_runs_out_and_nothing_happens() -> None:
    """An armed switch that sleeps protects nobody from a dead client."""
    desk = Desk()
    row = desk.place(100, price=40_000)
    desk.apply(SetFault(name="switch-asleep"))
    desk.apply(CancelAllAfter(account=ALICE, timeout_ms=5_000))
    desk.at_ms += 6_000
    desk.apply(PassTime())
    assert found(desk, row)["ordStatus"] == "New"
    assert desk.exchange.next_timer_ms() is None


def test_a_contract_is_settled_at_once_and_then_all_are() -> None:
    """Positions close at the price, orders go; a second time it has ended already."""
    desk = Desk()
    desk.place(10_000)
    row = stop(desk)
    desk.apply(SetFault(name="contract-settled", symbol="XBTUSD", parameters={"price": 51_000}))
    assert desk.exchange.position_rows(ALICE)[0]["currentQty"] == 0
    assert found(desk, row)["ordStatus"] == "Canceled"
    with pytest.raises(Refused, match="Instrument expired"):
        desk.apply(SetFault(name="contract-settled", symbol="XBTUSD"))
    desk.apply(SetFault(name="contract-settled"))
    with pytest.raises(Refused):
        desk.place(1, symbol="ETHUSD")
    assert desk.exchange.money_is_conserved()


def test_the_fund_is_taken_to_zero_and_money_is_conserved() -> None:
    """What leaves the fund leaves the exchange."""
    desk = Desk(insurance_fund={"XBt": 500})
    desk.apply(SetFault(name="fund-empty"))
    assert desk.exchange.world.house.fund["XBt"] == 0
    assert desk.exchange.money_is_conserved()
