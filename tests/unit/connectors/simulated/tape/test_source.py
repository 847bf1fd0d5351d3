from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pytest

from connectors.simulated.tape.candles import DAY_MS, CandleFileError
from connectors.simulated.tape.pacing import Pace, PaceKind
from connectors.simulated.tape.scenarios import Scenario
from connectors.simulated.tape.source import TapeChoiceError, tape_of_file, tape_of_scenario
from tests.unit.connectors.simulated.tape.candle_files import MIDNIGHT_MS, a_file, a_line

if TYPE_CHECKING:
    from pathlib import Path


def two_days(folder: Path) -> Path:
    """Return a file of two days of which the second is violent."""
    quiet = [a_line(minute) for minute in range(1_440)]
    fall = [a_line(minute, prices="100,101,80,90") for minute in range(1_440, 2_880)]
    return a_file(folder, quiet + fall)


def test_a_file_is_played_whole_or_its_most_violent_day(tmp_path: Path) -> None:
    """Without a range the exchange plays all, the demo the most violent day."""
    path = two_days(tmp_path)
    whole = tape_of_file(path, seed=1)
    assert (whole.reel.start_ms, whole.end_ms) == (MIDNIGHT_MS, MIDNIGHT_MS + 2 * DAY_MS)
    day = tape_of_file(path, seed=1, pick_day=True)
    assert (day.reel.start_ms, day.end_ms) == (MIDNIGHT_MS + DAY_MS, MIDNIGHT_MS + 2 * DAY_MS)
    assert day.pace == Pace.fit()
    assert day.real_total_ms == 75_000


def test_a_range_is_taken_as_said(tmp_path: Path) -> None:
    """`--from` and `--to` win over the choice of a day; the range starts at the close before."""
    tape = tape_of_file(two_days(tmp_path), seed=1, since="2020-03-12T10:00Z", until="2020-03-12T11:00Z", pick_day=True)
    assert tape.reel.count == 60
    assert tape.reel.first_price == 100


def test_what_cannot_be_played_is_said(tmp_path: Path) -> None:
    """Ranges, names and speeds that mean nothing each end in a line of their own."""
    path = two_days(tmp_path)
    with pytest.raises(CandleFileError, match="outside the file"):
        tape_of_file(path, seed=1, since="2021-01-01")
    with pytest.raises(CandleFileError, match="--to 'soon' is no date"):
        tape_of_file(path, seed=1, until="soon")
    with pytest.raises(TapeChoiceError, match="--speed 'quick' is no speed"):
        tape_of_file(path, seed=1, speed="quick")
    with pytest.raises(TapeChoiceError, match="no scenario 'boom'; there are calm, crash, flash-crash"):
        tape_of_scenario("boom", seed=1)
    with pytest.raises(TapeChoiceError, match="calm never ends"):
        tape_of_scenario("calm", seed=1, speed="fit:20")


@pytest.mark.parametrize("scenario", [one for one in Scenario if one is not Scenario.CALM])
def test_scenarios_take_their_own_time(scenario: Scenario) -> None:
    """Unless told otherwise a scenario plays in some twenty seconds."""
    tape = tape_of_scenario(scenario.value, seed=1)
    assert tape.pace.kind is PaceKind.FIT
    assert 15_000 <= (tape.real_total_ms or 0) <= 30_000


def test_calm_runs_in_real_time_for_ever() -> None:
    """Hours of calm can be had step by step, and have no length."""
    tape = tape_of_scenario("calm", seed=1)
    assert (tape.length, tape.end_ms, tape.real_total_ms) == (None, None, None)
    steps = list(islice(tape.steps(), 1, 301))
    assert sum(step.real_ms for step in steps) == 60_000
    assert steps[-1].tape_ms - tape.first.tape_ms == 60_000
    assert next(tape.steps(20_000)).index == 20_000
