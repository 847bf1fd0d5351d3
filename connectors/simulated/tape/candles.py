"""Candles: bars of traded prices, the choice of a range, and the most violent day of a history.

Why: a run needs an unbroken stretch of bars. Whether a range has one, and which day of a file is
worth playing, are questions about bars alone, apart from how a file spells them (`reading`).

A bar's `open` is taken for the very first price only. BitMEX gives the previous bar's close as the
open, so it may lie outside [low, high]; every later bar starts from the close before it.

Units: prices are `Decimal` in quote currency, times are milliseconds since 1970 UTC.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

MINUTE_MS = 60_000
DAY_MS = 86_400_000


_LATEST_MS = 253_402_300_799_000  # the last second of the year 9999, beyond which no time can be shown


class CandleFileError(Exception):
    """A candle file, or the range asked of it, cannot be played; the text is one clear line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candle:
    """One bar of traded prices; `open_time_ms` is its start."""

    open_time_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None = None  # None where the file has none
    halted: bool = False  # trading stood still for the whole bar (see `halts`)


@dataclass(frozen=True, kw_only=True, slots=True)
class Hole:
    """Bars that are missing from `start_ms` up to `end_ms`, found before a line of the file."""

    start_ms: int
    end_ms: int
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CandleSeries:
    """Sorted bars of one interval, with the holes that their file leaves between them."""

    name: str
    interval_ms: int
    candles: Sequence[Candle]
    holes: Sequence[Hole] = ()
    close_before: Decimal | None = None  # of the bar right before the first, if it is known

    @property
    def start_ms(self) -> int:
        """Start of the first bar."""
        return self.candles[0].open_time_ms

    @property
    def end_ms(self) -> int:
        """End of the last bar."""
        return self.candles[-1].open_time_ms + self.interval_ms

    @property
    def first_price(self) -> Decimal:
        """The price at which the series begins, known without a look into its first bar."""
        if self.close_before is not None:
            return self.close_before
        first = self.candles[0]
        return min(max(first.open, first.low), first.high)

    def whole(self) -> CandleSeries:
        """Return the series itself.

        Raises:
            CandleFileError: If it has a hole; names an unbroken stretch instead.
        """
        self._require_unbroken(self.start_ms, self.end_ms)
        return self

    def between(self, start_ms: int | None, end_ms: int | None) -> CandleSeries:
        """Return the bars that lie wholly inside [start, end); None stands for the file's own end.

        Raises:
            CandleFileError: If the range is reversed, reaches outside the file, holds no bar, or
                has a hole.
        """
        start = self.start_ms if start_ms is None else start_ms
        end = self.end_ms if end_ms is None else end_ms
        self._require_inside(start, end)
        self._require_unbroken(start, end)
        first, last = self._bounds(start, end)
        if first >= last:
            msg = f"{self.name}: no whole bar of {self.interval_ms // 1000} s from {show_time(start)} to {show_time(end)}; choose a wider range"  # noqa: E501
            raise CandleFileError(msg)
        return replace(self, candles=self.candles[first:last], holes=(), close_before=self._before(first))

    def _bounds(self, start_ms: int, end_ms: int) -> tuple[int, int]:
        inside = [
            place
            for place, bar in enumerate(self.candles)
            if start_ms <= bar.open_time_ms and bar.open_time_ms + self.interval_ms <= end_ms
        ]
        return (inside[0], inside[-1] + 1) if inside else (0, 0)

    def _before(self, place: int) -> Decimal | None:
        if place == 0:
            return self.close_before
        before = self.candles[place - 1]
        touches = before.open_time_ms + self.interval_ms == self.candles[place].open_time_ms
        return before.close if touches else None

    def _require_inside(self, start_ms: int, end_ms: int) -> None:
        asked = f"{show_time(start_ms)} to {show_time(end_ms)}"
        covers = f"{show_time(self.start_ms)} to {show_time(self.end_ms)}"
        if min(start_ms, end_ms) < self.start_ms or max(start_ms, end_ms) > self.end_ms:
            msg = (
                f"{self.name}: the range {asked} reaches outside the file, which covers {covers};"
                " choose --from and --to inside it"
            )
            raise CandleFileError(msg)
        if start_ms >= end_ms:
            msg = (
                f"{self.name}: the range {asked} is empty or reversed;"
                f" give a --from before --to (the file covers {covers})"
            )
            raise CandleFileError(msg)

    def _require_unbroken(self, start_ms: int, end_ms: int) -> None:
        inside = [hole for hole in self.holes if hole.start_ms < end_ms and hole.end_ms > start_ms]
        if not inside:
            return
        hole = inside[0]
        bars = (hole.end_ms - hole.start_ms) // self.interval_ms
        more = f", and {len(inside) - 1} more" if len(inside) > 1 else ""
        begin, end = longest_stretch(start_ms, end_ms, inside)
        msg = (
            f"{self.name}, line {hole.line}: a hole in the chosen range: {bars} bar(s) missing from"
            f" {show_time(hole.start_ms)} to {show_time(hole.end_ms)}{more}; choose a range without"
            f" one, for example --from {show_time(begin)} --to {show_time(end)}"
        )
        raise CandleFileError(msg)


