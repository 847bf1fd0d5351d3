"""When a FLATTEN has come to its end: flat proved by two clean reads, then the closing report.

A clean read is a picture that was asked after the last change, in which nothing is open that the latch is about, while
the stream says the same, the margin row does not deny it (`flatness.py`) and no close is under way. Two in a row prove
it. An empty list alone never does: the first read may be of a front-end that lags behind (P12).

Units: money in minor units of the settlement currency.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from connectors.vocabulary import Execution, ExecutionKind
from daemon.core import ids
from daemon.core.alerts import money, seconds, tell
from daemon.core.commands import Severity
from daemon.core.draft import ACCOUNT, Draft
from daemon.core.folding.feeds import account_is_fresh
from daemon.core.folding.flatness import Word, margin_says, says_flat
from daemon.core.margin import costs
from daemon.core.memory.interventions import Closing, Latch, LatchKind
from daemon.core.reasons import Reason
from daemon.core.restraint import latches, quiet
from daemon.core.state import Guarded, GuardState

READS: Final = 2
STUCK_AFTER_NS: Final = 30 * 10**9


def judge(draft: Draft) -> None:
    """Bring the proof of every FLATTEN latch up to date."""
    for latch in list(draft.latches.values()):
        if latch.kind is LatchKind.FLATTEN and quiet.is_carried_out(draft, latch):
            _judge(draft, latch)


def _judge(draft: Draft, latch: Latch) -> None:
    concerned = list(_concerned(draft, latch))
    is_open = any(guarded.position.quantity or guarded.reduce is not None for guarded in concerned)
    if is_open or _hedged(draft, latch):
        if latch.read_ns or latch.proven_ns:
            since_ns = draft.now_ns if latch.proven_ns else latch.stuck_from_ns
            latches.note(draft, latch.name, clean_reads=0, read_ns=0, proven_ns=0, stuck_from_ns=since_ns)
        return
    if latch.proven_ns or not account_is_fresh(draft):
        # What a stream said before it broke proves nothing; it is asked anew once it lives again.
        return
    changed_ns = max([latch.since_ns, *(max(each.flat_ns, each.reduced_ns) for each in concerned)])
    taken_ns = draft.pictures.taken_ns
    if taken_ns > max(changed_ns, latch.read_ns):
        latch = _count(draft, latch, concerned, taken_ns)
    if latch.clean_reads >= READS:
        _prove(draft, latch, concerned)
    else:
        draft.want_picture(Reason.FLATTEN, max(changed_ns, latch.read_ns) + 1)


def _count(draft: Draft, latch: Latch, concerned: list[Guarded], taken_ns: int) -> Latch:
    """A picture that is young enough: it is clean if it shows nothing, and the stream has not said otherwise."""
    is_clean = all(_says_flat(draft, each, taken_ns) for each in concerned)
    latches.note(draft, latch.name, read_ns=taken_ns, clean_reads=latch.clean_reads + 1 if is_clean else 0)
    return draft.latches[latch.name]


def _says_flat(draft: Draft, guarded: Guarded, taken_ns: int) -> bool:
    stream, query = guarded.stream, guarded.query
    is_read = query is not None and query.at_ns >= taken_ns and says_flat(query) is Word.AGREES
    return is_read and Word.DENIES not in {says_flat(stream), margin_says(draft, guarded, taken_ns)}


def _prove(draft: Draft, latch: Latch, concerned: list[Guarded]) -> None:
    latches.note(draft, latch.name, proven_ns=draft.now_ns, stuck_from_ns=0)
    for guarded in concerned:
        draft.touch(guarded.position.key.symbol)
    _report(draft, draft.latches[latch.name])
    # What is left of stops is asked for in the next step, which comes at once.
    draft.wake(ACCOUNT, draft.now_ns)
    for guarded in concerned:
        draft.wake(guarded.position.key.symbol, draft.now_ns)


# ---------------------------------------------------------------------- what is open


def _concerned(view: Draft | GuardState, latch: Latch) -> Iterator[Guarded]:
    return (guarded for symbol, guarded in view.positions.items() if latch.concerns(symbol))


def still_open(view: Draft | GuardState, latch: Latch) -> list[str]:
    """What a latch is about and is not flat, for people: "XBTUSD +100". Hedge-mode rows count and cannot be closed."""
    held = [g.position for g in _concerned(view, latch) if g.position.quantity]
    rows = [f"{position.key.symbol} {position.quantity:+d}" for position in held]
    return rows + _hedged(view, latch)


def _hedged(view: Draft | GuardState, latch: Latch) -> list[str]:
    return [name for name in view.hedged if latch.concerns(name.partition(":")[0])]


def stuck(draft: Draft) -> str:
    """Why a FLATTEN has not come to its end in time, for people; empty if it has, or still may."""
    for latch in draft.latches.values():
        if latch.kind is not LatchKind.FLATTEN or not latch.stuck_from_ns or not quiet.is_carried_out(draft, latch):
            continue
        due_ns = latch.stuck_from_ns + STUCK_AFTER_NS
        if draft.now_ns < due_ns:
            draft.wake(ACCOUNT, due_ns)
            continue
        return _stuck_text(draft, latch)
    return ""


def _stuck_text(draft: Draft, latch: Latch) -> str:
    rows, for_ns = still_open(draft, latch), draft.now_ns - latch.stuck_from_ns
    if rows:
        said = [each.refusal for symbol, each in draft.closings.items() if latch.concerns(symbol) and each.refusal]
        why = said[0] if said else draft.health.unsent_text or draft.health.misconfigured
        what = f"still open: {', '.join(sorted(rows))}"
    else:
        why = "" if account_is_fresh(draft) else "the account stream is down, and has to agree"
        what = "nothing is known to be open, and that is not proved"
    return f"{latch.name} has been closing for {seconds(for_ns)}; {what}" + (f"; {why}" if why else "")


# ---------------------------------------------------------------------- what it cost


def take_execution(draft: Draft, execution: Execution) -> None:
    """Add one fill of a close to what is known of its cost."""
    closing, instrument = draft.closings.get(execution.symbol), draft.instruments.get(execution.symbol)
    parsed = ids.parse(draft.account, execution.client_order_id)
    is_fill = execution.kind is ExecutionKind.TRADE and execution.price is not None and execution.quantity
    if closing is None or instrument is None or parsed is None or not is_fill or execution.price is None:
        return
    series, _ = parsed
    if not series.endswith(f"-{ids.Purpose.REDUCE.value}"):
        return
    count = abs(execution.quantity)
    signed = count if series.endswith(f"-L-{ids.Purpose.REDUCE.value}") else -count
    start = closing.mark_price or execution.price
    closing = replace(
        closing,
        contracts=closing.contracts + count,
        fees_sat=closing.fees_sat + costs.fee_sat(instrument, count, execution.price, instrument.taker_fee),
        slippage_sat=closing.slippage_sat - costs.pnl_sat(instrument, signed, start, execution.price),
    )
    draft.put("closings", execution.symbol, closing)


def _report(draft: Draft, latch: Latch) -> None:
    closed = [(symbol, each) for symbol, each in sorted(draft.closings.items()) if latch.concerns(symbol)]
    lines = [_line(draft, symbol, each) for symbol, each in closed]
    took = seconds(draft.now_ns - (latch.stuck_from_ns or latch.since_ns))
    what = "; ".join(lines) if lines else "no position was open"
    scope = ", ".join(latch.symbols) or "The account"
    cancelled = f" {latch.cancelled} order(s) of others were cancelled." if latch.cancelled else ""
    tell(
        draft,
        Reason.FLATTEN,
        Severity.WARNING,
        topic="latch",
        state="flat",
        text=f"{scope} is flat, by two reads and the stream, after {took}: {what}.{cancelled} The stops left are"
        f" cancelled now; it stays closed {latches.how_to_lift(latch)}.",
        facts=(("latch", latch.name), ("cancelled", latch.cancelled), ("closed", len(lines))),
    )


def _line(draft: Draft, symbol: str, closing: Closing) -> str:
    instrument = draft.instruments.get(symbol)
    currency = "" if instrument is None else instrument.settlement_currency
    if not closing.contracts:
        return f"{symbol} is gone, by no fill of ours that was heard of"
    slip = "slippage" if closing.slippage_sat >= 0 else "gain against the mark"
    fees, slipped = money(closing.fees_sat, currency), money(abs(closing.slippage_sat), currency)
    return f"{symbol} {closing.contracts} contracts closed, fees {fees}, {slip} {slipped}"
