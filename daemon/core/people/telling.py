"""Whether a group is told now: news, a repeat, an escalation, its end, or nothing yet.

The order of thought is that of an Alertmanager (gather, group, inhibit, silence, repeat), with two things of a pager
added: somebody acknowledges, and what nobody acknowledges goes on to the next level.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from config.alerting import BY_RANK, AlertingPolicy, Level, minute_of
from daemon.core.altered import altered
from daemon.core.draft import Draft
from daemon.core.market.marks import ns
from daemon.core.memory.alert_book import Fact, Group, Pages
from daemon.core.people.gathering import news_due_ns
from daemon.core.people.hushed import is_loud
from daemon.core.people.standing import standing_level

LOOK_NS = 5 * 10**9
"""What stands is held against the state this often."""
_MINUTE_NS = 60 * 10**9
_DAY_MINUTES = 24 * 60


class Cause(Enum):
    """Why people are told now."""

    NEWS = "news"
    REPEAT = "repeat"
    ESCALATION = "escalation"
    RESOLVED = "resolved"


@dataclass(frozen=True, kw_only=True, slots=True)
class Telling:
    """What is to be told of one group."""

    cause: Cause
    group: Group
    rank: int
    """Of the worst that is told."""
    facts: tuple[tuple[str, Fact], ...]
    """What is told, by name: everything loud of the group, what is newly over included."""
    hushed: int
    """Facts beside them that follow from another or are silenced."""
    over_ns: int = 0
    """When the last of it was over; 0: something stands."""


def look(draft: Draft, pages: Pages, group: Group, *, is_last: bool) -> Telling | None:
    """Look at one group: what is over goes, and what is due is returned.

    Args:
        draft: The step at work.
        pages: The open book; facts of the group are brought up to date in it, the group itself is not.
        group: Which.
        is_last: The guard is about to stop: what waits to be gathered is told now.
    """
    mine = [(name, fact) for name, fact in pages.facts.items() if fact.group == group.key]
    facts = [(name, _now(draft, pages, name, fact)) for name, fact in mine]
    loud = [(name, fact) for name, fact in facts if name in pages.facts and is_loud(draft, pages, fact)]
    hushed = sum(name in pages.facts for name, _ in facts) - len(loud)
    pages.inhibited += hushed
    rank = max((fact.level.rank for _, fact in loud if not fact.over_ns), default=0)
    cause = _cause(draft, group, loud, rank, is_last=is_last)
    if cause is Cause.NEWS and _is_held(draft, group, rank, cause):
        cause = _cause_again(draft, group, loud, rank)  # news that has to wait must not hold what would be loud
    if cause is Cause.RESOLVED and hushed:
        return None  # what is silenced, or follows from something else, is not over
    if cause is None or _is_held(draft, group, rank, cause):
        return None
    worst = max((fact.rank for _, fact in loud), default=group.told_rank)
    over_ns = max((fact.over_ns for _, fact in facts), default=draft.now_ns) if cause is Cause.RESOLVED else 0
    return Telling(cause=cause, group=group, rank=max(worst, 1), facts=tuple(loud), hushed=hushed, over_ns=over_ns)


def _now(draft: Draft, pages: Pages, name: str, fact: Fact) -> Fact:
    """Bring one fact up to date; what is over for long enough, or was let go of, leaves the book."""
    fresh = _eased(draft, _over(draft, fact))
    has_been_over = fresh.over_ns and draft.now_ns >= fresh.over_ns + ns(draft.policy.alerting.resolve_after_s)
    if has_been_over and (fresh.told_rank or not is_loud(draft, pages, fresh)):
        del pages.facts[name]
    elif fresh is not fact:
        pages.facts[name] = fresh
    return fresh


def _over(draft: Draft, fact: Fact) -> Fact:
    if fact.over_ns:
        return fact
    if fact.is_event:
        is_past = bool(fact.ends_ns) and draft.now_ns >= fact.ends_ns
        is_taken_on = bool(fact.told_rank) and fact.acknowledged_rank >= fact.level.rank
        return altered(fact, over_ns=draft.now_ns) if is_past or is_taken_on else fact
    level = standing_level(draft, fact)
    if level is None:
        return altered(fact, over_ns=draft.now_ns)
    if level is fact.level:
        return fact
    return altered(fact, level=level, eased_ns=draft.now_ns if level.rank < fact.told_rank else 0)


def _eased(draft: Draft, fact: Fact) -> Fact:
    """What has been less bad for long enough is news when it gets worse again."""
    if not fact.eased_ns or draft.now_ns < fact.eased_ns + ns(draft.policy.alerting.resolve_after_s):
        return fact
    rank = fact.level.rank
    return altered(fact, eased_ns=0, told_rank=rank, acknowledged_rank=min(fact.acknowledged_rank, rank))


def _cause(draft: Draft, group: Group, loud: list[tuple[str, Fact]], rank: int, *, is_last: bool) -> Cause | None:
    policy, now_ns = draft.policy.alerting, draft.now_ns
    fresh = [fact for _, fact in loud if fact.rank > fact.told_rank]
    if fresh or (group.dropped and rank):
        level = BY_RANK[max((fact.rank for fact in fresh), default=Level.WATCH.rank)]
        since_ns = min((fact.since_ns for fact in fresh), default=group.since_ns)
        if is_last or now_ns >= news_due_ns(policy, group, level, since_ns):
            return Cause.NEWS
    return _cause_again(draft, group, loud, rank)


def _cause_again(draft: Draft, group: Group, loud: list[tuple[str, Fact]], rank: int) -> Cause | None:
    """Why people are told of what they know: it ended, nobody acknowledged it, or it has gone unsaid for long."""
    policy, now_ns = draft.policy.alerting, draft.now_ns
    if not group.told_ns:
        return None
    if not loud:
        return Cause.RESOLVED if group.has_stood else None
    if not rank or is_acknowledged(policy, group, loud, now_ns):
        return None
    if escalates_ns(policy, group, rank) and now_ns >= escalates_ns(policy, group, rank):
        return Cause.ESCALATION
    every_ns = repeat_ns(policy, rank)
    return Cause.REPEAT if every_ns and now_ns >= group.told_ns + every_ns else None


def is_acknowledged(policy: AlertingPolicy, group: Group, loud: list[tuple[str, Fact]], now_ns: int) -> bool:
    """Whether a person has taken on everything that stands, at least as bad as it is, not too long ago."""
    if not group.acknowledged_ns or now_ns >= group.acknowledged_ns + ns(policy.acknowledged_for_s):
        return False
    return all(fact.acknowledged_rank >= fact.level.rank for _, fact in loud if not fact.over_ns)


def repeat_ns(policy: AlertingPolicy, rank: int) -> int:
    """How long what stands stays unsaid; 0: it is said once."""
    match BY_RANK[rank]:
        case Level.WATCH:
            return 0
        case Level.WARN:
            return ns(policy.repeat_warn_s)
        case Level.CRITICAL:
            return ns(policy.repeat_critical_s)
        case Level.EMERGENCY:
            return ns(policy.repeat_emergency_s)


def escalates_ns(policy: AlertingPolicy, group: Group, rank: int) -> int:
    """When a group goes on to the next level, if nobody acknowledges it; 0: it does not."""
    present = min(rank + group.escalation, Level.EMERGENCY.rank)
    by_rank = {Level.WARN.rank: policy.escalate_warn_s, Level.CRITICAL.rank: policy.escalate_critical_s}
    after_ns = ns(by_rank[present]) if present in by_rank else 0
    since_ns = max(group.unheard_ns, group.escalated_ns)
    return since_ns + after_ns if after_ns and since_ns else 0


def _is_held(draft: Draft, group: Group, rank: int, cause: Cause) -> bool:
    """Whether quiet hours hold it back. The end of what was told is never louder than it was."""
    present = min((rank or group.told_rank) + (group.escalation if rank else 0), Level.EMERGENCY.rank)
    if cause is Cause.ESCALATION:
        present = min(present + 1, Level.EMERGENCY.rank)
    policy, local_ns = draft.policy.alerting, draft.now_ns + draft.health.zone_offset_s * 10**9
    return present <= policy.quiet_up_to.rank and is_quiet(policy, local_ns)


def is_quiet(policy: AlertingPolicy, local_ns: int) -> bool:
    """Whether it is a quiet hour, by what the clocks of the zone show, counted as if they showed UTC.

    Example:
        >>> policy = AlertingPolicy(quiet_from="22:00", quiet_until="07:00")
        >>> [is_quiet(policy, hour * 3_600 * 10**9) for hour in (21, 22, 3, 7)]
        [False, True, True, False]
    """
    begin, end = minute_of(policy.quiet_from), minute_of(policy.quiet_until)
    if begin is None or end is None:
        return False
    minute = local_ns // _MINUTE_NS % _DAY_MINUTES
    return begin <= minute < end if begin < end else minute >= begin or minute < end
