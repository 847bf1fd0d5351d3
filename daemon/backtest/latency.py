"""How long a message is under way: a mean with a seeded spread.

Units: nanoseconds; the mean is set in milliseconds.
"""

from __future__ import annotations

from typing import Final

_MASK: Final = (1 << 64) - 1
_FACTOR: Final = 6_364_136_223_846_793_005
_STEP: Final = 1_442_695_040_888_963_407
NS_PER_MS: Final = 1_000_000


class Latency:
    """Delays between half and one and a half of a mean, drawn from a seed (a linear congruence, its high bits)."""

    def __init__(self, mean_ms: int, seed: int) -> None:
        self._mean_ns = mean_ms * NS_PER_MS
        self._state = (seed * _FACTOR + _STEP) & _MASK

    def draw_ns(self) -> int:
        """Return the next message's delay."""
        self._state = (self._state * _FACTOR + _STEP) & _MASK
        return self._mean_ns // 2 + self._mean_ns * (self._state >> 44) // (1 << 20)
