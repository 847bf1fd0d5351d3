"""Matching: the modelled book, other accounts in it, resting orders and public trades."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.contracts import XBTUSD
from connectors.simulated.engine.inputs import OpenAccount, SetPosition
from connectors.simulated.engine.switches import SelfTrade
from tests.unit.connectors.simulated.engine.desk import ALICE, BOB, XBT, Desk, number, prices


def test_taker_walks_the_levels() -> None:
    """Depth 1,000 every 10 from 50,010 up: 2,500 fill at three prices, one execution each."""
    desk = Desk()
    desk.move(prices(half_spread=10, depth=1_000))
    desk.place(2_500, ord_type="Market")
    fills = [(e["lastPx"], e["lastQty"]) for e in desk.executions() if e["execType"] == "Trade"]
    assert fills == [(50_010, 1_000), (50_020, 1_000), (50_030, 500)]


def test_a_market_order_shows_the_touch_until_it_fills() -> None:
    """The first row of a market order carries the best opposite price, each fill then its own; no avgPx before."""
    desk = Desk()
    desk.move(prices(half_spread=10, depth=1_000))
    desk.exchange.take_changes()
    desk.place(1_500, ord_type="Market")
    orders = [change.row for change in desk.exchange.take_changes() if change.table == "order"]
    rows = [(row["price"], row["avgPx"]) for row in orders]
    assert rows == [(50_010, None), (50_010, 50_010), (50_020, Decimal("50013.3329"))]
    assert [execution["price"] for execution in desk.executions()] == [50_010, 50_010, 50_020]


def test_a_stop_has_no_price_before_it_fires() -> None:
    """Waiting it has none, when it is let go the touch, then the price of its match."""
    desk = Desk()
    stop = desk.place(1_000, side="Buy", stop_px=50_500)
    assert stop["price"] is None
    desk.move(prices(mark=50_600, half_spread=10))
    shown = [execution["price"] for execution in desk.executions()]
    assert shown == [None, 50_610, 50_610]


def test_liquidity_used_up_stays_used_up_until_the_next_step() -> None:
    """A second order in the same step starts behind the first; after the step the book is fresh."""
    desk = Desk()
    desk.move(prices(half_spread=10, depth=1_000))
    desk.place(1_000, ord_type="Market")
    assert desk.place(1_000, ord_type="Market", account=BOB)["avgPx"] == 50_020
    desk.move(prices(half_spread=10, depth=1_000))
    assert desk.place(1_000, ord_type="Market", account=BOB)["avgPx"] == 50_010


def test_better_order_of_another_account_goes_first() -> None:
    """Bob's ask inside the spread is hit before the modelled level; both get their executions."""
    desk = Desk()
    desk.move(prices(half_spread=10, depth=1_000))
    maker = desk.place(-500, price=50_005, account=BOB)
    row = desk.place(1_000, ord_type="Market")
    assert row["avgPx"] == Decimal("50007.4999")
    assert desk.order(maker)["ordStatus"] == "Filled"
    made, taken = desk.executions(BOB)[-1], desk.executions()[1]
    assert (made["lastLiquidityInd"], taken["lastLiquidityInd"]) == ("AddedLiquidity", "RemovedLiquidity")
    assert made["trdMatchID"] == taken["trdMatchID"]
    assert made["execCost"] == -number(taken["execCost"])
    assert desk.exchange.money_is_conserved()


def test_own_resting_order_makes_way() -> None:
    """The account's own ask is cancelled, and the buyer trades with what stands behind it."""
    desk = Desk()
    own = desk.place(-500, price="50000.1")
    bought = desk.place(500, ord_type="Market")
    assert (desk.order(own)["ordStatus"], bought["avgPx"]) == ("Canceled", Decimal("50000.5"))
    assert str(desk.order(own)["text"]).startswith("Canceled: Order would have traded with an order of the same")


def test_taker_makes_way_for_its_own_resting_order() -> None:
    """The other side of the switch: what is left of the arriving order goes."""
    desk = Desk(self_trade=SelfTrade.CANCEL_TAKING)
    own = desk.place(-500, price="50000.8")
    desk.move(prices(depth=300))
    taker = desk.place(1_000, price=51_000)
    assert (taker["ordStatus"], taker["cumQty"]) == ("Canceled", 300)
    assert desk.order(own)["ordStatus"] == "New"


