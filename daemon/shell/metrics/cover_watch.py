"""How long positions were without a proved stop: told of each step, it follows those that the step touched.

A gap begins when the core first says that a position needs a stop and has none that is proved, and ends with the proof,
or when the position is over or needs none any more. Only a gap that ends with a proof is a time to protection.

Times: nanoseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Iterable

from daemon.core.state import Guarded, GuardState, Need
from daemon.shell.metrics.histogram import Histogram

BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0)


class CoverWatch:
    """Gaps in protection, over all positions."""

    def __init__(self) -> None:
        self.to_protection = Histogram(BOUNDS_S)
        self._closed_ns = 0
        self._since: dict[str, int] = {}

    def follow(self, before: GuardState, after: GuardState, touched: Iterable[str]) -> None:
        """Take in what one step did to the positions that it touched."""
        for symbol in touched:
            guarded = after.positions.get(symbol)
            if guarded is not before.positions.get(symbol) or symbol in self._since:
                self._take(symbol, guarded, after.now_ns)

    def naked_s(self, now_ns: int) -> float:
        """Position-seconds without proof so far, those that still run included; it never falls."""
        return (self._closed_ns + sum(max(0, now_ns - since) for since in self._since.values())) / 1e9

    def _take(self, symbol: str, guarded: Guarded | None, now_ns: int) -> None:
        since_ns, naked_ns = self._since.get(symbol), _naked_since_ns(guarded)
        if since_ns == naked_ns:
            return
        if since_ns is not None:
            del self._since[symbol]
            self._closed_ns += max(0, now_ns - since_ns)
            if guarded is not None and guarded.covered_ns:
                self.to_protection.observe(max(0, guarded.covered_ns - since_ns) / 1e9)
        if naked_ns is not None:
            self._since[symbol] = naked_ns


def _naked_since_ns(guarded: Guarded | None) -> int | None:
    if guarded is None or not guarded.uncovered_ns or not guarded.position.quantity or guarded.need is Need.NOTHING:
        return None
    return guarded.uncovered_ns
