from __future__ import annotations

from itertools import islice, pairwise

import pytest

from connectors.simulated.tape.candles import MINUTE_MS, Candle
from connectors.simulated.tape.scenarios import START_MS, START_PRICE, Scenario, scenario_candles

FINITE = [scenario for scenario in Scenario if scenario is not Scenario.CALM]


def bars_of(scenario: Scenario, seed: int = 1) -> list[Candle]:
    """Return a scenario's bars, two days of `calm`."""
    return list(islice(scenario_candles(scenario, seed=seed)(), 2_880))


def change(bars: list[Candle]) -> tuple[float, float, float]:
    """Return lowest, highest and final price as changes from the start."""
    return tuple(
        float(price / START_PRICE) - 1
        for price in (min(bar.low for bar in bars), max(bar.high for bar in bars), bars[-1].close)
    )  # type: ignore[return-value]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("scenario", list(Scenario))
def test_bars_are_sound_and_unbroken(scenario: Scenario, seed: int) -> None:
    """Every scenario is an unbroken run of minutes with the close inside each bar."""
    bars = bars_of(scenario, seed)
    assert [bar.open_time_ms for bar in bars] == [START_MS + m * MINUTE_MS for m in range(len(bars))]
    assert all(0 < bar.low <= bar.close <= bar.high for bar in bars)
    assert bars[0].open == START_PRICE


@pytest.mark.parametrize("scenario", list(Scenario))
def test_a_seed_is_a_run(scenario: Scenario) -> None:
    """The same seed gives the same bars, begun anew as often as wanted; another seed others."""
    begin = scenario_candles(scenario, seed=5)
    assert list(islice(begin(), 99)) == list(islice(begin(), 99)) == bars_of(scenario, 5)[:99]
    assert bars_of(scenario, 5) != bars_of(scenario, 6)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_shapes(seed: int) -> None:
    """Each scenario does what its name says."""
    low, _, end = change(bars_of(Scenario.CRASH, seed))
    assert -0.13 < low < -0.115
    assert -0.10 < end < -0.07
    _, high, end = change(bars_of(Scenario.SQUEEZE, seed))
    assert 0.115 < high < 0.13
    assert 0.07 < end < 0.10
    low, _, end = change(bars_of(Scenario.FLASH_CRASH, seed))
    assert -0.14 < low < -0.12
    assert -0.02 < end < 0
    low, _, end = change(bars_of(Scenario.GRIND, seed))
    assert -0.11 < low < -0.09


def test_the_gap_halts_and_opens_lower() -> None:
    """Trading stops for four minutes and the next price is two to three percent away."""
    bars = bars_of(Scenario.GAP)
    halted = [place for place, bar in enumerate(bars) if bar.halted]
    assert halted == [6, 7, 8, 9]
    assert all(bars[place].close == bars[5].close for place in halted)
    assert -0.03 < float(bars[10].high / bars[9].close) - 1 < -0.02


@pytest.mark.parametrize("scenario", [one for one in FINITE if one is not Scenario.GAP])
def test_only_the_gap_jumps(scenario: Scenario) -> None:
    """Everywhere else each bar starts where the one before ended."""
    assert all(b.low <= a.close <= b.high for a, b in pairwise(bars_of(scenario)))


def test_calm_is_calm_for_days() -> None:
    """Two days stay within a percent, and no minute moves by a fifth of one."""
    bars = bars_of(Scenario.CALM)
    low, high, _ = change(bars)
    assert -0.01 < low < high < 0.01
    assert all(float(bar.high / bar.low) < 1.002 for bar in bars)
    assert all(b.low <= a.close <= b.high for a, b in pairwise(bars))
