"""Whether a fact still stands, asked of the state itself: so none is left on because nobody said that it ended.

A position that is gone takes its facts along; a latch that is lifted, a pause that ran out and a bot that is back do
the same, whether or not an alert said so.
"""

from __future__ import annotations

from config.alerting import Level
from config.policy import Tier
from daemon.core.degraded import Degraded
from daemon.core.draft import Draft
from daemon.core.memory.alert_book import Fact
from daemon.core.restraint import quiet
from daemon.core.state import Guarded

_OF_TIER = {
    Tier.WATCH: Level.WATCH,
    Tier.WARN: Level.WARN,
    Tier.CRITICAL: Level.CRITICAL,
    Tier.EMERGENCY: Level.EMERGENCY,
}
_STATES = {state.value: state for state in Degraded}


def standing_level(draft: Draft, fact: Fact) -> Level | None:
    """How bad a fact is now; None: it is over."""
    guarded = draft.positions.get(fact.symbol) if fact.symbol else None
    match fact.topic:
        case "tier":
            is_open = guarded is not None and guarded.position.quantity
            return _OF_TIER.get(guarded.tier) if guarded is not None and is_open else None
        case "degraded":
            stands = _is_degraded(draft, fact, guarded)
        case "cover":
            stands = guarded is not None and _cover_stands(draft, fact.state, guarded)
        case "latch":
            stands = fact.subject in draft.latches
        case "rule":
            stands = _rule_stands(draft, fact)
        case "bot":
            bot = draft.bots.get(fact.subject)
            stands = bot is not None and bot.is_silent
        case "pause":
            stands = draft.pause is not None
        case "switch":
            stands = bool(draft.switch.clearing_ns)
        case _:
            stands = False
    return fact.level if stands else None


def _is_degraded(draft: Draft, fact: Fact, guarded: Guarded | None) -> bool:
    if not fact.symbol:
        return fact.state in draft.degraded
    return guarded is not None and _STATES.get(fact.state) in guarded.degraded


def _cover_stands(draft: Draft, state: str, guarded: Guarded) -> bool:
    if not guarded.position.quantity:
        return False
    match state:
        case "breach":
            return guarded.in_breach
        case "still_naked":
            return bool(guarded.naked_told_ns)
        case "vanished":
            return guarded.observed == "vanished"
        case _:
            return bool(guarded.observed) and quiet.is_quiet(draft)


def _rule_stands(draft: Draft, fact: Fact) -> bool:
    subject = "" if fact.subject == "account" else fact.subject
    standing = draft.rules.get(f"{fact.state}:{subject}" if subject else fact.state)
    return standing is not None and not standing.ended_ns
