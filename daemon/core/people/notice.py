"""One message from what is to be told: the most exposed first, a count for the rest, numbers with units.

Exposure is the worth of a position at its mark as a share of the account's money in the same currency, so that
positions of different currencies can be compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from config.alerting import BY_RANK, Level
from daemon.core.alerts import NO_STOP_RESTS, STOP_IS_COMING
from daemon.core.commands import Notify, Severity, Told
from daemon.core.draft import Draft
from daemon.core.margin.contracts import is_usable, value_sat
from daemon.core.memory.alert_book import Fact
from daemon.core.people import ending, words
from daemon.core.people.kinds import ENDING
from daemon.core.people.spans import span
from daemon.core.people.telling import Cause, Telling
from daemon.core.reasons import Reason
from daemon.core.state import GuardState

MOST_NAMED: Final = 5
"""So many facts are told in full; the others are counted, and `seawall alerts` lists them."""
MOST_LISTED: Final = 20
"""So many are listed for machines."""
LONGEST_TEXT: Final = 400
_PERMILLION: Final = 1_000_000
_SEVERITIES: Final = {
    Level.WATCH: Severity.NOTE,
    Level.WARN: Severity.WARNING,
    Level.CRITICAL: Severity.CRITICAL,
    Level.EMERGENCY: Severity.CRITICAL,
}


def notice_of(draft: Draft, telling: Telling, number: int) -> Notify:
    """Write the message."""
    group, is_over = telling.group, telling.cause is Cause.RESOLVED
    facts = [fact for _, fact in most_exposed(draft, telling)]
    level = BY_RANK[telling.rank]
    route = BY_RANK[min(telling.rank + group.escalation, Level.EMERGENCY.rank)]
    first = facts[0] if facts else None
    count = max(1, len(facts) or group.told_count)
    symbols = symbols_of(facts) or tuple(dict.fromkeys((*group.liquidated, *group.told_symbols)))
    symbol = next(iter(symbols), "")
    others = max(0, len(symbols) - 1) if facts else group.told_others
    is_past = _is_past(facts)
    return Notify(
        reason=Reason.RECOVERED if is_over or first is None else Reason(first.reason),
        notification_id=f"{group.key}:{draft.now_ns}:{number}",
        cause=telling.cause.value,
        level=level.value,
        route=route.value,
        severity=Severity.NOTE if is_over else _SEVERITIES[level],
        group=group.key,
        title=words.title(group.key, level, count, symbol, others, is_resolved=is_over, is_past=is_past),
        topic=group.key if first is None else first.topic,
        state="resolved" if first is None else first.state,
        symbol=symbol,
        text=_text(draft, telling, facts),
        did=words.did(draft, group.key, facts, symbols),
        will=words.will(draft, group.key, facts, is_over=is_over or is_past),
        you_can=ending.you_can(group) if is_over else words.you_can(group.key, facts, symbol, key=group.key),
        is_resolved=is_over,
        started_ns=group.since_ns,
        count=count,
        facts=() if first is None else first.figures,
        members=tuple(_told(fact) for fact in facts[:MOST_LISTED]),
        also=tuple(each for each in group.heard if each != route.value) if is_over else (),
    )


def _is_past(facts: list[Fact]) -> bool:
    """Whether all that is told is over; the sentence that says so (a lift, a return) does not stand either."""
    has_stood = any(fact.over_ns and not fact.is_event for fact in facts)
    return has_stood and all(fact.over_ns or (fact.topic, fact.state) in ENDING for fact in facts)


def symbols_of(facts: Iterable[Fact]) -> tuple[str, ...]:
    """What facts are about, each once, in their order."""
    return tuple(dict.fromkeys(fact.symbol for fact in facts if fact.symbol))


def most_exposed(draft: Draft, telling: Telling) -> list[tuple[str, Fact]]:
    """The worst first; of the same level what is news, then the most exposed, then the oldest."""

    def order(item: tuple[str, Fact]) -> tuple[bool, int, bool, int, int, str]:
        name, fact = item
        is_old = fact.rank <= fact.told_rank
        return (bool(fact.over_ns), -fact.level.rank, is_old, -exposure(draft, fact.symbol), fact.since_ns, name)

    return sorted(telling.facts, key=order)


def exposure(view: Draft | GuardState, symbol: str) -> int:
    """The worth of a position in millionths of the account's money; 0 where it is flat or not known."""
    guarded = view.positions.get(symbol)
    if guarded is None or not guarded.position.quantity:
        return 0
    margin = view.margins.get(guarded.position.currency)
    money_sat = max(1, 0 if margin is None else margin.margin_balance_sat)
    return abs(guarded.position.mark_value_sat or _worth_sat(view, symbol)) * _PERMILLION // money_sat


