"""How long to wait before the next connection: growth, a cap, jitter, and the venue's own count of connections.

Why: the venue allows so many connections an hour (the welcome frame says how many are left) and refuses an address that
hammers it. A connection that was live only for a moment is no success: growth starts over only after one that lasted.

Times are seconds; the jitter, a fraction from 0 to below 1, is passed in.

Source: www.bitmex.com/app/wsAPI (`limit.remaining`).
"""

from __future__ import annotations

from typing import Final

CONNECTIONS_SCARCE_BELOW: Final = 20
_SCARCE_PAUSE_S: Final = 60.0
"""Pause with no connection left in the hour; proportionally less with a few left."""
_GROWTH: Final = 2.0
_SETTLED_AFTER_S: Final = 10.0


class Backoff:
    """The delays of one feed."""

    def __init__(self, *, first_s: float, cap_s: float) -> None:
        """Make delays that start at `first_s` and double up to `cap_s`."""
        self._first_s = first_s
        self._cap_s = cap_s
        self._ceiling_s = first_s

    def next_delay_s(
        self, *, jitter: float, live_for_s: float = 0.0, at_least_s: float = 0.0, connections_left: int | None = None
    ) -> float:
        """Return the delay before the next attempt.

        Args:
            jitter: From 0 to below 1; the delay is spread over the upper half of its ceiling.
            live_for_s: How long the connection that ended was live, 0 if never.
            at_least_s: What the venue asked for, or what a refusal deserves.
            connections_left: As the last welcome frame said, None if unknown.
        """
        if live_for_s >= _SETTLED_AFTER_S:
            self._ceiling_s = self._first_s
        ceiling_s = self._ceiling_s
        self._ceiling_s = min(self._cap_s, ceiling_s * _GROWTH)
        delay_s = ceiling_s * (0.5 + 0.5 * jitter)
        return max(delay_s, at_least_s * (1.0 + 0.1 * jitter), _scarcity_s(connections_left))


def _scarcity_s(connections_left: int | None) -> float:
    if connections_left is None or connections_left >= CONNECTIONS_SCARCE_BELOW:
        return 0.0
    return _SCARCE_PAUSE_S * (CONNECTIONS_SCARCE_BELOW - connections_left) / CONNECTIONS_SCARCE_BELOW
