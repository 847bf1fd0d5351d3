"""The alert outbox: an alert waits, is delivered, or is lost loudly; no crash or torn file forgets a saved one."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from daemon.core.commands import Severity
from daemon.shell.alerts.channel import Channel, DeliveryRefused, NotDelivered
from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.outbox import AlertOutbox
from daemon.shell.alerts.outbox_file import OutboxFile
from daemon.shell.alerts.worker import Outlet
from tests.builders import SECOND, START_NS

_RETRY_FOR_S = 100.0


class _Channel(Channel):
    """A webhook with a mood."""

    def __init__(self) -> None:
        self.mood = "well"
        self.took: list[str] = []

    async def deliver(self, alert: Alert) -> None:
        """Take it, fail, or refuse it for good."""
        match self.mood:
            case "dead":
                raise NotDelivered("no answer")
            case "refuses":
                raise DeliveryRefused("410 Gone")
            case _:
                self.took.append(alert.alert_id)


class _Clock:
    def __init__(self) -> None:
        self.ns = START_NS

    def now_ns(self) -> int:
        return self.ns

    def wall_ns(self) -> int:
        return self.ns

    def move_past(self, ns: int) -> None:
        self.ns = max(self.ns, ns)


class OutboxMachine(RuleBasedStateMachine):
    """Alerts come in, the channel has moods, the process dies, time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "alerts"
        self.channel, self.clock = _Channel(), _Clock()
        self.raised: dict[str, Alert] = {}
        self.saved: set[str] = set()
        self.lost: set[str] = set()
        self.outbox = self._made()

    def _made(self) -> AlertOutbox:
        outbox = AlertOutbox(
            outlets=[Outlet(name="webhook", channel=self.channel)],
            file=OutboxFile(self.path),
            clock=self.clock,
            retry_for_s=_RETRY_FOR_S,
            first_pause_s=0.0,
        )
        self.runner.run(outbox._load())
        return outbox

    @rule(severity=st.sampled_from(Severity), again=st.booleans())
    def alert(self, severity: Severity, *, again: bool) -> None:
        """One more, or one that was raised before."""
        number = len(self.raised) - (1 if again and self.raised else 0)
        known = self.raised.get(f"a{number}")
        alert = known or Alert(
            alert_id=f"a{number}",
            severity=severity,
            topic="t",
            state="s",
            symbol="",
            text="text",
            reason="fact",
            account=7,
            raised_ns=self.clock.ns,
        )
        if known is None or known.alert_id in self.outbox._open:
            self.raised[alert.alert_id] = alert
            self.outbox.put_nowait(alert)

    @rule(mood=st.sampled_from(["well", "dead", "refuses"]))
    def channel_turns(self, mood: str) -> None:
        """The webhook's mood."""
        self.channel.mood = mood

    @precondition(lambda self: self.outbox.waiting)
    @rule()
    def one_turn(self) -> None:
        """What `run` does in one turn: save, then try the most urgent."""
        self.runner.run(self._turn())

    async def _turn(self) -> None:
        await self.outbox._save()
        self.saved |= set(self.outbox._open)
        waiting = {one: known.alert for one, known in self.outbox._open.items()}
        ranks = {alert_id: alert.rank for alert_id, alert in waiting.items()}
        chosen = max(waiting.values(), key=lambda alert: (alert.rank, -alert.raised_ns))
        took, lost = len(self.channel.took), self.outbox.lost
        await self.outbox.workers[0]._deliver(chosen)
        if len(self.channel.took) > took:
            assert ranks[self.channel.took[-1]] == max(ranks.values()), "P10: the gravest first"
        if self.outbox.lost > lost:
            is_old = self.clock.ns - chosen.raised_ns > _RETRY_FOR_S * SECOND
            assert is_old or self.channel.mood == "refuses", "lost without need"
            self.lost.add(chosen.alert_id)
        await self.outbox._save()

    @rule(seconds=st.sampled_from([1, 60]))
    def time_passes(self, seconds: int) -> None:
        """Some of them grow old."""
        self.clock.ns += seconds * SECOND

    @rule()
    def crash(self) -> None:
        """The process dies; what was saved comes back, what was not comes again out of the journal."""
        unsaved = {one for one in self.outbox._open if one not in self.saved}
        self.outbox = self._made()
        for alert_id in unsaved:
            self.outbox.put_nowait(self.raised[alert_id])

    @rule(torn=st.binary(max_size=12))
    def the_file_is_torn(self, torn: bytes) -> None:
        """A crash of the machine leaves a line half written."""
        if self.path.exists():
            with self.path.open("ab") as file:
                file.write(torn.replace(b"\n", b"") + b"\n")
            self.crash()

    @invariant()
    def none_vanishes(self) -> None:
        """P10: every alert waits, was delivered, or was lost and said to be; none waits that was done."""
        waiting = set(self.outbox._open)
        done = {*self.channel.took, *self.lost}
        assert set(self.raised) == waiting | done
        assert not waiting & done
        assert len(self.channel.took) == len(set(self.channel.took)), "delivered twice within one life"

    def teardown(self) -> None:
        """The channel is well again: nothing is left, unless it is too old."""
        self.channel.mood = "well"
        for _ in range(len(self.raised)):
            if self.outbox.waiting:
                self.runner.run(self._turn())
        self.runner.close()
        assert not self.outbox.waiting
        self.folder.cleanup()


OutboxMachine.TestCase.settings = settings(
    max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestOutbox = OutboxMachine.TestCase
