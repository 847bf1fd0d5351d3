"""As much of JSON Schema as the settings' schema uses, so that the suite needs no further package.

`make schema` asks the reference implementation instead, in an environment of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
_KNOWN = {
    *("$schema", "$id", "title", "description", "default", "type", "properties", "additionalProperties", "required"),
    *("enum", "items", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}


def problems(value: Any, schema: dict[str, Any], place: str = "") -> list[str]:
    """Return what is wrong with a value, each with its place."""
    return list(_problems(value, schema, place))


def _problems(value: Any, schema: dict[str, Any], place: str) -> Iterator[str]:
    assert set(schema) <= _KNOWN, "a word of JSON Schema that nobody checks"
    kinds = _KINDS[schema["type"]]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        yield f"{place}: is no {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: is none of {schema['enum']}"
    if isinstance(value, dict):
        yield from _table_problems(value, schema, place)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _problems(each, schema["items"], f"{place}[{number}]")
    elif not isinstance(value, str):
        yield from _edge_problems(value, schema, place)


def _table_problems(value: dict[str, Any], schema: dict[str, Any], place: str) -> Iterator[str]:
    for name in schema.get("required", []):
        if name not in value:
            yield f"{place}: lacks {name}"
    for name, each in value.items():
        inner = f"{place}.{name}" if place else name
        known = schema.get("properties", {}).get(name) or schema["additionalProperties"]
        if known is False:
            yield f"{inner}: is not known"
        else:
            yield from _problems(each, known, inner)


def _edge_problems(value: float, schema: dict[str, Any], place: str) -> Iterator[str]:
    holds = {
        "minimum": lambda edge: value >= edge,
        "exclusiveMinimum": lambda edge: value > edge,
        "maximum": lambda edge: value <= edge,
        "exclusiveMaximum": lambda edge: value < edge,
    }
    for name, is_within in holds.items():
        if name in schema and not is_within(schema[name]):
            yield f"{place}: {name} is {schema[name]}"
