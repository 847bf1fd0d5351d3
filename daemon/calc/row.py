"""`seawall calc row`: our figures beside the venue's, for recorded rows.

Why: anybody can hold the liquidation engine against rows of their own. One JSON line comes out for each row that goes
in, whatever it holds; a line that cannot be read gets its line as well, says why, and the exit code tells in the end.

Input: one JSON object a line, `{"instrument": {...}, "position": {...}, "margin": {...} | null}` in the venue's column
names; other keys are not looked at. Plain or gzip, a file or "-" for standard input.

Units: prices in the quote currency, exact; differences in ticks, ours less the venue's.
"""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Final, cast

import msgspec

from connectors.bitmex.protocol.numbers import MalformedRow
from connectors.vocabulary import Side
from daemon.calc.row_cells import Cells, amount, clean, ratio
from daemon.calc.row_opinion import Opinion, opinion
from daemon.calc.row_sums import HIGHEST, LEGACY_END
from daemon.exit_codes import CommandFailed, ExitCode

Answer = dict[str, object]
_WRITE: Final = msgspec.json.Encoder(decimal_format="number")
_JSON: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=str)
_GZIP: Final = b"\x1f\x8b"
_ALWAYS: Final = (
    "engine",
    "liquidation_price",
    "bankruptcy_price",
    "reported_liquidation_price",
    "difference_ticks",
    "confidence",
)
"""Names that every answer has, whatever the line held."""


def write_rows(path: Path, *, summary: bool = False) -> int:
    """Answer every line of a file, or, with `summary`, say how many came out to the tick, by type.

    Returns:
        `ExitCode.OK`, or `ExitCode.BAD_INPUT` where a line could not be read.

    Raises:
        CommandFailed: If the file cannot be read.
    """
    tally: Counter[tuple[str, str]] = Counter()
    failed = 0
    with _lines_of(path) as lines:
        for answer in answers(lines):
            failed += "error" in answer
            _count(tally, answer)
            if not summary:
                sys.stdout.write(_WRITE.encode(answer).decode() + "\n")
    if summary:
        sys.stdout.write(summary_text(tally))
    return ExitCode.BAD_INPUT if failed else ExitCode.OK


@contextmanager
def _lines_of(path: Path) -> Iterator[Iterable[bytes]]:
    try:
        if str(path) == "-":
            yield sys.stdin.buffer
            return
        with path.open("rb") as raw:
            is_packed = raw.read(2) == _GZIP
        with gzip.open(path) if is_packed else path.open("rb") as lines:
            yield cast("Iterable[bytes]", lines)
    except (OSError, EOFError, zlib.error) as failure:
        if isinstance(failure, BrokenPipeError):
            raise
        raise CommandFailed(f"cannot read {path}: {failure}", ExitCode.BAD_INPUT) from failure


def answers(lines: Iterable[bytes]) -> Iterator[Answer]:
    """Yield one answer for each row; empty lines are passed over."""
    for number, line in enumerate(lines, start=1):
        text = line.removeprefix(b"\xef\xbb\xbf").strip()
        if text:
            yield from _line(number, text)


def _line(number: int, text: bytes) -> Iterator[Answer]:
    try:
        read = _objects(text.decode())
    except RecursionError:
        yield _unread(number, "not JSON: nested too deeply")
        return
    except (ValueError, ArithmeticError) as failure:
        yield _unread(number, f"not JSON: {_plain(failure)}")
        return
    for one in read:
        try:
            yield answer(one, number)
        except (MalformedRow, ValueError, ArithmeticError) as failure:
            yield _unread(number, _plain(failure))


def _objects(text: str) -> list[object]:
    """All objects of a line: one as a rule, but lists of them and several in a row are read as well.

    Raises:
        ValueError, ArithmeticError, RecursionError: If a part of the line is no JSON.
    """
    found: list[object] = []
    place = 0
    while place < len(text):
        one, place = _JSON.raw_decode(text, place)
        found.extend(one if isinstance(one, list) else [one])
        place += len(text) - place - len(text[place:].lstrip(" \t,"))
    return found


