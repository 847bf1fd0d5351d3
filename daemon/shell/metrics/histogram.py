"""A histogram that costs an addition: bounds and counts are there from the beginning.

Units: whatever is observed, seconds everywhere in this package.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate


class Histogram:
    """Counts by bound."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """Prepare.

        Args:
            bounds: Upper bounds, included in their bucket, rising. What is above the last counts as well.
        """
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def read(self) -> Reading:
        """Return a copy that nothing changes any more."""
        names = (*(repr(float(bound)) for bound in self._bounds), "+Inf")
        return tuple(zip(names, accumulate(self._counts), strict=True)), self._total


Reading = tuple[tuple[tuple[str, int], ...], float]
"""Upper bounds with how many values were at or below each; and the sum of all values."""
