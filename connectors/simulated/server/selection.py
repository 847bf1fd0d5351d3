"""What table reads leave in: `filter`, `columns`, `count`, `start`, `reverse`, time range.

Why: clients find their orders through these (`filter={"open":true}`), and a guard's recovery does
too. A filter value that is a list means any of its members.

Units: `count` and `start` are rows; times are ISO 8601 texts as in the rows. Source: the common
query of www.bitmex.com/api/explorer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TypeGuard

from connectors.simulated.engine.changes import Cell, Row
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.clock import iso, parse_iso
from connectors.simulated.server.json_text import NotJson, load
from connectors.simulated.server.tables import FINAL_ORDER_STATES, Table

DEFAULT_COUNT = 100
_TERMINATED = "ordStatus.isTerminated"
_OPEN = "open"
_DATE_CHARS = len("2019-05-30")
_FEWEST_MS_DIGITS = 12
"""Digits that are milliseconds since 1970, not a date like 20190530: from March 1973 on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """One table read.

    Attributes:
        conditions: Column to the value or values it must have.
        columns: Columns to return besides the keys; empty for all.
        count: Most rows to return.
        start: Rows to leave out at the front.
        is_reverse: Newest first.
        start_time: Earliest `timestamp`, in the form of the rows.
        end_time: Latest `timestamp`.
    """

    conditions: Mapping[str, object] = field(default_factory=dict)
    columns: Sequence[str] = ()
    count: int = DEFAULT_COUNT
    start: int = 0
    is_reverse: bool = False
    start_time: str | None = None
    end_time: str | None = None


def parse_conditions(raw: object, table: Table) -> dict[str, object]:
    """Return the conditions of a `filter`, which is an object or the JSON text of one.

    Raises:
        Refused: 400 with the venue's text if it is neither, or names unknown columns.
    """
    if raw in (None, ""):
        return {}
    value = _decoded(raw, "filter values are not valid")
    if not isinstance(value, dict):
        raise Refused("filter values are not valid")
    conditions = {str(name): wanted for name, wanted in value.items()}
    for name, wanted in conditions.items():
        if not _is_condition(name, table):
            raise Refused("filter columns are not valid")
        if any(isinstance(one, list | dict) for one in (wanted if isinstance(wanted, list) else [wanted])):
            raise Refused("filter values are not valid")
    return conditions


def parse_columns(raw: object, table: Table) -> list[str]:
    """Return the columns asked for: a list, its JSON text, or names with commas between.

    Raises:
        Refused: 400 `columns are not valid`.
    """
    if raw in (None, ""):
        return []
    value = raw
    if isinstance(raw, str):
        value = load(raw) if _is_json_list(raw) else raw.split(",")
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise Refused("columns are not valid")
    names = [str(name).strip() for name in value]
    if any(name not in table.types for name in names):
        raise Refused("columns are not valid")
    return names


def parse_time(raw: object) -> str | None:
    """Return a bound of the time range in the form of the rows; ISO 8601 or milliseconds since 1970 come in.

    Raises:
        Refused: 400 `startTime/endTime is invalid`.
    """
    if raw in (None, ""):
        return None
    try:
        return iso(int(raw)) if _is_milliseconds(raw) else iso(parse_iso(str(raw)))
    except (ValueError, OverflowError, OSError) as error:
        raise Refused("startTime/endTime is invalid") from error


def _is_milliseconds(raw: object) -> TypeGuard[int | Decimal | str]:
    if isinstance(raw, str):
        return raw.isdecimal() and raw.isascii() and len(raw) >= _FEWEST_MS_DIGITS
    return isinstance(raw, int | Decimal)


def select(rows: Iterable[Row], selection: Selection, table: Table) -> list[Row]:
    """Return the rows that pass, in order, cut to the count, with the columns asked for."""
    passing = [row for row in rows if _is_in_range(row, selection) and matches(row, selection.conditions)]
    if selection.is_reverse:
        passing.reverse()
    page = passing[selection.start : selection.start + selection.count]
    if not selection.columns:
        return page
    kept = [*table.keys, *selection.columns]
    return [{name: cell for name, cell in row.items() if name in kept} for row in page]


