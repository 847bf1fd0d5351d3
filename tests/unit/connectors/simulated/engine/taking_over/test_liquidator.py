"""Liquidation: when, in which order, at which price, and who pays."""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine.changes import Change
from connectors.simulated.engine.inputs import SetPosition, SymbolPrices
from connectors.simulated.engine.switches import LiquidationStyle
from connectors.simulated.engine.taking_over.takeover import OLD
from tests.unit.connectors.simulated.engine.desk import ALICE, BOB, XBT, Desk, number, prices, tables

NO_ORDER = "00000000-0000-0000-0000-000000000000"
TICK = Decimal("0.1")


def long_desk(**switches: object) -> Desk:
    """Return a desk with an isolated 25x long of 100,000 at 50,000.5."""
    desk = Desk(**switches)
    desk.leverage(25)
    desk.place(100_000, ord_type="Market")
    return desk


def fund_of(desk: Desk, currency: str = "XBt") -> Decimal:
    """Return the insurance fund of a currency."""
    rows = desk.exchange.insurance_rows()
    return next(number(row["walletBalance"]) for row in rows if row["currency"] == currency)


def finish(desk: Desk, *step: SymbolPrices) -> list[Change]:
    """Repeat a price step until all liquidation orders are worked off, and return the changes."""
    changes = []
    for _ in range(OLD):
        changes += desk.move(*step)
        if not desk.exchange.liquidation_rows():
            return changes
    raise AssertionError("a liquidation order outlived its age")


def test_isolated_position_goes_exactly_at_its_liquidation_price() -> None:
    """One tick above nothing happens; at the price shown the position is taken over."""
    desk = long_desk()
    edge = number(desk.position()["liquidationPrice"])
    desk.move(prices(mark=edge + Decimal("0.01"), last=edge))
    assert desk.position()["currentQty"] == 100_000
    desk.move(prices(mark=edge, last=edge))
    assert desk.position()["currentQty"] == 0


def test_last_price_does_not_liquidate() -> None:
    """Last far below the liquidation price with the mark above it changes nothing."""
    desk = long_desk()
    desk.move(prices(mark=49_500, last=40_000))
    assert desk.position()["currentQty"] == 100_000


def test_rows_of_a_liquidation_in_order() -> None:
    """Orders go first, stops too; then the position in two states, its order, execution, position, margin."""
    desk = long_desk()
    stop = desk.stop(45_000)
    limit = desk.place(-100, price=60_000)
    other = desk.place(100, price=40_000, symbol="XBTH27")
    bankrupt = desk.position()["bankruptPrice"]
    changes = desk.move(prices(mark=48_000, last=48_200))
    assert tables(changes) == [
        *["order", "execution"] * 2,
        "position",
        "position",
        "liquidation",
        "execution",
        "position",
        "margin",
    ]
    for row in (stop, limit):
        assert desk.order(row)["ordStatus"] == "Canceled"
        assert str(desk.order(row)["text"]).startswith("Canceled: Position in liquidation")
    assert desk.order(other)["ordStatus"] == "New"
    (shown,) = desk.exchange.liquidation_rows()
    assert (shown["leavesQty"], shown["side"], shown["price"]) == (100_000, "Sell", bankrupt)
    positions = [change.row for change in changes if change.table == "position"]
    assert [row["posState"] for row in positions] == ["Liquidation", "Liquidated", None]
    final = positions[-1]
    assert (final["currentQty"], final["isOpen"], final["liquidationPrice"]) == (0, False, None)
    execution = desk.executions()[-1]
    assert (execution["orderID"], execution["execType"]) == (NO_ORDER, "Trade")
    assert (execution["text"], execution["lastPx"]) == ("Liquidation", bankrupt)
    assert execution["tradePublishIndicator"] == "DoNotPublishTrade"


def test_newer_style_of_the_execution() -> None:
    """By switch the execution says Liquidation in its type."""
    desk = long_desk(liquidation_style=LiquidationStyle.LIQUIDATION)
    desk.move(prices(mark=40_000))
    assert desk.executions()[-1]["execType"] == "Liquidation"


def test_isolated_loss_is_the_position_margin_and_no_more() -> None:
    """A jump far beyond bankruptcy costs the isolated margin; the insurance fund pays the rest."""
    desk = long_desk()
    fund = fund_of(desk)
    before = number(desk.margin()["walletBalance"])
    held = number(desk.position()["posMargin"])
    desk.move(prices(mark=30_000))
    lost = before - number(desk.margin()["walletBalance"])
    assert 0 <= held - lost < held / 100
    finish(desk, prices(mark=30_000))
    assert fund_of(desk) < fund
    assert desk.exchange.money_is_conserved()


