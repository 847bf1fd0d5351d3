"""P12: whatever stops a guard from seeing or acting for longer than a stated time is told as a named state.

Each cause is read off the world (what reached the guard, what its disk and clock are, what rests at the exchange), and
has a time within which one of the states that fit has to be told. Silence is the breach; which of two fitting names is
used is not.

Units: seconds of virtual time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final

from config.policy import SwitchMode
from daemon.core.commands import Command
from daemon.core.events import Source
from tests.simulation.promises.ground import Answered, Ground, GuardFacts, Promise

NO_STREAM: Final = frozenset({"blind_market", "blind_account"})
NO_REQUESTS: Final = frozenset({"venue_unreachable", "budget_empty", "picture_overdue", "misconfigured"})
NO_COVER: Final = frozenset(
    {"uncovered", "cover_refused", "stop_worthless", "liquidation_unknown", "position_disputed"}
)
UNFED: Final = frozenset({"switch_unfed", "switch_unconfirmed", "misconfigured"})
ANYTHING_BLIND: Final = NO_STREAM | NO_REQUESTS | {"clock_skew", "loop_stalled", "hedge_mode"}

STREAM_S: Final = 8.0
"""Beyond the setting for a stale feed and its grace at the start: the tick that notices, and a line that is slow."""
SLOW_CYCLE_S: Final = 35.0
"""Within this every guard asks for something."""
REQUESTS_S: Final = 80.0
"""After that: a read that hangs takes 45 s to be given up, and one missed cycle is no trouble yet."""
CLOCK_S: Final = 100.0
"""Read once a minute, again after ten seconds where that failed, and on the next tick."""
DISK_S: Final = 4.0
PRIVATE: Final = frozenset({"order", "position", "margin", "execution"})
PRIVATE_S: Final = 7.0
"""The account stream tells something every five seconds while a position is open; without it nobody can know more."""
COVER_S: Final = 6.0
"""Beyond the setting for a confirmation."""
SWITCH_S: Final = 12.0
"""Beyond the time at which the next feed was due."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that stops a guard."""

    name: str
    after_s: float
    """It has to be told within this."""
    states: frozenset[str]
    holds: bool


@dataclass(slots=True)
class _Watched:
    """What is followed of one guard."""

    since_s: dict[str, float] = field(default_factory=dict)
    """By cause: since when it holds."""
    answered_s: float = 0.0
    """When the last good answer came."""
    told: set[str] = field(default_factory=set)
    """Causes that were judged since they began."""


