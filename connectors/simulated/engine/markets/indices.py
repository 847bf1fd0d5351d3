"""The indices: their prices, and the prints that nobody traded.

Why: the venue publishes every index as a trade of size 0, and clients that chart or follow an index
read it there and nowhere else. A print has no match, no value and no notionals behind it. A price
index prints about once a second; averages and the rates of funding have a time of their own, every
four or eight hours, and stand still in between.

Units: prices in quote currency, rates as shares, times in protocol ms. Source: `trade` partials of 2025.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.contracts import Index
from connectors.simulated.engine.markets.market import recent_rows, tick_direction
from connectors.simulated.engine.remembered import remembered
from connectors.simulated.engine.rows import iso

REFERENTIAL = "Referential"
_BEAT_MS = 1_000
_HOUR_MS = 3_600_000
_HOURS = slice(11, 13)


@lru_cache(maxsize=64)
def _beat_ms(interval: str) -> int:
    return int(interval[_HOURS]) * _HOUR_MS or _BEAT_MS


@dataclass(slots=True, kw_only=True)
class IndexPrints:
    """One index; `price` is None before the first, `beat` counts the spans between prints."""

    index: Index
    price: Decimal | None = None
    first: Decimal | None = None
    stamp: str | None = None  # of the latest price
    beat: int = -1
    printed: Decimal | None = None
    direction: str = "ZeroPlusTick"
    columns: Row | None = remembered()  # those of its row that never change; for `instrument_rows`
    rows: deque[Row] = field(default_factory=recent_rows)

    @property
    def beat_ms(self) -> int:
        """Time between two prints."""
        return _beat_ms(self.index.publish_interval)

    @property
    def is_slow(self) -> bool:
        """Whether the price changes with a print only."""
        return self.beat_ms != _BEAT_MS

    def take(self, price: Decimal, *, at_ms: int) -> Row | None:
        """Move to a price and return its print, None while this beat has had its own."""
        beat = at_ms // self.beat_ms
        if beat == self.beat:
            if not self.is_slow:
                self.price, self.stamp = price, iso(at_ms)
            return None
        if self.printed is not None:
            self.direction = tick_direction(self.printed, price, self.direction)
        if self.first is None:
            self.first = price
        self.price = self.printed = price
        self.stamp, self.beat = iso(at_ms), beat
        row = self._row(at_ms)
        self.rows.append(row)
        return row

    def _row(self, at_ms: int) -> Row:
        return {
            "timestamp": iso(at_ms),
            "symbol": self.index.symbol,
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
