from __future__ import annotations

import pytest

from connectors.simulated.tape.pacing import (
    FLOOR_MS,
    HARD_FLOOR_MS,
    Motion,
    Pace,
    fit_times,
    parse_pace,
)


def a_motion(move: float, *, minutes: int = 1) -> Motion:
    """Return a bar that travelled one and a half times as far as it moved."""
    return Motion(duration_ms=minutes * 60_000, move=move, travel=1.5 * move)


QUIET, VIOLENT = a_motion(0.001), a_motion(0.03)


def test_real_time_follows_movement() -> None:
    """Of a day in a budget, a violent minute gets many times the time of a quiet one."""
    times = fit_times([QUIET] * 1_300 + [VIOLENT] * 140, 75_000, FLOOR_MS)
    assert sum(times) == pytest.approx(75_000)
    assert times[-1] > 10 * times[0]
    assert times[-1] >= FLOOR_MS


def test_floors_give_way_to_a_budget_down_to_the_hard_floor() -> None:
    """A day of a thousand violent minutes still fits, each far above a round trip."""
    times = fit_times([QUIET] * 440 + [VIOLENT] * 1_000, 75_000, FLOOR_MS)
    assert sum(times) == pytest.approx(75_000)
    assert min(times[440:]) >= HARD_FLOOR_MS


def test_hard_floors_win_over_a_budget() -> None:
    """A budget too short for its crash is exceeded rather than the crash played too fast."""
    times = fit_times([VIOLENT] * 1_000, 10_000, FLOOR_MS)
    assert min(times) >= HARD_FLOOR_MS
    assert sum(times) == pytest.approx(1_000 * HARD_FLOOR_MS)


@pytest.mark.parametrize(("pace", "floor_ms"), [(Pace.fastest(), HARD_FLOOR_MS), (Pace.at_speed(1_000_000), FLOOR_MS)])
def test_floors_hold_at_any_speed(pace: Pace, floor_ms: float) -> None:
    """However fast, a violent minute keeps its floor and a longer way takes longer."""
    assert pace.bar_ms(VIOLENT) >= floor_ms
    assert pace.bar_ms(a_motion(0.2)) > 5 * floor_ms
    assert pace.bar_ms(QUIET) < 1


def test_real_time_is_real_time() -> None:
    """At a factor of one a minute lasts a minute, and prices come several times a second."""
    assert Pace.at_speed(1).bar_ms(VIOLENT) == 60_000
    assert Pace.at_speed(1).points_per_minute(None) == 300
    assert Pace.fit(75).points_per_minute(86_400_000) == 5


def test_an_endless_tape_fits_no_budget() -> None:
    """A budget is shared out over a whole tape, never bar by bar."""
    with pytest.raises(ValueError, match="a tape that ends"):
        Pace.fit().bar_ms(QUIET)


@pytest.mark.parametrize(
    ("text", "pace"),
    [
        ("max", Pace.fastest()),
        ("fit", Pace.fit()),
        ("fit:30", Pace.fit(30)),
        ("60", Pace.at_speed(60)),
        ("0.5", Pace.at_speed(0.5)),
        (" 60X ", Pace.at_speed(60)),
    ],
)
def test_reads_speeds(text: str, pace: Pace) -> None:
    """A factor, with or without its x, max, and fit with or without seconds."""
    assert parse_pace(text) == pace


@pytest.mark.parametrize("text", ["", "fast", "0", "fit:0", "max:3", "-1", "1e9", "nan", "x", ":", "fit:", "5:"])
def test_refuses_what_is_no_speed(text: str) -> None:
    """Zero, negative and unknown speeds are told what a speed looks like."""
    with pytest.raises(ValueError, match="is no speed; write"):
        parse_pace(text)
