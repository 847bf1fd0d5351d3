"""Partial liquidation: risk limits come down before the whole position goes."""

from __future__ import annotations

from connectors.simulated.engine.contracts import XBTUSD
from connectors.simulated.engine.inputs import Deposit, SetRiskLimit
from connectors.simulated.engine.taking_over.reduction import lowest_limit
from tests.unit.connectors.simulated.engine.desk import ALICE, XBT, Desk, number, prices

BASE, STEP = XBTUSD.risk_limit, XBTUSD.risk_step
BIG = 12_000_000  # contracts: 240 XBT at 50,000, one step above the base
DEEP = {"depth": 20_000_000}


def whale(**switches: object) -> Desk:
    """Return a desk with an isolated 20x long of 240 XBT under a limit two steps above the base."""
    desk = Desk(**switches)
    desk.move(prices(mark=50_000, **DEEP))
    desk.apply(Deposit(account=ALICE, currency="XBt", amount=20 * XBT))
    desk.apply(SetRiskLimit(account=ALICE, symbol="XBTUSD", risk_limit=BASE + 2 * STEP))
    desk.leverage(20)
    for _ in range(2):
        desk.place(BIG // 2, ord_type="Market")
    return desk


def test_lowest_limit_of_a_value() -> None:
    """The base covers everything up to itself; beyond it each step covers one step more."""
    values = (0, BASE, BASE + 1, BASE + STEP, BASE + STEP + 1)
    assert [lowest_limit(XBTUSD, value) for value in values] == [BASE, BASE, BASE + STEP, BASE + STEP, BASE + 2 * STEP]


def test_lower_risk_limit_saves_the_position_and_its_orders() -> None:
    """At the liquidation price the limit, wider than needed, comes down: all lives, the stop too."""
    desk = whale()
    stop = desk.stop(45_000)
    edge = number(desk.position()["liquidationPrice"])
    desk.move(prices(mark=edge, **DEEP))
    row = desk.position()
    assert (row["currentQty"], row["riskLimit"], row["posState"]) == (BIG, BASE + STEP, None)
    assert desk.order(stop)["ordStatus"] == "New"
    assert number(row["liquidationPrice"]) < edge


def test_excess_over_the_next_limit_is_closed_at_market() -> None:
    """A little lower the excess over the base is closed by a fill-or-kill; the rest lives with half the rate."""
    desk = whale()
    desk.move(prices(mark=number(desk.position()["liquidationPrice"]), **DEEP))
    edge = number(desk.position()["liquidationPrice"])
    desk.move(prices(mark=edge, **DEEP))
    row = desk.position()
    assert 0 < number(row["currentQty"]) < BIG
    assert row["riskLimit"] == BASE
    assert abs(number(row["markValue"])) <= BASE
    assert row["maintMarginReq"] == XBTUSD.maint_margin
    execution = desk.executions()[-1]
    assert (execution["text"], execution["timeInForce"], execution["ordType"]) == (
        "Liquidation",
        "FillOrKill",
        "Market",
    )
    assert desk.exchange.liquidation_rows() == []
    assert desk.exchange.money_is_conserved()


def test_thin_book_allows_no_part_and_the_whole_is_taken_over() -> None:
    """Fill or kill: when the excess cannot be sold whole, nothing of it is, and all goes."""
    desk = whale()
    desk.move(prices(mark=number(desk.position()["liquidationPrice"]), **DEEP))
    edge = number(desk.position()["liquidationPrice"])
    desk.move(prices(mark=edge, depth=100, half_spread=50))
    assert desk.position()["currentQty"] == 0
    (shown,) = desk.exchange.liquidation_rows()
    assert shown["leavesQty"] == BIG


def test_too_deep_a_fall_takes_all() -> None:
    """Beyond the bankruptcy price no part of the position can be sold at a price that leaves anything."""
    desk = whale()
    desk.move(prices(mark=46_000, **DEEP))
    assert desk.position()["currentQty"] == 0
    assert desk.exchange.money_is_conserved()
