"""What people were told, as the status and the control API say it: times in ISO 8601 UTC, as everywhere else.

The core counts in nanoseconds since 1970 UTC, 0 for "never"; here "never" is null.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from daemon.core.people.shown import shown
from daemon.core.state import GuardState

_NS: Final = "_ns"


def alerts_status(state: GuardState) -> dict[str, object]:
    """Every group with its facts, the worst and most exposed first, and every silence."""
    return {name: _spelled(value) for name, value in shown(state).items()}


def _spelled(value: object) -> object:
    """Times by the names that they have elsewhere: what the core calls `since_ns` is `since` here."""
    if isinstance(value, list):
        return [_spelled(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key.removesuffix(_NS): _moment(each) if key.endswith(_NS) else _spelled(each) for key, each in value.items()
    }


def _moment(at_ns: int) -> str | None:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat(timespec="milliseconds") if at_ns else None