def matches(row: Row, conditions: Mapping[str, object]) -> bool:
    """Return whether the row meets every condition."""
    return all(_meets(row, name, wanted) for name, wanted in conditions.items())


def _meets(row: Row, name: str, wanted: object) -> bool:
    if isinstance(wanted, list):
        return any(_meets(row, name, one) for one in wanted)
    if name in {_OPEN, _TERMINATED}:
        is_final = row.get("ordStatus") in FINAL_ORDER_STATES
        return is_final is (_is_true(wanted) is (name == _TERMINATED))
    if name in {"startTime", "endTime"}:
        bound = parse_time(wanted) or ""
        stamp = str(row.get("timestamp"))
        return stamp >= bound if name == "startTime" else stamp <= bound
    column, _, part = name.partition(".")
    cell = row.get(column)
    if not part:
        return _equals(cell, wanted)
    if part == "time":
        wanted = str(wanted) + _MIDNIGHT[len(str(wanted)) :]
    return cell is not None and _equals(_PARTS[part](str(cell)), wanted)


def _weekday(stamp: str) -> int:
    """Return the day of the week as the venue counts: 0 is Saturday, 6 the Friday on which futures settle."""
    return (date.fromisoformat(stamp[:_DATE_CHARS]).weekday() + 2) % 7


_MIDNIGHT = "00:00:00.000"
_PARTS: Mapping[str, Callable[[str], Cell]] = {
    "year": lambda stamp: int(stamp[:4]),
    "month": lambda stamp: stamp[:7],
    "date": lambda stamp: stamp[:_DATE_CHARS],
    "mm": lambda stamp: int(stamp[5:7]),
    "dd": lambda stamp: int(stamp[8:10]),
    "ww": _weekday,
    "time": lambda stamp: stamp[11:23],
    "minute": lambda stamp: stamp[11:16],
    "second": lambda stamp: stamp[11:19],
    "hh": lambda stamp: int(stamp[11:13]),
    "uu": lambda stamp: int(stamp[14:16]),
    "ss": lambda stamp: int(stamp[17:19]),
}
"""What may stand behind the name of a time in a filter: whole parts as texts, single ones as numbers."""


def _equals(cell: Cell, wanted: object) -> bool:
    if cell is None or wanted is None:
        return cell in (None, "") and wanted in (None, "")
    if isinstance(cell, bool):
        return cell is _is_true(wanted)
    if isinstance(cell, int | Decimal):
        return _number(wanted) == cell
    return cell == wanted or cell.upper() == str(wanted).upper()


def _number(value: object) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _is_true(value: object) -> bool:
    return value is True or str(value).lower() in {"true", "1"}


def _is_in_range(row: Row, selection: Selection) -> bool:
    if selection.start_time is None and selection.end_time is None:
        return True
    stamp = str(row.get("timestamp"))
    is_late_enough = selection.start_time is None or stamp >= selection.start_time
    return is_late_enough and (selection.end_time is None or stamp <= selection.end_time)


def _is_condition(name: str, table: Table) -> bool:
    column, _, part = name.partition(".")
    if name in {_OPEN, _TERMINATED}:
        return "ordStatus" in table.types
    if name in {"startTime", "endTime"}:
        return "timestamp" in table.types
    if part:
        return part in _PARTS and table.types.get(column) == "timestamp"
    return name in table.types


def _decoded(raw: object, message: str) -> object:
    if not isinstance(raw, str):
        return raw
    try:
        return load(raw)
    except NotJson as error:
        raise Refused(message) from error


def _is_json_list(raw: str) -> bool:
    try:
        return isinstance(load(raw), list)
    except NotJson:
        return False
