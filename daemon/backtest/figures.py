"""From the record of a run to the figures people ask for. Pure.

Units: money in satoshi, times in milliseconds, shares as fractions of one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from daemon.backtest.plan import SAT
from daemon.backtest.record import Cause, Ending, Half, LaneRecord, Round, RunRecord, Told


@dataclass(frozen=True, kw_only=True, slots=True)
class ShadowWord:
    """What a rule in shadow would have done in a round, and what came of not doing it."""

    lane: int
    round_number: int | None
    """None: no position was open then."""
    at_ms: int
    rule: str
    what: str
    """A stop or a stage of profit: "fire" or "rest"; an account rule: "flatten", "correct", "freeze" or "tell"."""
    price: float | None
    """Of the stop, or the mark when an account rule spoke."""
    would_sat: int | None
    """Gain or loss had the position, or the part that the rule is about, been closed there and the rest as it was,
    fees left out; None where the rule would not have closed anything."""
    was_sat: int | None
    """What the guarded account made of the round."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleFigures:
    """What the exits by one rule came to."""

    rule: str
    exits: int
    whipsaws: int
    """Exits after which the unguarded account survived the round and did better."""
    versus_holding_sat: int
    """Result of the guarded account less that of the unguarded one, over those rounds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """The figures of one lane, or of all."""

    rounds: int
    unguarded_liquidations: int
    avoided: int
    """Rounds in which the unguarded account was liquidated and the guarded one was not."""
    guarded_liquidations: int
    unpreventable: int
    """Of them: nothing was traded between the stop and the takeover."""
    thin_books: int
    """Of them: the stop fired, and the book could not take all of the position before the takeover."""
    exits: dict[str, int]
    """How guarded positions ended, by the word of the ending."""
    rules: tuple[RuleFigures, ...]
    whipsaws: int
    whipsaw_cost_sat: int
    """What the whipsaws cost compared with holding on; above 0."""
    saved_sat: int
    """What the guard kept in the rounds that liquidated the unguarded account."""
    guarded_sat: int
    unguarded_sat: int
    fees_sat: int
    unguarded_fees_sat: int
    funding_sat: int
    """Above 0: paid."""
    unguarded_funding_sat: int
    covered_share: float
    slowest_ms: int | None
    """Longest time from an entry to its confirmed cover."""
    never_covered: int
    cuts: int
    requests: int
    refused_requests: int
    held_back: int
    decisions: int
    unsafe: tuple[str, ...]


def figures(lanes: Sequence[LaneRecord]) -> Figures:
    """Return the figures of some lanes together."""
    rounds = [one for lane in lanes for one in lane.rounds]
    whips = [one for one in rounds if is_whipsaw(one)]
    liquidated = [one for one in rounds if one.unguarded.liquidated]
    lost = [one for one in rounds if one.guarded.liquidated]
    waits = [one.protected_after_ms for one in rounds if one.protected_after_ms is not None]
    return Figures(
        rounds=len(rounds),
        unguarded_liquidations=len(liquidated),
        avoided=sum(not one.guarded.liquidated for one in liquidated),
        guarded_liquidations=len(lost),
        unpreventable=sum(one.cause is Cause.NOTHING_TRADED for one in lost),
        thin_books=sum(one.cause is Cause.THIN_BOOK for one in lost),
        exits=dict(sorted(Counter(_ending_word(one.guarded) for one in rounds).items())),
        rules=_rules(rounds),
        whipsaws=len(whips),
        whipsaw_cost_sat=-sum(map(versus_holding_sat, whips)),
        saved_sat=sum(map(versus_holding_sat, liquidated)),
        guarded_sat=sum(one.guarded.result_sat for one in rounds),
        unguarded_sat=sum(one.unguarded.result_sat for one in rounds),
        fees_sat=sum(one.guarded.fees_sat for one in rounds),
        unguarded_fees_sat=sum(one.unguarded.fees_sat for one in rounds),
        funding_sat=sum(one.guarded.funding_sat for one in rounds),
        unguarded_funding_sat=sum(one.unguarded.funding_sat for one in rounds),
        covered_share=_share(sum(lane.covered_ms for lane in lanes), sum(lane.open_ms for lane in lanes)),
        slowest_ms=max(waits, default=None),
        never_covered=len(rounds) - len(waits),
        cuts=sum(one.guarded.cuts for one in rounds),
        requests=sum(sum(lane.requests.values()) for lane in lanes),
        refused_requests=sum(sum(lane.refused_requests.values()) for lane in lanes),
        held_back=sum(lane.held_back for lane in lanes),
        decisions=sum(lane.decisions for lane in lanes),
        unsafe=tuple(words for lane in lanes for words in lane.unsafe),
    )


def _ruled_by(one: Round) -> str:
    """Which rule ended the guarded position; empty when none did."""
    taken = one.guarded.exit
    if taken is not None and taken.ending is Ending.TOOK_PROFIT:
        return STAGES
    return (taken.rule or "unknown") if taken is not None and was_forced(one) else ""


def was_forced(one: Round) -> bool:
    """Whether the guard ended the guarded position."""
    taken = one.guarded.exit
    return taken is not None and taken.ending in {Ending.STOPPED, Ending.CUT}


def versus_holding_sat(one: Round) -> int:
    """Return by how much the guarded account did better than the unguarded one."""
    return one.guarded.result_sat - one.unguarded.result_sat


def is_whipsaw(one: Round) -> bool:
    """Whether the guard got out, and whoever held on survived the round and did better."""
    return was_forced(one) and not one.unguarded.liquidated and versus_holding_sat(one) < 0


def tiers_told(record: RunRecord) -> dict[str, int]:
    """Return how many alerts of each tier there were, from "watch" to "emergency"."""
    counts = {
        tier: sum(count for name, count in record.told_count.items() if name.split(" ", 2)[1:] == ["tier", tier])
        for tier in ("watch", "warn", "critical", "emergency")
    }
    return {tier: count for tier, count in counts.items() if count}


def ladder_told(record: RunRecord) -> list[Told]:
    """Return the alerts about steps of the ladder, with their costs in the text."""
    return [one for one in record.told if one.topic in {"ladder", "latch", "flatten"}]


def shadow_words(record: RunRecord) -> list[ShadowWord]:
    """Return what rules in shadow would have done, once for each rule and round: the strongest and first of its words.

    What an account rule says while no position is open stands alone. Stages of a profit ladder are added up.
    """
    found: dict[tuple[object, ...], ShadowWord] = {}
    for told in record.told:
        facts = dict(told.facts)
        if told.topic != "shadow" or "rule" not in facts:
            continue
        lane = record.lanes[told.lane]
        one = _round_at(lane.rounds, told.at_ms)
        word = _shadow_word(told, facts, one, lane)
        key = (told.lane, facts["rule"], told.at_ms if one is None else one.number, one is None)
        before = found.get(key)
        if before is None or _rank(word) > _rank(before):
            found[key] = word
        elif word.what == "fire" and facts["rule"] == STAGES and before.would_sat is not None:
            found[key] = replace(before, would_sat=before.would_sat + _stage_sat(word, one))
    return sorted(found.values(), key=lambda word: (word.at_ms, word.lane))


STAGES: Final = "take_profit"
_RANKS: Final = ("rest", "tell", "freeze", "correct", "flatten", "fire")


def _rank(word: ShadowWord) -> int:
    return _RANKS.index(word.what) if word.what in _RANKS else 0


def _shadow_word(told: Told, facts: dict[str, str], one: Round | None, lane: LaneRecord) -> ShadowWord:
    what = told.state.removeprefix("would_")
    stop = _number(facts.get("price"))
    price = told.mark if stop is None else stop
    would = None
    if one is not None and price and what in {"fire", "flatten"}:
        would = _closed_sat(one, lane, price, facts)
    return ShadowWord(
        lane=told.lane,
        round_number=None if one is None else one.number,
        at_ms=told.at_ms,
        rule=facts["rule"],
        what=what,
        price=price,
        would_sat=would,
        was_sat=None if one is None else one.guarded.result_sat,
    )


def _closed_sat(one: Round, lane: LaneRecord, price: float, facts: dict[str, str]) -> int | None:
    """Gain or loss of a round, had a rule closed its part of the position at a price and the rest gone as it went."""
    entry = one.guarded.entry_price
    if not entry:
        return None
    part = _part(one, facts)
    gain = lane.lane.side.sign * abs(one.quantity) * SAT * (1 / entry - 1 / price)
    return round(part * gain + (1 - part) * one.guarded.result_sat)


def _part(one: Round, facts: dict[str, str]) -> float:
    """The share of a position that a rule would have closed: a stage of a profit ladder closes a part of it."""
    contracts = _number(facts.get("quantity")) if facts["rule"] == STAGES else None
    return 1.0 if contracts is None else min(1.0, abs(contracts) / abs(one.quantity))


def _stage_sat(word: ShadowWord, one: Round | None) -> int:
    """What one more stage of a profit ladder adds to what the round made."""
    return 0 if one is None or word.would_sat is None else word.would_sat - one.guarded.result_sat


def _round_at(rounds: Iterable[Round], at_ms: int) -> Round | None:
    return next((one for one in rounds if one.opened_ms <= at_ms <= one.ended_ms), None)


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _ending_word(half: Half) -> str:
    if half.exit is None:
        return Ending.LIQUIDATED.value if half.liquidated else "open"
    return half.exit.ending.value


def _rules(rounds: Sequence[Round]) -> tuple[RuleFigures, ...]:
    by_rule: dict[str, list[Round]] = {}
    for one in rounds:
        rule = _ruled_by(one)
        if rule:
            by_rule.setdefault(rule, []).append(one)
    return tuple(
        RuleFigures(
            rule=rule,
            exits=len(those),
            whipsaws=sum(map(is_whipsaw, those)),
            versus_holding_sat=sum(map(versus_holding_sat, those)),
        )
        for rule, those in sorted(by_rule.items())
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
