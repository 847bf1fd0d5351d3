"""Whose turn it is at one channel: the most urgent, unless it is the one that the receiver chokes on. Pure.

Why: a failure is about the channel or about the message, and nothing tells which. Taken for the channel's every time,
one message that a receiver answers with a 500 keeps all others from people for an hour. So after a failure every other
attempt goes to what has not failed since something last passed; what fails while others pass waits a while of its own.
The messages of one group keep their order: nobody hears that a trouble is over before they hear of it.

Units: seconds of the loop's clock.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.waiting import Waiting

SUSPECT_AFTER: Final = 2
"""So often an alert fails while others pass before it is set aside: one failure may be chance."""
FIRST_ASIDE_S: Final = 1.0
LONGEST_ASIDE_S: Final = 60.0


class Turns:
    """Remembers what failed, and picks what is tried next."""

    def __init__(self) -> None:
        self._failed: set[str] = set()
        """Since something last passed."""
        self._is_others_turn = False
        self._strikes: dict[str, int] = {}
        """How often one failed while another passed."""
        self._aside: dict[str, float] = {}
        """Until when one is left alone."""

    def next_of(self, waiting: Waiting, now_s: float) -> Alert | None:
        """The one to try now; None: nothing waits, or all of it is set aside."""
        first = self._first(waiting, now_s, but=frozenset())
        if first is None or not self._is_others_turn:
            return first
        other = self._first(waiting, now_s, but=self._failed)
        if other is None:  # all have failed: the round begins anew
            self._failed &= {first.alert_id}
            other = self._first(waiting, now_s, but=self._failed)
        return other or first

    def _first(self, waiting: Waiting, now_s: float, *, but: Collection[str]) -> Alert | None:
        """The most urgent that is neither set aside nor excepted, and whose group has nothing older waiting."""
        begun: set[str] = set()
        for alert in waiting.by_urgency():
            if alert.group in begun:
                continue
            if self._aside.get(alert.alert_id, 0.0) <= now_s and alert.alert_id not in but:
                return alert
            if alert.group:
                begun.add(alert.group)
        return None

    def due_in_s(self, now_s: float) -> float | None:
        """When the first that is set aside may be tried; None: none is."""
        later = [until_s for until_s in self._aside.values() if until_s > now_s]
        return min(later) - now_s if later else None

    def note_failed(self, alert_id: str, now_s: float) -> None:
        """It did not arrive: the next attempt goes to another."""
        self._is_others_turn = not self._is_others_turn
        self._failed.add(alert_id)
        if self._strikes.get(alert_id, 0) >= SUSPECT_AFTER:
            self._set_aside(alert_id, now_s)

    def note_passed(self, alert_id: str, now_s: float) -> None:
        """It arrived, so the channel works: what failed before it may be at fault itself."""
        for each in self._failed - {alert_id}:
            if self._aside.get(each, 0.0) <= now_s:
                self._set_aside(each, now_s)
        self._failed.clear()
        self._is_others_turn = False

    def _set_aside(self, alert_id: str, now_s: float) -> None:
        """One failure more while others pass: from the second on it waits, longer each time."""
        strikes = self._strikes[alert_id] = self._strikes.get(alert_id, 0) + 1
        if strikes >= SUSPECT_AFTER:
            aside_s = min(LONGEST_ASIDE_S, FIRST_ASIDE_S * 2.0 ** min(strikes - SUSPECT_AFTER, 10))
            self._aside[alert_id] = now_s + aside_s

    def forget(self, alert_id: str) -> None:
        """It waits no more."""
        self._failed.discard(alert_id)
        self._strikes.pop(alert_id, None)
        self._aside.pop(alert_id, None)
