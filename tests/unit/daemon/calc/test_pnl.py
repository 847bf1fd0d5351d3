"""`seawall calc pnl` and `target`: what is left, and where enough is left."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.unit.daemon.calc.calling import answer, call, refused

D = Decimal
LONG = "--symbol XBTUSD --side long --contracts 10000 --entry 60000"
SHORT = "--symbol XBTUSDT --side short --contracts 1000000 --entry 60000"


def test_an_inverse_long_by_hand() -> None:
    """100 lots from 166,667 to 158,730 XBt each; both fees rounded up; measured by a tenth of the worth."""
    found = answer(f"calc pnl {LONG} --exit 63000 --leverage 10")
    assert found["gross_sat"] == 100 * (166_667 - 158_730)
    assert (found["entry_fee_sat"], found["exit_fee_sat"]) == (8_334, 7_937)
    assert found["net_sat"] == 793_700 - 16_271
    assert found["margin_sat"] == 1_666_670
    assert found["return_percent"] == D("46.6456")
    assert found["net_usd"] == D("489.78")


def test_funding_counts_the_stamps_of_the_hours_held() -> None:
    """A day has three stamps; a long pays a rate above zero."""
    line = f"calc pnl {LONG} --exit 63000 --funding-rate 0.01%"
    assert answer(f"{line} --hours 24")["funding_sat"] == 3 * 1_667
    assert answer(f"{line} --hours 7.9")["funding_sat"] == 0


def test_a_maker_rebate_is_received() -> None:
    """A fee below zero adds to what is left."""
    found = answer(f"calc pnl {LONG} --exit 63000 --maker-fee=-0.01% --entry-fee maker")
    assert found["entry_fee_sat"] == -1_666


def test_quanto_profit_in_dollars_needs_a_price_of_bitcoin() -> None:
    """The contract's own price is that of ether."""
    line = "calc pnl --symbol ETHUSD --side short --contracts 300 --entry 2500 --exit 2400"
    assert answer(line)["net_usd"] is None
    assert answer(f"{line} --xbt-price 60000")["net_usd"] is not None


@pytest.mark.parametrize("trade", [LONG, SHORT])
@pytest.mark.parametrize("goal", ["--return-percent 20", "--return-percent -5", "--profit 0.001", "--return-percent 0"])
def test_a_target_is_reached_there_and_not_a_tick_before(trade: str, goal: str) -> None:
    """The profit at the price is at least the goal, one tick nearer to the entry it is not."""
    found = answer(f"calc target {trade} --leverage 10 {goal}")
    price, tick = D(str(found["exit_price"])), D("0.1")
    nearer = price - tick if "long" in trade else price + tick
    assert found["net_sat"] >= found["goal_sat"]
    assert answer(f"calc pnl {trade} --exit {nearer}")["net_sat"] < found["goal_sat"]
    at_it = answer(f"calc pnl {trade} --exit {price} --leverage 10")
    assert at_it["net_sat"] == found["net_sat"]


def test_break_even_is_the_target_of_nothing() -> None:
    """Both commands answer the same price."""
    even = answer(f"calc target {LONG} --profit 0")["exit_price"]
    assert answer(f"calc pnl {LONG} --exit 63000")["break_even_price"] == even
    assert "60,059.9" in call(f"calc pnl {LONG} --exit 63000").out


def test_a_goal_beyond_the_range_is_refused() -> None:
    """An inverse long can never win more than its worth."""
    assert "no price up to" in refused(f"calc target {LONG} --profit 1000")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (f"calc pnl {LONG} --exit 0", "--exit"),
        (f"calc pnl {LONG}", "--exit"),
        (f"calc pnl {LONG} --exit 1 --hours -1", "--hours"),
        (f"calc target {LONG}", "--return-percent"),
        (f"calc target {LONG} --profit 1 --return-percent 1", "not allowed with"),
        ("calc pnl --symbol XBTUSD --side up --contracts 1 --entry 1 --exit 1", "--side"),
        ("calc pnl --symbol XBTUSD --side long --contracts 1.5 --entry 1 --exit 1", "--contracts"),
    ],
)
def test_wrong_flags_are_one_line_that_names_the_flag(line: str, named: str) -> None:
    """Numbers that cannot be meant, and goals that are none or two."""
    assert named in refused(line)


def test_hours_without_a_rate_are_not_said_to_be_free() -> None:
    """The table names no funding rate: a cost of nothing is a guess, and says so."""
    found = answer(f"calc pnl {LONG} --exit 63000 --hours 24")
    assert "--funding-rate" in str(found["warnings"])
    assert not answer(f"calc pnl {LONG} --exit 63000 --hours 24 --funding-rate 0.01%")["warnings"]


def test_part_of_a_lot_is_named() -> None:
    """The exchange takes whole lots."""
    line = "--symbol XBTUSD --side long --contracts 150 --entry 60000"
    for command in (f"calc pnl {line} --exit 63000", f"calc liquidation {line} --leverage 5"):
        assert "lot of 100" in str(answer(command)["notes"])


def test_a_result_out_of_range_names_its_flag() -> None:
    """Nobody has to guess which of the figures was too much."""
    assert refused(f"calc target {LONG} --return-percent 100000").startswith("seawall: --return-percent: no price")
    assert refused(f"calc target {LONG} --profit 900").startswith("seawall: --profit: no price")
