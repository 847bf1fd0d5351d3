"""Fold the outcomes of requests: what each answer, refusal or silence means for the write it belongs to (P5).

Each request has one outcome. An outcome of a request that is no longer awaited (it was declared late, or the process
restarted) still contributes the order rows it carries, and nothing else.

Pauses between tries grow per position and purpose, and are forgotten when the cover is confirmed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from connectors.vocabulary import Order, OrderStatus
from daemon.core import ids
from daemon.core.draft import Draft
from daemon.core.events import (
    OrdersCancelled,
    OrdersFound,
    RequestAnswered,
    RequestMisconfigured,
    RequestNotSent,
    RequestRefused,
    RequestRefusedOnStream,
    RequestUnanswered,
)
from daemon.core.folding.books import Evidence, deny, drop_unknown, take_order
from daemon.core.market.marks import ns
from daemon.core.memory.orders import WriteInput, WriteKind, WriteState, next_state
from daemon.core.memory.under_way import Pending, PendingKind, Write
from daemon.core.reasons import Reason
from daemon.core.state import Guarded
from daemon.core.writes import outcomes
from daemon.core.writes.requests import GROWTH_LIMIT, grown_pause, held_back, pause, pause_repeat, refused_by_venue

ANSWER_WITHIN_NS: Final = 15 * 10**9
"""A request without any outcome for this long counts as unanswered: the shell owes one, and may have lost it."""

_SETTLED_HERE: Final = frozenset({PendingKind.WRITE, PendingKind.CANCEL, PendingKind.FIND, PendingKind.FREEZE})
"""Requests that are given up without asking another module: writes are doubted, cancels may simply be repeated."""

LONGEST_QUESTION_PAUSE_NS: Final = 2 * 10**9
"""A venue whose answers cannot be read is asked no oftener, or a few symbols use up the request budget (P8)."""

Failure = RequestRefused | RequestNotSent | RequestUnanswered | RequestMisconfigured


def take_answer(draft: Draft, event: RequestAnswered) -> None:
    """A write was answered with an order row, or with the word that nothing was there."""
    pending = draft.answered(event.command_id)
    note_success(draft)
    if event.order is not None:
        sent_ns = event.at_ns if pending is None else pending.sent_ns
        take_order(draft, event.order, Evidence.ANSWER, sent_ns)
    if pending is None:
        return
    if pending.kind is PendingKind.CANCEL:
        draft.note_cancel(pending.order_id)
        if event.order is None:
            _drop_ended(draft, pending)
    guarded = draft.positions.get(pending.symbol)
    write = None if guarded is None else _write_of(guarded, event.command_id)
    if guarded is None or write is None:
        return
    draft.touch(pending.symbol)
    if event.order is None:
        _answered_empty(draft, guarded, write)
    elif event.order.status.is_final:
        _answered_final(draft, guarded, write, event.order)
    else:
        _move(draft, guarded, write, WriteInput.ANSWERED_OPEN)


def take_cancelled(draft: Draft, event: OrdersCancelled) -> None:
    """Many orders of others were cancelled at once; each row stands for itself, and a missing one is gone already."""
    pending = draft.answered(event.command_id)
    note_success(draft)
    draft.freezing = replace(draft.freezing, pause_ns=0, retry_at_ns=0, refusal="")
    sent_ns = event.at_ns if pending is None else pending.sent_ns
    for order in event.orders:
        take_order(draft, order, Evidence.ANSWER, sent_ns)
    if pending is None:
        return
    shown = {order.order_id for order in event.orders}
    for book in list(draft.orders.values()):
        for known in list(book.values()):
            if known.order.order_id in pending.ids and known.order.order_id not in shown:
                drop_unknown(draft, known)


def _answered_empty(draft: Draft, guarded: Guarded, write: Write) -> None:
    """Nothing was there to cancel: it ended before, and how has to be asked."""
    if write.kind not in {WriteKind.CANCEL, WriteKind.DROP}:
        _move(draft, guarded, write, WriteInput.UNANSWERED)
        return
    known = draft.orders.get(guarded.position.key.symbol, {}).get(write.order_id)
    if known is not None and known.denied_ns:
        drop_unknown(draft, known)  # Nor did a question show it: there is nothing left to ask.
    elif known is not None:
        draft.put_order(replace(known, is_doubted=True, denied_ns=draft.now_ns))
    _move(draft, guarded, write, WriteInput.ANSWERED_FINAL)


def _drop_ended(draft: Draft, pending: Pending) -> None:
    """The venue has nothing left to cancel of somebody's order."""
    known = draft.orders.get(pending.symbol, {}).get(pending.order_id)
    if known is not None:
        drop_unknown(draft, known)


