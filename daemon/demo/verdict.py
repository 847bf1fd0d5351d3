"""The judge of a demo run: from what was seen to one verdict, with its reasons in words.

Why: exit code 0 must mean something. It is given only if the guarded account lost nothing to liquidation, the unguarded
one did, every guarded position's cover was confirmed by the order stream before the mark first passed its trigger
(tape time), the guarded positions were held until then, and no order of the guard could have added danger.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from connectors.vocabulary import Side
from daemon.demo.record import Exit, HeldPosition, PricePoint, Result, RunRecord, StopFact, StopSummary, Verdict

UNPREVENTABLE: Final = (
    " (its stop rested in time, but nothing was traded between the stop and the takeover price: no stop could fill)"
)
"""A jump or a halt across both. It costs the exit code all the same."""


def judge(record: RunRecord) -> Result:
    """Judge one run. The gravest finding names the verdict; all findings are listed."""
    stops = tuple(_summary(position, record) for position in record.positions)
    reasons: list[str] = []
    verdict = Verdict.SAVED
    late = [*_late(stops), *_left_early(record, stops), *(f"unsafe: {words}" for words in record.unsafe)]
    if late:
        verdict, reasons = Verdict.COVER_LATE_OR_UNSAFE, late
    if record.unguarded.liquidations == 0:
        verdict = Verdict.INCONCLUSIVE if verdict is Verdict.SAVED else verdict
        reasons.append("inconclusive: the unguarded account survived too")
    if record.guarded.liquidations:
        verdict = Verdict.LIQUIDATED
        reasons.insert(0, "the guarded account was liquidated: " + ", ".join(_taken(record, stops)))
    return Result(record=record, verdict=verdict, reasons=tuple(reasons), stops=stops)


def _taken(record: RunRecord, stops: Sequence[StopSummary]) -> list[str]:
    summaries = {stop.symbol: stop for stop in stops}
    sides = {position.symbol: position.side for position in record.positions}
    return [
        exit_.symbol + (UNPREVENTABLE if _is_unpreventable(record, exit_, summaries, sides) else "")
        for exit_ in record.guarded.exits
        if exit_.is_liquidation
    ]


def _is_unpreventable(
    record: RunRecord, exit_: Exit, stops: Mapping[str, StopSummary], sides: Mapping[str, Side]
) -> bool:
    """Whether every new last price since the stop was reached lay beyond the price of the takeover."""
    stop = stops.get(exit_.symbol)
    if stop is None or not stop.is_in_time or stop.crossed_tape_ms is None:
        return False
    points = record.prices.get(exit_.symbol, ())
    before = [point.last for point in points if point.tape_ms < stop.crossed_tape_ms]
    standing = before[-1] if before else None
    since = [point.last for point in points if stop.crossed_tape_ms <= point.tape_ms <= exit_.tape_ms]
    traded = [last for last in since if last != standing]
    return bool(traded) and all(_is_through(sides[exit_.symbol], last, float(exit_.price)) for last in traded)


def _late(stops: Sequence[StopSummary]) -> list[str]:
    late = []
    for stop in stops:
        if stop.confirmed_tape_ms is None:
            late.append(f"{stop.symbol}: no stop of the guard was ever confirmed")
        elif not stop.is_in_time:
            late.append(f"{stop.symbol}: the mark passed the trigger before the stop was confirmed")
    return late


def _left_early(record: RunRecord, stops: Sequence[StopSummary]) -> list[str]:
    crossed = {stop.symbol: stop.crossed_tape_ms for stop in stops}
    early = []
    for exit_ in record.guarded.exits:
        reached = crossed.get(exit_.symbol)
        if not exit_.is_liquidation and (reached is None or exit_.tape_ms < reached):
            early.append(f"{exit_.symbol}: the guard left before the mark crossed the trigger")
    return early


def _summary(position: HeldPosition, record: RunRecord) -> StopSummary:
    facts = [fact for fact in record.stops if fact.symbol == position.symbol]
    resting = [fact for fact in facts if fact.what == "resting"]
    first = resting[0] if resting else None
    triggered = next((fact for fact in facts if fact.what == "triggered"), None)
    crossed = first_crossing(position, resting, record.prices.get(position.symbol, ()))
    return StopSummary(
        symbol=position.symbol,
        title=position.title,
        client_order_id=first.client_order_id if first else "",
        stop_price=resting[-1].stop_price if resting else None,
        confirmed_at_ms=first.at_ms if first else None,
        confirmed_tape_ms=first.tape_ms if first else None,
        confirmed_after_ms=first.at_ms - position.opened_at_ms if first else None,
        crossed_tape_ms=crossed,
        triggered_tape_ms=triggered.tape_ms if triggered else None,
    )


def first_crossing(position: HeldPosition, resting: Sequence[StopFact], prices: Iterable[PricePoint]) -> int | None:
    """Return the tape time at which the mark first reached the trigger in force, None if it never did.

    Before the first confirmation the first trigger counts, so a late stop cannot hide that the mark was through it.
    """
    if not resting:
        return None
    in_force = 0
    for point in prices:
        if point.tape_ms < position.opened_tape_ms:
            continue
        while in_force + 1 < len(resting) and resting[in_force + 1].tape_ms <= point.tape_ms:
            in_force += 1
        if _is_through(position.side, point.mark, float(resting[in_force].stop_price)):
            return point.tape_ms
    return None


def _is_through(side: Side, mark: float, trigger: float) -> bool:
    return mark <= trigger if side is Side.LONG else mark >= trigger
