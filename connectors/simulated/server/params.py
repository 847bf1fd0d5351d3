"""The fields of one request: query and body laid over each other, read by type.

Why: clients send JSON or form bodies, `True` as well as `true`, lists as lists, as JSON text or
with commas. Every reader here accepts all of these and refuses the rest with the venue's text, so
no handler has to look at raw input.

Units: as the venue's fields. Source: www.bitmex.com/app/restAPI and docs of its clients.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qsl

from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.json_text import NotJson, load
from connectors.simulated.server.selection import (
    DEFAULT_COUNT,
    Selection,
    parse_columns,
    parse_conditions,
    parse_time,
)
from connectors.simulated.server.tables import Table

_MOST_FIELDS = 200
_NESTED = re.compile(r"(\w+)\[([\w.]*)\]")
_MOST_DIGITS = 18  # before the point, and zeros after it: no price or quantity has more
_TRUE = {"true": True, "1": True, "false": False, "0": False}


def parse_params(*, query: bytes, body: bytes, content_type: str) -> Params:
    """Return the fields of a request; the body wins where both name one.

    Args:
        query: The raw query string.
        body: The raw body; empty is fine.
        content_type: As sent; JSON unless it says form.

    Raises:
        Refused: 400 if the body is no JSON object, or the text is not UTF-8.
    """
    try:
        fields = _form_fields(query)
        if body.strip():
            fields.update(_body_fields(body, content_type))
    except (ValueError, NotJson) as error:
        raise Refused("Unable to parse the request body or query.", name="SyntaxError") from error
    return Params(fields)


def _form_fields(raw: bytes) -> dict[str, object]:
    """Return fields of a query or form; `a[]=1&a[]=2` and `a[0]=1` make lists, `filter[open]=true` an object."""
    if not raw:
        return {}
    fields: dict[str, object] = {}
    for name, value in parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS):
        nested = _NESTED.fullmatch(name)
        if nested is None:
            fields[name] = value
        elif nested[2].isdigit() or not nested[2]:
            several = fields.setdefault(nested[1], [])
            if isinstance(several, list):
                several.append(value)
        else:
            whole = fields.setdefault(nested[1], {})
            if isinstance(whole, dict):
                whole[nested[2]] = value
    return fields


def _body_fields(body: bytes, content_type: str) -> dict[str, object]:
    if "form" in content_type:
        return _form_fields(body)
    value = load(body)
    if not isinstance(value, dict):
        raise NotJson("not an object")
    return value


class Params:
    """Typed readers of a request's fields. Each raises `Refused` (400) on a value of another kind."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = {name: value for name, value in fields.items() if value not in (None, "")}

    def has(self, name: str) -> bool:
        """Return whether the field was sent with a value."""
        return name in self._fields

    def fields(self) -> Mapping[str, object]:
        """Return all fields sent with a value, as they came."""
        return self._fields

    def text(self, name: str) -> str | None:
        """Return a text, None if it was not sent."""
        value = self._fields.get(name)
        if isinstance(value, dict | list):
            raise Refused(f"Invalid {name}")
        return None if value is None else str(value)

    def required_text(self, name: str) -> str:
        """Return a text that has to be there."""
        value = self.text(name)
        if value is None:
            raise Refused(f"'{name}' is a required arg.")
        return value

    def decimal(self, name: str) -> Decimal | None:
        """Return a number with all digits as sent, None if it was not sent."""
        value = self._fields.get(name)
        if value is None:
            return None
        try:
            number = Decimal(str(value)) if not isinstance(value, bool | dict | list) else None
        except InvalidOperation:
            number = None
        if number is None or not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
            raise Refused(f"Invalid {name}")
        return number

    def required_decimal(self, name: str) -> Decimal:
        """Return a number that has to be there."""
        self.required_text(name)
        return self.decimal(name) or Decimal(0)

    def whole(self, name: str) -> int | None:
        """Return a whole number (`100` or `100.0`), None if it was not sent."""
        number = self.decimal(name)
        if number is None:
            return None
        if number != number.to_integral_value():
            raise Refused(f"Invalid {name}")
        return int(number)

    def required_whole(self, name: str) -> int:
        """Return a whole number that has to be there."""
        self.required_text(name)
        return self.whole(name) or 0

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a truth value in any of the forms clients use."""
        value = self._fields.get(name)
        if value is None:
            return default
        truth = _TRUE.get(str(value).lower())
        if truth is None:
            raise Refused(f"Invalid {name}")
        return truth

    def names(self, name: str) -> tuple[str, ...]:
        """Return a list of texts sent as a list, as the JSON text of one, or with commas."""
        value = self._fields.get(name)
        if value is None:
            return ()
        if isinstance(value, str):
            value = _split(value)
        if not isinstance(value, list) or any(isinstance(one, dict | list) for one in value):
            raise Refused(f"Invalid {name}")
        return tuple(str(one).strip() for one in value)

    def objects(self, name: str) -> list[dict[str, object]]:
        """Return a list of objects sent as such or as JSON text."""
        value = self._fields.get(name)
        value = _split(value) if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise Refused(f"Invalid {name}")
        return value

    def time(self, name: str) -> str | None:
        """Return a bound of a time range in the form of the rows, None if it was not sent."""
        return parse_time(self._fields.get(name))

    def conditions(self, table: Table) -> dict[str, object]:
        """Return the `filter`."""
        return parse_conditions(self._fields.get("filter"), table)

    def selection(self, table: Table, *, default_count: int = DEFAULT_COUNT) -> Selection:
        """Return the common query of table reads, `symbol` not included."""
        count = self.whole("count")
        start = self.whole("start") or 0
        if start < 0 or (count is not None and not 0 <= count <= table.max_count):
            raise Refused("start/count is invalid")
        return Selection(
            conditions=self.conditions(table),
            columns=parse_columns(self._fields.get("columns"), table),
            count=default_count if count is None else count,
            start=start,
            is_reverse=self.flag("reverse", default=False),
            start_time=self.time("startTime"),
            end_time=self.time("endTime"),
        )


def _split(text: str) -> object:
    if not text.startswith("["):
        return text.split(",")
    try:
        return load(text)
    except NotJson:
        return None