def _answered_final(draft: Draft, guarded: Guarded, write: Write, order: Order) -> None:
    """A 200 may carry a row that is already cancelled, or filled."""
    symbol = guarded.position.key.symbol
    guarded = _move(draft, guarded, write, WriteInput.ANSWERED_FINAL)
    if write.kind in {WriteKind.CANCEL, WriteKind.DROP} or order.status is OrderStatus.FILLED:
        return
    if write.kind is WriteKind.TAKE:
        _take_refused(draft, symbol, order.text or order.status.value)
        return
    draft.want_picture(Reason.DOUBT)
    if write.kind is WriteKind.PLACE:
        draft.change(symbol, refusal=refused_by_venue(order.text or order.status.value), unamendable="")
    pause(draft, symbol, write.kind)


def take_failure(draft: Draft, event: Failure) -> Pending | None:
    """A request was refused, not sent, not answered, or needs a person.

    Returns:
        What the request was, if it was awaited, for the caller to fold those that are not writes.
    """
    pending = draft.answered(event.command_id)
    if pending is None or pending.kind is not PendingKind.TAKE or isinstance(event, RequestMisconfigured):
        # That a take-profit order finds no budget is no want of protection.
        _note_failure(draft, event)
    if pending is None:
        return None
    if isinstance(event, RequestMisconfigured) and pending.kind in {PendingKind.WRITE, PendingKind.CANCEL}:
        # While it stands the switch is not fed: find out soon whether any request gets through.
        draft.want_picture(Reason.DOUBT)
    if pending.kind is PendingKind.FIND:
        _asked_in_vain(draft, pending)
    if pending.kind in {PendingKind.WRITE, PendingKind.TAKE} and pending.symbol in draft.positions:
        guarded = draft.positions[pending.symbol]
        write = _write_of(guarded, event.command_id)
        if write is not None:
            _write_failed(draft, guarded, write, event)
    if pending.symbol:
        draft.touch(pending.symbol)
    return pending


def _write_failed(draft: Draft, guarded: Guarded, write: Write, event: Failure) -> None:
    match event:
        case RequestUnanswered():
            _move(draft, guarded, write, WriteInput.UNANSWERED)
        case RequestRefused(is_duplicate=True):
            _move(draft, guarded, replace(write, probe=ids.PROBES), WriteInput.DUPLICATE)
        case RequestRefused():
            guarded = _move(draft, guarded, write, WriteInput.REFUSED)
            words = held_back(event.reason) if event.is_own else refused_by_venue(event.reason)
            _refused(draft, guarded, write, words, is_own=event.is_own)
        case RequestNotSent():
            guarded = _move(draft, guarded, write, WriteInput.NOT_SENT)
            pause(draft, guarded.position.key.symbol, write.kind, at_least_ns=event.retry_after_ns)
        case RequestMisconfigured():
            guarded = _move(draft, guarded, write, WriteInput.NOT_SENT)
            longest = GROWTH_LIMIT * ns(draft.policy.stop.retry_after_s)
            pause(draft, guarded.position.key.symbol, write.kind, at_least_ns=longest)


def _refused(draft: Draft, guarded: Guarded, write: Write, words: str, *, is_own: bool = False) -> None:
    symbol = guarded.position.key.symbol
    if write.kind is WriteKind.TAKE:
        _take_refused(draft, symbol, words)
        return
    if write.kind is WriteKind.PLACE:
        guarded = draft.change(symbol, refusal=words, unamendable="")
    elif write.kind in {WriteKind.AMEND, WriteKind.CANCEL, WriteKind.DROP}:
        # It may have fired, filled or gone: ask for the order itself.
        _doubt(draft, guarded, write.order_id)
        if write.kind is WriteKind.AMEND:
            unamendable = guarded.unamendable if is_own else write.order_id
            guarded = draft.change(symbol, refusal=words, unamendable=unamendable)
    draft.want_picture(Reason.DOUBT)
    pause(draft, guarded.position.key.symbol, write.kind)


