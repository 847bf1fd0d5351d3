"""An alert as it travels: to the log, into the outbox file and to the webhook.

Units: times in nanoseconds since 1970 UTC.
"""

from __future__ import annotations

import msgspec

from daemon.core.commands import RaiseAlert, Severity


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What a webhook receives, as one JSON object."""

    alert_id: str
    """Names the fact. The same id twice is the same alert, delivered twice."""
    severity: Severity
    topic: str
    state: str
    symbol: str
    text: str
    reason: str
    account: int
    raised_ns: int
    facts: dict[str, str] = {}

    @property
    def rank(self) -> int:
        """3 for CRITICAL down to 1 for NOTE."""
        return _RANKS[self.severity]


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
