"""Change what backs a position, or its size, without adding danger: margin, leverage, mode, a part closed.

Level-triggered: a rule, or the ladder, asks at every judgement while its breach lasts, and what is asked for already is
not asked for again. One change per position at a time. Each is worked out beforehand and refused where any liquidation
would come nearer (P1, `danger_corrections.py`). A lost answer is settled by reading the position before anything is
repeated (P5): a margin transfer that is sent twice is money moved twice.

Every function returns an empty text if the change is asked for or under way, else why it is not, for the caller to
tell once.

Units: money in minor units of the settlement currency, leverage as a multiple, quantities in contracts.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from connectors.vocabulary import Position
from daemon.core.alerts import money, tell
from daemon.core.choke_point.danger_corrections import changed, correction_refusal
from daemon.core.commands import AddMargin, IsolatePosition, PositionCommand, SetLeverage, Severity
from daemon.core.draft import ACCOUNT, Draft
from daemon.core.folding.account import is_agreed
from daemon.core.margin.own_liquidation import own_price
from daemon.core.margin.what_if import replaced
from daemon.core.market.room import account_rows
from daemon.core.memory.interventions import Correction, CorrectionKind, MarginBudget
from daemon.core.memory.under_way import PendingKind
from daemon.core.reasons import Reason
from daemon.core.restraint import quiet
from daemon.core.state import GuardState
from daemon.core.writes import outcomes, requests

FIRST_PAUSE_NS: Final = 10**9
LONGEST_PAUSE_NS: Final = 300 * 10**9
DAY_NS: Final = 86_400 * 10**9


def lower_leverage(draft: Draft, symbol: str, leverage: Decimal, why: str) -> str:
    """Set a lower leverage of an isolated position. A cross one is left alone: a leverage would isolate it."""
    guarded = draft.positions.get(symbol)
    if guarded is None or guarded.position.is_cross:
        return f"{symbol} is cross, and setting a leverage would isolate it"
    if 0 < guarded.position.leverage <= leverage:
        return ""
    command = SetLeverage(command_id=0, reason=Reason.CORRECTION, key=guarded.position.key, leverage=leverage)
    words = f"leverage {guarded.position.leverage} -> {leverage}"
    return _change(draft, symbol, CorrectionKind.LEVERAGE, command, f"{why}: {words}")


def isolate(draft: Draft, symbol: str, why: str) -> str:
    """Give a cross position margin of its own."""
    guarded = draft.positions.get(symbol)
    if guarded is None or not guarded.position.is_cross:
        return ""
    command = IsolatePosition(command_id=0, reason=Reason.CORRECTION, key=guarded.position.key)
    return _change(draft, symbol, CorrectionKind.ISOLATE, command, f"{why}: cross -> isolated")


def add_margin(draft: Draft, symbol: str, amount_sat: int, why: str, *, reason: Reason = Reason.LADDER) -> str:
    """Move margin to an isolated position, and count it against the day's budget."""
    guarded = draft.positions.get(symbol)
    if guarded is None or guarded.position.is_cross:
        return f"{symbol} is cross: it has no margin of its own to add to"
    command = AddMargin(command_id=0, reason=reason, key=guarded.position.key, amount_sat=amount_sat)
    words = f"{money(amount_sat, guarded.position.currency)} of margin are added"
    return _change(draft, symbol, CorrectionKind.MARGIN, command, f"{why}: {words}")


def reduce_to(draft: Draft, symbol: str, contracts: int, why: str) -> str:
    """Bring a position down to a size, at the market; `contracts` counts without sign."""
    guarded = draft.positions.get(symbol)
    excess = 0 if guarded is None else abs(guarded.position.quantity) - max(0, contracts)
    return reduce_by(draft, symbol, excess, why, reason=Reason.CORRECTION) if excess > 0 else ""


