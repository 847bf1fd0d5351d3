"""Which tables a settings file has, and what each of them is made into. Read by everything that knows every key.

Pure: no input or output.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any, Final, get_args, get_origin, get_type_hints

from config.bots import BotPolicy
from config.control import ControlSettings
from config.metrics import MetricsSettings, TracingSettings
from config.model import AlertSettings, CredentialSources, LogSettings, StateSettings
from config.policy import Policy
from config.venue import Environment

POLICY_TABLES: Final[dict[str, Any]] = {
    name: kind for name, kind in get_type_hints(Policy).items() if is_dataclass(kind)
}
"""Each part of the policy is a table of its own; a part of a part is a table in a table: `[stop.trailing]`."""
PLAIN_TABLES: Final[dict[str, Any]] = {
    "alerts": AlertSettings,
    "state": StateSettings,
    "control": ControlSettings,
    "metrics": MetricsSettings,
    "tracing": TracingSettings,
    "log": LogSettings,
    "credentials": CredentialSources,
}
NAMED_TABLES: Final[dict[str, Any]] = {"bots": BotPolicy}
"""Tables of tables that the operator names: `[bots.quoter]`."""
VENUE_KEYS: Final = {"environment": Environment, "rest_url": str | None, "realtime_url": str | None}
GUARD_KEYS: Final = {"observe": bool, "accept_unreadable_rights": bool}
_LAST: Final = tuple(name for name in PLAIN_TABLES if name != "credentials")
TABLES: Final = ("venue", "credentials", "guard", *POLICY_TABLES, *NAMED_TABLES, *_LAST)
"""Every table of a settings file, in the order of the profiles."""


def named_kind(wanted: object) -> type | None:
    """The kind of the tables in a table that the operator names, `dict[str, kind]`; None: it is no such table."""
    kind = get_args(wanted)[1] if get_origin(wanted) is dict else None
    return kind if isinstance(kind, type) and is_dataclass(kind) else None


def tables_with(key: str) -> tuple[str, ...]:
    """Every table that has a key of this name, tables in tables too; not those that the operator names."""
    found = [place for table, kind in {**POLICY_TABLES, **PLAIN_TABLES}.items() for place in _with(key, table, kind)]
    return (*(["venue"] if key in VENUE_KEYS else []), *(["guard"] if key in GUARD_KEYS else []), *found)


def _with(key: str, table: str, kind: type) -> Iterator[str]:
    hints = get_type_hints(kind)
    if key in hints:
        yield table
    for name, hint in hints.items():
        if isinstance(hint, type) and is_dataclass(hint):
            yield from _with(key, f"{table}.{name}", hint)
