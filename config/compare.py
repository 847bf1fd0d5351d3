"""What two settings differ in, place by place, in the words of a settings file and without anything secret.

Why: a reload, `seawall config diff` and the journal say the same thing in the same way, and an address that is itself
a credential (a webhook's) is never among what they say.

Pure: no input or output.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from config.model import Settings
from config.policy import Policy

LEFT_OUT: Final = "left out"
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
"""A key that needs no quotes."""
_GUARD_FIELDS: Final = {"observe": "guard.observe", "accept_unreadable_rights": "guard.accept_unreadable_rights"}
_PARTS_OF_VENUE: Final = frozenset({"environment", "rest_url", "realtime_url"})
"""What of the venue stands in a settings file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One place with both values, as text."""

    place: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.place}: {self.before} -> {self.after}"


def changes(before: Settings | Policy, after: Settings | Policy) -> tuple[Change, ...]:
    """Return where two settings, or two policies, differ; in the order of the profiles.

    Example:
        >>> from config.policy import StopPolicy
        >>> str(changes(Policy(), Policy(stop=StopPolicy(buffer_percent=Decimal(3))))[0])
        'stop.buffer_percent: 2 -> 3'
    """
    was, now = values(before), values(after)
    places = [*was, *(place for place in now if place not in was)]
    differing = [place for place in places if was.get(place) != now.get(place)]
    return tuple(_change(place, was.get(place), now.get(place)) for place in differing)


def _change(place: str, was: object, now: object) -> Change:
    """Two values that differ in what is not shown only are told as two."""
    before, after = shown(place, was), shown(place, now)
    return Change(place=place, before=before, after=f"{after} (another)" if before == after else after)


def values(settings: Settings | Policy) -> dict[str, object]:
    """Return every value by its dotted place in a settings file."""
    return dict(_walk("", settings))


def _walk(place: str, part: object) -> Iterator[tuple[str, object]]:
    for each in fields(part):  # type: ignore[arg-type]  # only dataclasses get here
        value = getattr(part, each.name)
        inner = f"{place}.{each.name}" if place else _GUARD_FIELDS.get(each.name, each.name)
        if isinstance(value, Policy):
            yield from _walk("", value)
        elif inner.startswith("venue.") and each.name not in _PARTS_OF_VENUE:
            continue
        elif is_dataclass(value):
            yield from _walk(inner, value)
        elif isinstance(value, dict) and any(is_dataclass(named) for named in value.values()):
            for name, named in value.items():
                yield from _walk(f"{inner}.{name}", named)
        elif not (isinstance(value, dict) and not value):
            yield inner, value


def shown(place: str, value: object) -> str:
    """Return a value as a settings file would write it; of what may hold a token, only what may be shown.

    Example:
        >>> shown("alerts.webhook_url", "https://hooks.example.org/services/T0/secret")
        '"https://hooks.example.org/(hidden)"'
    """
    if value is None:
        return LEFT_OUT
    name = place.rpartition(".")[2]
    if isinstance(value, str) and (name == "url" or name.endswith("_url")) and not place.startswith("venue."):
        return f'"{_without_path(value)}"'
    if name.endswith("_command") and isinstance(value, tuple):
        return _written((*value[:1], *(("(hidden)",) if len(value) > 1 else ())))
    return _written(value)


def _without_path(url: str) -> str:
    scheme, between, _ = url.partition("://")
    if not between or scheme not in {"http", "https"}:  # elsewhere a token may stand where the host does
        return f"{scheme}://(hidden)" if between else "(hidden)"
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return f"{scheme}://(hidden)"
    return f"{scheme}://{parts.hostname}{port}/(hidden)"


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_written(each) for each in value)}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{_name(name)} = {_written(each)}" for name, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, Enum | str):
        return _text(str(value.value) if isinstance(value, Enum) else value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _name(key: object) -> str:
    return str(key) if _BARE.fullmatch(str(key)) else _text(str(key))


def _text(words: str) -> str:
    """Text in quotes; what would end them, or begin something else, is escaped as TOML does."""
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'