def reduce_by(draft: Draft, symbol: str, contracts: int, why: str, *, reason: Reason) -> str:
    """Close a part of a position at the market, once two messages say that it is there (whole lots, upward)."""
    guarded, instrument = draft.positions.get(symbol), draft.instruments.get(symbol)
    if guarded is None or instrument is None or guarded.position.side is None:
        return f"{symbol} is not open, or its contract is not known"
    if quiet.is_quiet(draft):
        return quiet.words(draft)
    if guarded.reduce is not None or draft.now_ns < guarded.reduce_at_ns:
        return ""
    # What was read before the process started is no witness of now, and knows no id that was used since.
    query, since_ns = guarded.query, max(guarded.reduced_ns, draft.started_ns)
    if not is_agreed(guarded) or query is None or query.at_ns < since_ns:
        draft.want_picture(reason, max(guarded.turned_ns, since_ns) + 1)
        return ""
    whole, lot = abs(guarded.position.quantity), max(1, instrument.lot_size)
    count = min(-(-contracts // lot) * lot, whole, instrument.max_order_quantity or whole)
    pause_ns = requests.grown_pause(draft, guarded.reduce_pause_ns)
    draft.change(symbol, reduce_pause_ns=pause_ns, reduce_at_ns=draft.now_ns + pause_ns)
    text = f"{why}: closing {count} of {whole} {symbol} at the market."
    _tell(draft, reason, symbol, state="reducing", text=text, facts=(("contracts", count), ("of", whole)))
    requests.reduce_at_market(draft, draft.positions[symbol], reason, count)
    return ""


# ---------------------------------------------------------------------- asking


def _change(draft: Draft, symbol: str, kind: CorrectionKind, command: PositionCommand, words: str) -> str:
    known = draft.corrections.get(symbol)
    if known is not None and known.is_open:
        return ""
    if known is not None and known.kind is kind and draft.now_ns < known.retry_at_ns:
        return known.refusal
    refused = correction_refusal(command, draft)
    if refused is not None:
        return refused
    command_id = draft.await_answer(PendingKind.CORRECTION, symbol)
    command = replace(command, command_id=command_id)
    position = draft.positions[symbol].position
    correction = Correction(
        kind=kind,
        command_id=command_id,
        is_open=True,
        sent_ns=draft.now_ns,
        margin_before_sat=position.margin_sat,
        pause_ns=0 if known is None or known.kind is not kind else known.pause_ns,
    )
    if isinstance(command, AddMargin):
        correction = replace(correction, amount_sat=command.amount_sat)
        _spend(draft, position.currency, command.amount_sat)
    elif isinstance(command, SetLeverage):
        correction = replace(correction, leverage=command.leverage)
    draft.put("corrections", symbol, correction)
    before, after = _prices(draft, command)
    text = f"{words}; liquidation of {symbol} {before} -> {after}, and none of the account's comes nearer."
    facts = (("liquidation_before", before), ("liquidation_after", after))
    _tell(draft, command.reason, symbol, state=kind.value, text=text, facts=facts)
    draft.emit(command)
    return ""


def _prices(draft: Draft, command: PositionCommand) -> tuple[str, str]:
    """Our liquidation price before and after, for people."""
    rows = account_rows(draft)
    after = changed(command, rows)
    symbol = command.key.symbol
    shown = []
    for each in (rows, rows if after is None else replaced(rows, after)):
        position, instrument = each.positions[symbol], each.instruments[symbol]
        price = own_price(position, instrument, each.margins.get(position.currency)).price
        shown.append("none in range" if price is None else str(price))
    return shown[0], shown[1]


def _tell(
    draft: Draft, reason: Reason, symbol: str, *, state: str, text: str, facts: tuple[tuple[str, object], ...]
) -> None:
    text = f"{text[0].upper()}{text[1:]}"
    tell(draft, reason, Severity.WARNING, topic="correction", state=state, symbol=symbol, text=text, facts=facts)


# ---------------------------------------------------------------------- what became of it


def take_answer(draft: Draft, command_id: int) -> None:
    """The venue carried a correction out; the row that shows it is awaited before the next."""
    found = _of(draft, command_id)
    if found is not None:
        symbol, correction = found
        draft.put("corrections", symbol, replace(correction, is_answered=True, sent_ns=draft.now_ns, pause_ns=0))
        draft.want_picture(Reason.CORRECTION, draft.now_ns + 1)


def fail(draft: Draft, command_id: int, reason: str, told_ns: int, *, is_unknown: bool) -> None:
    """A correction was refused or not sent, or nobody knows: then the position is read first (P5)."""
    found = _of(draft, command_id)
    if found is None:
        return
    symbol, correction = found
    if is_unknown:
        draft.put("corrections", symbol, replace(correction, is_unknown=True, sent_ns=draft.now_ns))
        return
    _close(draft, symbol, correction, reason or "not carried out", told_ns)


def settle(draft: Draft) -> None:
    """Close what a picture asked since then shows, one way or the other."""
    for symbol, correction in list(draft.corrections.items()):
        if not correction.is_open or not (correction.is_answered or correction.is_unknown):
            continue
        guarded = draft.positions.get(symbol)
        is_gone = guarded is None or not guarded.position.quantity
        read_from_ns = correction.sent_ns + (outcomes.life_ns(draft) if correction.is_unknown else 1)
        is_read = draft.pictures.taken_ns >= read_from_ns
        if is_gone or (correction.is_answered and is_read) or (guarded and _shows(guarded.position, correction)):
            draft.put("corrections", symbol, replace(correction, is_open=False, is_unknown=False, refusal=""))
        elif is_read:
            _close(draft, symbol, correction, "a read of the position shows no change", 0)
        elif draft.now_ns < read_from_ns:
            draft.wake(ACCOUNT, read_from_ns)
        else:
            draft.want_picture(Reason.OUTCOME_UNKNOWN, read_from_ns)


def _of(draft: Draft, command_id: int) -> tuple[str, Correction] | None:
    for symbol, correction in draft.corrections.items():
        if correction.command_id == command_id and correction.is_open:
            return symbol, correction
    return None


def _shows(position: Position, correction: Correction) -> bool:
    """Whether a row shows the change. Half of an amount is enough: funding may have taken some of it meanwhile."""
    match correction.kind:
        case CorrectionKind.MARGIN:
            return 2 * (position.margin_sat - correction.margin_before_sat) >= correction.amount_sat
        case CorrectionKind.LEVERAGE:
            return not position.is_cross and position.leverage == correction.leverage
        case CorrectionKind.ISOLATE:
            return not position.is_cross


def _close(draft: Draft, symbol: str, correction: Correction, reason: str, told_ns: int) -> None:
    """It was not carried out: the budget is given back, and the next try waits, longer each time."""
    pause_ns = min(LONGEST_PAUSE_NS, max(FIRST_PAUSE_NS, 2 * correction.pause_ns))
    due_ns = draft.now_ns + max(pause_ns, told_ns)
    closed = replace(correction, is_open=False, is_unknown=False, pause_ns=pause_ns, retry_at_ns=due_ns, refusal=reason)
    draft.put("corrections", symbol, closed)
    draft.wake(ACCOUNT, due_ns)
    guarded = draft.positions.get(symbol)
    if correction.kind is CorrectionKind.MARGIN and guarded is not None:
        _spend(draft, guarded.position.currency, -correction.amount_sat)


# ---------------------------------------------------------------------- the budget


def spent_today_sat(view: Draft | GuardState, currency: str) -> int:
    """What was added to isolated positions of a currency since midnight UTC, what is under way included."""
    budget = view.margin_budgets.get(currency)
    return 0 if budget is None or budget.day != view.now_ns // DAY_NS else budget.spent_sat


def _spend(draft: Draft, currency: str, amount_sat: int) -> None:
    spent = max(0, spent_today_sat(draft, currency) + amount_sat)
    draft.put("margin_budgets", currency, MarginBudget(day=draft.now_ns // DAY_NS, spent_sat=spent))
