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
        self._of_group: dict[tuple[str, bool], str] = {}
        """The newest of each group, and the newest that says that it is over."""
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
        if alert.group:
            self._of_group[alert.group, alert.is_resolved] = alert.alert_id
        if len(self._alerts) <= self._most:
            return None
        least = self._keys[bisect_left(self._keys, (self._keys[-1][0],))]
        return self.remove(least[-1])

    def told_by(self, alert: Alert) -> tuple[Alert, ...]:
        """What waits and is made needless by `alert`: of the same group, older, and not graver.

        The end of a trouble that began again is needless however grave it was: after the new beginning it would say
        that nothing stands. An end itself replaces no more than an earlier end.
        """
        if not alert.group:
            return ()
        ids = (self._of_group.get((alert.group, is_over), "") for is_over in {True, alert.is_resolved})
        known = (self._alerts[each] for each in ids if each and each != alert.alert_id)
        return tuple(
            each
            for each in known
            if each.raised_ns <= alert.raised_ns and (each.is_resolved or each.rank <= alert.rank)
        )

    def by_urgency(self) -> Iterator[Alert]:
        """All of them, the most urgent first."""
        return (self._alerts[key[-1]] for key in self._keys)

    def remove(self, alert_id: str) -> Alert | None:
        """Take one out; None if it does not wait."""
        alert = self._alerts.pop(alert_id, None)
        if alert is None:
            return None
        del self._keys[bisect_left(self._keys, self._key_of.pop(alert_id))]
        key = (alert.group, alert.is_resolved)
        if self._of_group.get(key) == alert_id:
            del self._of_group[key]
        return alert
