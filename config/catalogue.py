"""Every key of a settings file with its kind, default, meaning and unit, read off the values that hold them.

Why: schema, reference page and `seawall config` say the same about a key because they ask here, and a key that is added
to a value is in all of them at once. The meaning is the text below the attribute in the source.

Units: as the name of a key ends (`_s` seconds, `_percent`, ...).
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Final, get_type_hints

from config.model import Settings
from config.policy import Policy
from config.tables import GUARD_KEYS, NAMED_TABLES, PLAIN_TABLES, POLICY_TABLES, TABLES, VENUE_KEYS, named_kind

NAME: Final = "NAME"
"""Stands in a place for what the operator calls a thing: "bots.NAME.id_prefix"."""
_UNITS: Final = (
    ("_volatility", "multiples of hourly volatility"),
    ("_probability", "probability, 0 to 1"),
    ("_percent_a_day", "percent a day"),
    ("_percent", "percent"),
    ("_share", "share, 0 to 1"),
    ("_multiple", "multiple"),
    ("_minutes", "minutes"),
    ("_hours", "hours"),
    ("_utc_hour", "hour of the day, UTC"),
    ("_utc", "moments, UTC"),
    ("_mb", "megabytes"),
    ("_s", "seconds"),
)
_VENUE_WORDS: Final = {
    "environment": "Which BitMEX is meant: the real one, its testnet, or the exchange that Seawall carries.",
    "rest_url": "The embedded exchange only: where it takes requests, as `seawall exchange --json` prints it.",
    "realtime_url": "The embedded exchange only: where its streams are.",
}
_TITLES: Final = {
    "venue": "Which exchange.",
    "guard": "What the guard as a whole may do.",
    "bots": "Programs that trade the account, by the name that each calls itself.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """One key of a settings file."""

    place: str
    """"stop.buffer_percent"; NAME stands for what the operator chooses."""
    hint: Any
    """The type of its value."""
    default: object
    """None: left out."""
    is_required: bool
    meaning: str

    @property
    def table(self) -> str:
        """The table that it stands in."""
        return self.place.rpartition(".")[0]

    @property
    def name(self) -> str:
        """Its name in there."""
        return self.place.rpartition(".")[2]

    @property
    def unit(self) -> str:
        """What its number counts; empty where it is none."""
        return next((words for ending, words in _UNITS if self.name.endswith(ending)), "")


@cache
def keys() -> tuple[Key, ...]:
    """Return every key, in the order of the profiles."""
    return tuple(key for table in TABLES for key in _keys_of_table(table))


@cache
def titles() -> dict[str, str]:
    """Return what each table is about, by its place."""
    found = dict(_TITLES)
    for name, kind in {**POLICY_TABLES, **PLAIN_TABLES}.items():
        _gather_titles(name, kind, found)
    for name, kind in NAMED_TABLES.items():
        _gather_titles(f"{name}.{NAME}", kind, found)
    return found


def find(place: str) -> Key | None:
    """Return the key of a place; names that an operator chose count as NAME.

    Example:
        >>> find("bots.quoter.id_prefix").place
        'bots.NAME.id_prefix'
    """
    wanted = place.split(".")
    for key in keys():
        parts = key.place.split(".")
        if len(parts) == len(wanted) and all(
            mine in {NAME, theirs} for mine, theirs in zip(parts, wanted, strict=True)
        ):
            return key
    return None


def _keys_of_table(table: str) -> Iterator[Key]:
    if table == "venue":
        hint: Any
        for name, meaning in _VENUE_WORDS.items():
            hint, is_required = VENUE_KEYS[name], name == "environment"
            yield Key(place=f"venue.{name}", hint=hint, default=None, is_required=is_required, meaning=meaning)
    elif table == "guard":
        words = {**attribute_words(Settings), **attribute_words(Policy)}
        for name, hint in GUARD_KEYS.items():
            yield Key(place=f"guard.{name}", hint=hint, default=False, is_required=False, meaning=words[name])
    elif table in NAMED_TABLES:
        yield from _keys_of(f"{table}.{NAME}", NAMED_TABLES[table])
    else:
        yield from _keys_of(table, {**POLICY_TABLES, **PLAIN_TABLES}[table])


def _keys_of(table: str, kind: Any) -> Iterator[Key]:  # noqa: ANN401 - a dataclass, as get_type_hints gives it
    hints, words = get_type_hints(kind), attribute_words(kind)
    for each in fields(kind):
        hint, place = hints[each.name], f"{table}.{each.name}"
        named = named_kind(hint)
        if is_dataclass(hint):
            yield from _keys_of(place, hint)
        elif named is not None:
            yield from _keys_of(f"{place}.{NAME}", named)
        else:
            default = each.default if each.default is not MISSING else _made(each.default_factory)
            meaning = words.get(each.name, "")
            yield Key(place=place, hint=hint, default=default, is_required=False, meaning=meaning)


def _made(factory: Any) -> object:  # noqa: ANN401 - dataclasses' own sentinel or a callable
    return None if factory is MISSING else factory()


def _gather_titles(table: str, kind: Any, found: dict[str, str]) -> None:  # noqa: ANN401 - as above
    found[table] = one_line(inspect.getdoc(kind) or "")
    for name, hint in get_type_hints(kind).items():
        if name.startswith("_") or name not in {each.name for each in fields(kind)}:
            continue
        named = named_kind(hint)
        if is_dataclass(hint):
            _gather_titles(f"{table}.{name}", hint, found)
        elif named is not None:
            _gather_titles(f"{table}.{name}.{NAME}", named, found)


def attribute_words(kind: Any) -> dict[str, str]:  # noqa: ANN401 - as above
    """The text below each attribute, of the class and of those it extends; one text may speak for several of a kind."""
    words = {name: one_line(inspect.getdoc(hint) or "") for name, hint in get_type_hints(kind).items() if is_enum(hint)}
    for each in reversed(kind.__mro__[:-1]):
        if is_dataclass(each):
            words |= _words_of_class(each)
    return words


def _words_of_class(kind: Any) -> dict[str, str]:  # noqa: ANN401 - as above
    words: dict[str, str] = {}
    waiting: list[tuple[str, str]] = []
    body: list[Any] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0].body  # type: ignore[attr-defined]
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            waiting.append((node.target.id, ast.unparse(node.annotation)))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            alike = [name for name, annotation in waiting if annotation == waiting[-1][1]]
            words |= dict.fromkeys(alike, one_line(str(node.value.value)))
            waiting = []
        else:
            waiting = []
    return words


def is_enum(hint: Any) -> bool:  # noqa: ANN401 - any annotation
    """Whether a value is one of named ones."""
    return isinstance(hint, type) and issubclass(hint, Enum)


def one_line(text: str) -> str:
    """Return a text without its line ends."""
    return " ".join(text.split())