def _unread(line: int, error: str) -> Answer:
    """The answer to what is no row: the names that every answer has, and what is wrong."""
    return {"line": line, **dict.fromkeys(_ALWAYS), "error": error}


def _plain(failure: Exception) -> str:
    return str(failure).splitlines()[0] if str(failure) else type(failure).__name__


def answer(row: object, line: int) -> Answer:
    """Return the answer to one row, as it will be printed.

    Raises:
        ValueError: If the row is not an object with a position.
    """
    if not isinstance(row, dict):
        raise ValueError("not an object")  # noqa: TRY004 - the words of a line, not of a caller
    ignored: list[str] = []
    position = clean("position", _table(row, "position"), ignored)
    if row.get("position") is None:
        raise ValueError("no position in this row")
    instrument = clean("instrument", _table(row, "instrument"), ignored)
    mismatch = _mismatch(position, instrument)
    margin = _margin_of(row.get("margin"), position, ignored)
    found = opinion(position, instrument, margin)
    head: Answer = {"line": line}
    if isinstance(row.get("index"), int | str):
        head["index"] = row["index"]
    if mismatch:
        return {**head, **_reported(found), "confidence": None, "no_liquidation_in_range": None, "reason": mismatch}
    is_null = {column for column in ("liquidationPrice", "bankruptPrice") if _says_null(row["position"], column)}
    return {**head, **_reported(found), **_compared(found, is_null), **_remarks(found, ignored)}


def _says_null(position: Mapping[str, object], column: str) -> bool:
    """Whether a column is there and empty: the venue's word for "none", where a column left out is no word."""
    return column in position and (position[column] is None or position[column] == "")


