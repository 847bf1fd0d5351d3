"""What people were told, acknowledged and silenced, for `seawall alerts` and the control API."""

from __future__ import annotations

from typing import Final

from config.alerting import BY_RANK, Level
from daemon.core.memory.alert_book import Fact, Group, Silence
from daemon.core.people import words
from daemon.core.people.hushed import inhibitor, matches, silenced_by
from daemon.core.people.notice import exposure, sentence, symbols_of
from daemon.core.people.telling import is_acknowledged
from daemon.core.state import GuardState

MOST_SHOWN: Final = 200
"""Facts of a group beyond these are counted only."""


def shown(state: GuardState) -> dict[str, object]:
    """Every group with its facts, the worst and most exposed first, and every silence."""
    groups = sorted(state.people.groups.values(), key=lambda group: (-_rank(state, group), group.since_ns))
    return {
        "alerts": [_group(state, group) for group in groups],
        "silences": [_silence(state, silence) for silence in state.people.silences.values()],
        "messages": state.people.messages,
        "dropped": state.people.dropped,
        "inhibited": state.people.inhibited,
    }


def _facts_of(state: GuardState, group: Group) -> list[tuple[str, Fact]]:
    return [(name, fact) for name, fact in state.people.facts.items() if fact.group == group.key]


def _rank(state: GuardState, group: Group) -> int:
    return max((fact.level.rank for _, fact in _facts_of(state, group) if not fact.over_ns), default=0)


def _group(state: GuardState, group: Group) -> dict[str, object]:
    facts = _facts_of(state, group)
    loud = [each for each in facts if not silenced_by(state.people.silences, each[1], state.now_ns)]
    rank = _rank(state, group)
    level = BY_RANK[rank] if rank else Level.WATCH
    first = sorted(facts, key=lambda each: (-each[1].level.rank, -exposure(state, each[1].symbol), each[0]))
    symbols = symbols_of(fact for _, fact in first)
    symbol, others = next(iter(symbols), ""), max(0, len(symbols) - 1)
    return {
        "key": group.key,
        "level": level.value,
        "title": words.title(group.key, level, max(1, len(facts)), symbol, others, is_resolved=not rank),
        "text": sentence(state, first[0][1]) if first else "",
        "you_can": words.you_can(group.key, [fact for _, fact in first], symbol, key=group.key),
        "count": len(facts),
        "facts": [_fact(state, name, fact) for name, fact in first[:MOST_SHOWN]],
        "since_ns": group.since_ns,
        "for_s": _seconds(state.now_ns - group.since_ns),
        "told_ns": group.told_ns,
        "times_told": group.messages,
        "escalation": group.escalation,
        "is_acknowledged": is_acknowledged(state.policy.alerting, group, loud, state.now_ns),
        "acknowledged_by": group.acknowledged_by,
        "acknowledged_ns": group.acknowledged_ns,
        "comment": group.comment,
        "dropped": group.dropped,
    }


def _fact(state: GuardState, name: str, fact: Fact) -> dict[str, object]:
    return {
        "name": name,
        "topic": fact.topic,
        "state": fact.state,
        "symbol": fact.symbol,
        "subject": fact.subject,
        "level": fact.level.value,
        "text": sentence(state, fact),
        "since_ns": fact.since_ns,
        "times": fact.times,
        "exposure_percent": round(exposure(state, fact.symbol) / 10_000, 2),
        "is_over": bool(fact.over_ns),
        "is_acknowledged": fact.acknowledged_rank >= fact.level.rank,
        "silenced_by": silenced_by(state.people.silences, fact, state.now_ns),
        "follows_from": inhibitor(state, fact),
    }


def _seconds(duration_ns: int) -> float:
    return round(max(0, duration_ns) / 1e9, 1)


def _silence(state: GuardState, silence: Silence) -> dict[str, object]:
    return {
        "name": silence.name,
        "topic": silence.topic,
        "state": silence.state,
        "symbol": silence.symbol,
        "since_ns": silence.since_ns,
        "until_ns": silence.until_ns,
        "left_s": _seconds(silence.until_ns - state.now_ns),
        "comment": silence.comment,
        "who": silence.who,
        "hushes": sum(matches(silence, fact) for fact in state.people.facts.values()),
    }
