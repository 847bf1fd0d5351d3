"""The log channel: an alert is a log line, written at once and in the order of decisions."""

from __future__ import annotations

import structlog

from daemon.core.commands import Severity
from daemon.shell.alerts.message import Alert

log = structlog.get_logger("alert")

_LEVELS = {Severity.NOTE: "info", Severity.WARNING: "warning", Severity.CRITICAL: "critical"}


def write_alert(alert: Alert) -> None:
    """Write one line for people."""
    write = getattr(log, _LEVELS[alert.severity])
    write(
        alert.text,
        alert_id=alert.alert_id,
        topic=alert.topic,
        state=alert.state,
        symbol=alert.symbol,
        reason=alert.reason,
        **{f"fact_{name}": value for name, value in alert.facts.items()},
    )
