"""P10, the messages themselves: what people get (`Notify`), beside the facts that are raised.

- Few: no guard sends more than `CALLS` messages in a minute, whatever goes on; news of a group comes no sooner after
  the one before than the settings say, unless it is worse; repeats keep their interval.
- All: a fact from CRITICAL on that was raised is in a message as soon as the settings let it, unless it follows from
  another; one that was over, or eased, before anybody heard may wait as long as a warning.
- Whole: every message says what happened, what was done, what comes next and what can be done, under an id of its own.

Units: seconds of virtual time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from config.alerting import Level
from daemon.core.commands import Notify, RaiseAlert
from daemon.core.people.hushed import inhibitor
from daemon.core.people.kinds import Phase, kind_of
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
        wrong = self._flood(now_s) or self._form(notice) or self._pace(facts, notice, now_s)
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

    def restarted(self, facts: GuardFacts) -> None:
        """What a new process does not remember it need not tell: it raises it anew."""
        state = facts.guard.state
        known = {} if state is None else state.people.facts
        self.owed = {name: at_s for name, at_s in self.owed.items() if name in known}
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
            elif facts.free_s < WHOLE_AGAIN_S or (state is not None and fact is not None and inhibitor(state, fact)):
                self.owed[name] = now_s
            elif now_s - self.owed[name] > (
                over_s if fact is not None and fact.rank < Level.CRITICAL.rank else urgent_s
            ):
                since_s = self.owed.pop(name)
                return f"{name} was raised {now_s - since_s:.0f} s ago and nobody was told"
        return ""


def least_pause_s(facts: GuardFacts, cause: str, rank: int) -> float:
    """How soon after a message of its group another of this cause may come."""
    policy = facts.policy.alerting
    if cause == "news":
        return float(min(policy.update_s, policy.update_urgent_s))
    if cause == "escalation":
        return 0
    pauses = {2: policy.repeat_warn_s, 3: policy.repeat_critical_s, 4: policy.repeat_emergency_s}
    return float(pauses.get(rank, 0))
