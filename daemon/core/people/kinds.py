"""What kind of fact an alert is: its identity, its group, its level, and whether it stands, happened, or ends another.

One table per question. An alert that no table knows is an event in a group of its own topic: nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from config.alerting import Level
from daemon.core.commands import RaiseAlert, Severity
from daemon.core.degraded import Degraded
from daemon.core.reasons import Reason

_SIGHT: Final = {
    Degraded.BLIND_MARKET,
    Degraded.BLIND_ACCOUNT,
    Degraded.TABLE_DOUBTED,
    Degraded.STREAM_MUTE,
    Degraded.MARK_FROZEN,
    Degraded.VENUE_UNREACHABLE,
    Degraded.PICTURE_OVERDUE,
}
_MEANS: Final = {
    Degraded.BUDGET_EMPTY,
    Degraded.BUDGET_DRAINED,
    Degraded.ADDRESS_BANNED,
    Degraded.MISCONFIGURED,
    Degraded.LOOP_STALLED,
    Degraded.CLOCK_SKEW,
    Degraded.JOURNAL_FAILED,
}
_OTHER: Final = {
    Degraded.SWITCH_UNCONFIRMED: "switch",
    Degraded.SWITCH_UNFED: "switch",
    Degraded.FLATTEN_STUCK: "latch",
    Degraded.FREEZE_STUCK: "latch",
    Degraded.RULE_UNJUDGED: "rule",
    Degraded.BOTS_UNHEARD: "bot",
    Degraded.PAUSED: "operator",
}
_GROUP_OF_STATE: Final = {
    **{state.value: "cover" for state in Degraded},
    **{state.value: "sight" for state in _SIGHT},
    **{state.value: "means" for state in _MEANS},
    **{state.value: group for state, group in _OTHER.items()},
}
"""Of degraded states; those of one position that are not named are about its cover."""
_GROUP_OF_TOPIC: Final = {
    "tier": "distance",
    "cover": "cover",
    "switch": "switch",
    "latch": "latch",
    "rule": "rule",
    "bot": "bot",
    "pause": "operator",
    "stop": "operator",
    "position": "position",
    "ladder": "position",
    "correction": "position",
}
NOTES: Final = "notes"
"""The group of what is good to know and asks for nothing."""
_STANDING: Final = {
    ("cover", "observed"),
    ("cover", "breach"),
    ("cover", "still_naked"),
    ("cover", "vanished"),
    ("latch", "freeze"),
    ("latch", "flatten"),
    ("latch", "held"),
    ("bot", "silent"),
    ("pause", "pause"),
    ("pause", "shadow"),
    ("switch", "clearing"),
}
ENDING: Final = {("latch", "lifted"), ("bot", "back"), ("pause", "ended")}
"""Alerts that end what stands, and are told with a sentence of their own."""
_EMERGENCIES: Final = {("position", "liquidated"), ("cover", "still_naked"), ("tier", "emergency")}
_OF_SEVERITY: Final = {
    Severity.NOTE: Level.WATCH,
    Severity.WARNING: Level.WARN,
    Severity.CRITICAL: Level.CRITICAL,
}


class Phase(Enum):
    """What an alert does to the fact that it names."""

    BEGINS = "begins"
    HAPPENED = "happened"
    ENDS = "ends"


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """What the book makes of one alert."""

    name: str
    """Of the fact."""
    group: str
    level: Level
    phase: Phase
    subject: str


def kind_of(alert: RaiseAlert) -> Kind:
    """Say what an alert is."""
    phase = _phase(alert)
    subject = _subject(alert)
    level = level_of(alert)
    return Kind(
        name=_name(alert, subject, phase), group=_group(alert, phase, level), level=level, phase=phase, subject=subject
    )


def level_of(alert: RaiseAlert) -> Level:
    """How loud an alert is, in the words of the policy."""
    if (alert.topic, alert.state) in _EMERGENCIES:
        return Level.EMERGENCY
    if alert.state == Degraded.UNCOVERED.value and alert.severity is Severity.CRITICAL:
        return Level.EMERGENCY  # near liquidation, and nothing rests that protects it
    if alert.topic == "pause" and alert.severity is Severity.CRITICAL:
        return Level.EMERGENCY  # paused, and nothing rests that protects a position
    return _OF_SEVERITY[alert.severity]


def _phase(alert: RaiseAlert) -> Phase:
    if alert.reason is Reason.RECOVERED or (alert.topic, alert.state) in ENDING:
        return Phase.ENDS
    if alert.topic == "tier":
        return Phase.ENDS if alert.state == "calm" else Phase.BEGINS
    if alert.topic in {"degraded", "rule"} or (alert.topic, alert.state) in _STANDING:
        return Phase.BEGINS
    return Phase.HAPPENED


def _subject(alert: RaiseAlert) -> str:
    if alert.topic not in {"latch", "bot", "rule"}:
        return ""
    return next((value for name, value in alert.facts if name in {"latch", "bot", "subject"}), "")


def _name(alert: RaiseAlert, subject: str, phase: Phase) -> str:
    """One life of one thing has one name, whatever state it is in; of others the state is a part of the name."""
    if alert.topic == "pause" or alert.state == Degraded.PAUSED.value:
        return "pause"
    is_one = alert.topic in {"tier", "bot"} or (alert.topic == "latch" and phase is not Phase.HAPPENED)
    state = "" if is_one else alert.state
    return ":".join((alert.topic, state, alert.symbol if alert.topic != "rule" else "", subject))


def _group(alert: RaiseAlert, phase: Phase, level: Level) -> str:
    if alert.topic == "degraded":
        return _GROUP_OF_STATE.get(alert.state, alert.topic)
    if phase is Phase.HAPPENED and level is Level.WATCH:
        return NOTES
    return _GROUP_OF_TOPIC.get(alert.topic, alert.topic)
