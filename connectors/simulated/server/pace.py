"""Updates of instruments at the venue's pace: merged, and stamped with the half second.

Why: the venue tells marks and indices twice a second, whatever happens in between; a client that
counts on every step of a price must see that here as well. Off by default: a tape that plays a day
in a minute moves prices too far in half a second of real time.

Units: milliseconds of protocol time. Source: recorded rows of 2026, all stamped `.000Z` or `.500Z`.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from connectors.simulated.engine.changes import Change
from connectors.simulated.server.clock import iso, parse_iso

_PACED = "instrument"


class Pace:
    """Holds rows of instruments back until their time has come; other tables pass."""

    def __init__(self, period_ms: int) -> None:
        """Start with nothing held.

        Args:
            period_ms: Time between two updates of a symbol, 0 for updates at once.
        """
        self._period_ms = period_ms
        self._held: dict[str, Change] = {}
        self._until_ms = 0

    def due(self, changes: Sequence[Change]) -> Sequence[Change]:
        """Return what is to be published now: the changes, less the held ones, after those whose time has come."""
        if not self._period_ms:
            return changes
        now: list[Change] = []
        for change in changes:
            if change.table == _PACED:
                now += self._take(change)
            else:
                now.append(change)
        return now

    def _take(self, change: Change) -> list[Change]:
        """Hold a row, in the place of an earlier one; return the rows of the period that has ended by it."""
        ended: list[Change] = []
        at_ms = parse_iso(str(change.row["timestamp"]))
        if at_ms >= self._until_ms:
            stamp = iso(self._until_ms)
            ended = [replace(one, row={**one.row, "timestamp": stamp}) for one in self._held.values()]
            self._held.clear()
            self._until_ms = (at_ms // self._period_ms + 1) * self._period_ms
        self._held[str(change.row["symbol"])] = change
        return ended
