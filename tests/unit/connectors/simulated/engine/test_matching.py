"""Matching: the modelled book, other accounts in it, resting orders and public trades."""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine.switches import SelfTrade
from tests.unit.connectors.simulated.engine.desk import ALICE, BOB, Desk, number, prices


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
