"""Which facts are not told on their own: those that follow from another, and those that a person silenced.

Nothing here ever holds an emergency back.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

from config.alerting import Level
from config.policy import Tier
from daemon.core.degraded import Degraded
from daemon.core.draft import Draft
from daemon.core.memory.alert_book import Fact, Pages, Silence
from daemon.core.state import GuardState

_CUT_OFF: Final = (Degraded.ADDRESS_BANNED.value, Degraded.BLIND_ACCOUNT.value, Degraded.VENUE_UNREACHABLE.value)
"""While one of these holds, what it cannot see or do of single positions is no news."""
_FOLLOWS_CUT_OFF: Final = {
    ("cover", "vanished"),
    *(
        ("degraded", state.value)
        for state in (
            Degraded.UNCOVERED,
            Degraded.POSITION_DISPUTED,
            Degraded.LIQUIDATION_DISAGREES,
            Degraded.PICTURE_OVERDUE,
            Degraded.STREAM_MUTE,
            Degraded.TABLE_DOUBTED,
            Degraded.RULE_SILENT,
            Degraded.RULE_UNJUDGED,
        )
    ),
}
_FOLLOWS_BLIND_MARKET: Final = {
    Degraded.BLIND_MARKET.value,
    Degraded.MARK_FROZEN.value,
    Degraded.RULE_SILENT.value,
    Degraded.RULE_UNJUDGED.value,
}
_FOLLOWS_EMERGENCY: Final = {"rule", "distance"}


def inhibitor(view: Draft | GuardState, fact: Fact) -> str:
    """What a fact follows from, for people; empty: it speaks for itself."""
    if fact.level is Level.EMERGENCY:
        return ""
    if (fact.topic, fact.state) in _FOLLOWS_CUT_OFF:
        cause = next((name for name in _CUT_OFF if name in view.degraded), "")
        if cause:
            return cause
    blind = Degraded.BLIND_MARKET.value
    if fact.topic == "degraded" and fact.state in _FOLLOWS_BLIND_MARKET and blind in view.degraded:
        return blind if fact.symbol or fact.state != blind else ""
    if (fact.topic, fact.state) == ("cover", "observed") and view.pause is not None:
        return Degraded.PAUSED.value
    return _by_emergency(view, fact)


def _by_emergency(view: Draft | GuardState, fact: Fact) -> str:
    """A position about to be liquidated: what its figures say of rules is told with it, not beside it."""
    if not fact.symbol or fact.level.rank > Level.WARN.rank or fact.group not in _FOLLOWS_EMERGENCY:
        return ""
    guarded = view.positions.get(fact.symbol)
    is_one = guarded is not None and guarded.tier is Tier.EMERGENCY and guarded.position.quantity
    return "emergency" if is_one else ""


def silenced_by(silences: dict[str, Silence], fact: Fact, now_ns: int) -> str:
    """The silence that a fact falls under; empty: none."""
    if fact.level is Level.EMERGENCY or not silences:
        return ""
    return next((each.name for each in silences.values() if now_ns < each.until_ns and matches(each, fact)), "")


def matches(silence: Silence, fact: Fact) -> bool:
    """Whether a silence is about a fact."""
    return all(
        not pattern or fnmatchcase(value, pattern)
        for pattern, value in (
            (silence.topic, fact.topic),
            (silence.state, fact.state),
            (silence.symbol, fact.symbol),
        )
    )


def is_loud(draft: Draft, pages: Pages, fact: Fact) -> bool:
    """Whether a fact is told on its own."""
    return not inhibitor(draft, fact) and not silenced_by(pages.silences, fact, draft.now_ns)
