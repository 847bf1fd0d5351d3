"""`seawall calc size`: never more than the risk, whole lots, and warnings that save an account."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.unit.daemon.calc.calling import answer, refused

D = Decimal
LINE = "calc size --symbol XBTUSD --equity 0.5 --risk-percent 2 --entry 60000"


def test_the_largest_size_within_the_risk() -> None:
    """One lot more would lose more than 2 % of the equity; fees and slippage are in the loss."""
    found = answer(f"{LINE} --stop 58500")
    assert found["contracts"] == 21_600
    assert found["loss_sat"] <= found["risk_sat"] == 1_000_000
    fill = D(str(found["fill_price"]))
    assert fill == D("58441.5")
    more = answer(f"calc pnl --symbol XBTUSD --side long --contracts 21700 --entry 60000 --exit {fill}")
    assert -more["net_sat"] > 1_000_000


def test_a_stop_above_the_entry_makes_a_short() -> None:
    """The side follows from entry and stop."""
    found = answer(f"{LINE} --stop 61500 --leverage 10")
    assert found["contracts"] > 0
    assert found["liquidation_price"] > 61_500


def test_rebates_do_not_raise_the_size() -> None:
    """A maker entry with a rebate is sized as if it were free."""
    free = answer(f"{LINE} --stop 58500 --entry-fee maker --maker-fee 0")
    rebate = answer(f"{LINE} --stop 58500 --entry-fee maker --maker-fee=-0.0005")
    assert rebate["contracts"] == free["contracts"]


def test_a_stop_beyond_liquidation_is_warned_of() -> None:
    """At 50x the position is gone long before a stop 5 % away."""
    warnings = answer(f"{LINE} --stop 57000 --leverage 50")["warnings"]
    assert any("beyond the liquidation price" in each for each in warnings)


def test_a_stop_too_near_to_liquidation_is_warned_of() -> None:
    """Liquidation cancels orders first: a stop within the floor may be removed by it."""
    price = answer(f"{LINE} --stop 57000 --leverage 20")["liquidation_price"]
    found = answer(f"{LINE} --stop {price + 10} --leverage 20")
    assert abs(found["liquidation_price"] - price) < 20
    assert any("within 0.15 %" in each for each in found["warnings"])


def test_a_position_that_the_equity_does_not_pay_for_is_warned_of() -> None:
    """A tight stop allows a size beyond the initial margin."""
    found = answer(f"{LINE} --stop 59990 --slippage 0 --taker-fee 0")
    assert any("initial margin" in each for each in found["warnings"])


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ("--stop 60000", "--stop must differ"),
        ("--stop 59000 --side short", "--stop of a short must lie above"),
        ("--stop 100 --risk-percent 0.00001", "does not pay for one lot"),
        ("--stop 59000 --risk 1", "not allowed with"),
        ("--stop 59000 --slippage 100", "--slippage"),
    ],
)
def test_what_cannot_be_sized_is_one_line(flags: str, named: str) -> None:
    """The line names the flag, or why not even one lot fits."""
    line = LINE.replace(" --risk-percent 2", "") if "--risk-percent" in flags else LINE
    assert named in refused(f"{line} {flags}")


def test_a_risk_of_more_than_the_equity_is_refused() -> None:
    """Nobody can lose what is not there."""
    assert "--risk is more" in refused("calc size --symbol XBTUSD --equity 1 --risk 2 --entry 60000 --stop 59000")
