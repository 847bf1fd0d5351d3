"""The bounds of every number, learnt from what the values themselves refuse.

Why: a value checks itself where it is made, and says in words what it must be ("must be from 10 to 3600"). Asking it
with a number far too small and one far too large gives those words; what in them is a number is a bound. So nothing is
written down twice, and a key that is added has its bounds in schema and `config explain` at once.

Pure: no input or output.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Any, Final, get_args, get_origin, get_type_hints

from config.checks import PolicyError
from config.tables import NAMED_TABLES, PLAIN_TABLES, POLICY_TABLES, named_kind

_PROBES: Final = (Decimal(-(10**9)), Decimal(0), Decimal(10**9))
_NUMBER: Final = r"(-?\d+(?:\.\d+)?)"
_EDGES: Final = (
    (rf"\b{_NUMBER} > .* > {_NUMBER}", ("below", "above")),
    (rf"\bfrom {_NUMBER} to below {_NUMBER}", ("at_least", "below")),
    (rf"\bfrom {_NUMBER} to {_NUMBER}", ("at_least", "at_most")),
    (rf"\bbetween {_NUMBER} and {_NUMBER}", ("above", "below")),
    (rf"\bat least {_NUMBER}", ("at_least",)),
    (rf"\b{_NUMBER} or more", ("at_least",)),
    (rf"\babove {_NUMBER}", ("above",)),
    (rf"\bat most {_NUMBER}", ("at_most",)),
    (rf"\bbelow {_NUMBER}", ("below",)),
)
_SHOWN: Final = (
    ("at_least", "at least", "minimum"),
    ("above", "above", "exclusiveMinimum"),
    ("at_most", "at most", "maximum"),
    ("below", "below", "exclusiveMaximum"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """What a number may be. None: no such edge."""

    at_least: Decimal | None = None
    above: Decimal | None = None
    at_most: Decimal | None = None
    below: Decimal | None = None
    words: tuple[str, ...] = ()
    """What the value says itself, with the keys that it depends on."""

    def in_schema(self) -> dict[str, int | float]:
        """Return the edges as JSON Schema names them."""
        return {name: _plain(edge) for each, _, name in _SHOWN if (edge := getattr(self, each)) is not None}

    def __str__(self) -> str:
        edges = [f"{word} {edge:f}" for each, word, _ in _SHOWN if (edge := getattr(self, each)) is not None]
        return " and ".join(edges) or "any"


def bounds_of(place: str) -> Bounds:
    """Return the bounds of a key, NAME standing for what an operator chooses.

    Example:
        >>> str(bounds_of("switch.timeout_s"))
        'at least 10 and at most 3600'
    """
    table, _, name = place.rpartition(".")
    kind = _kinds().get(table)
    if kind is None or not _is_number(get_type_hints(kind).get(name)):
        return Bounds()
    words = tuple(dict.fromkeys(text for probe in _PROBES if (text := _refusal(kind, name, probe))))
    return Bounds(**_edges(words), words=words)


@cache
def _kinds() -> dict[str, Any]:
    """What each table is made into, tables in tables too."""
    found: dict[str, Any] = {}
    for table, kind in {**POLICY_TABLES, **PLAIN_TABLES}.items():
        _gather(table, kind, found)
    for table, kind in NAMED_TABLES.items():
        _gather(f"{table}.NAME", kind, found)
    return found


def _gather(table: str, kind: Any, found: dict[str, Any]) -> None:  # noqa: ANN401 - a dataclass, as type hints give it
    found[table] = kind
    hints = get_type_hints(kind)
    for each in fields(kind):
        named = named_kind(hints[each.name])
        if named is not None:
            _gather(f"{table}.{each.name}.NAME", named, found)
        elif hasattr(hints[each.name], "__dataclass_fields__"):
            _gather(f"{table}.{each.name}", hints[each.name], found)


def _is_number(hint: object) -> bool:
    if get_origin(hint) in {tuple, dict, list}:
        return False
    kinds = {each for each in get_args(hint) if each is not NoneType} or {hint}
    return bool(kinds & {int, float, Decimal}) and not kinds & {str, bool}


def _refusal(kind: Any, name: str, probe: Decimal) -> str:  # noqa: ANN401 - as above
    """Return what a value says of a number in one of its fields; empty where it takes it."""
    try:
        kind(**{name: probe})
    except PolicyError as error:
        return error.problem if name in error.field or name in error.problem else ""
    return ""


def _edges(words: tuple[str, ...]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for text in words:
        rest = text
        for pattern, names in _EDGES:
            match = re.search(pattern, rest)
            if match is not None:
                found |= {each: Decimal(edge) for each, edge in zip(names, match.groups(), strict=True)}
                rest = rest.replace(match[0], "")
    return found


def _plain(edge: Decimal) -> int | float:
    return int(edge) if edge == edge.to_integral_value() else float(edge)
