"""A price's way through given points: straight lines in logarithms, jumps, and seeded straying.

Why: a bad day is told in a few tens of numbers. Between them the price has to move as prices do, the same
way each time, and touch every number that was given.

Units: milliseconds since 1970 UTC, prices in quote currency; `noise` is a share of the price.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import exp, log

from msgspec.structs import replace

from connectors.simulated.engine.inputs import SymbolPrices
from connectors.simulated.tape.candles import MINUTE_MS, Candle
from connectors.simulated.tape.noise import derive, unit

Points = Sequence[tuple[int, Decimal]]
_PLACES = Decimal("0.01")
_LOWEST = Decimal("0.01")
_CLOSE, _DOWN, _UP = range(3)  # what a minute's noise is drawn for
_VOLUME = Decimal(1_000_000)


class Line:
    """The way through the points; before the first and after the last it stands still."""

    def __init__(self, points: Points) -> None:
        self._times = [at_ms for at_ms, _ in points]
        self._prices = [float(price) for _, price in points]
        self.lowest, self.highest = min(self._prices), max(self._prices)

    def arriving(self, at_ms: int) -> float:
        """Return the price right before a moment: before a jump that happens then."""
        return self._between(bisect_left(self._times, at_ms), at_ms)

    def leaving(self, at_ms: int) -> float:
        """Return the price right at a moment: after a jump that happens then."""
        return self._between(bisect_right(self._times, at_ms), at_ms)

    def has_point(self, at_ms: int) -> bool:
        """Return whether a point stands at this moment, so that nothing may stray."""
        place = bisect_left(self._times, at_ms)
        return place < len(self._times) and self._times[place] == at_ms

    def jumps(self, at_ms: int) -> bool:
        """Return whether the price jumps at this moment."""
        return self.arriving(at_ms) != self.leaving(at_ms)

    def touched(self, start_ms: int, end_ms: int) -> list[float]:
        """Return the prices of the points strictly inside a stretch of time."""
        return self._prices[bisect_right(self._times, start_ms) : bisect_left(self._times, end_ms)]

    def _between(self, place: int, at_ms: int) -> float:
        if place == 0:
            return self._prices[0]
        if place == len(self._times):
            return self._prices[-1]
        start, end = self._times[place - 1], self._times[place]
        before, after = self._prices[place - 1], self._prices[place]
        return before * exp(log(after / before) * (at_ms - start) / (end - start))


@dataclass(frozen=True, kw_only=True, slots=True)
class ScriptedPath:
    """Minute candles along a line.

    Attributes:
        line: The way.
        start_ms: Start of the first bar.
        end_ms: End of the last bar.
        noise: How far a close strays from the line, and a wick from its bar.
        halts: Stretches [from, until) without trading.
        seed: Origin of the straying.
    """

    line: Line
    start_ms: int
    end_ms: int
    noise: float
    halts: tuple[tuple[int, int], ...]
    seed: int

    @property
    def count(self) -> int:
        """Number of bars."""
        return max(1, -(-(self.end_ms - self.start_ms) // MINUTE_MS))

    def bars(self) -> Iterator[Candle]:
        """Begin the candles anew."""
        close, was_halted = self.line.leaving(self.start_ms), False
        for place in range(self.count):
            at_ms = self.start_ms + place * MINUTE_MS
            if self._is_halted(at_ms):
                was_halted = True
                yield _candle(at_ms, close, (close, close, close), is_halted=True)
                continue
            is_new = was_halted or self.line.jumps(at_ms)
            entry = self.line.leaving(at_ms) if is_new else close
            before, close, was_halted = close, self._close(place, at_ms + MINUTE_MS), False
            yield _candle(at_ms, before, self._range(place, at_ms, entry, close), is_halted=False)

    def _is_halted(self, at_ms: int) -> bool:
        middle = at_ms + MINUTE_MS // 2
        return any(start <= middle < end for start, end in self.halts)

    def _close(self, place: int, end_ms: int) -> float:
        price = self.line.arriving(end_ms)
        if self.line.has_point(end_ms):
            return price
        return self._inside(price * (1 + self.noise * (2 * self._drawn(place, _CLOSE) - 1)))

    def _range(self, place: int, at_ms: int, entry: float, close: float) -> tuple[float, float, float]:
        touched = (entry, close, *self.line.touched(at_ms, at_ms + MINUTE_MS))
        low = min(touched) * (1 - self.noise * self._drawn(place, _DOWN))
        high = max(touched) * (1 + self.noise * self._drawn(place, _UP))
        return self._inside(low), self._inside(high), close

    def _inside(self, price: float) -> float:
        """Return the price within the lowest and highest that were given."""
        return min(max(price, self.line.lowest), self.line.highest)

    def _drawn(self, place: int, purpose: int) -> float:
        return unit(derive(self.seed, place), purpose)


def _candle(at_ms: int, before: float, shape: tuple[float, float, float], *, is_halted: bool) -> Candle:
    low, high, close = (_price(one) for one in shape)
    return Candle(
        open_time_ms=at_ms,
        open=_price(before),
        high=high,
        low=low,
        close=close,
        volume=Decimal(0) if is_halted else _VOLUME,
        halted=is_halted,
    )


def _price(price: float) -> Decimal:
    return max(_LOWEST, Decimal(price).quantize(_PLACES))


def on_line(prices: SymbolPrices, line: Line, tape_ms: int) -> SymbolPrices:
    """Return a contract's prices with the last one on a line; all others keep their proportion to it."""
    if prices.halted or not prices.last:
        return prices  # nothing trades, or (a spread) there is nothing to be in proportion to
    factor = Decimal(line.leaving(tape_ms)) / prices.last

    def moved(price: Decimal) -> Decimal:
        unit_of = Decimal(1).scaleb(int(price.as_tuple().exponent)) if price else _LOWEST
        return max(unit_of, (price * factor).quantize(unit_of))

    return replace(
        prices,
        mark=moved(prices.mark),
        index=moved(prices.index),
        last=moved(prices.last),
        low=None,
        high=None,
        limit_down=None if prices.limit_down is None else moved(prices.limit_down),
        limit_up=None if prices.limit_up is None else moved(prices.limit_up),
    )
