"""From what a person asked for (a file or a scenario, a range, a speed) to a tape.

Why: `seawall exchange` and `seawall demo` take the same options and must mean the same by them.

Without a range a file is played whole, or, with `pick_day`, its most violent day when it is longer
than a day. Speeds are those of `pacing.parse_pace`; the default is to fit `DEFAULT_BUDGET_S`, for a
scenario its own time, and real time for `calm`, which never ends.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from connectors.simulated.tape.candles import DAY_MS, CandleSeries, most_violent_day, read_time
from connectors.simulated.tape.pacing import Pace, PaceKind, parse_pace
from connectors.simulated.tape.reading import read_candles
from connectors.simulated.tape.recorded import RecordedTape
from connectors.simulated.tape.scenario_file import ScenarioFileError, ScenarioTape, scenario_tape
from connectors.simulated.tape.scenarios import (
    SHAPES,
    START_MS,
    START_PRICE,
    Scenario,
    scenario_candles,
)
from connectors.simulated.tape.tape import Reel, Tape

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from connectors.simulated.engine.contracts import Contract


class TapeChoiceError(Exception):
    """The options do not name a tape; the text is one clear line."""


def tape_of_file(
    path: Path | str,
    *,
    seed: int,
    since: str | None = None,
    until: str | None = None,
    speed: str | None = None,
    pick_day: bool = False,
) -> Tape:
    """Return the tape of a candle file, or of a range of it.

    Args:
        path: The candle file.
        seed: Seed of all that the candles leave open.
        since: `--from`, a date or time; None for the file's start.
        until: `--to`; a bare date means the end of that day; None for the file's end.
        speed: `--speed`; None to fit the default budget.
        pick_day: Without a range, play the most violent day of a longer file.

    Raises:
        CandleFileError: If the file or the range cannot be played.
        TapeChoiceError: If the speed is none.
    """
    pace = _pace(speed) or Pace.fit()
    series = read_candles(path)
    return Tape(reel=Reel.of(_chosen(series, since, until, pick_day)), seed=seed, pace=pace)


def tape_named(name: str, *, seed: int, speed: str | None = None) -> Tape | ScenarioTape:
    """Return the tape of a built-in scenario, of a shipped example, or of a scenario file.

    Raises:
        TapeChoiceError: If the name means nothing, or what it means cannot be played; one problem a line.
    """
    if name in {one.value for one in Scenario}:
        return tape_of_scenario(name, seed=seed, speed=speed)
    try:
        return scenario_tape(name, seed=seed, speed=speed)
    except ScenarioFileError as error:
        raise TapeChoiceError(str(error)) from None


def tape_of_scenario(name: str, *, seed: int, speed: str | None = None) -> Tape:
    """Return the tape of a built-in scenario.

    Raises:
        TapeChoiceError: If there is no such scenario, or the speed is none or does not suit it.
    """
    try:
        scenario = Scenario(name)
    except ValueError:
        names = ", ".join(one.value for one in Scenario)
        raise TapeChoiceError(f"no scenario {name!r}; there are {names}") from None
    pace = _pace(speed) or _own_pace(scenario)
    bars = scenario_candles(scenario, seed=seed)
    count = None if scenario is Scenario.CALM else sum(1 for _ in bars())
    if count is None and pace.kind is PaceKind.FIT:
        raise TapeChoiceError(f"{name} never ends, so it cannot fit a time; give a factor or max")
    reel = Reel(
        title=f"scenario {name}",
        interval_ms=60_000,
        start_ms=START_MS,
        first_price=START_PRICE,
        bars=bars,
        count=count,
    )
    return Tape(reel=reel, seed=seed, pace=pace)


def tape_of_recording(path: Path, contracts: Mapping[str, Contract], *, speed: str | None = None) -> RecordedTape:
    """Return the tape of a recorded market.

    Args:
        path: A recorded session, or trades.
        contracts: What is listed, by symbol.
        speed: `--speed`, a factor or `max`; None for as it was.

    Raises:
        RecordingError: If the recording cannot be played.
        TapeChoiceError: If the speed is none, or does not suit a recording.
    """
    pace = _pace(speed) or Pace.at_speed(1)
    if pace.kind is PaceKind.FIT:
        raise TapeChoiceError("a recorded market keeps its own pace: give --speed a factor or max")
    return RecordedTape(path, contracts, factor=inf if pace.kind is PaceKind.MAX else pace.speed)


def _pace(speed: str | None) -> Pace | None:
    try:
        return None if speed is None else parse_pace(speed)
    except ValueError as error:
        raise TapeChoiceError(f"--speed {error}") from None


def _own_pace(scenario: Scenario) -> Pace:
    if scenario is Scenario.CALM:
        return Pace.at_speed(1)
    return Pace.fit(SHAPES[scenario].default_s)


def _chosen(series: CandleSeries, since: str | None, until: str | None, pick_day: bool) -> CandleSeries:
    start = None if since is None else read_time(since, option="--from")
    end = None if until is None else read_time(until, option="--to")
    if start is None and end is None and pick_day and series.end_ms - series.start_ms > DAY_MS:
        day = most_violent_day(series)
        start, end = day.start_ms, day.end_ms
    return series.between(start, end)