def test_resting_order_fills_when_the_market_trades_through() -> None:
    """At the limit price it still rests; one tick through it fills at its own price, as maker."""
    desk = Desk()
    order = desk.place(1_000, price=49_000)
    desk.move(prices(mark=49_000))
    assert desk.order(order)["ordStatus"] == "New"
    desk.move(prices(mark=48_900))
    row = desk.order(order)
    assert (row["ordStatus"], row["avgPx"]) == ("Filled", 49_000)


def test_spike_inside_a_step_fills_too() -> None:
    """The tape names the step's low: a limit order it passed through fills though last is back."""
    desk = Desk()
    order = desk.place(1_000, price=49_000)
    desk.move(prices(mark=50_000, low=48_500))
    assert desk.order(order)["ordStatus"] == "Filled"


def test_limit_order_takes_to_its_price_and_rests() -> None:
    """A buy limit at the second level: two levels are taken, the rest is the new best bid."""
    desk = Desk()
    desk.move(prices(half_spread=10, depth=1_000))
    row = desk.place(2_500, price=50_020)
    assert (row["ordStatus"], row["cumQty"], row["leavesQty"]) == ("PartiallyFilled", 2_000, 500)
    best = next(r for r in desk.exchange.book_rows("XBTUSD", 25) if r["side"] == "Buy")
    assert (best["price"], best["size"]) == (50_020, 500)


def test_book_has_depth_on_both_sides() -> None:
    """Ten levels a side, asks above bids, dearest first."""
    rows = Desk().exchange.book_rows("XBTUSD", 10)
    levels = [number(row["price"]) for row in rows]
    assert [row["side"] for row in rows] == ["Sell"] * 10 + ["Buy"] * 10
    assert levels == sorted(levels, reverse=True)
    assert levels[9] > 50_000 > levels[10]


def test_public_trade_shows_the_takers_side() -> None:
    """A sale shows as a Sell of its size in the trade table."""
    desk = Desk()
    desk.place(-1_000, ord_type="Market")
    row = desk.exchange.trade_rows("XBTUSD")[-1]
    assert (row["side"], row["size"], row["price"]) == ("Sell", 1_000, Decimal("49999.5"))


def test_order_through_the_mark_reserves_the_difference() -> None:
    """A buy above the mark locks its premium as well; the position row shows it."""
    desk = Desk()
    desk.move(prices(mark=50_000, last=51_000))
    desk.place(1_000, price=50_900)
    row = desk.position()
    assert number(row["openOrderBuyPremium"]) == abs(10 * (200_000 - 196_464))
    assert number(row["initMargin"]) > number(row["openOrderBuyPremium"])


def test_orders_that_only_shrink_are_free() -> None:
    """A take-profit of the whole position reserves nothing; the part beyond it does."""
    desk = Desk()
    desk.place(1_000, ord_type="Market")
    desk.place(-1_000, price=51_000)
    assert desk.position()["initMargin"] == 0
    desk.place(-500, price=52_000)
    assert number(desk.position()["initMargin"]) > 0


def test_fill_that_would_liquidate_at_once_is_refused() -> None:
    """100x into a market far above the mark: refused before it trades."""
    desk = Desk()
    desk.leverage(100)
    desk.move(prices(mark=50_000, last=50_400))
    refused = desk.refusal(lambda: desk.place(10_000, ord_type="Market"))
    assert refused.message == "Executing at order price would lead to immediate liquidation"
    assert desk.exchange.order_rows(ALICE) == []


def bob_with(desk: Desk, quantity: int, price: object, **fields: Any) -> Row:
    """Let the second account place a limit order."""
    return desk.place(quantity, account=BOB, price=price, **fields)


def test_price_goes_first_then_age_across_accounts() -> None:
    """A better price is hit first whoever came later; at one price the earlier order is."""
    desk = Desk()
    late_but_better = desk.place(-100, price="50000.2")
    first, second = desk.place(-100, price="50000.3"), desk.place(-100, price="50000.3")
    taker = bob_with(desk, 200, "50000.4")
    assert taker["avgPx"] == Decimal("50000.25")
    assert [desk.order(row)["ordStatus"] for row in (late_but_better, first, second)] == ["Filled", "Filled", "New"]


def test_iceberg_shows_a_part_and_goes_to_the_end_of_the_queue() -> None:
    """300 of 1,000 on display; used up, the next 300 stand behind whoever came meanwhile."""
    desk = Desk()
    iceberg = desk.place(-1_000, price="50000.2", display_qty=300)
    behind = desk.place(-200, price="50000.2")

    def shown() -> object:
        return next(row["size"] for row in desk.exchange.book_rows("XBTUSD", 25) if row["price"] == Decimal("50000.2"))

    assert shown() == 500
    bob_with(desk, 300, "50000.2")
    assert (shown(), desk.order(iceberg)["leavesQty"]) == (500, 700)
    bob_with(desk, 200, "50000.2")
    assert desk.order(behind)["ordStatus"] == "Filled"
    assert desk.order(iceberg)["displayQty"] == 300


