"""P10, the messages themselves: what people get (`Notify`), beside the facts that are raised.

- Few: no guard sends more than `CALLS` messages in a minute, whatever goes on; news of a group comes no sooner after
  the one before than the settings say, unless it is worse; repeats keep their interval.
- All: a fact from CRITICAL on that was raised is in a message as soon as the settings let it, unless it follows from
  another; one that was over, or eased, before anybody heard may wait as long as a warning.
- Heard: what somebody acknowledged is not said to him again while that holds; what somebody silenced is in no message;
  and neither keeps an emergency that is new from anybody.
- Whole: every message says what happened, what was done, what comes next and what can be done, under an id of its own.

Units: seconds of virtual time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from config.alerting import Level
from daemon.core.commands import Notify, RaiseAlert
from daemon.core.memory.alert_book import Fact
from daemon.core.operator_requests import AcknowledgeAsked, OperatorRequest, UnsilenceAsked
from daemon.core.people.hushed import inhibitor, silenced_by
from daemon.core.people.kinds import Phase, kind_of
from daemon.core.state import GuardState
from tests.simulation.promises.ground import WHOLE_AGAIN_S, GuardFacts

CALLS: Final = 40
"""A group of one kind for each cause, each told as it gets worse, and every quarter of a minute at most."""
SLACK_S: Final = 6.0
"""The tick of every second, and the look every five."""
_RANKS: Final = {level.value: level.rank for level in Level}


@dataclass(slots=True)
class _Group:
    told_s: float
    rank: int


@dataclass(slots=True)
class Messages:
    """What one guard sent to people, and what it owes them."""

    ids: set[str] = field(default_factory=set)
    groups: dict[str, _Group] = field(default_factory=dict)
    owed: dict[str, float] = field(default_factory=dict)
    """Grave facts that were raised and not told, by name, and since when."""
    eased: set[str] = field(default_factory=set)
    """Those of them that are over, or less grave by now."""
    taken_on: dict[str, float] = field(default_factory=dict)
    """Groups that a person acknowledged, and when; news of one ends it."""
    unsilenced: tuple[float, str] = (0.0, "")
    """When a person last ended a silence, and its name; an empty one is all of them."""
    minute: int = 0
    calls: int = 0
    checked: int = 0

    def raised(self, alert: RaiseAlert, now_s: float) -> None:
        """A fact is raised: from CRITICAL on, people are owed it."""
        kind = kind_of(alert)
        if kind.phase is Phase.ENDS:
            self.owed.pop(kind.name, None)
        elif kind.level.rank >= Level.CRITICAL.rank:
            self.owed.setdefault(kind.name, now_s)

    def told(self, facts: GuardFacts, notice: Notify, now_s: float) -> str:
        """A message: what is wrong with it, empty if nothing is."""
        self.checked += 1
        wrong = (
            self._flood(now_s)
            or self._form(notice)
            or self._pace(facts, notice, now_s)
            or self._taken_on(facts, notice, now_s)
            or self._silenced(facts, notice, now_s)
        )
        self.ids.add(notice.notification_id)
        if notice.is_resolved:
            self.groups.pop(notice.group, None)
        else:
            self.groups[notice.group] = _Group(told_s=now_s, rank=_RANKS[notice.level])
        return wrong

    def _flood(self, now_s: float) -> str:
        minute = int(now_s // 60)
        self.calls = self.calls + 1 if minute == self.minute else 1
        self.minute = minute
        return f"people are called {CALLS} times in a minute" if self.calls == CALLS else ""

    def _form(self, notice: Notify) -> str:
        if notice.notification_id in self.ids:
            return f"{notice.notification_id} is told a second time under the same id"
        missing = [name for name in ("title", "text", "did", "will", "you_can") if not getattr(notice, name)]
        return f"{notice.notification_id} does not say {' and '.join(missing)}" if missing else ""

    def _pace(self, facts: GuardFacts, notice: Notify, now_s: float) -> str:
        known, rank = self.groups.get(notice.group), _RANKS[notice.level]
        if known is None or notice.is_resolved or rank > known.rank or facts.guard.clock.is_just_set(3_600.0):
            return ""
        least_s = least_pause_s(facts, notice.cause, rank)
        if now_s - known.told_s >= least_s - 1.5:
            return ""
        return f"{notice.group} ({notice.cause}, {notice.level}) is told {now_s - known.told_s:.1f} s after the last"

    def asked(self, request: OperatorRequest, now_s: float) -> None:
        """A person asks for something."""
        if isinstance(request, AcknowledgeAsked):
            for group in [request.key] if request.key else list(self.groups):
                self.taken_on[group] = now_s
        elif isinstance(request, UnsilenceAsked):
            self.unsilenced = now_s, request.name

    def _silenced(self, facts: GuardFacts, notice: Notify, now_s: float) -> str:
        """What a person silenced is in no message, unless it is an emergency; and no emergency is kept from one."""
        state, at_ns = facts.guard.state, int(notice.notification_id.split(":")[1])
        # The state is that before the step: a silence that a person ended with it stands there still.
        ended = self.unsilenced[1] if self.unsilenced[0] == now_s else None
        silences = () if state is None or ended == "" else state.people.silences.values()
        holding = [each for each in silences if at_ns < each.until_ns and each.name != ended]
        for told in notice.members:
            names = ("topic", told.topic), ("state", told.state), ("symbol", told.symbol)
            for silence in holding:
                is_named = all(fnmatchcase(value, getattr(silence, name) or "*") for name, value in names)
                if is_named and told.level != Level.EMERGENCY.value:
                    what = f"{told.topic} {told.state} {told.symbol}"
                    return f"{notice.notification_id} tells of {what}, silenced as {silence.name}"
        return ""

    def _taken_on(self, facts: GuardFacts, notice: Notify, now_s: float) -> str:
        """What somebody has is not repeated to him, nor to the next level, while his acknowledgement holds."""
        if notice.cause in {"news", "resolved"}:
            self.taken_on.pop(notice.group, None)
            return ""
        since_s = self.taken_on.get(notice.group)
        holds_s = float(facts.policy.alerting.acknowledged_for_s)
        if since_s is None or now_s - since_s >= holds_s - 1.5 or facts.guard.clock.is_just_set(holds_s):
            return ""
        return f"{notice.group} is told ({notice.cause}) {now_s - since_s:.1f} s after somebody took it on"

    def restarted(self, facts: GuardFacts) -> None:
        """What a new process does not remember it need not tell: it raises it anew."""
        state = facts.guard.state
        known = {} if state is None else state.people.facts
        self.owed = {name: at_s for name, at_s in self.owed.items() if name in known}
        self.taken_on.clear()
        self.groups.clear()  # a crash may cost the word that people were told: then they are told again

    def late(self, facts: GuardFacts, now_s: float) -> str:
        """A grave fact that people have not heard of in time; empty if there is none."""
        state = facts.guard.state
        policy = facts.policy.alerting
        urgent_s = float(policy.gather_urgent_s + policy.update_urgent_s) + SLACK_S
        over_s = float(policy.gather_s + policy.update_s) + SLACK_S
        for name in list(self.owed):
            fact = None if state is None else state.people.facts.get(name)
            if fact is not None and fact.rank < Level.CRITICAL.rank:
                self.eased.add(name)
            elif name in self.eased:  # it got worse again: that is owed from now on
                self.eased.discard(name)
                self.owed[name] = now_s
            if fact is not None and fact.told_rank >= min(fact.rank, Level.CRITICAL.rank):
                del self.owed[name]  # heard amid trouble counts too: it may be over before the calm
            elif state is not None and fact is not None and fact.over_ns and _is_hushed(state, fact):
                del self.owed[name]  # it came and went while somebody had silenced it, or with what it followed from
            elif facts.free_s < WHOLE_AGAIN_S or (state is not None and fact is not None and _is_hushed(state, fact)):
                self.owed[name] = now_s
            elif now_s - self.owed[name] > (
                over_s if fact is not None and fact.rank < Level.CRITICAL.rank else urgent_s
            ):
                since_s = self.owed.pop(name)
                return f"{name} was raised {now_s - since_s:.0f} s ago and nobody was told"
        return ""


def _is_hushed(state: GuardState, fact: Fact) -> bool:
    return bool(inhibitor(state, fact) or silenced_by(state.people.silences, fact, state.now_ns))


def least_pause_s(facts: GuardFacts, cause: str, rank: int) -> float:
    """How soon after a message of its group another of this cause may come."""
    policy = facts.policy.alerting
    if cause == "news":
        return float(min(policy.update_s, policy.update_urgent_s))
    if cause == "escalation":
        return 0
    pauses = {2: policy.repeat_warn_s, 3: policy.repeat_critical_s, 4: policy.repeat_emergency_s}
    return float(pauses.get(rank, 0))
