"""An alert as it travels: to the log, into the outbox file and to every channel.

Units: times in nanoseconds since 1970 UTC.
"""

from __future__ import annotations

import msgspec

from daemon.core.commands import Notify, RaiseAlert, Severity, Told

EMERGENCY = "emergency"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What a webhook receives, as one JSON object. Fields with a default were added later: older files lack them."""

    alert_id: str
    """Names the fact. The same id twice is the same alert, delivered twice."""
    severity: Severity
    topic: str
    state: str
    symbol: str
    text: str
    """What happened, with the figures."""
    reason: str
    account: int
    raised_ns: int
    facts: dict[str, str] = {}
    level: str = ""
    """How far it has come, in the words of the policy; empty where only the severity is known."""
    group: str = ""
    """What belongs together: of two waiting messages of a group the newer tells all. Empty: it stands alone."""
    title: str = ""
    did: str = ""
    """What the guard did."""
    will: str = ""
    """What it will do next."""
    you_can: str = ""
    """What a person can do."""
    is_resolved: bool = False
    """The trouble of this group is over."""
    started_ns: int = 0
    """When the trouble of this group began; 0: when the alert was raised."""
    count: int = 1
    """How many facts this message tells of."""
    members: tuple[Told, ...] = ()
    """The first of them, the worst and most exposed in front."""

    @property
    def rank(self) -> int:
        """4 for an emergency, then 3 for CRITICAL down to 1 for NOTE."""
        return 4 if self.level == EMERGENCY else _RANKS[self.severity]

    @property
    def begun_ns(self) -> int:
        """When the trouble began, never later than the message."""
        return min(self.started_ns or self.raised_ns, self.raised_ns)


_RANKS = {Severity.NOTE: 1, Severity.WARNING: 2, Severity.CRITICAL: 3}


def alert_of(command: RaiseAlert, *, account: int, raised_ns: int) -> Alert:
    """Return the message that a `RaiseAlert` of the core asks for."""
    return Alert(
        alert_id=command.alert_id,
        severity=command.severity,
        topic=command.topic,
        state=command.state,
        symbol=command.symbol,
        text=command.text,
        reason=command.reason.value,
        account=account,
        raised_ns=raised_ns,
        facts=dict(command.facts),
    )


def alert_from(notice: Notify, *, account: int, raised_ns: int) -> Alert:
    """Return the message that a `Notify` of the core is."""
    return Alert(
        alert_id=notice.notification_id,
        severity=notice.severity,
        topic=notice.topic,
        state=notice.state,
        symbol=notice.symbol,
        text=notice.text,
        reason=notice.reason.value,
        account=account,
        raised_ns=raised_ns,
        facts=dict(notice.facts),
        level=notice.level,
        group=notice.group,
        title=notice.title,
        did=notice.did,
        will=notice.will,
        you_can=notice.you_can,
        is_resolved=notice.is_resolved,
        started_ns=notice.started_ns,
        count=notice.count,
        members=notice.members,
    )
