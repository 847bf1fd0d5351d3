"""Candle files: CSV, plain or gzip, into a checked `CandleSeries`.

Why: a run on damaged history proves nothing, and people get their files from everywhere. So all
that can be wrong with a file is found before the first price, and said in one line that names the
file, the line and what to do.

Format: header `open_time,open,high,low,close` with optional `volume` or `samples` (order and other
columns do not matter). `open_time` is the START of the bar, as ISO 8601 (UTC unless it says
otherwise) or as epoch seconds, milli- or microseconds. Bars of 1 minute, 5 minutes or 1 hour.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.simulated.tape.candles import (
    Candle,
    CandleFileError,
    CandleSeries,
    Hole,
    show_time,
)
from connectors.simulated.tape.halts import mark_halts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

INTERVALS_MS = {60_000: "1m", 300_000: "5m", 3_600_000: "1h"}
LARGEST_PRICE = Decimal(10) ** 9
SMALLEST_PRICE = Decimal(10) ** -8
_GZIP_MAGIC = b"\x1f\x8b"
_EPOCH = {10: 1, 13: 1_000, 16: 1_000_000}  # parts of a second, by the number of digits
_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    line: int
    candle: Candle


def read_candles(path: Path | str, *, mended: list[str] | None = None) -> CandleSeries:
    """Return the bars of a file, with their holes noted and halts marked.

    Args:
        path: The file.
        mended: Gathers what was put right, in words: rows out of order are sorted then, repeated ones dropped. None
            refuses them.

    Raises:
        CandleFileError: For everything that makes the file unusable; holes do not, until a range
            with one is asked for.
    """
    file = Path(path)
    rows = list(_rows(str(path), _text(file, str(path)), is_ordered=mended is None))
    if mended is not None:
        rows = _in_order(str(path), rows, mended)
    if len(rows) < 2:
        raise CandleFileError(f"{path}: needs two bars or more to play, has {len(rows)}")
    interval_ms = _interval(str(path), rows)
    return CandleSeries(
        name=str(path),
        interval_ms=interval_ms,
        candles=mark_halts([row.candle for row in rows]),
        holes=_holes(str(path), rows, interval_ms),
    )


def _text(file: Path, name: str) -> str:
    try:
        raw = file.read_bytes()
    except IsADirectoryError:
        raise CandleFileError(f"{name}: is a directory; name a candle file (.csv or .csv.gz) in it") from None
    except FileNotFoundError:
        raise CandleFileError(f"{name}: no such file; check the path") from None
    except OSError as error:
        raise CandleFileError(f"{name}: cannot be read: {error.strerror}") from error
    try:
        return (gzip.decompress(raw) if raw.startswith(_GZIP_MAGIC) else raw).decode("utf-8-sig")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        msg = f"{name}: the gzip data is damaged or cut off; fetch the file again"
        raise CandleFileError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"{name}: is not text; expected a candle file as CSV, plain or gzip"
        raise CandleFileError(msg) from error


def _in_order(name: str, rows: list[_Row], mended: list[str]) -> list[_Row]:
    """Return the rows in order of time, each bar once.

    Raises:
        CandleFileError: If two rows say different things of the same bar.
    """
    moved = sum(later.candle.open_time_ms < row.candle.open_time_ms for row, later in pairwise(rows))
    ordered: list[_Row] = []
    for row in sorted(rows, key=lambda row: row.candle.open_time_ms):
        if ordered and ordered[-1].candle.open_time_ms == row.candle.open_time_ms:
            if ordered[-1].candle != row.candle:
                at = show_time(row.candle.open_time_ms)
                raise CandleFileError(
                    f"{name}, line {row.line}: a second, different bar for {at}; remove one of the two"
                )
            continue
        ordered.append(row)
    if moved:
        mended.append(f"rows of the file are out of order ({moved} step(s) back in time): sorted")
    if len(ordered) < len(rows):
        mended.append(f"{len(rows) - len(ordered)} row(s) of the file stand there twice: counted once")
    return ordered


def _rows(name: str, text: str, *, is_ordered: bool) -> Iterator[_Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [column.strip().lower() for column in next(reader, [])]
        columns = _columns(name, header)
        before: int | None = None
        for fields in reader:
            if not fields:
                continue
            where = f"{name}, line {reader.line_num}"
            if len(fields) != len(header):
                msg = f"{where}: has {len(fields)} fields where the header has {len(header)}; is the file cut off?"
                raise CandleFileError(msg)
            candle = _candle(where, fields, columns)
            if is_ordered:
                _require_later(where, before, candle.open_time_ms)
            before = candle.open_time_ms
            yield _Row(line=reader.line_num, candle=candle)
    except csv.Error as error:
        msg = f"{name}, line {reader.line_num}: is not CSV ({error})"
        raise CandleFileError(msg) from error


def _columns(name: str, header: Sequence[str]) -> dict[str, int]:
    if not any(header):
        raise CandleFileError(f"{name}: is empty; expected a header and one line per bar")
    missing = [column for column in ("open_time", *_PRICES) if column not in header]
    if "open_time" in missing and "timestamp" in header:
        msg = f"{name}, line 1: has `timestamp` but no `open_time`; BitMEX stamps a bar with its END: take one interval off and name the column open_time"  # noqa: E501
        raise CandleFileError(msg)
    if missing:
        msg = f"{name}, line 1: no column {', '.join(missing)}; the header must be open_time,open,high,low,close and may add volume"  # noqa: E501
        raise CandleFileError(msg)
    return {column: place for place, column in enumerate(header)}


def _candle(where: str, fields: Sequence[str], columns: dict[str, int]) -> Candle:
    first, high, low, close = (_price(where, name, fields[columns[name]]) for name in _PRICES)
    if low > high:
        raise CandleFileError(f"{where}: low {low} is above high {high}; correct or leave out the row")
    if not low <= close <= high:
        msg = f"{where}: close {close} is outside low {low} to high {high}; correct or leave out the row"
        raise CandleFileError(msg)
    volume = _volume(where, fields[columns["volume"]]) if "volume" in columns else None
    return Candle(
        open_time_ms=_time(where, fields[columns["open_time"]].strip()),
        open=first,
        high=high,
        low=low,
        close=close,
        volume=volume,
    )


def _price(where: str, column: str, text: str) -> Decimal:
    value = _number(where, column, text)
    if not SMALLEST_PRICE <= value <= LARGEST_PRICE:
        msg = f"{where}: {column} is {text.strip()[:40]!r}; a price must be above zero and below 1e9"
        raise CandleFileError(msg)
    return value


def _volume(where: str, text: str) -> Decimal:
    value = _number(where, "volume", text)
    if value < 0:
        raise CandleFileError(f"{where}: volume is {text.strip()[:40]!r}; it cannot be negative")
    return value


def _number(where: str, column: str, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        msg = f"{where}: {column} is {text.strip()[:40]!r}, not a number; correct or leave out the row"
        raise CandleFileError(msg)
    return value


def _time(where: str, text: str) -> int:
    if text.isascii() and text.isdigit():
        if len(text) not in _EPOCH:
            msg = f"{where}: open_time {text[:40]!r} is neither epoch seconds, milli- or microseconds nor ISO 8601"
            raise CandleFileError(msg)
        return int(text) * 1000 // _EPOCH[len(text)]
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        msg = f"{where}: open_time {text[:40]!r} is no time; write 2020-03-12T10:45:00Z or epoch seconds"
        raise CandleFileError(msg) from None


def _require_later(where: str, before: int | None, at_ms: int) -> None:
    if before is None or at_ms > before:
        return
    if at_ms == before:
        raise CandleFileError(f"{where}: a second bar for {show_time(at_ms)}; remove one of the two")
    msg = f"{where}: {show_time(at_ms)} comes after {show_time(before)}; sort the file by open_time"
    raise CandleFileError(msg)


def _interval(name: str, rows: Sequence[_Row]) -> int:
    gaps = Counter(b.candle.open_time_ms - a.candle.open_time_ms for a, b in pairwise(rows))
    interval_ms = gaps.most_common(1)[0][0]
    if interval_ms not in INTERVALS_MS:
        msg = f"{name}: bars are {interval_ms / 1000:g} s apart; expected bars of {', '.join(INTERVALS_MS.values())}"
        raise CandleFileError(msg)
    return interval_ms


def _holes(name: str, rows: Sequence[_Row], interval_ms: int) -> list[Hole]:
    holes = []
    for before, row in pairwise(rows):
        expected = before.candle.open_time_ms + interval_ms
        found = row.candle.open_time_ms
        if (found - expected) % interval_ms:
            msg = f"{name}, line {row.line}: {show_time(found)} does not fit bars of {INTERVALS_MS[interval_ms]} after {show_time(before.candle.open_time_ms)}; correct or leave out the row"  # noqa: E501
            raise CandleFileError(msg)
        if found != expected:
            holes.append(Hole(start_ms=expected, end_ms=found, line=row.line))
    return holes
