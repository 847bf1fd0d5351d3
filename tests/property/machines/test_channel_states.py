"""Several channels and one file: no alert vanishes at any channel, whatever channels, disk and kills do.

Each reaches each of its channels at least once, or is counted as lost, or a newer message of its group tells it.
"""

from __future__ import annotations

import asyncio
import errno
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from daemon.core.commands import Severity
from daemon.shell.alerts import outbox as outbox_module
from daemon.shell.alerts.channel import Channel, DeliveryRefused, NotDelivered
from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.outbox import AlertOutbox
from daemon.shell.alerts.outbox_file import Line, OutboxFile
from daemon.shell.alerts.worker import Outcome, Outlet, Worker
from tests.builders import SECOND
from tests.fakes import ManualClock
from tests.unit.daemon.shell.alerts.test_waiting import an_alert

NAMES = ("phone", "mail", "pager")
FALLBACK = {"phone": "mail", "mail": "phone"}
RETRY_FOR_S = 100.0


class _Moody(Channel):
    """Well, dead, or one that objects to everything."""

    def __init__(self) -> None:
        self.mood = "well"
        self.took: list[str] = []

    async def deliver(self, alert: Alert) -> None:
        match self.mood:
            case "dead":
                raise NotDelivered("no answer")
            case "refuses":
                raise DeliveryRefused("answered 400")
            case "crashes":
                raise ZeroDivisionError
            case _:
                self.took.append(alert.alert_id)


class _Disk(OutboxFile):
    is_full = False

    def append(self, lines: Iterable[Line]) -> None:
        self._refuse()
        super().append(lines)

    def rewrite(self, lines: Iterable[Line]) -> None:
        self._refuse()
        super().rewrite(lines)

    def _refuse(self) -> None:
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")


class _Outbox(AlertOutbox):
    """Tells the machine how each alert ended."""

    over: dict[tuple[str, str], Outcome]

    def note_over(self, name: str, alert: Alert, outcome: Outcome) -> None:
        self.over.setdefault((alert.alert_id, name), outcome)
        super().note_over(name, alert, outcome)