class SaysWhatItCannot(Promise):
    """Compares what holds in the world with what people were told."""

    name = "P12"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._watched: dict[str, _Watched] = {}

    def _of(self, facts: GuardFacts) -> _Watched:
        return self._watched.setdefault(facts.guard.name, _Watched())

    # ------------------------------------------------------------ what is followed

    def on_answer(self, facts: GuardFacts, answer: Answered) -> None:
        """A good answer: requests work."""
        if answer.status < 300:
            self._of(facts).answered_s = self._now_s

    def on_commands(self, facts: GuardFacts, commands: Sequence[Command]) -> None:
        """A tick that shows a stalled loop is answered at once."""
        health = facts.health
        if health is None or health.loop_lag_ns <= float(facts.policy.health.max_loop_lag_s) * 1e9:
            return
        self.checked += 1
        if not facts.says("loop_stalled"):
            self._broken(
                f"{facts.guard.name} does not say that its loop was held up for {health.loop_lag_ns / 1e9:.1f} s"
            )

    # ------------------------------------------------------------ once a second

    def on_second(self, *, is_strict: bool) -> None:
        """Each cause that has held for its time has been told."""
        for facts in self._ground.guards.values():
            if facts.is_alive:
                self._judge(facts)
            else:
                self._watched.pop(facts.guard.name, None)

    def _judge(self, facts: GuardFacts) -> None:
        watched = self._of(facts)
        for cause in self._causes(facts):
            if not cause.holds:
                watched.since_s.pop(cause.name, None)
                watched.told.discard(cause.name)
                continue
            since_s = max(watched.since_s.setdefault(cause.name, self._now_s), facts.started_s)
            if self._now_s - since_s <= cause.after_s or cause.name in watched.told:
                continue
            self.checked += 1
            watched.told.add(cause.name)
            if not facts.has_said(cause.states, since_s):
                told = sorted(state for state, _ in facts.active) or "nothing"
                self._broken(f"{facts.guard.name}: {cause.name} for {self._now_s - since_s:.0f} s, and told is {told}")

    def _causes(self, facts: GuardFacts) -> Iterator[Cause]:
        stale_s = float(facts.policy.health.stale_after_s)
        yield Cause("no frame at all", stale_s + STREAM_S, NO_STREAM, self._is_deaf(facts))
        yield Cause("no price", stale_s + STREAM_S, frozenset({"blind_market"}), self._has_no_price(facts))
        yield Cause("no good answer", REQUESTS_S, NO_REQUESTS, self._has_no_answer(facts))
        yield Cause("a clock that is off", CLOCK_S, NO_REQUESTS | {"clock_skew"}, _is_clock_off(facts))
        yield Cause("a disk that refuses", DISK_S, frozenset({"journal_failed"}), _has_bad_disk(facts))
        yield from self._uncovered(facts)
        yield Cause("a countdown that is not fed", SWITCH_S, UNFED | ANYTHING_BLIND, self._is_unfed(facts))

    def _is_deaf(self, facts: GuardFacts) -> bool:
        return self._now_s - max(facts.heard_s.values(), default=facts.started_s) > 1.5

    def _has_no_price(self, facts: GuardFacts) -> bool:
        is_holding = any(key[0] == facts.guard.account for key, _ in self._book.held())
        return is_holding and self._now_s - facts.heard_s.get("instrument", facts.started_s) > 2.5

    def _has_no_answer(self, facts: GuardFacts) -> bool:
        return self._now_s - max(self._of(facts).answered_s, facts.started_s) > SLOW_CYCLE_S

    def _uncovered(self, facts: GuardFacts) -> Iterator[Cause]:
        """Positions of which the guard was told as they are, and that have no sufficient stop: each for itself."""
        if facts.policy.observe or self._ground.is_flattening():
            return
        after_s = float(facts.policy.stop.confirm_within_s) + COVER_S
        for key, held in self._book.held():
            if key[0] == facts.guard.account and held.can_be_liquidated:
                is_listening = any(self._now_s - facts.heard_s.get(table, -inf) < PRIVATE_S for table in PRIVATE)
                is_told = is_listening and facts.told_sizes.get((Source.STREAM, key[1])) == held.quantity
                is_bare = is_told and not self._book.is_covered(key, held)
                name = f"{key[1]} without cover, since {held.since_s:.0f} s {held.quantity},"
                yield Cause(name, after_s, NO_COVER | ANYTHING_BLIND, is_bare)

    def _is_unfed(self, facts: GuardFacts) -> bool:
        """A timer that a guard feeds runs, and the next feed is overdue; what somebody else armed says nothing."""
        policy, world = facts.policy.switch, self._ground.exchange.world
        timer = world.accounts[facts.guard.account].cancel_at_ms
        is_not_its_own = facts.policy.observe or facts.is_paused or policy.mode is SwitchMode.OFF
        if is_not_its_own or timer is None or not facts.fed_s:
            return False
        unfed_s = self._now_s - facts.fed_s
        is_own = (
            timer == self._ground.set_by_guard.get(facts.guard.account)
            and abs(unfed_s + (timer - world.at_ms) / 1000 - float(policy.timeout_s)) < 3.0
        )
        return is_own and unfed_s > float(policy.interval_s)


def _is_clock_off(facts: GuardFacts) -> bool:
    return abs(facts.guard.clock.offset_ns) > (float(facts.policy.health.max_clock_skew_s) + 1) * 1e9


def _has_bad_disk(facts: GuardFacts) -> bool:
    return facts.guard.disk.problem is not None