def test_hidden_order_is_not_in_the_public_book_and_trades_last_at_its_price() -> None:
    """A taker meets what is displayed at the price first, then the hidden order, at no better price."""
    desk = Desk()
    hidden = desk.place(-500, price="50000.2", display_qty=0)
    plain = desk.place(-500, price="50000.2")
    bob_with(desk, 500, "50000.2")
    assert [desk.order(row)["ordStatus"] for row in (hidden, plain)] == ["New", "Filled"]
    assert all(row["price"] != Decimal("50000.2") for row in desk.exchange.book_rows("XBTUSD", 25))
    bob_with(desk, 500, "50000.2")
    assert desk.order(hidden)["ordStatus"] == "Filled"


@pytest.mark.parametrize(
    ("shows", "taken", "pays_as"), [(None, 500, "maker"), (0, 500, "taker"), (300, 300, "maker"), (300, 500, "taker")]
)
def test_who_was_hit_in_the_dark_pays_the_takers_fee(shows: int | None, taken: int, pays_as: str) -> None:
    """Hidden: always. An iceberg: only when a taker goes through its displayed part, and then for all of it."""
    desk = Desk()
    order = desk.place(-1_000, price="50000.2", display_qty=shows)
    bob_with(desk, taken, "50000.2")
    fills = [row for row in desk.executions() if row["orderID"] == order["orderID"] and row["execType"] == "Trade"]
    rate = XBTUSD.maker_fee if pays_as == "maker" else XBTUSD.taker_fee
    assert [row["commission"] for row in fills] == [rate] * len(fills)
    assert {row["lastLiquidityInd"] for row in fills} == {"AddedLiquidity"}


def test_levels_that_appear_across_a_resting_order_trade_with_it() -> None:
    """A recorded ask below a resting buy fills it at its own price, as far as it goes; nothing is crossed."""
    desk = Desk()
    order = desk.place(1_000, price=49_990)
    levels: dict[str, Any] = {
        "bids": ((Decimal(49_970), 100),),
        "asks": ((Decimal(49_980), 400), (Decimal(49_995), 100)),
    }
    desk.move(prices(mark=50_000, last=49_995, **levels))
    row = desk.order(order)
    assert (row["cumQty"], row["avgPx"], row["leavesQty"]) == (400, 49_990, 600)
    asks = [row["price"] for row in desk.exchange.book_rows("XBTUSD", 5) if row["side"] == "Sell"]
    assert asks == [49_995]
    assert desk.exchange.money_is_conserved()


def test_two_reduce_only_orders_hit_at_once_do_not_turn_the_position() -> None:
    """A plain sale fills first and leaves less to shrink than the reduce-only order behind it was planned for."""
    desk = Desk()
    desk.place(1_000, ord_type="Market")
    plain = desk.place(-700, price="50000.2")
    shrinking = desk.place(-1_000, price="50000.3", exec_inst="ReduceOnly")
    bob_with(desk, 2_000, "50000.3")
    assert (desk.order(plain)["cumQty"], desk.order(shrinking)["cumQty"]) == (700, 300)
    assert desk.position()["currentQty"] == 0


@pytest.mark.parametrize(("spare", "state", "sold"), [(0, "Canceled", 0), (100, "Filled", 200)])
def test_fill_or_kill_counts_on_no_order_that_an_earlier_match_cuts(spare: int, state: str, sold: int) -> None:
    """A short of 100 with a plain bid and a reduce-only bid: the first fill ends the second; others may stand in."""
    desk = Desk()
    desk.move(prices(depth=0))
    desk.apply(SetPosition(account=BOB, symbol="XBTUSD", quantity=-100))
    desk.place(100, account=BOB, price=50_002)
    desk.place(100, account=BOB, price=50_001, exec_inst="ReduceOnly")
    if spare:
        desk.apply(OpenAccount(account=3, balances={"XBt": XBT}))
        desk.place(spare, account=3, price=50_000)
    order = desk.place(-200, price=50_000, time_in_force="FillOrKill")
    assert (order["ordStatus"], order["cumQty"]) == (state, sold)
    assert desk.position(account=BOB)["currentQty"] == (0 if sold else -100)