@dataclass(frozen=True, kw_only=True, slots=True)
class ViolentDay:
    """A UTC day, cut to what its file covers, and how far price went from where the day began."""

    start_ms: int
    end_ms: int
    excursion: float  # ln of the widest ratio to the day's first price, either direction


def most_violent_day(series: CandleSeries) -> ViolentDay:
    """Return the UTC day with the largest excursion from its own first price.

    The excursion, up or down, from the price at which the day starts is what matters to a position
    that is opened then; a day's high against its low would also count swings that lead nowhere.
    The first of equal days wins.
    """
    days: dict[int, list[Candle]] = defaultdict(list)
    for bar in series.candles:
        days[bar.open_time_ms // DAY_MS].append(bar)
    return max((_violence(series, day, bars) for day, bars in days.items()), key=lambda day: day.excursion)


def _violence(series: CandleSeries, day: int, bars: list[Candle]) -> ViolentDay:
    first = replace(series, candles=bars, close_before=None).first_price
    highest, lowest = max(bar.high for bar in bars), min(bar.low for bar in bars)
    return ViolentDay(
        start_ms=max(day * DAY_MS, series.start_ms),
        end_ms=min((day + 1) * DAY_MS, series.end_ms),
        excursion=max(log(highest / first), log(first / lowest)),
    )


def longest_stretch(start_ms: int, end_ms: int, holes: Iterable[Hole]) -> tuple[int, int]:
    """Return the longest part of [start, end) that no hole touches."""
    begin, stretches = start_ms, []
    for hole in holes:
        stretches.append((begin, hole.start_ms))
        begin = hole.end_ms
    stretches.append((begin, end_ms))
    return max(stretches, key=lambda stretch: stretch[1] - stretch[0])


def show_time(at_ms: int) -> str:
    """Return a tape time as people write it: 2020-03-12T10:45Z, seconds only when there are any."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    detail = "minutes" if at_ms % MINUTE_MS == 0 else "seconds"
    return moment.replace(tzinfo=None).isoformat(timespec=detail) + "Z"


def read_time(text: str, *, option: str) -> int:
    """Return the time that an option such as `--from` names, in milliseconds.

    A bare date in `--to` means the end of that day, so that the same date twice is one day. Times
    without an offset are UTC.

    Raises:
        CandleFileError: If the text is no ISO 8601 date or time.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        at_ms = round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        msg = f"{option} {text!r} is no date; write for example 2020-03-12 or 2020-03-12T10:45Z"
        raise CandleFileError(msg) from None
    is_date = len(text.strip()) <= len("2020-03-12")
    day_ms = DAY_MS if is_date and option == "--to" else 0
    return min(at_ms + day_ms, _LATEST_MS)
