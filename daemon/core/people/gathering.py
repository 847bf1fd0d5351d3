"""Take one alert into the book: a new fact, more of a known one, or its end.

The book is bounded. Where it is full, the quieter goes: an alert below CRITICAL is not taken, one from CRITICAL on
takes the place of the quietest. Both are counted, and the group's next message says how many.
"""

from __future__ import annotations

from config.alerting import AlertingPolicy, Level
from daemon.core.altered import altered
from daemon.core.commands import RaiseAlert
from daemon.core.market.marks import ns
from daemon.core.memory.alert_book import MOST_FACTS, MOST_SYMBOLS, Fact, Group, Pages
from daemon.core.people.kinds import Kind, Phase, kind_of

EVENT_NS = 60 * 10**9
"""An event below CRITICAL is part of its group's messages for this long."""
GRAVE_EVENT_NS = 3_600 * 10**9
"""A CRITICAL one is news for this long, or until somebody acknowledges it; an emergency until somebody does."""
_ENDS_IN_LIQUIDATION = ("distance", "cover")
"""Groups whose end is no good news if it came by the venue's hand."""


def take(pages: Pages, policy: AlertingPolicy, alert: RaiseAlert, now_ns: int) -> None:
    """Take an alert in."""
    kind = kind_of(alert)
    match kind.phase:
        case Phase.ENDS:
            _end(pages, policy, kind, now_ns)
            if alert.topic == "pause":  # "still paused" beside "acts again" would be said in one breath
                pages.facts.pop(kind.name, None)
            if alert.topic in {"latch", "bot", "pause"}:
                _begin(pages, policy, alert, _as_event(alert, kind), now_ns)
        case Phase.BEGINS | Phase.HAPPENED:
            _begin(pages, policy, alert, kind, now_ns)
            if (alert.topic, alert.state) == ("position", "liquidated"):
                _note_liquidated(pages, alert.symbol)


def _note_liquidated(pages: Pages, symbol: str) -> None:
    for key in _ENDS_IN_LIQUIDATION:
        group = pages.groups.get(key)
        if group is not None and symbol not in group.liquidated:
            pages.groups[key] = altered(group, liquidated=(*group.liquidated, symbol)[:MOST_SYMBOLS])


def _as_event(alert: RaiseAlert, kind: Kind) -> Kind:
    """A lift, a return: its own sentence is told as well, since it says what was done meanwhile."""
    name = f"{alert.topic}:{alert.state}:{alert.symbol}:{kind.subject}"
    return Kind(name=name, group=kind.group, level=kind.level, phase=Phase.HAPPENED, subject=kind.subject)


def _end(pages: Pages, policy: AlertingPolicy, kind: Kind, now_ns: int) -> None:
    known = pages.facts.get(kind.name)
    if known is None or known.over_ns:
        return
    if known.group not in pages.groups:  # its group was told to be over before: nobody waits for this end
        del pages.facts[kind.name]
        return
    pages.facts[kind.name] = altered(known, over_ns=now_ns)
    hasten(pages, known.group, now_ns + ns(policy.resolve_after_s))


def _begin(pages: Pages, policy: AlertingPolicy, alert: RaiseAlert, kind: Kind, now_ns: int) -> None:
    known = pages.facts.get(kind.name)
    if known is None and not _has_place(pages, policy, kind, now_ns):
        return
    fact = _fact(alert, kind, now_ns) if known is None else _renewed(policy, known, alert, kind, now_ns)
    pages.facts[kind.name] = fact
    group = _group(pages, fact.group, now_ns)
    if fact.level.rank > fact.told_rank:
        hasten(pages, group.key, news_due_ns(policy, group, fact.level, now_ns))


def _fact(alert: RaiseAlert, kind: Kind, now_ns: int) -> Fact:
    is_event = kind.phase is Phase.HAPPENED
    return Fact(
        group=kind.group,
        topic=alert.topic,
        state=alert.state,
        symbol=alert.symbol,
        subject=kind.subject,
        level=kind.level,
        text=alert.text,
        figures=alert.facts,
        reason=alert.reason.value,
        severity=alert.severity.value,
        since_ns=now_ns,
        is_event=is_event,
        ends_ns=_ends_ns(kind.level, now_ns) if is_event else 0,
    )


