"""Settings from environment variables: `SEAWALL_SET_STOP__BUFFER_PERCENT=3` counts instead of the file's line.

Why: a container or a unit's drop-in changes one value without a second file. The value is written as a settings file
would write it (`3`, `true`, `["alert"]`, `{ XBTUSD = 60000 }`), and a word may stand without quotes. Two underscores
part the names of tables and key; capital or small letters are the same. An empty variable is none.

Whatever is wrong with such a value is found by the same reading as the file's, and said with the variable's name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

PREFIX: Final = "SEAWALL_SET_"
_BETWEEN: Final = "__"
_OF_SYMBOLS: Final = frozenset({"long", "short", "by_symbol"})
"""Tables whose keys are symbols: those stay as they are written, since small letters would mean nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    """One variable and the value that it gives to one place."""

    variable: str
    place: tuple[str, ...]
    value: object

    @property
    def dotted(self) -> str:
        """The place as complaints write it: "stop.buffer_percent"."""
        return ".".join(self.place)


def overrides_in(environ: Mapping[str, str], tables: Mapping[str, Any]) -> tuple[Override, ...]:
    """Return what the environment sets, whole tables before single keys in them.

    Args:
        environ: Of the process.
        tables: Of the settings file: a name in it that differs in capital letters or dashes only is that name.

    Example:
        >>> overrides_in({"SEAWALL_SET_LOG__LEVEL": "debug"}, {})[0].dotted
        'log.level'
    """
    found = [
        Override(variable=name, place=_place(name.removeprefix(PREFIX), tables), value=value_of(text))
        for name, text in environ.items()
        if name.startswith(PREFIX) and name != PREFIX and text
    ]
    return tuple(sorted(found, key=lambda each: (len(each.place), each.variable)))


def said_twice(overrides: tuple[Override, ...]) -> dict[str, tuple[str, ...]]:
    """Return each place that more than one variable sets, with their names: which of them counts would be a guess."""
    names: dict[str, tuple[str, ...]] = {}
    for each in overrides:
        names[each.dotted] = (*names.get(each.dotted, ()), each.variable)
    return {place: found for place, found in names.items() if len(found) > 1}


def strays_in(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return variables that look like settings and set nothing, for want of the whole beginning.

    Example:
        >>> strays_in({"SEAWALL_STOP__STYLE": "close", "SEAWALL_KEY": "k", "SEAWALL_SET_STOP__STYLE": "close"})
        ('SEAWALL_STOP__STYLE',)
    """
    own = PREFIX.partition("_")[0]
    return tuple(
        name for name in environ if name.startswith(f"{own}_") and _BETWEEN in name and not name.startswith(PREFIX)
    )


def value_of(text: str) -> object:
    """Read a value as a settings file would; what is none is a word."""
    try:
        read = tomllib.loads(f"value = {text}", parse_float=Decimal)
    except (ValueError, RecursionError):
        return text
    return read["value"] if len(read) == 1 else text


def changed(tables: Mapping[str, Any], place: tuple[str, ...], value: object) -> dict[str, Any]:
    """Return tables with one value in its place; what is no table there is left for the reading to complain of."""
    name, rest = place[0], place[1:]
    inside = tables.get(name)
    return {**tables, name: changed(inside if isinstance(inside, dict) else {}, rest, value) if rest else value}


def _place(name: str, tables: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the place that a variable means, in the spelling of the file where it has that name."""
    place: list[str] = []
    table: Any = tables
    for part in name.split(_BETWEEN):
        known = table if isinstance(table, dict) else {}
        alike = [each for each in known if _plain(each) == _plain(part)]
        otherwise = part if place and place[-1] in _OF_SYMBOLS else part.lower()
        spelt = part if part in alike else (alike[0] if alike else otherwise)
        place.append(spelt)
        table = known.get(spelt)
    return tuple(place)


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")
