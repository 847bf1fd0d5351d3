"""What waits for one channel: the gravest first, the oldest of them before the younger; bounded. Pure.

Every question costs little however many wait: a flood must not be felt on the event loop.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from daemon.shell.alerts.message import Alert

_Key = tuple[int, int, int, str]
"""Graver is smaller, then older, then what came first; then its id."""


class Waiting:
    """Alerts in order of urgency."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._alerts: dict[str, Alert] = {}
        self._key_of: dict[str, _Key] = {}
        self._keys: list[_Key] = []
        self._of_group: dict[str, str] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._alerts)

    def __contains__(self, alert_id: object) -> bool:
        return alert_id in self._alerts

    def put(self, alert: Alert) -> Alert | None:
        """Let an alert wait; one that already waits is the same.

        Returns:
            The one that has to go because there is no more room: the oldest of the least grave, possibly itself.
        """
        if alert.alert_id in self._alerts:
            return None
        self._alerts[alert.alert_id] = alert
        self._count += 1
        key = self._key_of[alert.alert_id] = (-alert.rank, alert.raised_ns, self._count, alert.alert_id)
        insort(self._keys, key)
        if alert.group and not alert.is_resolved:
            self._of_group[alert.group] = alert.alert_id
        if len(self._alerts) <= self._most:
            return None
        least = self._keys[bisect_left(self._keys, (self._keys[-1][0],))]
        return self.remove(least[-1])

    def told_by(self, alert: Alert) -> Alert | None:
        """The waiting alert that `alert` makes needless: of the same group, older, and not graver."""
        known = self._alerts.get(self._of_group.get(alert.group, ""))
        if known is None or not alert.group or alert.is_resolved or known.alert_id == alert.alert_id:
            return None
        return known if known.rank <= alert.rank and known.raised_ns <= alert.raised_ns else None

    def by_urgency(self) -> Iterator[Alert]:
        """All of them, the most urgent first."""
        return (self._alerts[key[-1]] for key in self._keys)

    def remove(self, alert_id: str) -> Alert | None:
        """Take one out; None if it does not wait."""
        alert = self._alerts.pop(alert_id, None)
        if alert is None:
            return None
        del self._keys[bisect_left(self._keys, self._key_of.pop(alert_id))]
        if self._of_group.get(alert.group) == alert_id:
            del self._of_group[alert.group]
        return alert
