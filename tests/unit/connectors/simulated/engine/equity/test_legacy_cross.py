"""Cross margin as it was before March 2024: drawn, given back, and lost position by position."""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine.holdings.margin import LEGACY_END
from connectors.simulated.engine.switches import MarginEngine
from tests.unit.connectors.simulated.engine.desk import TAPE_MS, XBT, Desk, number, prices

LEGACY = {"margin_engine": MarginEngine.LEGACY}
FUNDING_MS = TAPE_MS + 4 * 3_600_000


def long_desk(quantity: int = 1_000_000, **switches: object) -> Desk:
    """Return a desk of the legacy engine with a cross long at 50,000.5."""
    desk = Desk(**LEGACY, **switches)
    desk.place(quantity, ord_type="Market")
    return desk


def test_columns_of_a_legacy_cross_row() -> None:
    """Initial margin, fee reserve and maintenance by the legacy formulas, to the unit."""
    desk = long_desk()
    row = desk.position()
    cost = -int(str(row["posCost"]))
    init = -(-cost // 100)
    drawn = -int(str(row["unrealisedPnl"]))
    assert (row["posInit"], row["posCross"], row["posLoss"]) == (init, drawn, 0)
    comm = -(-(cost + init + drawn) * 5 // 10_000)
    assert row["posComm"] == comm
    assert row["posMargin"] == init + comm + drawn
    # Half a percent, and a hundredth of one for the funding to be paid next.
    assert row["posMaint"] == comm + -(-cost * 51 // 10_000)
    assert row["maintMargin"] == number(row["posMargin"]) - drawn
    assert row["marginCallPrice"] == row["liquidationPrice"]


def test_losses_are_drawn_and_given_back() -> None:
    """A falling mark raises `posCross`, a rising one lets go of it; a profit is locked with the margin."""
    desk = long_desk()
    desk.move(prices(mark=49_000))
    low = desk.position()
    assert low["posCross"] == -number(low["unrealisedPnl"]) > 0
    desk.move(prices(mark=51_000))
    high = desk.position()
    assert high["posCross"] == 0
    assert high["maintMargin"] == number(high["posMargin"]) + number(high["unrealisedPnl"])


def test_free_margin_backs_the_price_shown() -> None:
    """The liquidation price: own margin less maintenance, and all free margin over one plus the fee."""
    desk = long_desk()
    row = desk.position()
    free = number(desk.margin()["availableMargin"])
    spare = free / Decimal("1.0005") // 1
    loss = number(row["posMargin"]) - number(row["posMaint"]) + spare
    value = -number(row["posCost"]) + loss
    per_lot = value // 10_000
    assert 0 <= number(row["liquidationPrice"]) - Decimal(10**10) / per_lot < Decimal("0.1")


def test_it_goes_at_the_price_shown() -> None:
    """Safe a little off its liquidation price, gone at it, and nothing is owed."""
    for sign in (1, -1):
        desk = long_desk(sign * 4_000_000)
        edge = number(desk.position()["liquidationPrice"])
        desk.move(prices(mark=edge + sign * 2))
        assert desk.position()["currentQty"] == sign * 4_000_000
        edge = number(desk.position()["liquidationPrice"])
        desk.move(prices(mark=edge))
        assert desk.position()["currentQty"] == 0
        assert 0 <= number(desk.margin()["walletBalance"]) < XBT // 100
        assert desk.exchange.money_is_conserved()


def test_positions_fail_one_at_a_time() -> None:
    """Two losing cross positions: when the free margin is gone the first fails, the other keeps its own."""
    desk = long_desk(2_000_000)
    desk.place(2_000_000, ord_type="Market", symbol="XBTH27")
    edge = number(desk.position()["liquidationPrice"])
    desk.move(prices(mark=edge))
    assert desk.position()["currentQty"] == 0
    assert desk.position("XBTH27")["currentQty"] == 2_000_000
    assert desk.exchange.money_is_conserved()


def test_profit_of_one_position_does_not_carry_another() -> None:
    """A gain on ETHUSD leaves the liquidation price of XBTUSD where it was."""
    desk = long_desk()
    desk.place(3_000, ord_type="Market", symbol="ETHUSD")
    before = desk.position()["liquidationPrice"]
    desk.move(prices("ETHUSD", 3_300, half_spread="0.05"))
    after = desk.position()["liquidationPrice"]
    assert abs(number(after) - number(before)) < 2  # ETHUSD lets go of the little it had drawn


def test_cancelled_orders_save_the_position() -> None:
    """At the liquidation price open orders go first; the margin they held is enough, and the position lives."""
    desk = long_desk(1_000_000)
    order = desk.place(1_000_000, price=48_500)
    edge = number(desk.position()["liquidationPrice"])
    desk.move(prices(mark=edge, last=50_000))
    assert desk.order(order)["ordStatus"] == "Canceled"
    row = desk.position()
    assert (row["currentQty"], row["posState"]) == (1_000_000, None)
    assert number(row["liquidationPrice"]) < edge


def test_funding_is_charged_to_the_margin_and_made_good() -> None:
    """A payment raises `posLoss` and `posCross` alike: the position margin stays."""
    desk = long_desk()
    desk.move(prices(mark=50_000.5, funding_rate="0.001"))
    held = number(desk.position()["posMargin"])
    desk.move(prices(mark=50_000.5, funding_rate="0"), tape_ms=FUNDING_MS)
    row = desk.position()
    assert row["posLoss"] == row["posCross"] > 0
    assert 0 <= number(row["posMargin"]) - held < number(row["posLoss"]) / 1000


def test_short_that_cannot_be_liquidated_shows_the_legacy_end() -> None:
    """More free margin than the whole cost: one hundred million, not the contract's highest price."""
    desk = Desk(**LEGACY)
    desk.place(-10_000, ord_type="Market")
    assert desk.position()["liquidationPrice"] == desk.position()["bankruptPrice"] == LEGACY_END
    desk.move(prices(mark=900_000))
    assert desk.position()["currentQty"] == -10_000