def _worth_sat(view: Draft | GuardState, symbol: str) -> int:
    """Where the venue's row does not tell its worth."""
    instrument, mark = view.instruments.get(symbol), view.marks.get(symbol)
    if instrument is None or mark is None or not is_usable(instrument):
        return 0
    return value_sat(instrument, view.positions[symbol].position.quantity, mark.price)


def _text(draft: Draft, telling: Telling, facts: list[Fact]) -> str:
    group = telling.group
    if telling.cause is Cause.RESOLVED:
        return ending.text(draft, group, telling.over_ns)
    said = [sentence(draft, fact) for fact in facts[:MOST_NAMED]]
    if len(facts) > MOST_NAMED:
        said.append(f"And {words.counted(len(facts) - MOST_NAMED, 'more fact')}, less exposed.")
    if telling.hushed:
        said.append(f"{telling.hushed} more follow from other trouble or are silenced.")
    if group.dropped:
        said.append(f"{group.dropped} more found no place in memory; the log has them.")
    return " ".join((*_why_again(draft, telling), *said))


def _why_again(draft: Draft, telling: Telling) -> tuple[str, ...]:
    """What tells a repeat and an escalation from news."""
    group = telling.group
    unheard = span(draft.now_ns - (group.unheard_ns or group.since_ns))
    match telling.cause:
        case Cause.REPEAT if group.acknowledged_ns:
            ago = span(draft.now_ns - group.acknowledged_ns)
            return (f"Still, {ago} after {group.acknowledged_by} acknowledged it:",)
        case Cause.REPEAT if all(fact.is_event for _, fact in telling.facts):
            return (f"Nobody has acknowledged this for {unheard}:",)
        case Cause.REPEAT:
            return (f"Still, after {span(draft.now_ns - group.since_ns)}:",)
        case Cause.ESCALATION:
            return (f"Nobody has acknowledged this for {unheard}:",)
        case _:
            return ()


def _told(fact: Fact) -> Told:
    return Told(
        topic=fact.topic,
        state=fact.state,
        symbol=fact.symbol,
        level=fact.level.value,
        since_ns=fact.since_ns,
        text=_cut(fact.text),
        is_over=bool(fact.over_ns),
    )


def sentence(view: Draft | GuardState, fact: Fact) -> str:
    """What happened, and what has become of it since."""
    again = f" ({fact.times} times)" if fact.times > 1 else ""
    return f"{_cut(_with_stop(view, fact))}{again}{_by_now(fact)}"


def _with_stop(view: Draft | GuardState, fact: Fact) -> str:
    """The sentence of a tier whose stop came since: often the stop rests before anybody reads that it is on its way."""
    guarded = view.positions.get(fact.symbol)
    if fact.topic != "tier" or fact.over_ns or guarded is None or not guarded.covered_ns:
        return fact.text
    rests = f"its stop rests by now{f', at {guarded.ratchet}' if guarded.ratchet else ''}."
    for then in (f"{STOP_IS_COMING}.", f"{NO_STOP_RESTS}."):
        if fact.text.endswith(then):
            return fact.text.removesuffix(then) + rests
    return fact.text


def _cut(text: str) -> str:
    """The front of a long text, whole words only."""
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 4].rpartition(' ')[0]} ..."


def _by_now(fact: Fact) -> str:
    """What has become of it since the sentence was written."""
    if fact.is_event:
        return ""
    if fact.over_ns:
        return " It is over by now."
    if fact.topic != "tier":
        return ""
    return f" It is {fact.level.value.upper()} by now." if fact.state != fact.level.value else ""
