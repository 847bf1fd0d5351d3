"""The outside heartbeat: success is a statement about a cycle that saw and acted; else silence, or failure."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from config.channels import FailOn, HeartbeatSettings, PingMethod
from config.policy import Policy
from daemon.core.halt import HaltKind
from daemon.core.memory.interventions import Latch, LatchKind
from daemon.core.mode import Mode
from daemon.core.state import GuardState, initial_state
from daemon.shell.alerts import heartbeat as heartbeat_module
from daemon.shell.alerts.channel import NotDelivered
from daemon.shell.alerts.heartbeat import Heartbeat, Look, Ping, Standing, look_at, ping_for
from tests.fakes import START_NS, ManualClock

SECOND = 10**9


def a_state(mode: Mode = Mode.GUARDING, *, cycle_ns: int = START_NS) -> GuardState:
    """A guard whose newest decision cycle was completed then."""
    state = replace(initial_state(1, Policy()), mode=mode, started_ns=START_NS)
    return replace(state, health=replace(state.health, last_tick_ns=cycle_ns))


def frozen(state: GuardState) -> GuardState:
    """The same with a latch."""
    latch = Latch(name="freeze", kind=LatchKind.FREEZE, text="asked for", since_ns=START_NS)
    return replace(state, latches={"freeze": latch})


class FakeAddress:
    """Takes pings, or does not."""

    def __init__(self) -> None:
        self.is_dead = False
        self.got: list[tuple[str, str, bytes]] = []
        self.attempts = 0

    async def send(
        self, content: bytes = b"", *, method: str = "POST", below: str = "", content_type: str = ""
    ) -> None:
        self.attempts += 1
        if self.is_dead:
            raise NotDelivered("example.org: ConnectError")
        self.got.append((method, below, content))


class Watched:
    """A heartbeat over a state that a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, settings: HeartbeatSettings | None = None) -> None:
        self.state, self.clock, self.address = a_state(), ManualClock(), FakeAddress()
        self.heartbeat = Heartbeat(
            settings or HeartbeatSettings(url="http://127.0.0.1/x", interval_s=60),
            self.address,
            clock=self.clock,
            state=lambda: self.state,
            headline=lambda: "guarding: 1 of 1 positions covered",
        )
        self._loop_s = 0.0
        monkeypatch.setattr(heartbeat_module, "asyncio", SimpleNamespace(get_running_loop=lambda: self))

    def time(self) -> float:
        return self._loop_s

    async def after(self, seconds: int, *, cycle: bool = True) -> list[str]:
        """Let time pass, with decision cycles or without, and return what was pinged then."""
        before = len(self.address.got)
        for _ in range(seconds):
            self._loop_s += 1
            self.clock.advance_s(1)
            if cycle:
                health = replace(self.state.health, last_tick_ns=self.clock.now_ns())
                self.state = replace(self.state, health=health)
            await self.heartbeat.look()
        return [below or "/" for _, below, _ in self.address.got[before:]]


@pytest.mark.parametrize(
    ("state", "standing"),
    [
        (a_state(), Standing.WELL),
        (a_state(Mode.BLIND), Standing.BLIND),
        (a_state(Mode.STARTING), Standing.UNKNOWN),
        (a_state(Mode.SYNCING), Standing.UNKNOWN),
        (a_state(Mode.STOPPING), Standing.UNKNOWN),
        (frozen(a_state()), Standing.HALTED),
        (frozen(a_state(Mode.BLIND)), Standing.BLIND),
        (replace(a_state(), degraded={"journal_failed": START_NS}), Standing.BLIND),
        (replace(a_state(), degraded={"something of a later build": START_NS}), Standing.BLIND),
    ],
)
def test_the_guard_is_judged_by_its_own_state(state: GuardState, standing: Standing) -> None:
    """P6's measure, told outside: what it cannot see, do or remember is blind; a latch is a decision."""
    assert look_at(state, now_ns=START_NS).standing is standing