def _ends_ns(level: Level, now_ns: int) -> int:
    """Until when an event is news that nobody acknowledges; 0: for as long as nobody does."""
    if level is Level.EMERGENCY:
        return 0
    return now_ns + (EVENT_NS if level.rank < Level.CRITICAL.rank else GRAVE_EVENT_NS)


def _renewed(policy: AlertingPolicy, known: Fact, alert: RaiseAlert, kind: Kind, now_ns: int) -> Fact:
    """The same thing again: its newest figures; an event that happens again, or a state that came back, counts."""
    fresh = _fact(alert, kind, now_ns)
    has_begun_again = known.is_event or bool(known.over_ns)
    is_news = _is_news_again(policy, known, kind, now_ns)
    return altered(
        fresh,
        group=known.group,
        since_ns=now_ns if is_news else known.since_ns,
        times=known.times + has_begun_again,
        told_rank=0 if is_news or _is_reminder(known, alert) else known.told_rank,
        acknowledged_rank=0 if is_news else known.acknowledged_rank,
        acknowledged_ns=0 if is_news else known.acknowledged_ns,
        eased_ns=0,
    )


def _is_news_again(policy: AlertingPolicy, known: Fact, kind: Kind, now_ns: int) -> bool:
    """Whether an event that somebody acknowledged and that happens again is news: an emergency at once, others later.

    What was acknowledged is what had happened by then. An event below an emergency may happen every few seconds, so
    its acknowledgement holds as long as one of what stands.
    """
    if not known.is_event or not known.acknowledged_rank:
        return False
    return kind.level is Level.EMERGENCY or now_ns >= known.acknowledged_ns + ns(policy.acknowledged_for_s)


def _is_reminder(known: Fact, alert: RaiseAlert) -> bool:
    """Whether it is to be said again by itself: a guard that does nothing reminds its people until one heard it."""
    return alert.topic == "pause" and known.acknowledged_rank < known.level.rank


def _group(pages: Pages, key: str, now_ns: int) -> Group:
    group = pages.groups.get(key)
    if group is None:
        group = pages.groups[key] = Group(key=key, since_ns=now_ns, due_ns=now_ns + EVENT_NS)
    return group


def hasten(pages: Pages, key: str, due_ns: int) -> None:
    """Have a group looked at, at this time at the latest."""
    group = pages.groups[key]
    if due_ns < group.due_ns:
        pages.groups[key] = altered(group, due_ns=due_ns)


def news_due_ns(policy: AlertingPolicy, group: Group, level: Level, since_ns: int) -> int:
    """When something new may be told: what is worse than was told as soon as it is gathered, more of it later."""
    is_urgent = level.rank >= Level.CRITICAL.rank
    gathered_ns = since_ns + ns(policy.gather_urgent_s if is_urgent else policy.gather_s)
    if level.rank > group.told_rank:
        return gathered_ns
    return max(gathered_ns, group.told_ns + ns(policy.update_urgent_s if is_urgent else policy.update_s))


def _has_place(pages: Pages, policy: AlertingPolicy, kind: Kind, now_ns: int) -> bool:
    if len(pages.facts) < MOST_FACTS:
        return True
    name = _quieter(pages, kind)
    lost = pages.facts.pop(name).group if name else kind.group
    group = _group(pages, lost, now_ns)
    pages.dropped += 1
    pages.groups[lost] = altered(group, dropped=group.dropped + 1)
    hasten(pages, lost, news_due_ns(policy, group, kind.level, now_ns))
    return bool(name)


def _quieter(pages: Pages, kind: Kind) -> str:
    """The oldest fact that goes for one from CRITICAL on: what is over, or less grave; empty: none does."""
    rank = kind.level.rank
    if rank < Level.CRITICAL.rank:
        return ""
    return next((name for name, fact in pages.facts.items() if fact.over_ns or fact.level.rank < rank), "")
