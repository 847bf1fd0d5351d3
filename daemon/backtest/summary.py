"""A run as lines for people and as one object for machines. Pure."""

from __future__ import annotations

from dataclasses import asdict

from daemon.backtest.figures import Figures, ShadowWord, figures, ladder_told, shadow_words, tiers_told
from daemon.backtest.record import Cause, Exit, Half, LaneRecord, Round, RunRecord
from daemon.backtest.words import SAYS, SAYS_NOT, clock_time, iso_time, money_text, price_text, span_text

MOST_LINES = 12
"""Of a list in the text; the JSON file and the page hold all."""


def verdict(all_of_it: Figures, *, observes: bool = False) -> str:
    """Return the first line of every report."""
    if observes:
        return f"Observing only: nothing was sent; {all_of_it.unguarded_liquidations} liquidation(s), none prevented."
    if all_of_it.unsafe:
        return f"UNSAFE: {len(all_of_it.unsafe)} order(s) of the guard could have added danger."
    if all_of_it.guarded_liquidations:
        rest = all_of_it.guarded_liquidations - all_of_it.unpreventable - all_of_it.thin_books
        return (
            f"LIQUIDATED: guarded positions were liquidated {all_of_it.guarded_liquidations} time(s),"
            f" {all_of_it.unpreventable} of them where nothing was traded between stop and takeover,"
            f" {all_of_it.thin_books} where the book could not take all of the position, {rest} otherwise."
        )
    if not all_of_it.rounds:
        return "Nothing was tried: no position was opened (too short, halted all along, or every entry refused)."
    if not all_of_it.unguarded_liquidations:
        return "No liquidation: the unguarded account survived this stretch, too."
    return f"All {all_of_it.avoided} liquidation(s) of the unguarded account were avoided."


def summary_lines(record: RunRecord) -> list[str]:
    """Return what the command prints."""
    whole = figures(record.lanes)
    lines = [
        record.source,
        *(f"note: {note}" for note in record.notes),
        "",
        verdict(whole, observes=record.observes),
        "",
    ]
    lines += [_lane_line(None, whole), *(_lane_line(lane, figures([lane])) for lane in record.lanes)]
    lines += [problem_text(lane) for lane in record.lanes if lane.problem]
    lines += ["", *_detail_lines(record, whole), "", *([] if record.observes else _liquidated_lines(record))]
    return [*lines, SAYS, SAYS_NOT]


def _lane_line(lane: LaneRecord | None, its: Figures) -> str:
    if lane is None:
        return (
            f"{'position':<24}{'rounds':>7}{'liquidated':>11}{'avoided':>8}{'stopped':>8}{'whipsaws':>9}"
            f"{'guarded':>14}{'unguarded':>14}{'covered':>9}"
        )
    stopped = its.exits.get("stopped", 0) + its.exits.get("cut", 0)
    covered = covered_text(its, digits=2)
    return (
        f"{lane.lane.name:<24}{its.rounds:>7}{its.unguarded_liquidations:>11}{its.avoided:>8}{stopped:>8}"
        f"{its.whipsaws:>9}{money_text(its.guarded_sat):>14}{money_text(its.unguarded_sat):>14}{covered:>9}"
    )


def covered_text(its: Figures, *, digits: int) -> str:
    """Say for which share of the time confirmed stops covered everything; a dash where nothing was open."""
    return f"{its.covered_share:.{digits}%}" if its.rounds else "-"


def shadow_text(word: ShadowWord, scale: float) -> str:
    """Say what a rule in shadow would have done, and at which price."""
    price = "the market" if word.price is None else price_text(word.price / scale)
    return f"{word.rule} would {word.what} at {price}"


def problem_text(lane: LaneRecord) -> str:
    """Say that positions of a lane could not be opened, and why."""
    return f"note: {lane.lane.name} could not be entered every time; the exchange said: {lane.problem}"


def _detail_lines(record: RunRecord, whole: Figures) -> list[str]:
    lines = [
        (
            f"kept in rounds that liquidated the unguarded account: {money_text(whole.saved_sat)};"
            f" cost of {whole.whipsaws} whipsaw(s) compared with holding on: {money_text(-whole.whipsaw_cost_sat)}"
        ),
        (
            f"fees {money_text(-whole.fees_sat)} (unguarded {money_text(-whole.unguarded_fees_sat)}),"
            f" funding {money_text(-whole.funding_sat)} (unguarded {money_text(-whole.unguarded_funding_sat)})"
        ),
        (
            f"covered {covered_text(whole, digits=3)} of the time a position was open; slowest cover"
            f" {span_text(whole.slowest_ms)} after the entry; never covered: {whole.never_covered}"
        ),
        (
            f"{whole.requests} requests, {whole.refused_requests} refused, {whole.decisions} decisions,"
            f" {whole.held_back} command(s) held back before the wire"
        ),
    ]
    lines += [
        f"rule {rule.rule}: {rule.exits} exit(s), {rule.whipsaws} whipsaw(s),"
        f" {money_text(rule.versus_holding_sat)} compared with holding on"
        for rule in whole.rules
    ]
    tiers = ", ".join(f"{tier} {count}" for tier, count in tiers_told(record).items())
    lines.append(f"alerts: {sum(record.told_count.values())}; tiers: {tiers or 'none'}")
    ladder, words = ladder_told(record), shadow_words(record)
    lines += [f"  {clock_time(told.at_ms)} {told.text}" for told in ladder[:MOST_LINES]]
    lines += _more(len(ladder), "alerts of ladder and latches")
    for word in words[:MOST_LINES]:
        came = "" if word.was_sat is None else f": the round made {money_text(word.was_sat)}"
        if word.would_sat is not None and word.was_sat is not None:
            came = f": {money_text(word.would_sat)} instead of {money_text(word.was_sat)}"
        lines.append(f"  shadow: {shadow_text(word, record.scale)} on {clock_time(word.at_ms)}{came}")
    return [*lines, *_more(len(words), "words of rules in shadow")]


