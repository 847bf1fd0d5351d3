"""When people are told, how often, and by which way: levels, repeats, escalation, quiet hours and routes.

`AlertingPolicy` is a part of the policy: the core decides by it, and it stands in the journal. `RouteSettings` names
the channels of each level and concerns the delivery alone.

Units: seconds; times of day as "HH:MM" in the time zone that is named. Pure: no input or output, so whether a zone
exists is asked elsewhere (`config.zones`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import Enum
from typing import Final

from config.checks import require

LOG_ONLY: Final = "log"
"""In place of a channel's name: this level stands in the log and goes nowhere else."""
_DAY_MINUTES: Final = 24 * 60


class Level(Enum):
    """How near a thing is to costing money, and so how loudly people are called."""

    WATCH = "watch"
    WARN = "warn"
    CRITICAL = "critical"
    EMERGENCY = "emergency"

    rank: int
    """1 for WATCH up to 4 for EMERGENCY. An attribute, since it is asked for thousands of facts at once."""


BY_RANK: Final = dict(enumerate(Level, start=1))
for _rank, _level in BY_RANK.items():
    _level.rank = _rank


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertingPolicy:
    """When people are told, and when they are told again."""

    gather_s: Decimal = Decimal(4)
    """What happens within this time of the first fact of a group comes in one message."""
    gather_urgent_s: Decimal = Decimal(1)
    """The same from CRITICAL on."""
    update_s: Decimal = Decimal(60)
    """More of the same kind waits this long after a message; what is worse waits no longer than it gathers."""
    update_urgent_s: Decimal = Decimal(15)
    """The same from CRITICAL on."""
    resolve_after_s: Decimal = Decimal(60)
    """What is over for this long is over; what comes back before that has never been away."""
    repeat_warn_s: Decimal = Decimal(3600)
    """What stands, unacknowledged, is said again after this long; 0: never."""
    repeat_critical_s: Decimal = Decimal(900)
    """The same for CRITICAL."""
    repeat_emergency_s: Decimal = Decimal(300)
    """The same for an emergency; it cannot be switched off."""
    escalate_warn_s: Decimal = Decimal(0)
    """What nobody acknowledged for this long goes by the way of the next level, too; 0: never."""
    escalate_critical_s: Decimal = Decimal(900)
    """The same for CRITICAL: then it goes by the way of an emergency."""
    acknowledged_for_s: Decimal = Decimal(14_400)
    """An acknowledgement ends after this long, or as soon as something gets worse."""
    quiet_from: str = ""
    """Quiet hours begin, "22:30" on the clocks of `quiet_zone`; empty: there are none."""
    quiet_until: str = ""
    """Quiet hours end, "07:00" on the same clocks."""
    quiet_zone: str = "UTC"
    """Time zone of the quiet hours by its IANA name, "Europe/Berlin"; daylight saving time is followed."""
    quiet_up_to: Level = Level.WARN
    """The loudest level that quiet hours hold back until they end; never an emergency."""

    def __post_init__(self) -> None:
        """Refuse times that make no sense, and quiet hours that would hold an emergency."""
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, Decimal):
                require(0 <= value <= 7 * 86_400, f"alerting.{each.name}", "must be from 0 to 604800")
        for name in ("gather_s", "gather_urgent_s"):
            require(getattr(self, name) <= 60, f"alerting.{name}", "must be at most 60: a late alert helps nobody")
        require(self.acknowledged_for_s > 0, "alerting.acknowledged_for_s", "must be above 0")
        require(self.repeat_emergency_s > 0, "alerting.repeat_emergency_s", "must be above 0: it is said until heard")
        for name in ("quiet_from", "quiet_until"):
            text = getattr(self, name)
            require(
                not text or minute_of(text) is not None, f"alerting.{name}", 'must be a time of day such as "22:30"'
            )
        require(
            bool(self.quiet_from) == bool(self.quiet_until),
            "alerting.quiet_until",
            "and alerting.quiet_from are given together or not at all",
        )
        require(
            not self.quiet_from or self.quiet_from != self.quiet_until,
            "alerting.quiet_until",
            "must differ from alerting.quiet_from",
        )
        require(self.quiet_up_to is not Level.EMERGENCY, "alerting.quiet_up_to", "cannot be an emergency")


def minute_of(text: str) -> int | None:
    """The minute of the day that a time says; None if it says none.

    Example:
        >>> [minute_of(each) for each in ("00:00", "22:30", "7:05", "24:00", "noon")]
        [0, 1350, None, None, None]
    """
    hours, colon, minutes = text.partition(":")
    if not colon or len(hours) != 2 or len(minutes) != 2 or not (hours + minutes).isascii():
        return None
    if not (hours + minutes).isdigit() or int(minutes) >= 60:
        return None
    minute = int(hours) * 60 + int(minutes)
    return minute if minute < _DAY_MINUTES else None


@dataclass(frozen=True, kw_only=True, slots=True)
class RouteSettings:
    """Names of channels by level. None named: all channels. "log": none."""

    watch: tuple[str, ...] = ()
    """Good to know: notes, a position that comes nearer to liquidation."""
    warn: tuple[str, ...] = ()
    """Should be looked at within the hour."""
    critical: tuple[str, ...] = ()
    """Should be looked at now."""
    emergency: tuple[str, ...] = ()
    """About to cost everything: about to be liquidated, liquidated, or near it without a stop. Never the log alone."""

    def of(self, level: str) -> tuple[str, ...]:
        """The channels of a level, by its name; empty: all."""
        names: tuple[str, ...] = getattr(self, level, ())
        return names


def problems_of_routes(routes: RouteSettings, channels: Collection[str]) -> Iterator[tuple[str, str]]:
    """Every route that leads nowhere, as key below `alerts` and what is wrong with it."""
    for level in Level:
        names = routes.of(level.value)
        for name in names:
            if name != LOG_ONLY and name not in channels:
                known = ", ".join(sorted(channels)) or "none"
                yield f"routes.{level.value}", f"names no channel: {name}; channels are {known}"
        if LOG_ONLY in names and len(names) > 1:
            yield (
                f"routes.{level.value}",
                'is "log" alone or names of channels: what goes to a channel is logged anyway',
            )
    if LOG_ONLY in routes.emergency and channels:
        yield "routes.emergency", "must lead to a channel: an emergency is never kept from people"
