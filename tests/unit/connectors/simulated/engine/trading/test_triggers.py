"""Stops and touches: which price fires them, when, and what follows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.unit.connectors.simulated.engine.desk import XBT, Desk, prices


def test_waiting_stop_is_new_and_not_working() -> None:
    """A protective stop at rest: New, not triggered, not in the book, no size of its own."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    row = desk.stop(49_000)
    assert (row["ordStatus"], row["triggered"], row["workingIndicator"]) == ("New", None, False)
    assert (row["orderQty"], row["leavesQty"]) == (None, None)


def test_close_stop_can_show_the_position_at_placement() -> None:
    """By switch the resting row of a Close stop shows the position's size."""
    desk = Desk(close_shows_quantity=True)
    desk.place(1000, ord_type="Market")
    row = desk.stop(49_000)
    assert (row["orderQty"], row["leavesQty"]) == (1000, 1000)
    desk.place(500, ord_type="Market")
    desk.move(prices(mark=49_000))
    assert desk.order(row)["cumQty"] == 1500


def test_stop_fires_on_mark_at_equality_and_fills_around_last() -> None:
    """Mark meets the trigger while last stands elsewhere: three kinds of rows, fills around last."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    stop = desk.stop(49_000)
    desk.move(prices(mark="49000.01", last=48_000))
    assert desk.order(stop)["ordStatus"] == "New"
    desk.move(prices(mark=49_000, last=48_500))
    row = desk.order(stop)
    assert (row["ordStatus"], row["avgPx"]) == ("Filled", Decimal("48499.5"))
    assert row["triggered"] == "StopOrderTriggered"
    assert str(row["text"]).startswith("Triggered: Order stop price reached\n")
    kinds = [e["execType"] for e in desk.executions() if e["orderID"] == stop["orderID"]]
    assert kinds == ["New", "TriggeredOrActivatedBySystem", "Trade"]
    assert desk.position()["currentQty"] == 0


def test_equality_can_be_switched_off() -> None:
    """With the switch off a trigger that is just met waits."""
    desk = Desk(trigger_at_equality=False)
    desk.place(1000, ord_type="Market")
    stop = desk.stop(49_000)
    desk.move(prices(mark=49_000))
    assert desk.order(stop)["ordStatus"] == "New"
    desk.move(prices(mark="48999.99"))
    assert desk.order(stop)["ordStatus"] == "Filled"


@pytest.mark.parametrize(
    ("exec_inst", "fires"),
    [
        ("", {"mark"}),
        ("MarkPrice", {"mark"}),
        ("LastPrice", {"last"}),
        ("IndexPrice", {"index"}),
    ],
)
def test_trigger_source(exec_inst: str, fires: set[str]) -> None:
    """Each trigger looks at its own price only; without one it is the mark price."""
    for source in ("mark", "last", "index"):
        desk = Desk()
        stop = desk.place(-100, stop_px=49_000, exec_inst=exec_inst)
        levels = {"mark": 50_000, "last": 50_000, "index": 50_000} | {source: 48_900}
        desk.move(prices(**levels))
        assert (desk.order(stop)["ordStatus"] == "Filled") is (source in fires), source


def test_buy_stop_and_touches_fire_the_other_way() -> None:
    """Buy stops fire above, sell touches above, buy touches below."""
    desk = Desk()
    buy_stop = desk.place(100, stop_px=51_000)
    sell_touch = desk.place(-100, stop_px=51_000, ord_type="MarketIfTouched")
    buy_touch = desk.place(100, stop_px=49_000, ord_type="MarketIfTouched")
    desk.move(prices(mark=51_000))
    assert desk.order(buy_stop)["ordStatus"] == desk.order(sell_touch)["ordStatus"] == "Filled"
    assert desk.order(buy_touch)["ordStatus"] == "New"
    desk.move(prices(mark=49_000))
    assert desk.order(buy_touch)["ordStatus"] == "Filled"


def test_stop_limit_rests_when_the_market_has_gone_past() -> None:
    """A triggered stop-limit whose limit is already passed rests in the book instead of filling."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    order = desk.place(-1000, stop_px=49_000, price=48_900, exec_inst="ReduceOnly")
    desk.move(prices(mark=48_950, last=48_000))
    row = desk.order(order)
    assert (row["ordStatus"], row["workingIndicator"], row["triggered"]) == ("New", True, "StopOrderTriggered")
    desk.move(prices(mark=48_950, last="48900.1"))
    assert desk.order(order)["ordStatus"] == "Filled"
    assert desk.order(order)["avgPx"] == 48_900


