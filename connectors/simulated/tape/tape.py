"""The tape: one run's steps, each with its tape time, its real time and every contract's prices.

Why: whoever plays prices needs one thing to iterate, that can be picked up at any step after a kill
and then gives exactly what it would have given. A tape is a function of its reel, seed and pace:
`steps(start)` carries the market's few numbers along the bars already played (some
microseconds a point, no prices are built) and goes on from there.

Step 0 is the opening: the price before the first bar, at that bar's start. The points of a bar
follow evenly spread over it, the last at its end; a step lasts `real_ms` before the next is due.

Units: times in milliseconds; `tape_ms` since 1970 UTC on the tape's own clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from math import log
from typing import TYPE_CHECKING

from connectors.simulated.engine.contracts import XBTUSD
from connectors.simulated.tape.market import FOLLOWERS, Market
from connectors.simulated.tape.noise import derive
from connectors.simulated.tape.pacing import Motion, PaceKind, fit_times
from connectors.simulated.tape.path import (
    BarPath,
    entry_of,
    in_ticks,
    plan_bar,
    plan_halt,
    tick_bar,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from decimal import Decimal

    from connectors.simulated.engine.inputs import SymbolPrices
    from connectors.simulated.tape.candles import Candle, CandleSeries
    from connectors.simulated.tape.pacing import Pace

_TICK = XBTUSD.tick_size
_PATH_SEED, _MARKET_SEED = 0, 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One instant of the tape."""

    index: int
    tape_ms: int
    real_ms: int  # how long it lasts before the next step is due
    prices: tuple[SymbolPrices, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reel:
    """What a tape plays: an unbroken run of candles of one interval."""

    title: str
    interval_ms: int
    start_ms: int
    first_price: Decimal
    bars: Callable[[], Iterator[Candle]]
    count: int | None  # None: it never ends

    @classmethod
    def of(cls, series: CandleSeries) -> Reel:
        """Return the reel of a series, whole.

        Raises:
            CandleFileError: If the series has a hole.
        """
        whole = series.whole()
        return cls(
            title=whole.name,
            interval_ms=whole.interval_ms,
            start_ms=whole.start_ms,
            first_price=whole.first_price,
            bars=lambda: iter(whole.candles),
            count=len(whole.candles),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Frame:
    """One bar, planned; during a halt the price elsewhere walks between two references."""

    start_ms: int
    path: BarPath
    motion: Motion
    references: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Point:
    tape_ms: int
    real_ms: int
    ticks: int
    reference: float | None


@dataclass(frozen=True, kw_only=True)
class Tape:
    """A reel played with a seed at a pace.

    Raises:
        ValueError: From `steps`, if a reel without an end is to fit a budget.
    """

    reel: Reel
    seed: int
    pace: Pace
    quotes: int = len(FOLLOWERS)  # how many contracts are priced, XBTUSD first
    first_ticks: int = field(init=False)

    def __post_init__(self) -> None:
        """Work out the opening price once."""
        object.__setattr__(self, "first_ticks", in_ticks(self.reel.first_price, _TICK))

    @property
    def first(self) -> Step:
        """The opening step."""
        return next(self.steps())

    @cached_property
    def _per_minute(self) -> int:
        count = self.reel.count
        return self.pace.points_per_minute(count and count * self.reel.interval_ms)

    @property
    def end_ms(self) -> int | None:
        """Tape time of the last step, None if the tape never ends."""
        count = self.reel.count
        return None if count is None else self.reel.start_ms + count * self.reel.interval_ms

    @cached_property
    def length(self) -> int | None:
        """Number of steps, the opening included; None if the tape never ends."""
        if self.reel.count is None:
            return None
        return 1 + sum(frame.path.count for frame in self._frames())

    @cached_property
    def real_total_ms(self) -> int | None:
        """Real time the whole tape takes; None if it never ends."""
        if self.reel.count is None:
            return None
        return sum(_whole(self._bar_times()))

    def steps(self, start: int = 0) -> Iterator[Step]:
        """Yield the steps from `start` on, exactly as if all before had been yielded too."""
        market = Market(
            seed=derive(self.seed, _MARKET_SEED),
            first_price=self.first_ticks * _TICK,
            tape_ms=self.reel.start_ms,
            quotes=self.quotes,
        )
        for index, point in enumerate(self._points()):
            if index:
                market.advance(point.tape_ms, point.ticks * float(_TICK), reference=point.reference)
            if index >= start:
                yield Step(
                    index=index,
                    tape_ms=point.tape_ms,
                    real_ms=point.real_ms,
                    prices=market.prices(point.ticks * _TICK, halted=point.reference is not None),
                )

    def _points(self) -> Iterator[_Point]:
        yield _Point(
            tape_ms=self.reel.start_ms,
            real_ms=0,
            ticks=self.first_ticks,
            reference=None,
        )
        times = _whole(self._bar_times())
        for frame, real_ms in zip(self._frames(), times, strict=True):
            yield from _frame_points(frame, self.reel.interval_ms, real_ms)

    def _bar_times(self) -> Iterable[float]:
        if self.pace.kind is not PaceKind.FIT:
            return (self.pace.bar_ms(frame.motion) for frame in self._frames())
        if self.reel.count is None:
            raise ValueError(f"{self.reel.title} never ends, so it cannot fit a budget of time")
        return self._fitted

    @cached_property
    def _fitted(self) -> list[float]:
        motions = [frame.motion for frame in self._frames()]
        return fit_times(motions, self.pace.budget_ms, self.pace.floor_ms)

    def _frames(self) -> Iterator[_Frame]:
        """Plan bar after bar; a halt is planned when it is known where trading resumes."""
        before, halted = self.first_ticks, 0
        for place, candle in enumerate(chain(self.reel.bars(), [None])):
            if candle is not None and candle.halted:
                halted += 1
                continue
            bar = None if candle is None else tick_bar(candle, _TICK)
            resumes = before if bar is None else entry_of(bar, before)
            yield from self._halt(place - halted, halted, before, resumes)
            halted = 0
            if bar is not None:
                path = plan_bar(
                    bar,
                    before=before,
                    duration_ms=self.reel.interval_ms,
                    per_minute=self._per_minute,
                    seed=derive(self.seed, _PATH_SEED),
                    place=place,
                )
                move = max(path.jump, log(bar.high / bar.low))
                yield self._frame(place, path, move)
                before = bar.close

    def _halt(self, place: int, bars: int, before: int, resumes: int) -> Iterator[_Frame]:
        drift = log(resumes / before) / max(1, bars)
        path = plan_halt(
            before,
            duration_ms=self.reel.interval_ms,
            per_minute=self._per_minute,
            drift=drift,
        )
        for number in range(bars):
            start, end = (before * float(_TICK) * (resumes / before) ** (part / bars) for part in (number, number + 1))
            yield self._frame(place + number, path, abs(drift), (start, end))

    def _frame(
        self,
        place: int,
        path: BarPath,
        move: float,
        references: tuple[float, float] | None = None,
    ) -> _Frame:
        travel = path.travel if references is None else move
        return _Frame(
            start_ms=self.reel.start_ms + place * self.reel.interval_ms,
            path=path,
            motion=Motion(duration_ms=self.reel.interval_ms, move=move, travel=travel),
            references=references,
        )


def _frame_points(frame: _Frame, interval_ms: int, real_ms: int) -> Iterator[_Point]:
    count = frame.path.count
    for number, ticks in enumerate(frame.path.points(), start=1):
        tape_ms = frame.start_ms + number * interval_ms // count
        reference = None
        if frame.references is not None:
            start, end = frame.references
            reference = start * (end / start) ** (number / count)
        yield _Point(
            tape_ms=tape_ms,
            real_ms=number * real_ms // count - (number - 1) * real_ms // count,
            ticks=ticks,
            reference=reference,
        )


def _whole(times: Iterable[float]) -> Iterator[int]:
    """Yield whole milliseconds that lose nothing over time: what is rounded off is carried."""
    total = shown = 0.0
    for time in times:
        total += time
        whole = round(total - shown)
        shown += whole
        yield int(whole)
