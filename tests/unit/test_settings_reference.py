"""The tables of `docs/settings.md` are those of the settings values: every key, its kind, its default, what it means.

Run as a module (`python -m tests.unit.test_settings_reference`), this writes them anew.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from config.catalogue import attribute_words, is_enum, one_line
from config.schema import schema
from config.tables import NAMED_TABLES, PLAIN_TABLES, POLICY_TABLES, TABLES, named_kind

SCHEMA = Path(__file__).resolve().parents[2] / "config" / "profiles" / "seawall.schema.json"
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
_MARKS = re.compile(r"(<!-- settings -->\n).*(\n<!-- end of settings -->)", re.DOTALL)
_WORDS = {bool: "true or false", int: "whole number", float: "number", Decimal: "number", str: "text"}


def reference() -> str:
    """Every table of a settings file but `[venue]` and `[guard]`, which the page explains in words."""
    tables = {**POLICY_TABLES, **NAMED_TABLES, **PLAIN_TABLES}
    places = {name: f"{name}.NAME" if name in NAMED_TABLES else name for name in tables}
    return "\n\n".join(part for name in TABLES if name in tables for part in _parts(places[name], tables[name]))


def _parts(place: str, kind: type) -> Iterator[str]:
    """One table and the tables in it."""
    hints = get_type_hints(kind)
    plain = [each for each in fields(kind) if not is_dataclass(hints[each.name]) and not named_kind(hints[each.name])]
    if plain:
        words = {name: _cell(text) for name, text in attribute_words(kind).items()}
        rows = "\n".join(
            f"| `{each.name}` | {_kind_words(hints[each.name])} | {_default(each)} | {words.get(each.name, '')} |"
            for each in plain
        )
        title = _cell(inspect.getdoc(kind) or "")
        yield f"### `[{place}]`\n\n{title}\n\n| key | value | default | meaning |\n|---|---|---|---|\n{rows}"
    for each in fields(kind):
        if is_dataclass(hints[each.name]):
            yield from _parts(f"{place}.{each.name}", hints[each.name])
        elif (named := named_kind(hints[each.name])) is not None:
            yield from _parts(f"{place}.{each.name}.NAME", named)


def _cell(text: str) -> str:
    return one_line(text.replace("|", "\\|"))


def _kind_words(hint: Any) -> str:
    if get_origin(hint) is tuple:
        return f"list of: {_kind_words(get_args(hint)[0])}"
    if get_origin(hint) is dict:
        return f"{{ NAME = {_kind_words(get_args(hint)[1])} }}"
    if is_enum(hint):
        return ", ".join(f'`"{member.value}"`' for member in hint)
    if hint in _WORDS:
        return _WORDS[hint]
    return _kind_words(next(each for each in get_args(hint) if each is not type(None)))


def _default(each: Any) -> str:
    value = each.default if each.default is not MISSING else each.default_factory()
    return "left out" if value is None else f"`{_value(value)}`"


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_value(each) for each in value)}]"
    if isinstance(value, Enum | str):
        return f'"{value.value if isinstance(value, Enum) else value}"'
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_the_reference_of_settings_is_that_of_the_code() -> None:
    """A key, a default or its meaning changed: `python -m tests.unit.test_settings_reference` writes the page anew."""
    found = _MARKS.search(DOCUMENT.read_text())
    assert found is not None
    assert found.group(0) == f"{found.group(1)}{reference()}{found.group(2)}"


def schema_text() -> str:
    """What `seawall config schema` prints."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


def test_the_schema_beside_the_profiles_is_that_of_the_code() -> None:
    """A key changed: `python -m tests.unit.test_settings_reference` writes the schema anew, too."""
    assert SCHEMA.read_text() == schema_text()


if __name__ == "__main__":
    SCHEMA.write_text(schema_text())
    written = DOCUMENT.read_text()
    DOCUMENT.write_text(_MARKS.sub(lambda found: f"{found.group(1)}{reference()}{found.group(2)}", written))