def _take_refused(draft: Draft, symbol: str, words: str) -> None:
    """Other reduce-only orders may hold the contracts: no alarm, a longer pause."""
    bracket = draft.positions[symbol].bracket
    draft.change(symbol, bracket=replace(bracket, refusal=words))
    pause(draft, symbol, WriteKind.TAKE)


def take_stream_refusal(draft: Draft, event: RequestRefusedOnStream) -> None:
    """The stream says that an amend or cancel failed; the order itself may live on, so it is asked for."""
    for symbol, guarded in list(draft.positions.items()):
        write = guarded.write
        if write is None or write.kind not in {WriteKind.AMEND, WriteKind.CANCEL}:
            continue
        if write.order_id == event.order_id or write.client_order_id == event.client_order_id != "":
            # The request may still be answered as well; without its write that answer is only a row.
            guarded_now = _move(draft, guarded, write, WriteInput.REFUSED)
            _refused(draft, guarded_now, write, refused_by_venue(event.reason))
            draft.touch(symbol)


def take_found(draft: Draft, event: OrdersFound) -> None:
    """The venue said what it knows of the ids asked for."""
    pending = draft.answered(event.command_id)
    note_success(draft)
    asked_ns = event.at_ns if pending is None else pending.sent_ns
    for order in event.orders:
        take_order(draft, order, Evidence.QUERY, asked_ns)
    if pending is None:
        return
    if draft.asking.get(pending.symbol) == event.command_id:
        draft.set_asking(pending.symbol, None)
    draft.remove("in_vain", pending.symbol)
    found = {order.client_order_id for order in event.orders if order.account == draft.account}
    _drop_not_found(draft, pending, found)
    if draft.unproved:
        outcomes.take_question(draft, pending)
    guarded = draft.positions.get(pending.symbol)
    if guarded is None:
        return
    for write in (guarded.write, guarded.reduce, guarded.bracket.write):
        if write is not None and write.client_order_id in pending.ids and write.sent_ns <= pending.sent_ns:
            _write_asked_for(draft, write, pending, found)
    draft.touch(pending.symbol)


def _drop_not_found(draft: Draft, pending: Pending, found: set[str]) -> None:
    book = draft.orders.get(pending.symbol, {})
    for known in list(book.values()):
        name = known.order.client_order_id
        if name in pending.ids and name not in found and known.taken_ns <= pending.sent_ns and not known.is_settled:
            deny(draft, known)


def _write_asked_for(draft: Draft, write: Write, pending: Pending, found: set[str]) -> None:
    """Settle a write by what was found; an order that is still pending at the venue is asked for again."""
    guarded = draft.positions[pending.symbol]
    current = _write_of(guarded, write.command_id)
    if current is None:
        return
    if write.client_order_id not in found:
        if write.probe:
            _skip_used_number(draft, write, pending, found)
        _move(draft, guarded, current, WriteInput.NOT_FOUND)
        if current.state is WriteState.UNKNOWN and not write.probe:
            pause_repeat(draft, pending.symbol, write.kind, write.sent_ns)
        return
    if _is_still_pending(draft, pending.symbol, write.client_order_id):
        _pause_question(draft, pending.symbol)
        return
    _move(draft, guarded, current, WriteInput.FOUND)


def _is_still_pending(draft: Draft, symbol: str, name: str) -> bool:
    book = draft.orders.get(symbol, {}).values()
    return any(k.order.client_order_id == name and k.order.status is OrderStatus.PENDING for k in book)


def _skip_used_number(draft: Draft, write: Write, pending: Pending, found: set[str]) -> None:
    """The venue refuses an id as used and shows no order of it: its memory is longer than its answers.

    If none of the numbers asked for is shown either, they may all be used up, so skip them.
    """
    parsed = ids.parse(draft.account, write.client_order_id)
    if parsed is not None:
        series, number = parsed
        shown = any(name in found for name in pending.ids)
        draft.note_number(series, number if shown else number + ids.PROBES)