def test_last_within_mark_waits_while_last_is_far_away() -> None:
    """A flash crash of last alone, more than 5 % off the mark, does not fire the order."""
    desk = Desk()
    order = desk.place(-100, stop_px=49_000, exec_inst="LastPrice,LastWithinMark")
    desk.move(prices(mark=50_000, last=40_000))
    assert desk.order(order)["ordStatus"] == "New"
    desk.move(prices(mark=50_000, last=48_000))
    assert desk.order(order)["ordStatus"] == "Filled"


def test_crossed_stop_fires_at_once() -> None:
    """A stop placed beyond the mark is accepted and done in one step, or refused by switch."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    assert desk.stop(50_100)["ordStatus"] == "Filled"
    strict = Desk(refuse_crossed_stops=True)
    strict.place(1000, ord_type="Market")
    assert strict.refusal(lambda: strict.stop(50_100)).message == "Invalid stopPx for ordType"


def test_opening_stop_without_margin_is_rejected_when_it_fires() -> None:
    """A stop needs no margin while it waits; one that opens too much is Rejected on the trigger."""
    desk = Desk()
    order = desk.place(9_000_000, stop_px=51_000)
    desk.move(prices(mark=51_000))
    row = desk.order(order)
    assert row["ordStatus"] == "Rejected"
    assert str(row["ordRejReason"]).startswith("Account has insufficient Available Balance")
    assert desk.executions()[-1]["execType"] == "Rejected"


@pytest.mark.parametrize("price", [50_000, 52_000])
def test_opening_stop_limit_without_margin_is_rejected_when_it_fires(price: int) -> None:
    """The limit of a released StopLimit reserves margin like any other, whether it would rest or fill."""
    desk = Desk()
    order = desk.place(10_000_000, side="Buy", stop_px=51_000, price=price, ord_type="StopLimit")
    desk.move(prices(mark=51_000))
    row = desk.order(order)
    assert (row["ordStatus"], row["cumQty"]) == ("Rejected", 0)
    assert "insufficient Available Balance" in str(row["text"])
    assert desk.margin()["availableMargin"] == XBT


def test_stop_after_the_position_is_gone_is_cancelled_on_the_trigger() -> None:
    """A Close stop outlives its position and ends Canceled, without opening anything."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    stop = desk.stop(49_000)
    desk.place(exec_inst="Close")
    assert desk.order(stop)["ordStatus"] == "New"
    desk.move(prices(mark=48_000))
    assert desk.order(stop)["ordStatus"] == "Canceled"
    assert desk.position()["currentQty"] == 0


def test_thin_book_makes_the_stop_slip() -> None:
    """The same stop in a calm and in a crashed market: wider and thinner means a worse fill."""
    fills = []
    for spread, depth in (("0.5", 1_000_000), ("25", 100_000)):
        desk = Desk()
        desk.place(500_000, ord_type="Market")
        stop = desk.stop(49_000)
        desk.move(prices(mark=49_000, last=48_900, half_spread=spread, depth=depth))
        fills.append(Decimal(str(desk.order(stop)["avgPx"])))
    calm, crash = fills
    assert calm == Decimal("48899.5")
    assert crash < Decimal(48_830)
