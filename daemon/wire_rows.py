"""Rows of the venue's tables out of files and replies that people give us, as the values of the core.

Why: calculators and stress tests take accounts and contracts that somebody saved from `GET /position`, `/margin`,
`/instrument` and `/order`, or wrote by hand. They are read by the very code that reads the streams, so a figure means
the same here and there; what cannot be used is named by its place, in one line.

Units: as on the wire; values as in `connectors.vocabulary`.
Source: the columns of www.bitmex.com/api/explorer.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from connectors.bitmex.protocol.numbers import MalformedRow, Row, price
from connectors.bitmex.protocol.parse import parse_instrument, parse_margin, parse_order, parse_position
from connectors.vocabulary import Instrument, Margin, Order, Position
from daemon.core.margin.contracts import is_price, is_usable

BUILT_IN: Final = "the table of the embedded exchange (figures of May 2026)"
_GZIP_MAGIC = b"\x1f\x8b"
_LARGEST_BYTES: Final = 64 * 1024 * 1024
_TEXTS: Final = frozenset(
    {"symbol", "typ", "rootSymbol", "referenceSymbol", "settlCurrency", "state", "fundingTimestamp"}
)
_FLAGS: Final = {"true": True, "false": False}
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_Value = TypeVar("_Value")


class RowsUnusable(ValueError):
    """A file or reply cannot be used. Its text is one line that says where and why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A contract with the mark price that stood in the same row."""

    instrument: Instrument
    mark: Decimal | None


def read_json(path: Path) -> object:
    """Return what a JSON file holds, numbers exactly as written; gzip is unpacked.

    Raises:
        RowsUnusable: If it cannot be read or is no JSON.
    """
    return decoded(read_bytes(path), str(path))


def decoded(content: bytes | str, place: str) -> object:
    """Return what a JSON text says.

    Raises:
        RowsUnusable: If it is none.
    """
    try:
        return _decode(content)
    except (msgspec.MsgspecError, ArithmeticError, UnicodeDecodeError, RecursionError) as error:
        raise RowsUnusable(f"{place}: is not JSON: {error}") from error


def read_bytes(path: Path) -> bytes:
    """Return the content of a file, unpacked.

    Raises:
        RowsUnusable: If it cannot be read, or is too large to be meant.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
        if content.startswith(_GZIP_MAGIC):
            with gzip.open(io.BytesIO(content)) as packed:
                content = packed.read(_LARGEST_BYTES + 1)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RowsUnusable(f"{path}: cannot be read: {reason}") from error
    if len(content) > _LARGEST_BYTES:
        raise RowsUnusable(f"{path}: is larger than {_LARGEST_BYTES // 2**20} MiB")
    return content


def read_listing(path: Path) -> dict[str, Listed]:
    """Return the contracts of a file: the JSON reply of `GET /instrument`, or the same rows as CSV with a header.

    Raises:
        RowsUnusable: If the file or a row of it cannot be used.
    """
    content = read_bytes(path)
    if content.lstrip()[:1] in {b"[", b"{"}:
        return listing_of(rows_in(decoded(content, str(path)), str(path)), str(path))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RowsUnusable(f"{path}: is neither JSON nor CSV") from error
    return listing_of(_csv_rows(text, str(path)), str(path))


def built_in_listing() -> dict[str, Listed]:
    """Return the contracts that the embedded exchange lists. Its table says nothing of funding rates and marks."""
    table = resources.files("connectors.simulated.listing") / "contracts.csv"
    return listing_of(_csv_rows(table.read_text(encoding="utf-8"), BUILT_IN), BUILT_IN)


def listing_of(rows: Iterable[Row], place: str) -> dict[str, Listed]:
    """Return the contracts among instrument rows; indices, spot and spreads are left out.

    Raises:
        RowsUnusable: If a row cannot be read.
    """
    listed: dict[str, Listed] = {}
    for count, row in enumerate(rows, 1):
        found = _one(_listed, row, f"{place}: instrument {count}")
        if found is not None:
            listed[found.instrument.symbol] = found
    return listed


def rows_in(value: object, place: str) -> list[Row]:
    """Return rows: a list of objects, or one object alone.

    Raises:
        RowsUnusable: If it is neither.
    """
    rows: list[Row] = []
    for count, row in enumerate(value if isinstance(value, list) else [value], 1):
        if not isinstance(row, Mapping):
            raise RowsUnusable(f"{place}: row {count} is not an object")
        rows.append(row)
    return rows


def positions_of(rows: Iterable[Row], place: str) -> list[Position]:
    """Return position rows as values. Raises RowsUnusable."""
    return _all(parse_position, rows, f"{place}: position")


def margins_of(rows: Iterable[Row], place: str) -> list[Margin]:
    """Return margin rows as values. Raises RowsUnusable."""
    return _all(parse_margin, rows, f"{place}: margin")


def orders_of(rows: Iterable[Row], place: str) -> list[Order]:
    """Return order rows as values. Raises RowsUnusable."""
    return _all(parse_order, rows, f"{place}: order")


def _listed(row: Row) -> Listed | None:
    instrument = parse_instrument(row)
    if instrument is None:
        return None
    if not is_usable(instrument):
        raise MalformedRow("multiplier, lotSize, tickSize and maxPrice make no contract together")
    mark = price(row, "markPrice")
    return Listed(instrument=instrument, mark=mark if is_price(mark) else None)


def _all(parse: Callable[[Row], _Value], rows: Iterable[Row], place: str) -> list[_Value]:
    return [_one(parse, row, f"{place} {count}") for count, row in enumerate(rows, 1)]


def _one(parse: Callable[[Row], _Value], row: Row, place: str) -> _Value:
    try:
        return parse(row)
    except (MalformedRow, ArithmeticError) as error:
        symbol = row.get("symbol") or row.get("currency")
        named = f"{place} ({symbol})" if isinstance(symbol, str) else place
        raise RowsUnusable(f"{named}: {error}") from error


def _csv_rows(text: str, place: str) -> list[Row]:
    try:
        rows = list(csv.DictReader(io.StringIO(text)))
    except csv.Error as error:
        raise RowsUnusable(f"{place}: is not CSV: {error}") from error
    if not rows or "symbol" not in rows[0]:
        raise RowsUnusable(f"{place}: is no table of instruments: a JSON array, or CSV with a column symbol, is needed")
    return [_csv_row(row) for row in rows]


def _csv_row(row: Mapping[str, object]) -> Row:
    cells = {str(name): _cell(str(name), cell) for name, cell in row.items()}
    return {"state": "Open", "settle": cells.get("expiry"), **cells}


def _cell(name: str, cell: object) -> object:
    """A cell as JSON would have carried it: empty ones missing, flags and numbers as such, all else text."""
    if not isinstance(cell, str) or cell == "":
        return None
    if name in _TEXTS:
        return cell
    if cell in _FLAGS:
        return _FLAGS[cell]
    try:
        return Decimal(cell)
    except ArithmeticError:
        return cell
