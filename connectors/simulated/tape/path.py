"""One candle as a seeded path of last prices, in whole ticks.

Why: a candle says where the price was, not how it went. The path supplies a way that contradicts
nothing the candle says and that a guard can be tested on: no single step is larger than
`LARGEST_STEP`, so what the guard misses it misses by itself, not because the tape leapt.

A bar's path starts from the close before it. If that lies outside [low, high], the price really
jumped: the first point is the nearest edge of the bar, and that one step may have any size. From
there the path visits high and low, the nearer of the two ways round in `DIRECT_SHARE` of the bars,
and ends at the close, never leaving [low, high]. Legs of bars longer than a minute are broken by
pullbacks, so that an hour is no straight line.

Everything is a function of (seed, bar's place, the bar, the close before): no state is carried.

Units: prices are whole ticks (int), steps and travel natural logs of price ratios (about percent).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from math import ceil, exp, log
from typing import TYPE_CHECKING

from connectors.simulated.tape.candles import MINUTE_MS
from connectors.simulated.tape.noise import derive, unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.simulated.tape.candles import Candle

LARGEST_STEP = 0.002  # of price, inside a bar; rounding may add one tick
DIRECT_SHARE = 0.8  # bars that visit high and low in the order that travels less
_UNEVENNESS = 0.2  # how far a point may stand from its even place, in steps
_EVEN_STEP = LARGEST_STEP / (1 + _UNEVENNESS)
_CATCH_UP_STEP = 0.0015  # points a jump calls for, so that the mark can follow within the bar
_PULLBACK = 1.5  # how far a turning point may stand from its even place, in parts of the leg
_ORDER, _TURNS, _POINTS = range(3)  # what a bar's noise is drawn for


@dataclass(frozen=True, kw_only=True, slots=True)
class TickBar:
    """A candle's prices in whole ticks."""

    low: int
    high: int
    close: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BarPath:
    """The plan of one bar: where it turns, and in how many points it gets there."""

    before: int  # the close before, in ticks
    knots: tuple[int, ...]  # entry and turning points, close last
    counts: tuple[int, ...]  # points of each leg between knots, the last point on the knot
    idle: int  # points that stand still at the entry (a bar without movement)
    seed: int

    @property
    def has_jump(self) -> bool:
        """Whether the bar begins away from the close before it."""
        return self.knots[0] != self.before

    @property
    def count(self) -> int:
        """Number of points."""
        return self.has_jump + self.idle + sum(self.counts)

    @property
    def jump(self) -> float:
        """Size of the jump into the bar, zero without one."""
        return abs(log(self.knots[0] / self.before))

    @property
    def travel(self) -> float:
        """Length of the whole way, jump included."""
        return self.jump + sum(abs(log(b / a)) for a, b in pairwise(self.knots))

    def points(self) -> Iterator[int]:
        """Yield the last prices, in ticks, evenly spread over the bar, the last at its end."""
        if self.has_jump:
            yield self.knots[0]
        for _ in range(self.idle):
            yield self.knots[0]
        place = 0
        for (start, end), count in zip(pairwise(self.knots), self.counts, strict=True):
            yield from _leg(start, end, count, seed=self.seed, place=place)
            place += count


def in_ticks(price: Decimal, tick: Decimal) -> int:
    """Return the price in whole ticks, rounded to the nearest, never below one tick."""
    return max(1, int((price / tick).to_integral_value(rounding=ROUND_HALF_EVEN)))


def tick_bar(candle: Candle, tick: Decimal) -> TickBar:
    """Return the candle's prices in whole ticks (exact where the file is on the same ticks)."""
    return TickBar(
        low=in_ticks(candle.low, tick),
        high=in_ticks(candle.high, tick),
        close=in_ticks(candle.close, tick),
    )


def plan_bar(bar: TickBar, *, before: int, duration_ms: int, per_minute: int, seed: int, place: int) -> BarPath:
    """Return the path plan of a bar.

    Args:
        bar: The bar, in ticks.
        before: The close before it, in ticks.
        duration_ms: How long the bar lasts.
        per_minute: Least number of points a minute.
        seed: Seed of the tape.
        place: The bar's number on the tape.
    """
    minutes = max(1, duration_ms // MINUTE_MS)
    own_seed = derive(seed, place)
    knots = _turning_points(bar, before, own_seed)
    if minutes > 1:
        knots = _with_pullbacks(knots, minutes, own_seed)
    jump = abs(log(knots[0] / before))
    wanted = max(per_minute * minutes, ceil(jump / _CATCH_UP_STEP))
    counts = _counts(knots, wanted)
    return BarPath(
        before=before,
        knots=knots,
        counts=counts,
        idle=0 if counts else wanted,
        seed=derive(own_seed, _POINTS),
    )


def plan_halt(before: int, *, duration_ms: int, per_minute: int, drift: float) -> BarPath:
    """Return the plan of a bar without trading, fine enough for an index that drifts by `drift`."""
    minutes = max(1, duration_ms // MINUTE_MS)
    idle = max(per_minute * minutes, ceil(abs(drift) / _CATCH_UP_STEP))
    return BarPath(before=before, knots=(before,), counts=(), idle=idle, seed=0)


def entry_of(bar: TickBar, before: int) -> int:
    """Return the first price of the bar: the close before, or the edge nearest to it."""
    return min(max(before, bar.low), bar.high)


def _turning_points(bar: TickBar, before: int, seed: int) -> tuple[int, ...]:
    entry = entry_of(bar, before)
    direct, roundabout = (bar.low, bar.high), (bar.high, bar.low)
    if bar.close < entry:
        direct, roundabout = roundabout, direct
    share = 0.5 if bar.close == entry else DIRECT_SHARE
    first, second = direct if unit(derive(seed, _ORDER), 0) < share else roundabout
    knots = [entry]
    for knot in (first, second, bar.close):
        if knot != knots[-1]:
            knots.append(knot)
    return tuple(knots)


def _with_pullbacks(knots: Sequence[int], minutes: int, seed: int) -> tuple[int, ...]:
    lengths = [abs(log(b / a)) for a, b in pairwise(knots)]
    own_seed, turned, place = derive(seed, _TURNS), [knots[0]], 0
    for (start, end), length in zip(pairwise(knots), lengths, strict=True):
        parts = max(1, round(minutes / 2 * length / sum(lengths)))
        for part in range(1, parts):
            shift = _PULLBACK * (2 * unit(own_seed, place) - 1)
            turned.append(_between(start, end, (part + shift) / parts))
            place += 1
        turned.append(end)
    return tuple(a for a, b in pairwise([*turned, 0]) if a != b)


def _counts(knots: Sequence[int], wanted: int) -> tuple[int, ...]:
    lengths = [abs(log(b / a)) for a, b in pairwise(knots)]
    if not lengths:
        return ()
    total = sum(lengths)
    counts = [max(1, ceil(length / _EVEN_STEP), int(wanted * length / total)) for length in lengths]
    counts[lengths.index(max(lengths))] += max(0, wanted - sum(counts))
    return tuple(counts)


def _leg(start: int, end: int, count: int, *, seed: int, place: int) -> Iterator[int]:
    for step in range(1, count):
        shift = _UNEVENNESS * (unit(seed, place + step) - 0.5)
        yield _between(start, end, (step + shift) / count)
    yield end


def _between(start: int, end: int, share: float) -> int:
    low, high = min(start, end), max(start, end)
    return min(max(round(start * exp(log(end / start) * share)), low), high)
