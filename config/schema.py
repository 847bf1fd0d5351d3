"""The JSON Schema of a settings file, made from the values: editors complete and check TOML with it.

`seawall config schema > seawall.schema.json`, and `#:schema ./seawall.schema.json` as the first line of the settings
file. What a schema cannot say (one key against another) `seawall check` says.

Source: json-schema.org/draft/2020-12.
"""

from __future__ import annotations

from decimal import Decimal
from types import NoneType
from typing import Any, Final, get_args, get_origin

from config.bounds import bounds_of
from config.catalogue import NAME, Key, is_enum, keys, titles

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
IDENTIFIER: Final = "urn:seawall:settings"
_SIMPLE: Final = {bool: "boolean", str: "string", int: "integer", float: "number", Decimal: "number"}


def schema() -> dict[str, Any]:
    """Return the schema as JSON-ready values."""
    root: dict[str, Any] = {
        "$schema": DIALECT,
        "$id": IDENTIFIER,
        "title": "Settings of Seawall",
        "description": "One file says what the guard may do. What is left out has its default.",
        **_table(),
        "required": ["venue"],
    }
    for key in keys():
        table = _reach(root, key.table)
        table["properties"][key.name] = _value(key)
        if key.is_required:
            table.setdefault("required", []).append(key.name)
    for place, words in titles().items():
        if words:
            _reach(root, place)["description"] = words
    return root


def _table() -> dict[str, Any]:
    return {"type": "object", "properties": {}, "additionalProperties": False}


def _reach(root: dict[str, Any], place: str) -> dict[str, Any]:
    """Return the schema of a table, made on the way."""
    table = root
    for part in place.split("."):
        if part == NAME:
            if table["additionalProperties"] is False:
                table["additionalProperties"] = _table()
            table = table["additionalProperties"]
        else:
            table = table["properties"].setdefault(part, _table())
    return table


def _value(key: Key) -> dict[str, Any]:
    described: dict[str, Any] = {"description": _described(key), **_kind(key.hint)}
    if "enum" not in described and described["type"] in {"integer", "number"}:
        described |= bounds_of(key.place).in_schema()
    if key.default is not None:
        described["default"] = json_ready(key.default)
    return described


def _described(key: Key) -> str:
    unit = f"Unit: {key.unit}." if key.unit else ""
    own = "; ".join(bounds_of(key.place).words)
    return " ".join(part for part in (key.meaning, unit, f"It {own}." if own else "") if part)


def _kind(hint: Any) -> dict[str, Any]:  # noqa: ANN401 - any annotation
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _kind(get_args(hint)[0])}
    if get_origin(hint) is dict:
        return {"type": "object", "additionalProperties": _kind(get_args(hint)[1])}
    if is_enum(hint):
        return {"type": "string", "enum": [member.value for member in hint]}
    if hint in _SIMPLE:
        return {"type": _SIMPLE[hint]}
    return _kind(next(each for each in get_args(hint) if each is not NoneType))


def json_ready(value: Any) -> Any:  # noqa: ANN401 - whatever a setting may be
    """Return a default as JSON writes it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, tuple | list):
        return [json_ready(each) for each in value]
    if isinstance(value, dict):
        return {name: json_ready(each) for name, each in value.items()}
    return value.value if is_enum(type(value)) else value
