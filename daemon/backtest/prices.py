"""The marks of a run, thinned to what a picture can show: first, lowest, highest and last of each stretch.

Units: milliseconds of the history played, prices as floats.
"""

from __future__ import annotations

from typing import Final

from daemon.backtest.record import Bucket

BUCKETS: Final = 1_200
SHORTEST_MS: Final = 15_000


class PriceLog:
    """Collects marks by stretches of equal length."""

    def __init__(self, start_ms: int, end_ms: int) -> None:
        self._length_ms = max(SHORTEST_MS, -(-(end_ms - start_ms) // BUCKETS))
        self._start_ms = start_ms
        self._number = -1
        self._done: list[Bucket] = []
        self._at_ms = 0
        self._first = self._low = self._high = self._last = 0.0

    def note(self, at_ms: int, mark: float) -> bool:
        """Add a mark; return whether a stretch begins with it."""
        number = (at_ms - self._start_ms) // self._length_ms
        if number == self._number:
            self._low, self._high, self._last = min(self._low, mark), max(self._high, mark), mark
            return False
        self._finish()
        self._number, self._at_ms = number, at_ms
        self._first = self._low = self._high = self._last = mark
        return True

    def buckets(self) -> tuple[Bucket, ...]:
        """Return all stretches, the present one included."""
        self._finish()
        self._number = -1
        return tuple(self._done)

    def _finish(self) -> None:
        if self._number >= 0:
            self._done.append(
                Bucket(at_ms=self._at_ms, first=self._first, low=self._low, high=self._high, last=self._last)
            )