def test_jump_over_stop_and_liquidation_liquidates_by_default() -> None:
    """One step crosses both: the cautious default takes the position, the switch lets the stop fire."""
    for first, text in ((True, "Canceled: Position in liquidation"), (False, "Triggered: Order stop price reached")):
        desk = long_desk(liquidation_first=first)
        stop = desk.stop(49_000)
        desk.move(prices(mark=48_200, last=48_900))
        assert str(desk.order(stop)["text"]).startswith(text), first
        assert desk.position()["currentQty"] == 0


def test_jump_over_the_stop_only_fires_it() -> None:
    """One step crosses the stop but not the liquidation price: the stop does its work."""
    desk = long_desk()
    stop = desk.stop(49_000)
    desk.move(prices(mark=48_400, last=48_400))
    assert desk.order(stop)["ordStatus"] == "Filled"
    assert all(row["text"] != "Liquidation" for row in desk.executions())


def test_stop_in_an_empty_book_stops_at_bankruptcy_and_the_rest_is_liquidated() -> None:
    """A stop that meets too little liquidity fills to the bankruptcy price; what is left follows it."""
    desk = long_desk()
    stop = desk.stop(49_000)
    bankrupt = number(desk.position()["bankruptPrice"])
    desk.move(prices(mark=48_900, last=48_300, half_spread=100, depth=10_000))
    row = desk.order(stop)
    assert row["ordStatus"] == "Canceled"
    assert 0 < number(row["cumQty"]) < 100_000
    trades = [e for e in desk.executions() if e["orderID"] == stop["orderID"] and e["lastPx"]]
    assert min(number(e["lastPx"]) for e in trades) >= bankrupt
    assert desk.position()["currentQty"] == 100_000 - number(row["cumQty"])
    assert desk.exchange.money_is_conserved()


def test_cross_positions_of_one_currency_go_together() -> None:
    """Two cross positions in XBt, one losing: both are taken, the USDt position and isolated ones stay."""
    desk = Desk()
    desk.place(1_000_000, ord_type="Market")
    desk.place(1_000, ord_type="Market", symbol="ETHUSD")
    desk.place(1_000, ord_type="Market", symbol="XBTUSDT")
    desk.leverage(10, "XBTH27")
    desk.place(1_000, ord_type="Market", symbol="XBTH27")
    stop = desk.place(-1_000, stop_px=2_000, symbol="ETHUSD")
    edge = number(desk.position()["liquidationPrice"])
    desk.move(prices(mark=edge - 1))
    assert desk.position()["currentQty"] == desk.position("ETHUSD")["currentQty"] == 0
    assert desk.position("XBTUSDT")["currentQty"] == desk.position("XBTH27")["currentQty"] == 1_000
    assert desk.order(stop)["ordStatus"] == "Canceled"
    margin = desk.margin()
    left = number(margin["walletBalance"]) - number(desk.position("XBTH27")["posMargin"])
    assert 0 <= left < XBT // 1000
    assert desk.exchange.money_is_conserved()


def test_cross_goes_at_the_price_shown() -> None:
    """A single cross position, long and short: safe next to its liquidation price, gone at it."""
    for sign in (1, -1):
        desk = Desk()
        desk.place(sign * 1_000_000, ord_type="Market")
        edge = number(desk.position()["liquidationPrice"])
        assert (edge < 50_000) is (sign > 0)
        desk.move(prices(mark=edge + sign * TICK * 2))
        assert desk.position()["currentQty"] == sign * 1_000_000
        desk.move(prices(mark=edge))
        assert desk.position()["currentQty"] == 0
        assert number(desk.margin()["walletBalance"]) >= 0


def test_cross_profit_of_one_position_carries_another() -> None:
    """The new engine: a gain on ETHUSD moves the liquidation price of XBTUSD away."""
    desk = Desk()
    desk.place(1_000_000, ord_type="Market")
    desk.place(3_000, ord_type="Market", symbol="ETHUSD")
    before = number(desk.position()["liquidationPrice"])
    desk.move(prices("ETHUSD", 3_300, half_spread="0.05"))
    assert number(desk.position()["liquidationPrice"]) < before


