from __future__ import annotations

from decimal import Decimal
from itertools import groupby, islice, pairwise
from math import log
from typing import TYPE_CHECKING

import pytest

from connectors.simulated.tape.market import MARK_BOUND, MARK_STEP
from connectors.simulated.tape.path import LARGEST_STEP
from connectors.simulated.tape.source import tape_of_file, tape_of_scenario
from tests.unit.connectors.simulated.tape.candle_files import a_file, a_line

if TYPE_CHECKING:
    from pathlib import Path

    from connectors.simulated.tape.tape import Step, Tape

REAL_DAYS = [
    ("bitmex-xbtusd-1m-2018-11", "2018-11-20"),
    ("bitmex-xbtusd-1m-2020-03", "2020-03-12"),
    ("bitmex-xbtusd-1m-2020-03", "2020-03-13"),
    ("bitmex-xbtusd-1m-2020-05", "2020-05-19"),
    ("bitmex-xbtusd-1m-2021-05", "2021-05-19"),
    ("bitmex-xbtusd-1h-2020-2023", "2020-03-13"),
    ("binance-usdm-btcusdt-5m-2025-10", "2025-10-10"),
]


def a_real_day(folder: Path, name: str, day: str) -> Tape:
    """Return the tape of a day of recorded history."""
    return tape_of_file(folder / "candles" / f"{name}.csv.gz", seed=1, since=day, until=day)


def by_bar(tape: Tape) -> dict[int, list[Step]]:
    """Return the steps of every bar, by its place; the opening step is in none."""
    start, interval = tape.reel.start_ms, tape.reel.interval_ms
    steps = islice(tape.steps(), 1, None)
    return {place: list(bar) for place, bar in groupby(steps, key=lambda step: (step.tape_ms - start - 1) // interval)}


def test_the_tape_opens_before_the_first_bar() -> None:
    """Step 0 is the price before anything happened, at the first bar's start."""
    tape = tape_of_scenario("crash", seed=1)
    assert tape.first.tape_ms == tape.reel.start_ms
    assert tape.first.prices[0].last == tape.reel.first_price
    assert (tape.first.index, tape.first.real_ms) == (0, 0)


def test_the_tape_clock_only_runs_forward() -> None:
    """Tape times grow strictly, from the first bar's start to the last bar's end."""
    tape = tape_of_scenario("gap", seed=1)
    times = [step.tape_ms for step in tape.steps()]
    assert all(a < b for a, b in pairwise(times))
    assert times[-1] == tape.end_ms
    assert len(times) == tape.length


def test_the_mark_reaches_the_reopening_price_before_trading_does() -> None:
    """In the gap the last price jumps by 2.5 % while the mark never moves by more than 0.25 %."""
    steps = [step.prices[0] for step in tape_of_scenario("gap", seed=1).steps()]
    assert max(abs(log(b.last / a.last)) for a, b in pairwise(steps)) > 0.02
    assert max(abs(log(b.mark / a.mark)) for a, b in pairwise(steps)) <= MARK_STEP
    reopened = next(b for a, b in pairwise(steps) if a.halted and not b.halted)
    assert abs(reopened.mark / reopened.last - 1) <= MARK_BOUND


def test_another_seed_is_another_way() -> None:
    """The seed decides what the candles leave open, and nothing else does."""
    one, same, other = (list(tape_of_scenario("crash", seed=seed).steps()) for seed in (1, 1, 2))
    assert one == same
    assert one != other


@pytest.mark.real_day
@pytest.mark.parametrize(("name", "day"), REAL_DAYS)
def test_a_real_day_is_played_as_recorded(real_data: Path, name: str, day: str) -> None:
    """Every bar of a real day is touched at high and low, in small steps, and ends at its close."""
    tape = a_real_day(real_data, name, day)
    tick, before = 0.1, tape.first.prices[0]
    bars = by_bar(tape)
    for place, candle in enumerate(tape.reel.bars()):
        lasts = [step.prices[0].last for step in bars[place]]
        opened = [before.last] if candle.low <= before.last <= candle.high else []
        assert max(opened + lasts) == candle.high
        assert min(opened + lasts) == candle.low
        assert lasts[-1] == candle.close
        largest = LARGEST_STEP + tick / float(candle.low)
        assert all(abs(log(b / a)) <= largest for a, b in pairwise(opened + lasts))
        before = bars[place][-1].prices[0]


@pytest.mark.real_day
@pytest.mark.parametrize(("name", "day"), REAL_DAYS)
def test_the_mark_of_a_real_day_keeps_its_word(real_data: Path, name: str, day: str) -> None:
    """The mark moves by no more than its rate, and is near the last price away from jumps and halts."""
    steps = [step.prices[0] for step in a_real_day(real_data, name, day).steps()]
    assert all(abs(log(b.mark / a.mark)) <= MARK_STEP + 0.11 / float(a.last) for a, b in pairwise(steps))
    far = sum(abs(one.mark / one.last - 1) > MARK_BOUND for one in steps if not one.halted)
    assert far <= len(steps) // 100


@pytest.mark.real_day
@pytest.mark.parametrize(("name", "day"), REAL_DAYS)
def test_a_real_day_fits_and_its_crash_is_slow(real_data: Path, name: str, day: str) -> None:
    """A whole day takes 75 s, no violent minute of it less than two round trips, nor too many steps."""
    tape = a_real_day(real_data, name, day)
    bars = by_bar(tape)
    assert tape.real_total_ms == sum(step.real_ms for bar in bars.values() for step in bar) == 75_000
    assert (tape.length or 0) < 25_000
    for place, candle in enumerate(tape.reel.bars()):
        if log(candle.high / candle.low) >= 0.005:
            assert sum(step.real_ms for step in bars[place]) >= 40


def test_a_thin_market_of_early_years_is_played(tmp_path: Path) -> None:
    """A day at 200 USD, nearly without trades, has no halts; its wick of a quarter fits the time."""
    lines = [a_line(minute, prices="200,200,200,200", volume="0") for minute in range(1_440)]
    lines[700] = a_line(700, prices="200,200.05,150.03,190.2", volume="3")
    lines[701:] = [a_line(minute, prices="190.2,190.2,190.2,190.2", volume="0") for minute in range(701, 1_440)]
    tape = tape_of_file(a_file(tmp_path, lines), seed=1)
    steps = list(tape.steps())
    assert not any(step.prices[0].halted for step in steps)
    assert min(step.prices[0].last for step in steps) == Decimal(150)
    assert sum(step.real_ms for step in steps) == tape.real_total_ms == 75_000
    assert all(abs(step.prices[0].mark / step.prices[0].last - 1) <= MARK_BOUND + 0.0001 for step in steps)
