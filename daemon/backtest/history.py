"""From a candle file to the tape of a run: range, holes, scale.

- Holes. Where bars are missing nobody knows what happened. They are bridged by bars that go straight from the price
  before to the price after, with trading, and the report says so; it is no claim about those minutes.
- Scale. The exchange's contract has the ticks of a price in the tens of thousands. A coin at 20 or 2,000 dollars is
  played at 10, 100 or 1,000 times its price: a position's gain and loss in percent, its leverage and its liquidation
  in percent of the price stay what they are.

Units: times in milliseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from connectors.simulated.tape.candles import (
    MINUTE_MS,
    Candle,
    CandleFileError,
    CandleSeries,
    Hole,
    read_time,
    show_time,
)
from connectors.simulated.tape.pacing import Pace
from connectors.simulated.tape.reading import read_candles
from connectors.simulated.tape.tape import Reel, Step, Tape
from daemon.exit_codes import CommandFailed, ExitCode

LOWEST_SCALED: Final = Decimal(4_000)
HIGHEST_SCALED: Final = Decimal(500_000)
"""Prices are played between these where a power of ten can bring them there: a tick is then below 0.0125 % of them."""
POINTS_A_MINUTE: Final = 4
POINTS_A_LONG_MINUTE: Final = 1
"""Of bars longer than a minute: what is inside them is not known anyway."""


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """What a run plays."""

    title: str
    tape: Tape
    start_ms: int
    end_ms: int
    scale: Decimal
    notes: tuple[str, ...]

    def steps(self) -> Iterator[Step]:
        """Yield the tape's steps, the opening first."""
        return self.tape.steps()


def load_history(path: Path, *, since: str | None, until: str | None, seed: int) -> History:
    """Read a candle file, or a range of it.

    Raises:
        CommandFailed: If it cannot be played, in one line.
    """
    try:
        mended: list[str] = []
        series = read_candles(path, mended=mended)
        start = series.start_ms if since is None else read_time(since, option="--from")
        end = series.end_ms if until is None else read_time(until, option="--to")
        whole, notes = bridged(series, start, end)
        chosen = whole.between(start, end)
        notes = (*mended, *notes)
    except CandleFileError as error:
        raise CommandFailed(str(error), ExitCode.BAD_INPUT) from error
    scale = scale_for(chosen)
    if scale != 1:
        notes = (
            *notes,
            f"prices are played at {scale.normalize():f} times those of the file, for the contract's ticks",
        )
        chosen = scaled(chosen, scale)
    return _history(chosen, path.name, scale, notes, seed)


def _history(series: CandleSeries, name: str, scale: Decimal, notes: tuple[str, ...], seed: int) -> History:
    points = POINTS_A_MINUTE if series.interval_ms == MINUTE_MS else POINTS_A_LONG_MINUTE
    return History(
        title=f"{name}, {show_time(series.start_ms)} to {show_time(series.end_ms)}",
        tape=Tape(reel=Reel.of(series), seed=seed, pace=Pace.fastest(fewest=points), quotes=1),
        start_ms=series.start_ms,
        end_ms=series.end_ms,
        scale=scale,
        notes=notes,
    )


# ---------------------------------------------------------------- holes


def bridged(series: CandleSeries, start_ms: int, end_ms: int) -> tuple[CandleSeries, tuple[str, ...]]:
    """Return the series with the holes of a range bridged, and one line for each of them (the first few)."""
    inside = [hole for hole in series.holes if hole.start_ms < end_ms and hole.end_ms > start_ms]
    if not inside:
        return series, ()
    places = {bar.open_time_ms: bar for bar in series.candles}
    bridges = [bar for hole in inside for bar in _bridge(hole, places, series.interval_ms)]
    candles = sorted((*series.candles, *bridges), key=lambda bar: bar.open_time_ms)
    others = tuple(hole for hole in series.holes if hole not in inside)
    notes = [_hole_note(hole, series.interval_ms) for hole in inside[:5]]
    if len(inside) > 5:
        notes.append(f"and {len(inside) - 5} more holes, bridged likewise")
    return replace(series, candles=candles, holes=others), tuple(notes)


def _hole_note(hole: Hole, interval_ms: int) -> str:
    bars = (hole.end_ms - hole.start_ms) // interval_ms
    return (
        f"{bars} bar(s) are missing from {show_time(hole.start_ms)} to {show_time(hole.end_ms)}:"
        " played as a straight way from the price before to the price after"
    )


def _bridge(hole: Hole, places: dict[int, Candle], interval_ms: int) -> Iterator[Candle]:
    before = places[hole.start_ms - interval_ms].close
    after = places[hole.end_ms]
    target = min(max(before, after.low), after.high)
    bars = (hole.end_ms - hole.start_ms) // interval_ms
    price = before
    for number in range(1, bars + 1):
        following = before + (target - before) * number / (bars + 1)
        yield Candle(
            open_time_ms=hole.start_ms + (number - 1) * interval_ms,
            open=price,
            high=max(price, following),
            low=min(price, following),
            close=following,
        )
        price = following


# ---------------------------------------------------------------- scale


def scale_for(series: CandleSeries) -> Decimal:
    """Return the power of ten that brings a series' lowest price to where the contract's ticks are fine."""
    lowest = min(bar.low for bar in series.candles)
    scale = Decimal(1)
    while lowest * scale < LOWEST_SCALED / 10:
        scale *= 10
    while lowest * scale > HIGHEST_SCALED * 10:
        scale /= 10
    return scale


def scaled(series: CandleSeries, scale: Decimal) -> CandleSeries:
    """Return the series with every price times a factor."""
    candles = [
        replace(bar, open=bar.open * scale, high=bar.high * scale, low=bar.low * scale, close=bar.close * scale)
        for bar in series.candles
    ]
    before = series.close_before
    return replace(series, candles=candles, close_before=None if before is None else before * scale)
