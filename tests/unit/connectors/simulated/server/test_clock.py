"""The protocol clock and the venue's form of time."""

from __future__ import annotations

import pytest

from connectors.simulated.server.clock import MonotonicClock, iso, parse_iso


def test_the_clock_never_steps_back() -> None:
    """Real time that jumps backwards stands still instead, also after a replay."""
    readings = iter([5, 3, 9, 10])
    clock = MonotonicClock(lambda: next(readings))
    assert [clock(), clock(), clock()] == [5, 5, 9]
    clock.advance_to(20)
    assert clock() == 20


@pytest.mark.parametrize("at_ms", [0, 999, 1_518_064_236_007, 4_102_444_800_000])
def test_iso_there_and_back(at_ms: int) -> None:
    """Milliseconds survive the text."""
    assert parse_iso(iso(at_ms)) == at_ms


def test_times_without_a_zone_are_utc() -> None:
    """Clients send plain dates too."""
    assert parse_iso("2026-07-01") == parse_iso("2026-07-01T02:00:00+02:00")
