"""Prints of the indices: rows of the `trade` table that nobody traded.

Why: the venue publishes every index as a trade of size 0, about once a second, and clients that
chart or follow an index read it there and nowhere else. Such a row has no match, no value and no
notionals behind it.

Units: prices in quote currency, times in protocol ms. Source: `trade` partials of 2025.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.market import ZERO, recent_rows, tick_direction
from connectors.simulated.engine.rows import iso

REFERENTIAL = "Referential"
_BEAT_MS = 1_000


@dataclass(slots=True, kw_only=True)
class IndexPrints:
    """The prints of one index; `beat` is the second of the latest one."""

    symbol: str
    price: Decimal = ZERO
    beat: int = -1
    direction: str = "ZeroPlusTick"
    rows: deque[Row] = field(default_factory=recent_rows)

    def take(self, price: Decimal, *, at_ms: int) -> Row | None:
        """Return the print of a price, None while this second has had its own."""
        beat = at_ms // _BEAT_MS
        if beat == self.beat:
            return None
        if self.rows:
            self.direction = tick_direction(self.price, price, self.direction)
        self.price, self.beat = price, beat
        row = self._row(at_ms)
        self.rows.append(row)
        return row

    def _row(self, at_ms: int) -> Row:
        return {
            "timestamp": iso(at_ms),
            "symbol": self.symbol,
            "side": "Buy",
            "size": 0,
            "price": self.price,
            "tickDirection": self.direction,
            "trdMatchID": None,
            "grossValue": None,
            "homeNotional": None,
            "foreignNotional": None,
            "trdType": REFERENTIAL,
        }
