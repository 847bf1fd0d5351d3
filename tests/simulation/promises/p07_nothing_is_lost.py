"""P7: what a killed guard knew, and had on its disk, it knows again; and no latch is gone without a word.

Where the disk kept everything, the state it recovers is the one in which it died, or the one right after it: all of it,
latches, baselines, ratchets, silences, pending requests. Where records were lost the venue has to tell the rest:
that is P2's matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Final

from config.bots import OnSilence
from config.ladder import Step
from config.modes import Action, Lift, RuleMode
from config.policy import Policy
from daemon.core.commands import Command, RaiseAlert
from daemon.core.events import Event, OperatorAsked, Started
from daemon.core.memory.interventions import Latch, LatchKind
from daemon.core.operator_requests import FlattenAsked, FreezeAsked, LiftLatch
from daemon.core.state import GuardState, with_policy
from daemon.core.step import step
from tests.simulation.promises.ground import Ground, GuardFacts, Promise
from tests.simulation.promises.p01_never_adds_danger import steps_of

OPERATORS: Final = {"operator": LatchKind.FREEZE, "operator-flatten": LatchKind.FLATTEN}
LADDER: Final = {"ladder": LatchKind.FREEZE, "ladder-flatten": LatchKind.FLATTEN}


@dataclass(slots=True)
class _Known:
    """What is known of one guard."""

    latches: dict[str, Latch] = field(default_factory=dict)
    """What its state held when it was last looked at."""
    lifted: dict[str, str] = field(default_factory=dict)
    """What it said was lifted since then, and by whom."""
    may_lift: set[str] = field(default_factory=set)
    """What a person asked it to lift, "" for all, since the last look."""
    asked: set[LatchKind] = field(default_factory=set)
    """What kinds of latch a person asked for, ever."""
    state: GuardState | None = None
    """Its state before the newest event, and that event: kept for the moment at which it dies."""
    event: Event | None = None
    late_event: Event | None = None
    """The first event after it was struck: its record may still have reached the disk."""
    last_state: GuardState | None = None
    """The state in which it died; None where its disk has lost something."""
    last_events: tuple[Event, ...] = ()


class NothingIsLost(Promise):
    """Compares what it knows with what it knew."""

    name = "P7"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._known: dict[str, _Known] = {}

    def _of(self, facts: GuardFacts) -> _Known:
        return self._known.setdefault(facts.guard.name, _Known())

    def on_event(self, facts: GuardFacts, event: Event) -> None:
        """Learn what a person asked for; at a start, compare."""
        known, state = self._of(facts), facts.guard.state
        if isinstance(event, Started):
            self._compare(facts, known, state)
        if state is not None:
            known.state, known.event, known.late_event = state, event, None
        elif known.late_event is None:
            known.late_event = event
        if not isinstance(event, OperatorAsked):
            return
        match event.request:
            case LiftLatch(name=name):
                known.may_lift.add(name)
            case FlattenAsked():
                known.asked.add(LatchKind.FLATTEN)
            case FreezeAsked():
                known.asked.add(LatchKind.FREEZE)
            case _:
                pass

    # ------------------------------------------------------------ the state

    def forget(self, facts: GuardFacts, *, is_memory_lost: bool) -> None:
        """It is dead. What was known is expected again, unless its disk has lost something."""
        known = self._of(facts)
        known.last_state = None if is_memory_lost else known.state
        known.last_events = tuple(each for each in (known.event, known.late_event) if each is not None)
        known.state = known.event = known.late_event = None
        if is_memory_lost:
            known.latches = {}

    def _compare(self, facts: GuardFacts, known: _Known, recovered: GuardState | None) -> None:
        before, events = known.last_state, known.last_events
        known.last_state, known.last_events = None, ()
        if before is None or recovered is None:
            return
        self.checked += 1
        candidates = [before]
        for event in events:
            candidates.append(step(candidates[-1], event).state)
        if not any(with_policy(each, facts.policy) == recovered for each in candidates):
            names = list(_differences(candidates[-1], recovered))
            self._broken(f"{facts.guard.name} comes back with another {', '.join(names)} than it died with")

    # ------------------------------------------------------------ latches

    def on_commands(self, facts: GuardFacts, commands: Sequence[Command]) -> None:
        """Learn what a guard told of latches."""
        for command in commands:
            if isinstance(command, RaiseAlert) and command.topic == "latch" and command.state == "lifted":
                told = dict(command.facts)
                self._of(facts).lifted[told["latch"]] = told["who"]

    def look(self, facts: GuardFacts) -> None:
        """Compare its latches with those it had: what is gone was lifted by somebody who may, and told."""
        state, known = facts.guard.state, self._of(facts)
        if state is None:
            return
        for name, latch in known.latches.items():
            self.checked += 1
            if name not in state.latches or state.latches[name].since_ns > latch.since_ns:
                self._check_lift(facts, known, latch, is_held=name in state.latches)
        for name, latch in state.latches.items():
            if name not in known.latches:
                self._check_cause(facts, known, latch)
        known.latches = dict(state.latches)
        known.lifted, known.may_lift = {}, set()

    def _check_lift(self, facts: GuardFacts, known: _Known, latch: Latch, *, is_held: bool) -> None:
        who, name = known.lifted.get(latch.name), facts.guard.name
        if is_held and who is None:
            return
        if who is None:
            self._broken(f"{name}: {latch.kind.value} {latch.name} is gone, and nobody was told")
        elif not known.may_lift & {"", latch.name}:
            by_itself = latch.kind is LatchKind.FREEZE and latch.lift is not Lift.OPERATOR
            if not by_itself:
                self._broken(f"{name}: {latch.kind.value} {latch.name} lifts by itself ({who})")

    def _check_cause(self, facts: GuardFacts, known: _Known, latch: Latch) -> None:
        in_force = (facts.policy, *facts.guard.former_policies)
        if not any(_is_meant(policy, known.asked, latch) for policy in in_force):
            text = f"{facts.guard.name}: {latch.kind.value} {latch.name} holds, which nobody asked for"
            self._ground.broken("P1", text)


def _is_meant(policy: Policy, asked: set[LatchKind], latch: Latch) -> bool:
    """Whether a person, a rule or the ladder may have set this latch."""
    if latch.name in OPERATORS:
        return latch.kind in asked
    if latch.name in LADDER:
        wanted = Step.FLATTEN if latch.kind is LatchKind.FLATTEN else Step.FREEZE
        return policy.ladder.mode is RuleMode.ON and wanted in steps_of(policy)
    if latch.name.startswith("bot-"):
        bot = policy.bots.get(latch.name.removeprefix("bot-"))
        return bot is not None and bot.on_silence is OnSilence.CANCEL_AND_FLATTEN
    rule = getattr(policy.account, latch.name.partition(":")[0], None)
    action = Action.FLATTEN if latch.kind is LatchKind.FLATTEN else Action.FREEZE
    return rule is not None and rule.mode is RuleMode.ON and rule.action is action


def _differences(one: GuardState, other: GuardState) -> Iterator[str]:
    """Names of the fields that differ."""
    return (each.name for each in fields(one) if getattr(one, each.name) != getattr(other, each.name))
