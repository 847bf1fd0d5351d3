"""The one reader of time in the daemon.

Why: the core takes time from its events only, and an event stream whose stamps run backwards cannot be replayed. So
`now_ns` never goes back: it follows the wall clock forward and ticks on by the monotonic clock when somebody sets the
wall clock back. How far the wall clock is off is judged against the venue, and for that `wall_ns` is read.

Units: nanoseconds since 1970 UTC.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where the shell takes the time from."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970 UTC, never less than before."""

    def wall_ns(self) -> int:
        """Nanoseconds since 1970 UTC as this machine believes them, which may jump."""

    def move_past(self, ns: int) -> None:
        """Never tell a time before `ns` again: an earlier process got that far."""


class SystemClock:
    """The machine's clocks."""

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """Return the wall clock, or the monotonic continuation of it while the wall clock is behind."""
        monotonic_ns = time.monotonic_ns()
        offset_ns = time.time_ns() - monotonic_ns
        if offset_ns > self._offset_ns:  # noqa: PLR1730 - read for every frame, and `max` costs half as much again
            self._offset_ns = offset_ns
        return monotonic_ns + self._offset_ns

    def wall_ns(self) -> int:
        """Return the machine's wall clock."""
        return time.time_ns()

    def move_past(self, ns: int) -> None:
        """Go on from `ns` if that is ahead of us, as after a restart on a machine whose clock was set back."""
        self._offset_ns = max(self._offset_ns, ns - time.monotonic_ns())
