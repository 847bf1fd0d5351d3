"""Recordings of the venue, read back: what somebody received, frame by frame.

Why: modelled liquidity is plain on purpose. A strategy or a guard that must meet the real thing
(a book that moves between two trades, prints of odd sizes) can be run on what was recorded.

Formats, plain or gzip, told apart line by line:
- a WebSocket session: JSON frames, one a line, with or without `<epoch seconds>: ` before them
  (lines that name addresses, sent messages or settings are passed over);
- what `seawall exchange --record` writes, of which the first connection that read a market is taken;
- trades: rows of `GET /trade`, one JSON object a line;
- trades as CSV, with columns `price`, `side`, `size` (contracts) or `amount` (coins), a time
  (`timestamp` in ISO 8601, or `exchange_time_us`), and `symbol` unless all are of XBTUSD.

Units: times in ms since 1970 UTC, prices in quote currency, sizes in contracts.
Source: www.bitmex.com/app/wsAPI for the frames.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

MARKET_TABLES = frozenset({"orderBookL2", "orderBookL2_25", "orderBook10", "quote", "trade", "instrument"})
_STAMPED = re.compile(r"(\d{9,11}(?:\.\d+)?): (?=\{)")
_GZIP_MAGIC = b"\x1f\x8b"
_DEFAULT_SYMBOL = "XBTUSD"


class RecordingError(Exception):
    """A recording cannot be played; the text is one clear line with file and line."""


class Row(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One row of a market table; columns a table lacks, or that did not change, are None."""

    symbol: str
    timestamp: str | None = None
    id: int | None = None
    side: str | None = None
    size: int | None = None
    price: Decimal | None = None
    bid_price: Decimal | None = None
    ask_price: Decimal | None = None
    bids: list[tuple[Decimal, int]] | None = None
    asks: list[tuple[Decimal, int]] | None = None
    last_price: Decimal | None = None
    mark_price: Decimal | None = None
    indicative_settle_price: Decimal | None = None
    funding_rate: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One frame of a market table as it arrived."""

    at_ms: int
    table: str
    action: str  # partial, insert, update or delete
    rows: tuple[Row, ...]
    partial_of: str | None = None  # symbol a partial is limited to


class _Filter(msgspec.Struct, frozen=True):
    symbol: str | None = None


class _Line(msgspec.Struct, frozen=True):
    """A frame, or a bare row of trades (`symbol` and `price` at the top)."""

    table: str | None = None
    action: str = "insert"
    filter: _Filter | None = None
    data: msgspec.Raw = msgspec.Raw(b"[]")
    symbol: str | None = None
    price: Decimal | None = None
    kind: str | None = None
    link: int = 0
    at_ms: int | None = None
    text: str = ""


_LINE = msgspec.json.Decoder(_Line)
_ROW = msgspec.json.Decoder(Row)
_ROWS = msgspec.json.Decoder(tuple[Row, ...])


def read_recording(path: Path | str) -> Iterator[Event]:
    """Yield the market events of a recording in the order they were received.

    Times never go back: a row stamped earlier than the one before it counts as simultaneous.

    Raises:
        RecordingError: If the file cannot be read, a line is damaged, or nothing in it is a market.
    """
    name = str(path)
    now_ms = 0
    for event in _events(name, _text(Path(path), name)):
        now_ms = max(now_ms, event.at_ms)
        yield replace(event, at_ms=now_ms)
    if not now_ms:
        raise RecordingError(f"{name}: holds no book, trade, quote or instrument rows; is it a recording?")


def _text(file: Path, name: str) -> str:
    try:
        raw = file.read_bytes()
        return (gzip.decompress(raw) if raw.startswith(_GZIP_MAGIC) else raw).decode("utf-8-sig")
    except OSError as error:
        raise RecordingError(f"{name}: cannot be read: {error.strerror or 'damaged gzip data'}") from error
    except (EOFError, zlib.error) as error:
        raise RecordingError(f"{name}: the gzip data is damaged or cut off; fetch the file again") from error
    except UnicodeDecodeError as error:
        raise RecordingError(f"{name}: is not text; expected frames or trades, one a line") from error


def _events(name: str, text: str) -> Iterator[Event]:
    first = text.lstrip()[:1]
    if first.isalpha() and "," in text.split("\n", 1)[0] and "price" in text.split("\n", 1)[0]:
        yield from _csv_trades(name, text)
        return
    links: set[int] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        stamp = _STAMPED.match(line)
        body = line[stamp.end() :] if stamp else line
        if body.startswith("{"):
            try:
                yield from _decoded(body, None if stamp is None else round(float(stamp[1]) * 1000), links)
            except (msgspec.DecodeError, ValueError) as error:
                raise RecordingError(
                    f"{name}, line {number}: cannot be read ({error}); is the file cut off?"
                ) from error


def _decoded(body: str, received_ms: int | None, links: set[int]) -> Iterator[Event]:
    """Yield what a line tells of the market; `links` holds the one connection of a recording to listen to."""
    line = _LINE.decode(body)
    if line.kind is not None:
        if line.kind == "out" and line.text.startswith("{") and links <= {line.link}:
            for event in _decoded(line.text, line.at_ms, set()):
                links.add(line.link)
                yield event
    elif line.table is None and line.symbol is not None and line.price is not None:
        row = _ROW.decode(body)
        yield Event(at_ms=received_ms or _stamp(row), table="trade", action="insert", rows=(row,))
    elif line.table in MARKET_TABLES:
        rows = _ROWS.decode(line.data)
        limited = None if line.filter is None else line.filter.symbol
        stamp = received_ms or max((_stamp(row) for row in rows), default=0)
        yield Event(at_ms=stamp, table=line.table, action=line.action, rows=rows, partial_of=limited)


def _stamp(row: Row) -> int:
    return 0 if row.timestamp is None else _epoch_ms(row.timestamp)


def _epoch_ms(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _csv_trades(name: str, text: str) -> Iterator[Event]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    for number, fields in enumerate(reader, start=2):
        try:
            row, at_ms = _csv_trade(fields)
        except (KeyError, TypeError, ValueError, InvalidOperation) as error:
            raise RecordingError(f"{name}, line {number}: is not a trade ({error!r})") from error
        yield Event(at_ms=at_ms, table="trade", action="insert", rows=(row,))


def _csv_trade(fields: dict[str, str]) -> tuple[Row, int]:
    price = Decimal(fields["price"])
    if not price.is_finite() or price <= 0:
        raise ValueError(f"price {fields['price']}")
    coins = fields.get("amount")
    size = int(Decimal(fields["size"])) if coins is None else round(Decimal(coins) * price)
    micros = fields.get("exchange_time_us")
    at_ms = _epoch_ms(fields["timestamp"]) if micros is None else int(micros) // 1000
    symbol = fields.get("symbol") or _DEFAULT_SYMBOL
    return Row(symbol=symbol, side=fields["side"].capitalize(), size=size, price=price), at_ms
