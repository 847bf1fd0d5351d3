"""The clock of the shell."""

from __future__ import annotations

import time

import pytest

from daemon.shell.clock import SystemClock


def test_time_never_runs_backwards_when_the_wall_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour is taken off the wall clock; event stamps go on from where they were."""
    clock = SystemClock()
    before = clock.now_ns()
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() - 3_600_000_000_000)
    assert clock.now_ns() >= before
    assert clock.wall_ns() < before


def test_time_follows_the_wall_clock_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wall clock jumps ahead; deadlines come at once rather than an hour late."""
    clock = SystemClock()
    before = clock.now_ns()
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + 3_600_000_000_000)
    assert clock.now_ns() >= before + 3_600_000_000_000


def test_time_goes_on_from_the_journal_of_a_later_clock() -> None:
    """The process before had a clock an hour ahead: stamps tick on from its last one."""
    clock = SystemClock()
    hour_ahead_ns = clock.now_ns() + 3_600_000_000_000
    clock.move_past(hour_ahead_ns)
    first = clock.now_ns()
    assert first >= hour_ahead_ns
    assert clock.now_ns() >= first
    assert clock.wall_ns() < hour_ahead_ns
    clock.move_past(0)
    assert clock.now_ns() >= first