def _table(row: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = row.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ValueError(f"{name} is not an object")  # noqa: TRY004 - the words of a line, not of a caller
    return found


def _margin_of(found: object, position: Cells, ignored: list[str]) -> Cells | None:
    """The margin row; out of a list of them the one of the position's currency."""
    rows = found if isinstance(found, list) else [found]
    tables = [clean("margin", row, ignored) for row in rows if isinstance(row, dict)]
    own = [row for row in tables if row.get("currency", position.get("currency")) == position.get("currency")]
    return next(iter(own or tables), None) or None


def _mismatch(position: Cells, instrument: Cells) -> str:
    names = position.get("symbol"), instrument.get("symbol")
    return "wrong_row" if None not in names and names[0] != names[1] else ""


def _reported(found: Opinion) -> Answer:
    """What the row itself says."""
    reading = found.reading
    cells = reading.position
    quantity = amount(cells, "currentQty")
    side = None if not quantity else (Side.LONG if quantity > 0 else Side.SHORT).value
    return {
        "symbol": cells.get("symbol") or reading.instrument.get("symbol"),
        "account": amount(cells, "account"),
        "contract": reading.kind.value,
        "side": side,
        "quantity": quantity,
        "engine": "legacy" if reading.is_legacy else "new",
        "margin_mode": "cross" if reading.is_cross else "isolated",
        "liquidation_price": None,
        "bankruptcy_price": None,
        "reported_liquidation_price": ratio(cells, "liquidationPrice"),
        "reported_bankruptcy_price": ratio(cells, "bankruptPrice"),
        "difference_ticks": None,
        "bankruptcy_difference_ticks": None,
    }


def _compared(found: Opinion, is_null: set[str]) -> Answer:
    """What we make of it."""
    price, bankrupt = found.liquidation_price, found.bankruptcy_price
    ours = {"liquidationPrice": found.is_in_range, "bankruptPrice": found.is_bankruptcy_in_range}
    ticks = {
        column: 0
        if own is not None and not ours[column] and _is_never(found, column, is_null)
        else _ticks(own, ratio(found.reading.position, column), ratio(found.reading.instrument, "tickSize"))
        for column, own in (("liquidationPrice", price), ("bankruptPrice", bankrupt))
    }
    return {
        "liquidation_price": _short(price),
        "bankruptcy_price": _short(bankrupt),
        "difference_ticks": ticks["liquidationPrice"],
        "bankruptcy_difference_ticks": None if found.is_bankruptcy_taken_over else ticks["bankruptPrice"],
        "confidence": None if found.confidence is None else found.confidence.value,
        "no_liquidation_in_range": None if price is None else not found.is_in_range,
    }


def _is_never(found: Opinion, column: str, is_null: set[str]) -> bool:
    """Whether the row says in one of the venue's ways that no price in range is the boundary."""
    shown = ratio(found.reading.position, column)
    if shown is None:
        return column in is_null
    if (amount(found.reading.position, "currentQty") or 0) > 0:
        return shown <= (ratio(found.reading.instrument, "tickSize") or 0)
    return shown in {0, LEGACY_END} or shown == (ratio(found.reading.instrument, "maxPrice") or HIGHEST)


def _remarks(found: Opinion, ignored: list[str]) -> Answer:
    """Only what there is to say."""
    possible = None if found.possible is None else [_short(price) for price in sorted(found.possible)]
    said: Answer = {
        "reason": found.reason,
        "missing": list(found.missing),
        "taken_over": ["bankruptPrice"] if found.is_bankruptcy_taken_over else [],
        "possible_liquidation_prices": possible,
        "rebuilt": found.reading.rebuilt,
        "guessed": found.reading.guessed,
        "ignored": ignored,
        "notes": found.notes,
    }
    return {name: value for name, value in said.items() if value}


def _short(price: Decimal | None) -> Decimal | None:
    """A price without needless zeros and without an exponent."""
    if price is None:
        return None
    plain = f"{price:f}"
    return Decimal(plain.rstrip("0").rstrip(".")) if "." in plain else Decimal(plain)


def _ticks(ours: Decimal | None, theirs: Decimal | None, tick: Decimal | None) -> int | Decimal | None:
    """Ours less theirs; a whole number but for a price that is off the grid."""
    if ours is None or theirs is None or tick is None or tick <= 0:
        return None
    ticks = (ours - theirs) / tick
    whole = ticks.to_integral_value()
    return int(whole) if whole == ticks else ticks.quantize(Decimal("0.01"))


# ---------------------------------------------------------------------- summary


def _count(tally: Counter[tuple[str, str]], answer: Answer) -> None:
    if "error" in answer:
        tally["lines that cannot be read", "all"] += 1
        return
    name = " ".join(str(answer[part]) for part in ("contract", "side", "margin_mode", "engine"))
    kind = f"{name} engine, {answer.get('confidence') or answer.get('reason')}"
    tally[kind, "all"] += 1
    if answer["difference_ticks"] == 0:
        tally[kind, "exact"] += 1
    if answer["liquidation_price"] is not None and answer["reported_liquidation_price"] is not None:
        tally[kind, "compared"] += 1


def summary_text(tally: Counter[tuple[str, str]]) -> str:
    """Return a table: by type, how many rows there are, were compared, and came out to the tick."""
    kinds = sorted({kind for kind, _ in tally})
    width = max((len(kind) for kind in kinds), default=4)
    lines = [f"{'type':<{width}}  rows  compared  exact  share"]
    totals = [sum(tally[kind, word] for kind in kinds) for word in ("all", "compared", "exact")]
    rows = [(kind, [tally[kind, word] for word in ("all", "compared", "exact")]) for kind in kinds]
    for kind, (count, compared, exact) in [*rows, ("all", totals)]:
        share = f"{100 * exact // compared} %" if compared else "-"
        lines.append(f"{kind:<{width}}  {count:>4}  {compared:>8}  {exact:>5}  {share:>5}")
    return "\n".join(lines) + "\n"