def test_fully_covered_short_shows_the_highest_price() -> None:
    """A 1x inverse short, isolated or cross with more balance than cost, can not be liquidated."""
    desk = Desk()
    desk.place(-10_000, ord_type="Market")
    assert desk.position()["liquidationPrice"] == 1_000_000
    desk.leverage(1)
    assert desk.position()["liquidationPrice"] == 1_000_000
    assert (desk.position()["posComm"], desk.position()["posMaint"]) == (0, 0)
    desk.move(prices(mark=900_000))
    assert desk.position()["currentQty"] == -10_000


def test_other_accounts_are_left_alone() -> None:
    """The liquidation of one account does not touch an identical one with less leverage."""
    desk = long_desk()
    desk.leverage(3, account=BOB)
    desk.place(100_000, account=BOB, ord_type="Market")
    desk.move(prices(mark=48_000))
    assert desk.position(account=ALICE)["currentQty"] == 0
    assert desk.position(account=BOB)["currentQty"] == 100_000


def test_halted_market_liquidates_when_it_opens_again() -> None:
    """During a halt nothing is taken over; the first step after it does."""
    desk = long_desk()
    desk.move(prices(mark=47_000, halted=True))
    assert desk.position()["currentQty"] == 100_000
    desk.move(prices(mark=47_000))
    assert desk.position()["currentQty"] == 0


def test_position_stands_in_liquidation_and_refuses_orders() -> None:
    """With a delay: `posState` Liquidation, orders refused, taken over once the time has passed."""
    desk = long_desk(liquidation_delay_ms=2_500)
    crash = prices(mark=48_000)
    desk.move(crash)
    row = desk.position()
    assert (row["posState"], row["currentQty"]) == ("Liquidation", 100_000)
    for call in (lambda: desk.place(-100, ord_type="Market"), lambda: desk.stop(40_000)):
        assert desk.refusal(call).message == "Position is in liquidation"
    desk.move(crash)
    desk.move(crash)
    assert desk.position()["currentQty"] == 100_000
    desk.move(crash)
    assert desk.position()["currentQty"] == 0


def test_position_in_liquidation_lives_when_the_mark_comes_back() -> None:
    """Before it is taken over the mark recovers: the state ends, orders are taken again."""
    for leverage in (25, 0):
        desk = Desk(liquidation_delay_ms=2_500)
        desk.leverage(leverage)
        desk.place(1_000_000 if not leverage else 100_000, ord_type="Market")
        edge = number(desk.position()["liquidationPrice"])
        desk.move(prices(mark=edge - 1, last=50_000))
        assert desk.position()["posState"] == "Liquidation"
        desk.move(prices(mark=50_000))
        assert desk.position()["posState"] is None
        assert desk.place(-100, ord_type="Market")["ordStatus"] == "Filled"


def test_cross_liquidation_takes_orders_of_the_whole_currency() -> None:
    """What the shared margin backed is gone: orders in other contracts of the currency go too, USDt ones stay."""
    desk = Desk()
    desk.place(1_000_000, ord_type="Market")
    other = desk.place(100, price=40_000, symbol="XBTH27")
    dollars = desk.place(100, price=40_000, symbol="XBTUSDT")
    desk.move(prices(mark=number(desk.position()["liquidationPrice"]) - 1))
    assert desk.order(other)["ordStatus"] == "Canceled"
    assert desk.order(dollars)["ordStatus"] == "New"


def test_order_margin_counts_by_switch_until_the_orders_are_gone() -> None:
    """With order margin in the reckoning a cross position is due earlier; its orders go, and it lives."""
    desk = Desk(order_margin_in_liquidation=True)
    desk.place(1_000_000, ord_type="Market")
    order = desk.place(1_000_000, price=48_500)
    edge = number(desk.position()["liquidationPrice"])
    desk.move(prices(mark=edge, last=50_000))
    assert desk.order(order)["ordStatus"] == "Canceled"
    assert desk.position()["currentQty"] == 1_000_000
    assert number(desk.position()["liquidationPrice"]) < edge


def test_a_gap_that_takes_more_than_a_position_can_give_leaves_nobody_in_debt() -> None:
    """A long of 50 XBT beside a short of 9: after a fall of two thirds in one step the fund pays, not the wallet."""
    desk = Desk()
    desk.apply(SetPosition(account=ALICE, symbol="XBTUSD", quantity=2_500_000))
    desk.apply(SetPosition(account=ALICE, symbol="ETHUSD", quantity=-3_000))
    desk.move(prices(mark=17_500))
    assert (desk.position()["currentQty"], desk.position("ETHUSD")["currentQty"]) == (0, 0)
    assert 0 <= number(desk.margin()["walletBalance"]) < 100_000
    assert desk.exchange.money_is_conserved()