class ChannelsMachine(RuleBasedStateMachine):
    """Alerts for some of three channels, moods, a disk that fills, time, and kills."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.disk = _Disk(Path(self.folder.name) / "alerts")
        self.channels = {name: _Moody() for name in NAMES}
        self.clock = ManualClock()
        self.alerts: dict[str, Alert] = {}
        self.meant: dict[str, set[str]] = {}
        self.over: dict[tuple[str, str], Outcome] = {}
        self.outbox = self._made()

    def _made(self) -> _Outbox:
        named = [Outlet(name=name, channel=each, fallback=FALLBACK.get(name)) for name, each in self.channels.items()]
        outbox = _Outbox(outlets=named, file=self.disk, clock=self.clock, retry_for_s=RETRY_FOR_S, first_pause_s=0.0)
        outbox.over = self.over
        self.runner.run(outbox._load())
        return outbox

    def _saved(self) -> None:
        """What the keeper does; it need not wait before it tries a full disk again."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(outbox_module, "SAVE_AGAIN_AFTER_S", 0.0)
            self.runner.run(self.outbox._save())

    @rule(
        severity=st.sampled_from(Severity),
        to=st.sets(st.sampled_from(NAMES)),
        group=st.sampled_from(["", "g", "h"]),
        over=st.booleans(),
    )
    def alert(self, severity: Severity, to: set[str], group: str, *, over: bool) -> None:
        """One more, for some channels or for all."""
        name = f"a{len(self.alerts)}"
        alert = an_alert(name, severity, at=self.clock.now_ns(), group=group, over=over and bool(group))
        self.alerts[name] = alert
        self.meant[name] = to or set(NAMES)
        self.outbox.put_nowait(alert, sorted(to))

    @rule(name=st.sampled_from(NAMES), mood=st.sampled_from(["well", "dead", "refuses", "crashes"]))
    def channel_turns(self, name: str, mood: str) -> None:
        """The mood of one of them."""
        self.channels[name].mood = mood

    @rule(is_full=st.booleans())
    def disk_turns(self, *, is_full: bool) -> None:
        """Somebody fills the disk, or makes room."""
        self.disk.is_full = is_full

    @rule()
    def the_keeper_saves(self) -> None:
        """The file is brought up to date, if it can be."""
        self._saved()

    @rule(number=st.integers(0, len(NAMES) - 1))
    def one_works(self, number: int) -> None:
        """One worker takes the alert whose turn it is."""
        self._turn(self.outbox.workers[number])

    def _turn(self, worker: Worker) -> None:
        alert = worker._turns.next_of(worker._waiting, float("inf"))
        if alert is not None:
            self.runner.run(worker._deliver(alert))

    @rule(seconds=st.sampled_from([1, 60]))
    def time_passes(self, seconds: int) -> None:
        """Some of them grow old."""
        self.clock.advance_s(seconds)

    @precondition(lambda self: not self.disk.is_full)
    @rule()
    def killed_after_a_save(self) -> None:
        """P7: the file is all that is left: every channel goes on where it was, and what was done stays done."""
        self._saved()
        before = {(alert, name) for alert, known in self.outbox._open.items() for name in known.owing}
        self.outbox = self._made()
        after = {(alert, name) for alert, known in self.outbox._open.items() for name in known.owing}
        kept = {pair for pair in after if pair in before}
        assert after == kept, "nobody has to deliver what was done"
        assert before - kept <= self.replaced(), "nothing is forgotten"

    def replaced(self) -> set[tuple[str, str]]:
        """What ended because a newer message of its group tells it."""
        return {pair for pair, outcome in self.over.items() if outcome is Outcome.REPLACED}

    @rule()
    def killed_in_between(self) -> None:
        """P7: killed before the file knew: the journal brings back what it had not, to everybody."""
        self.outbox = self._made()
        oldest_ns = self.clock.now_ns() - int(RETRY_FOR_S * SECOND)
        for alert in self.alerts.values():
            if alert.alert_id in self.outbox._open or alert.alert_id in self.outbox._ended:
                continue
            if alert.raised_ns > oldest_ns:
                self.meant[alert.alert_id] = set(NAMES)
                self.outbox.put_nowait(alert)
            else:
                for name in self.meant[alert.alert_id]:
                    self.over.setdefault((alert.alert_id, name), Outcome.LOST)

    @invariant()
    def none_vanishes(self) -> None:
        """P10: at every channel that was meant each alert waits, arrived, was lost, or is told by another."""
        for name, alert in self.alerts.items():
            known = self.outbox._open.get(name)
            for channel in self.meant[name] | (set(known.to) if known is not None else set()):
                waits = known is not None and channel in known.owing
                arrived = name in self.channels[channel].took
                outcome = self.over.get((name, channel))
                assert waits or arrived or outcome is not None, f"{name} vanished at {channel}"
                if outcome is Outcome.REPLACED and not arrived:
                    assert any(self.tells(other, alert) for other in self.alerts.values())

    def tells(self, other: Alert, alert: Alert) -> bool:
        """Whether another alert makes this one needless: no end does, but of another end."""
        is_newer = other.raised_ns >= alert.raised_ns and other.alert_id != alert.alert_id
        is_enough = alert.is_resolved or (other.rank >= alert.rank and not other.is_resolved)
        return is_newer and other.group == alert.group and is_enough

    @invariant()
    def workers_and_account_agree(self) -> None:
        """What a worker has waiting is what it owes."""
        for worker in self.outbox.workers:
            owed = {alert for alert, known in self.outbox._open.items() if worker.name in known.owing}
            assert owed == set(worker._waiting._alerts)

    def teardown(self) -> None:
        """All is well again: everything is delivered, or too old."""
        self.disk.is_full = False
        for channel in self.channels.values():
            channel.mood = "well"
        for _ in range(3 * len(self.alerts) * len(NAMES)):
            for worker in self.outbox.workers:
                self._turn(worker)
        assert not self.outbox.waiting
        self._saved()
        kept = self.disk.read()
        assert not kept.pending
        self.runner.close()
        self.folder.cleanup()


ChannelsMachine.TestCase.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestChannels = ChannelsMachine.TestCase
