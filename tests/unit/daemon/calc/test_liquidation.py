"""`seawall calc liquidation`: prices, margins, what moves them, and what it refuses."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.unit.daemon.calc.calling import answer, call, refused

D = Decimal
LINEAR = (
    "calc liquidation --kind linear --multiplier 10 --lot-size 1000 --tick-size 0.05 --maintenance-margin 1% "
    "--initial-margin 2% --taker-fee 0.05% --side long --contracts 4000 --entry 2000"
)


def test_a_linear_long_with_funding_by_hand() -> None:
    """80 USDT of cost at 5x: 16 initial, 0.048 fee reserve, 0.808 + 0.048 maintenance; 64.808 left to lose: 1620.2."""
    found = answer(f"{LINEAR} --leverage 5 --funding-rate 0.0001")
    assert found["liquidation_price"] == D("1620.2")
    assert found["bankruptcy_price"] == 1600
    assert (found["initial_margin_sat"], found["fee_reserve_sat"]) == (16_000_000, 48_000)
    assert found["maintenance_sat"] == 856_000
    assert found["price_without_funding"] == 1620
    assert found["confidence"] == "stated"


def test_margin_typed_as_an_amount_gives_the_same_prices_as_its_leverage() -> None:
    """16.048 USDT is what 5x assigns: initial margin and fee reserve."""
    found = answer(f"{LINEAR} --margin 16.048 --funding-rate 0.0001")
    assert found["liquidation_price"] == D("1620.2")
    assert found["margin_sat"] == 16_048_000


def test_an_inverse_short_at_one_x_is_never_liquidated() -> None:
    """Its margin covers the whole cost: there is no price in range, and the words say so."""
    line = "calc liquidation --symbol XBTUSD --side short --contracts 10000 --entry 60000 --leverage 1"
    found = answer(line)
    assert found["liquidation_price"] is None
    assert "none: no price" in call(line).out


def test_more_margin_moves_the_price_away_and_the_answer_says_how_far() -> None:
    """A tenth more margin under a long lowers its liquidation price."""
    found = answer("calc liquidation --symbol XBTUSD --side long --contracts 10000 --entry 60000 --leverage 10")
    assert found["with_more_margin"]["liquidation_price"] < found["liquidation_price"]


def test_cross_uses_the_wallet_and_says_what_it_leaves_out() -> None:
    """0.1 XBT under 20,000 contracts short: engine and confidence are named, and other positions are pointed to."""
    found = answer(
        "calc liquidation --symbol XBTUSD --side short --contracts 20000 --entry 60000 --cross --balance 0.1 "
        "--mark 59000"
    )
    assert found["liquidation_price"] == D("85105.6")
    assert (found["engine"], found["confidence"]) == ("shared_cross", "computed")
    assert found["room_from"] == "mark"
    assert any("stress" in note for note in found["notes"])


def test_a_large_position_needs_a_higher_risk_limit() -> None:
    """Above 200 XBT of worth XBTUSD asks for more margin, and 100x is refused."""
    line = "calc liquidation --symbol XBTUSD --side long --contracts 20000000 --entry 60000"
    found = answer(f"{line} --leverage 20")
    assert found["risk_limit_steps"] == 1
    assert "--leverage 100 is above the most for this size, 66.67" in refused(f"{line} --leverage 100")


def test_a_mark_beyond_the_price_is_a_warning() -> None:
    """A long whose mark is below its liquidation price is gone already."""
    found = answer(
        "calc liquidation --symbol XBTUSD --side long --contracts 10000 --entry 60000 --leverage 10 --mark 50000"
    )
    assert found["warnings"] == ["at this mark the position is liquidated already"]


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ("", "--leverage"),
        ("--cross", "--balance"),
        ("--leverage 5 --balance 1", "--balance belongs to --cross"),
        ("--leverage 5 --cross", "not allowed with"),
        ("--leverage 0", "--leverage"),
        ("--leverage 1,5", "no thousands commas"),
        ("--leverage 1e99", "too large"),
        ("--leverage nan", "--leverage"),
        ("--margin 0.1", "--margin is too small"),
        ("--margin 1.00000001", "--margin has more decimals"),
        ("--leverage 5 --maintenance-margin 3%", "--maintenance-margin"),
    ],
)
def test_wrong_flags_are_one_line_that_names_the_flag(flags: str, named: str) -> None:
    """What backs the position has to be said once, and in numbers that can be meant."""
    assert named in refused(f"{LINEAR} {flags}")