def expire(draft: Draft) -> list[tuple[int, Pending]]:
    """Declare requests late that had no outcome for long.

    Returns:
        Those that are not writes or questions, for their own modules to fold.
    """
    late = [(n, p) for n, p in draft.pending.items() if draft.now_ns - p.sent_ns >= ANSWER_WITHIN_NS]
    return [(n, p) for n, p in late if not _lose(draft, n, p)]


def lose_all(draft: Draft) -> list[tuple[int, Pending]]:
    """The process that waited is gone: every write is unknown, every read is off. Returns as `expire`."""
    return [(n, p) for n, p in list(draft.pending.items()) if not _lose(draft, n, p)]


def _lose(draft: Draft, command_id: int, pending: Pending) -> bool:
    """Give a request up; whether it was a write or a question."""
    draft.answered(command_id)
    if pending.kind is PendingKind.FIND:
        _asked_in_vain(draft, pending)
    guarded = draft.positions.get(pending.symbol)
    write = None if guarded is None else _write_of(guarded, command_id)
    if guarded is not None and write is not None:
        _move(draft, guarded, write, WriteInput.LATE)
    if pending.symbol:
        draft.touch(pending.symbol)
    return pending.kind in _SETTLED_HERE


def note_success(draft: Draft) -> None:
    """Any answer shows that requests get through."""
    if draft.health.misconfigured or draft.health.unsent_ns:
        draft.health = replace(draft.health, misconfigured="", unsent_ns=0, unsent_text="", is_limited=False)


def _note_failure(draft: Draft, event: Failure) -> None:
    match event:
        case RequestMisconfigured():
            draft.health = replace(draft.health, misconfigured=event.reason or "refused")
        case RequestNotSent():
            since_ns = draft.health.unsent_ns or draft.now_ns
            draft.health = replace(
                draft.health, unsent_ns=since_ns, unsent_text=event.reason, is_limited=event.is_limit
            )
        case RequestRefused(is_own=False):
            note_success(draft)
        case RequestRefused() | RequestUnanswered():
            pass


def _write_of(guarded: Guarded, command_id: int) -> Write | None:
    for write in (guarded.write, guarded.reduce, guarded.bracket.write):
        if write is not None and write.command_id == command_id:
            return write
    return None


def _move(draft: Draft, guarded: Guarded, write: Write, news: WriteInput) -> Guarded:
    """Move a write along its table; a settled one is forgotten."""
    symbol = guarded.position.key.symbol
    outcomes.note(draft, symbol, write, news)
    state = next_state(write.state, news)
    kept = None if state is WriteState.SETTLED else replace(write, state=state)
    if write.kind in {WriteKind.TAKE, WriteKind.DROP}:
        return draft.change(symbol, bracket=replace(guarded.bracket, write=kept))
    if write.kind is not WriteKind.REDUCE:
        return draft.change(symbol, write=kept)
    carried_out = news in {WriteInput.ANSWERED_FINAL, WriteInput.FOUND, WriteInput.SEEN}
    return draft.change(symbol, reduce=kept, reduced_ns=draft.now_ns if carried_out else guarded.reduced_ns)


def _doubt(draft: Draft, guarded: Guarded, order_id: str) -> None:
    known = draft.orders.get(guarded.position.key.symbol, {}).get(order_id)
    if known is not None and not known.denied_ns:
        draft.put_order(replace(known, is_doubted=True))


def _asked_in_vain(draft: Draft, pending: Pending) -> None:
    """A question got no answer: the next comes later; the placement that it was about remembers it (`doubts.py`)."""
    pause_ns = min(grown_pause(draft, draft.in_vain.get(pending.symbol, 0)), LONGEST_QUESTION_PAUSE_NS)
    draft.put("in_vain", pending.symbol, pause_ns)
    draft.set_asking(pending.symbol, -(draft.now_ns + pause_ns))
    guarded = draft.positions.get(pending.symbol)
    write = None if guarded is None else guarded.write
    if write is not None and write.client_order_id in pending.ids and write.sent_ns <= pending.sent_ns:
        draft.change(pending.symbol, write=replace(write, unanswered=write.unanswered + 1))


def _pause_question(draft: Draft, symbol: str) -> None:
    draft.set_asking(symbol, -(draft.now_ns + ns(draft.policy.stop.retry_after_s)))
