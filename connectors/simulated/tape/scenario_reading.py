"""The strict reader of scenario files: values by their sort, and every problem at once.

Why: who corrects one line only to be told of the next gives up. So reading goes on after a problem, and
each names the file, the key, what is there and what to write instead.

Units: moments become milliseconds since 1970 UTC, prices and numbers `Decimal`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from connectors.simulated.tape.scenario_fields import TABLES, TOP, Field, Need, Sort, TableSpec

Values = dict[str, Any]  # typed by their sorts; absent ones are None
_SPAN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
_UNITS_MS = (86_400_000, 3_600_000, 60_000, 1_000)
_LONGEST_NUMBER = Decimal("1e15")


class _Unfit(Exception):
    """A value is not of its sort."""


@dataclass(slots=True)
class Reading:
    """One file while it is read.

    Attributes:
        name: What the problems call the file.
        start_ms: Where times since the start count from.
        end_ms: When the scenario ends, None before that is known.
        problems: What is wrong so far.
    """

    name: str
    start_ms: int = 0
    end_ms: int | None = None
    problems: list[str] = field(default_factory=list)

    def complain(self, where: str, problem: str) -> None:
        """Note a problem at a key."""
        self.problems.append(f"{self.name}: {where}: {problem}")

    def complain_of_time(self, where: str, at_ms: int | None) -> None:
        """Note a moment at which nothing can happen."""
        if at_ms is not None and at_ms < self.start_ms:
            self.complain(where, "is before start")
        elif at_ms is not None and self.end_ms is not None and at_ms > self.end_ms:
            self.complain(where, "is after the end, so it would never happen")

    def table(self, raw: Mapping[str, Any], spec: TableSpec, where: str, *, inner: tuple[str, ...] = ()) -> Values:
        """Return the values of a table; `inner` are tables that stand in it."""
        known = {one.name: one for one in spec.fields}
        values = {name: self._value(raw, one, where) for name, one in known.items()}
        for key in raw:
            if key in known or key in inner:
                continue
            if spec.is_open:
                values[key] = raw[key]
            else:
                self.complain(_at(where, key), f"no such key; {_nearest(key, (*known, *inner))}")
        return values

    def tables(self, raw: Mapping[str, Any], name: str, where: str = "") -> list[tuple[str, Mapping[str, Any]]]:
        """Return the tables of a list with where each stands."""
        key = name.rpartition(".")[2]
        found = raw.get(key, [] if TABLES[name].is_list else {})
        is_right = isinstance(found, list) and all(isinstance(one, dict) for one in found)
        if TABLES[name].is_list and not is_right:
            self.complain(_at(where, key), f"write it as [[{name}]]")
            return []
        if TABLES[name].is_list:
            return [(_at(where, f"{key}[{place}]"), one) for place, one in enumerate(found, start=1)]
        if not isinstance(found, dict):
            self.complain(key, f"write it as [{name}]")
            return []
        return [(key, found)]

    def _value(self, raw: Mapping[str, Any], one: Field, where: str) -> Any:  # noqa: ANN401 - by its sort
        if one.name not in raw:
            if one.default is Need.REQUIRED:
                self.complain(_at(where, one.name), f"is missing; it is {one.sort.value}")
            return None if isinstance(one.default, Need) else self._read(one.sort, one.default)
        try:
            return self._read(one.sort, raw[one.name])
        except _Unfit as unfit:
            reason = str(unfit) or f"must be {one.sort.value}, not {_shown(raw[one.name])}"
            self.complain(_at(where, one.name), reason)
            return None

    def _read(self, sort: Sort, raw: Any) -> Any:  # noqa: ANN401 - by its sort
        readers: dict[Sort, Callable[[Any], Any]] = {
            Sort.TEXT: lambda one: _plain(one, str),
            Sort.FLAG: lambda one: _plain(one, bool),
            Sort.WHOLE: lambda one: _plain(one, int),
            Sort.NUMBER: lambda one: _number(one, is_price=False),
            Sort.PRICE: lambda one: _number(one, is_price=True),
            Sort.TIME: _time_ms,
            Sort.MOMENT: self._moment_ms,
            Sort.TEXTS: lambda many: tuple(_plain(one, str) for one in _plain(many, list)),
            Sort.AMOUNTS: lambda many: {name: _plain(one, int) for name, one in _plain(many, dict).items()},
            Sort.POINTS: self._points,
        }
        return readers[sort](raw)

    def _moment_ms(self, raw: Any) -> int:  # noqa: ANN401 - any TOML value
        return self.start_ms + span_ms(raw) if isinstance(raw, str) else _time_ms(raw)

    def _points(self, raw: Any) -> tuple[tuple[int, Decimal], ...]:  # noqa: ANN401 - any TOML value
        points = [self._point(one) for one in _plain(raw, list)]
        if not points:
            raise _Unfit
        for before, after in pairwise(points):
            if after[0] < before[0]:
                raise _Unfit("points must stand in order of time")
        return tuple(points)

    def _point(self, raw: Any) -> tuple[int, Decimal]:  # noqa: ANN401 - any TOML value
        pair = _plain(raw, list)
        if len(pair) != 2:
            raise _Unfit
        return self._moment_ms(pair[0]), _number(pair[1], is_price=True)


def top(reading: Reading, raw: Mapping[str, Any]) -> Values:
    """Return the keys before the first table, and begin to count from the start."""
    start = raw.get("start")
    if isinstance(start, datetime):
        reading.start_ms = _time_ms(start)
    names = {name.partition(".")[0] for name in TABLES}
    return reading.table(raw, TOP, "", inner=tuple(names))


def span_ms(text: str) -> int:
    """Return a time such as `1h30m` or `90s` in milliseconds.

    Raises:
        _Unfit: If it is none.
    """
    found = _SPAN.fullmatch(text)
    if found is None or not text:
        raise _Unfit
    return int(sum(Decimal(part) * unit for part, unit in zip(found.groups(), _UNITS_MS, strict=True) if part))


def _plain(raw: Any, kind: type) -> Any:  # noqa: ANN401 - an instance of `kind`
    if not isinstance(raw, kind) or (kind is int and isinstance(raw, bool)):
        raise _Unfit
    return raw


def _number(raw: Any, *, is_price: bool) -> Decimal:  # noqa: ANN401 - any TOML value
    if isinstance(raw, str) and not is_price:
        return Decimal(raw)  # a default of ours
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
        raise _Unfit
    number = Decimal(raw)
    if not number.is_finite() or abs(number) > _LONGEST_NUMBER or (is_price and number <= 0):
        raise _Unfit
    return number


def _time_ms(raw: Any) -> int:  # noqa: ANN401 - any TOML value
    if not isinstance(raw, datetime):
        raise _Unfit
    moment = raw if raw.tzinfo else raw.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000)


def _at(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _nearest(key: str, names: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(key, names, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(names))}"


def _shown(raw: object) -> str:
    text = repr(str(raw)) if isinstance(raw, str | Decimal | datetime) else repr(raw)
    return text if len(text) <= 40 else f"{text[:37]}..."
