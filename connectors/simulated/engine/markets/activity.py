"""What a market did in the last 24 hours and in the present session of an hour.

Why: clients size their orders by `volume24h` and draw `highPrice` and `prevPrice24h`. Rows of trades are
kept for a while only, so the figures are kept in spans of ten minutes, of which a day has 144.

Units: prices in quote currency, volume in contracts, turnover in minor units, notionals in major
units, times in protocol ms.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

ZERO = Decimal(0)
SPAN_MS = 600_000
SPANS = 144  # in a day
SESSION_MS = 3_600_000


@dataclass(slots=True, kw_only=True)
class Turnover:
    """What was traded, or with a minus what no longer counts."""

    volume: int = 0
    value: int = 0
    home: Decimal = ZERO
    foreign: Decimal = ZERO

    def add(self, other: Turnover, sign: int = 1) -> None:
        """Count another one in, or out."""
        self.volume += sign * other.volume
        self.value += sign * other.value
        self.home += sign * other.home
        self.foreign += sign * other.foreign


@dataclass(slots=True, kw_only=True)
class Span:
    """Ten minutes of a market."""

    number: int
    high: Decimal
    low: Decimal
    close: Decimal
    traded: Turnover = field(default_factory=Turnover)


@dataclass(slots=True, kw_only=True)
class Activity:
    """Sums over the spans of a day, and the counters of the session.

    Attributes:
        first: The price a day ago, or the first there was.
        traded: What was traded in the day.
        session: Number of the session, counted in hours since 1970.
        session_close: Mark at the end of the session before.
        volume_before: Volume ever, when the session began.
        value_before: Turnover ever, when the session began.
    """

    spans: deque[Span] = field(default_factory=deque)
    first: Decimal = ZERO
    high: Decimal = ZERO
    low: Decimal = ZERO
    traded: Turnover = field(default_factory=Turnover)
    total_volume: int = 0
    total_value: int = 0
    session: int = -1
    session_close: Decimal = ZERO
    volume_before: int = 0
    value_before: int = 0

    @property
    def opening_ms(self) -> int:
        """When the session began."""
        return self.session * SESSION_MS

    @property
    def vwap(self) -> Decimal | None:
        """The average price of the day's trades, None if there were none."""
        return self.traded.foreign / self.traded.home if self.traded.home else None

    def note_prices(self, *, low: Decimal, high: Decimal, last: Decimal, mark: Decimal, at_ms: int) -> None:
        """Take one step of the tape; `mark` is the one until then."""
        span = self._span(last, at_ms)
        span.close = last
        if low < span.low:
            span.low, self.low = low, min(self.low, low)
        if high > span.high:
            span.high, self.high = high, max(self.high, high)
        if at_ms // SESSION_MS != self.session:
            self.session = at_ms // SESSION_MS
            self.session_close = mark
            self.volume_before, self.value_before = self.total_volume, self.total_value

    def note_trade(self, price: Decimal, traded: Turnover, *, at_ms: int) -> None:
        """Count one public trade."""
        self._span(price, at_ms).traded.add(traded)
        self.traded.add(traded)
        self.total_volume += traded.volume
        self.total_value += traded.value

    def _span(self, price: Decimal, at_ms: int) -> Span:
        number = at_ms // SPAN_MS
        if self.spans and self.spans[-1].number == number:
            return self.spans[-1]
        if not self.spans:
            self.first = price
        while self.spans and self.spans[0].number <= number - SPANS:
            gone = self.spans.popleft()
            self.first = gone.close
            self.traded.add(gone.traded, -1)
        span = Span(number=number, high=price, low=price, close=price)
        self.spans.append(span)
        self.high = max(one.high for one in self.spans)
        self.low = min(one.low for one in self.spans)
        return span