def test_a_guard_that_has_not_looked_lately_is_blind() -> None:
    """The loop was held, or no tick came: what the state says is old."""
    look = look_at(a_state(), now_ns=START_NS + 6 * SECOND)
    assert look.standing is Standing.BLIND
    assert HaltKind.STALE.value not in look.reason, "words for people"


@pytest.mark.parametrize("standing", list(Standing))
@pytest.mark.parametrize("fail_on", list(FailOn))
@pytest.mark.parametrize("is_new", [True, False])
def test_what_may_be_said(standing: Standing, fail_on: FailOn, is_new: bool) -> None:
    """P6: success only after a new cycle that saw and acted, whatever the setting; failure as the setting says."""
    look = Look(standing=standing, reason="", cycle_ns=2 if is_new else 1)
    ping = ping_for(look, fail_on, told_cycle_ns=1)
    if ping is Ping.SUCCESS:
        assert is_new
        assert standing in {Standing.WELL, Standing.HALTED}
    if ping is Ping.FAIL:
        assert fail_on is not FailOn.NEVER
        assert standing is Standing.BLIND or (standing is Standing.HALTED and fail_on is FailOn.HALT)
    if standing is Standing.WELL:
        assert (ping is Ping.SUCCESS) is is_new


async def test_one_ping_an_interval_and_none_without_a_cycle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two minutes of health are two pings; a core that completes no cycle gives none, and fails after five seconds."""
    watched = Watched(monkeypatch)
    assert await watched.after(1) == ["/"]
    assert await watched.after(110) == ["/"]
    assert await watched.after(4, cycle=False) == []
    assert await watched.after(60, cycle=False) == ["/fail"]


async def test_failure_is_told_at_once_and_so_is_health(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blind between two pings: the word of failure does not wait for the interval, nor does the return of sight."""
    watched = Watched(monkeypatch)
    assert await watched.after(10) == ["/"]
    watched.state = replace(watched.state, mode=Mode.BLIND)
    assert await watched.after(2) == ["/fail"]
    method, _, words = watched.address.got[-1]
    assert method == "POST"
    assert b"the guard is blind" in words
    watched.state = replace(watched.state, mode=Mode.GUARDING)
    assert await watched.after(6) == ["/"]
    assert watched.address.got[-1][2] == b"guarding: 1 of 1 positions covered"


async def test_a_flapping_guard_does_not_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blind and back every second for half a minute: a ping every five seconds at most."""
    watched = Watched(monkeypatch)
    pings = 0
    for number in range(30):
        watched.state = replace(watched.state, mode=Mode.BLIND if number % 2 else Mode.GUARDING)
        pings += len(await watched.after(1))
    assert pings <= 7


async def test_silence_alone_tells_if_the_setting_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """`fail_on = "never"`: blind is silence; a latch does not keep a guard that sees and acts from saying so."""
    settings = HeartbeatSettings(url="http://127.0.0.1/x", fail_on=FailOn.NEVER, method=PingMethod.GET)
    watched = Watched(monkeypatch, settings)
    watched.state = a_state(Mode.BLIND)
    assert await watched.after(100) == []
    watched.state = frozen(watched.state)
    watched.state = replace(watched.state, mode=Mode.GUARDING)
    assert await watched.after(1) == ["/"]
    assert watched.address.got[-1] == ("GET", "", b"")


async def test_a_service_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its trouble is counted, shown and said once; the ping comes as soon as it is back, ten seconds later at most."""
    watched = Watched(monkeypatch)
    watched.address.is_dead = True
    assert await watched.after(35) == []
    assert watched.address.attempts == 4
    assert watched.heartbeat.figures["undelivered"] == 4
    assert watched.heartbeat.figures["problem"] == "example.org: ConnectError"
    watched.address.is_dead = False
    assert await watched.after(10) == ["/"]
    assert watched.heartbeat.figures == {
        "successes": 1,
        "fails": 0,
        "undelivered": 4,
        "last": "success",
        "problem": "",
    }