def _more(found: int, what: str) -> list[str]:
    return [f"  and {found - MOST_LINES} more {what}: --json and --html have them"] if found > MOST_LINES else []


def _liquidated_lines(record: RunRecord) -> list[str]:
    lines = []
    for lane in record.lanes:
        for one in lane.rounds:
            if not one.guarded.liquidated:
                continue
            taken = one.guarded.exit
            when = "a part of it" if taken is None else f"out {clock_time(taken.at_ms)}"
            price = "" if taken is None else f" at {price_text(taken.price / record.scale)}"
            lines.append(
                f"liquidated although guarded: {lane.lane.name}, entered {clock_time(one.opened_ms)},"
                f" {when}{price}: {_cause_text(one)}"
            )
    return [*lines, ""] if lines else []


def _cause_text(one: Round) -> str:
    match one.cause:
        case Cause.NOTHING_TRADED:
            return "nothing was traded between the stop and the takeover price: no stop could fill"
        case Cause.THIN_BOOK:
            return (
                f"the guard closed {one.guarded.closed_by_guard} of {abs(one.quantity)} contracts;"
                " the book held no more before the takeover"
            )
        case _:
            return "the stop did not save it"


# ---------------------------------------------------------------- for machines


def as_object(record: RunRecord) -> dict[str, object]:
    """Return a run as one JSON-ready object; the same run gives the same bytes. Prices are those of the file."""
    whole = figures(record.lanes)
    return {
        "source": record.source,
        "notes": list(record.notes),
        "from": iso_time(record.start_ms),
        "to": iso_time(record.end_ms),
        "steps": record.steps,
        "mark_source": record.mark_source,
        "price_scale": record.scale,
        "unit": "XBt",
        "verdict": verdict(whole, observes=record.observes),
        "figures": asdict(whole),
        "alerts": dict(record.told_count),
        "tiers": tiers_told(record),
        "lanes": [_lane_object(lane, record.scale) for lane in record.lanes],
        "ladder": [{"at": iso_time(one.at_ms), "lane": one.lane, "text": one.text} for one in ladder_told(record)],
        "shadow": [
            {**asdict(word), "at": iso_time(word.at_ms), "price": _unscaled(word.price, record.scale)}
            for word in shadow_words(record)
        ],
        "says": SAYS,
        "does_not_say": SAYS_NOT,
    }


def _lane_object(lane: LaneRecord, scale: float) -> dict[str, object]:
    return {
        "position": lane.lane.name,
        "side": lane.lane.side.value,
        "leverage": float(lane.lane.leverage),
        "margin": "cross" if lane.lane.is_cross else "isolated",
        "figures": asdict(figures([lane])),
        "requests": lane.requests,
        "problem": lane.problem,
        "rounds": [_round_object(one, scale) for one in lane.rounds],
    }


def _round_object(one: Round, scale: float) -> dict[str, object]:
    return {
        "number": one.number,
        "opened": iso_time(one.opened_ms),
        "ended": iso_time(one.ended_ms),
        "quantity": one.quantity,
        "liquidation_price": _unscaled(one.liquidation_price, scale),
        "protected_after_ms": one.protected_after_ms,
        "cause": None if one.cause is None else one.cause.value,
        "guarded": _half_object(one.guarded, scale),
        "unguarded": _half_object(one.unguarded, scale),
    }


def _half_object(half: Half, scale: float) -> dict[str, object]:
    return {
        "entry_price": _unscaled(half.entry_price, scale),
        "exit": _exit_object(half.exit, scale),
        "result": half.result_sat,
        "fees": half.fees_sat,
        "funding": half.funding_sat,
        "cuts": half.cuts,
        "closed_by_guard": half.closed_by_guard,
        "liquidated": half.liquidated,
    }


def _exit_object(exit_: Exit | None, scale: float) -> dict[str, object] | None:
    if exit_ is None:
        return None
    return {
        "at": iso_time(exit_.at_ms),
        "price": _unscaled(exit_.price, scale),
        "ending": exit_.ending.value,
        "rule": exit_.rule,
    }


def _unscaled(price: float | None, scale: float) -> float | None:
    return None if price is None else round(price / scale, 10)
