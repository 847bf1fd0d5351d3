"""Calculators on any figures: an answer or one line, never a crash, and never a flattering one."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.daemon.calc.calling import answer, call

NUMBERS = st.one_of(
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.decimals(min_value=Decimal("0.00000001"), max_value=Decimal("1e12"), places=8).map(str),
    st.sampled_from(["0", "-1", "1e999999999", "1e-999999999", "1_000", "1,000", "", "x", "٣", "9" * 40]),
)
CONTRACTS = st.sampled_from(
    [
        "--symbol XBTUSD",
        "--symbol ETHUSD",
        "--symbol XBTUSDT",
        "--kind linear --multiplier 1 --tick-size 0.1",
        "--kind inverse --multiplier -1 --tick-size 0.5",
        "--kind quanto --multiplier 1000000000000 --tick-size 0.00001 --max-price 1000000000000000",
    ]
)
SIDES = st.sampled_from(["long", "short"])
SIZES = st.one_of(st.integers(1, 10**15).map(str), NUMBERS)


def check(line: str) -> None:
    """An answer on standard output, or one line on standard error and a documented exit code."""
    called = call(line)
    assert called.code in {0, 2, 3}
    assert bool(called.out) is (called.code == 0)
    assert called.err.count("\n") == (0 if called.code == 0 else 1)


def shown(text: str) -> str:
    """A value as the shell would pass it, whatever it holds."""
    return "'" + text + "'"


@settings(max_examples=60, deadline=None)
@given(CONTRACTS, SIDES, SIZES, NUMBERS, NUMBERS, NUMBERS)
def test_no_figures_crash_liquidation(contract: str, side: str, size: str, entry: str, margin: str, rate: str) -> None:
    """Leverage, margin or balance of any size."""
    line = f"calc liquidation {contract} --side={side} --contracts={shown(size)} --entry={shown(entry)}"
    for backing in (f"--leverage={shown(margin)}", f"--margin={shown(margin)}", f"--cross --balance={shown(margin)}"):
        check(f"{line} {backing}")
    check(f"{line} --leverage=2 --funding-rate={shown(rate)}")


@settings(max_examples=60, deadline=None)
@given(CONTRACTS, SIDES, SIZES, NUMBERS, NUMBERS, NUMBERS)
def test_no_figures_crash_the_others(contract: str, side: str, size: str, entry: str, other: str, third: str) -> None:
    """Profit, target, size and funding."""
    line = f"{contract} --side={side} --contracts={shown(size)} --entry={shown(entry)}"
    check(f"calc pnl {line} --exit={shown(other)} --hours={shown(third)}")
    check(f"calc target {line} --return-percent={shown(other)} --leverage={shown(third)}")
    check(f"calc size {contract} --equity={shown(third)} --risk-percent=2 --entry={shown(entry)} --stop={shown(other)}")
    check(f"calc funding {contract} --side={side} --contracts={shown(size)} --mark={shown(entry)} --funding-rate=0.001")


PRICES = st.decimals(min_value=100, max_value=200_000, places=1)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["XBTUSD", "XBTUSDT", "ETHUSD"]), PRICES, PRICES, st.integers(1, 100), st.integers(1, 90))
def test_a_size_never_risks_more(symbol: str, entry: Decimal, stop: Decimal, equity: int, risk: int) -> None:
    """The loss at the filled stop, both fees included, is within the risk; one lot more is not, unless none fits."""
    line = f"calc size --symbol {symbol} --equity {equity} --risk-percent {risk} --entry {entry} --stop {stop}"
    if call(line).code:
        return
    found = answer(line)
    assert 0 <= found["loss_sat"] <= found["risk_sat"]
    side = "long" if stop < entry else "short"
    lot = {"XBTUSD": 100, "XBTUSDT": 100, "ETHUSD": 1}[symbol]
    more = answer(
        f"calc pnl --symbol {symbol} --side {side} --contracts {found['contracts'] + lot} --entry {entry} "
        f"--exit {found['fill_price']}"
    )
    assert -more["net_sat"] > found["risk_sat"]
