"""Virtual time: what is due when, and a clock that moves only when the next thing is.

Why: a day of history holds a few thousand instants at which anything happens. Going from one to the next costs nothing
for the seconds between, and the same agenda always runs in the same order.

Units: nanoseconds since 1970 UTC, of the history that is played.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

Deed = Callable[[], None]


class Agenda:
    """Things to do at their times, in order of time and then of entry. It is a `daemon.shell.clock.Clock`."""

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns
        self._due: list[tuple[int, int, Deed]] = []
        self._entered = 0

    def now_ns(self) -> int:
        """Return the time of what is being done."""
        return self._now_ns

    def wall_ns(self) -> int:
        """Return the same: no machine's clock is wrong here."""
        return self._now_ns

    def now_ms(self) -> int:
        """Return milliseconds since 1970: the exchange's clock."""
        return self._now_ns // 1_000_000

    def move_past(self, ns: int) -> None:
        """Go on from `ns` if that is ahead."""
        self._now_ns = max(self._now_ns, ns)

    def at(self, when_ns: int, deed: Deed) -> None:
        """Enter a deed; one whose time has passed is due at once."""
        self._entered += 1
        heappush(self._due, (max(when_ns, self._now_ns), self._entered, deed))

    def run_until(self, end_ns: int) -> None:
        """Do everything that is due up to `end_ns`, and stand there."""
        due = self._due
        while due and due[0][0] <= end_ns:
            when_ns, _, deed = heappop(due)
            self._now_ns = when_ns
            deed()
        self._now_ns = max(self._now_ns, end_ns)
