"""Fold order rows, ours and anybody's, into the view, and notice what became of ours.

Why: the same order is told by the stream, by queries and by answers to requests, late, repeated or out of order. The
newer row wins (venue's stamp first, then when it was taken or asked for); an order that ended never comes back; one of
ours that a whole list leaves out is doubted, not dropped, until the venue was asked by client order id.

An answer to a request shows an order as *submitted*; only the stream or a query confirm it as resting.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Final

from connectors.vocabulary import Execution, Order, OrderStatus
from daemon.core import ids
from daemon.core.adding import may_add_exposure
from daemon.core.alerts import tell
from daemon.core.commands import Severity
from daemon.core.draft import Draft
from daemon.core.memory.orders import WriteInput, WriteKind, next_state
from daemon.core.memory.under_way import Write
from daemon.core.memory.witnesses import KnownOrder
from daemon.core.protecting import take_profit
from daemon.core.reasons import Reason
from daemon.core.state import Guarded
from daemon.core.writes import outcomes
from daemon.core.writes.requests import SETTLED_AFTER_NS, pause, refused_by_venue

CLOCK_TOLERANCE_NS: Final = 5 * 10**9
"""How far the venue's stamps may lie before the time at which the position became known to us."""


DENIED_FOR_NS: Final = 60 * 10**9
"""An order that every read denies for this long is gone, whatever the stream does not say."""


ENDS_WITHIN_NS: Final = 500 * 10**6
"""So long an order's own row may be later than the execution that tells of its end."""


class Evidence(Enum):
    """Where an order row comes from."""

    STREAM = "stream"
    QUERY = "query"
    ANSWER = "answer"


def take_order(draft: Draft, order: Order, evidence: Evidence, taken_ns: int) -> None:
    """Fold one order row.

    Args:
        draft: The step at work.
        order: The row.
        evidence: Who said so.
        taken_ns: When it was taken in (stream), or when the question or request was sent.
    """
    if order.account != draft.account:
        return
    known = draft.orders.get(order.symbol, {}).get(order.order_id)
    ours = ids.parse(draft.account, order.client_order_id)
    if ours is not None:
        draft.note_number(*ours)
        order = _as_sent(order)
    if _is_stale(draft, known, order, evidence, taken_ns):
        if ours is not None and evidence is not Evidence.ANSWER:
            _confirm(draft, known, evidence, taken_ns)
        return
    if order.status.is_final:
        _finish(draft, known, order)
    else:
        _put(draft, known, order, evidence, taken_ns)
    if ours is not None:
        if draft.unproved:
            outcomes.take_row(draft, order)
        _witness_own(draft, known, order, evidence)
    _recount(draft, order.symbol)
    if order.symbol in draft.positions:
        draft.touch(order.symbol)


def _as_sent(order: Order) -> Order:
    """A Close of ours never carries a quantity; a venue may show the position at placement, which it outgrows."""
    return replace(order, quantity=None) if order.is_close and order.quantity is not None else order


def _is_stale(draft: Draft, known: KnownOrder | None, order: Order, evidence: Evidence, taken_ns: int) -> bool:
    """Whether something newer is known of the order."""
    if order.order_id in draft.finished:
        return not order.status.is_final
    if known is None:
        return False
    if evidence is Evidence.ANSWER and known.is_confirmed and not order.status.is_final:
        return True
    # A finished row is the last word whatever its stamp.
    newer = (order.timestamp_ns, taken_ns) >= (known.order.timestamp_ns, known.taken_ns)
    return not newer and not order.status.is_final


def _confirm(draft: Draft, known: KnownOrder | None, evidence: Evidence, taken_ns: int) -> None:
    """A second source saw the order, with nothing newer to tell."""
    if known is None or known.is_settled:
        return
    seen_ns = max(known.seen_ns, taken_ns)
    seen = replace(known, is_confirmed=True, is_doubted=False, denied_ns=0, seen_ns=seen_ns, seen_by=evidence.value)
    is_left_out = known.is_left_out and evidence is not Evidence.STREAM
    draft.put_order(replace(seen, is_left_out=is_left_out, first_ns=known.first_ns or draft.now_ns))
    draft.touch(known.order.symbol)


def _put(draft: Draft, known: KnownOrder | None, order: Order, evidence: Evidence, taken_ns: int) -> None:
    if evidence is Evidence.ANSWER:
        # An answer shows an order as submitted; who saw it before still has.
        confirmed = known is not None and known.is_confirmed
        seen_ns, seen_by = (0, "") if known is None else (known.seen_ns, known.seen_by)
    else:
        confirmed, seen_ns, seen_by = True, taken_ns, evidence.value
    first_ns = known.first_ns if known is not None else 0
    is_told = evidence is Evidence.STREAM or (known is not None and known.is_told)
    draft.put_order(
        KnownOrder(
            order=order,
            taken_ns=taken_ns,
            is_confirmed=confirmed,
            seen_ns=seen_ns,
            seen_by=seen_by,
            first_ns=first_ns or (draft.now_ns if confirmed else 0),
            is_told=is_told,
            is_left_out=known is not None and known.is_left_out and evidence is not Evidence.STREAM,
            ended_ns=0 if known is None else known.ended_ns,
        )
    )


def _finish(draft: Draft, known: KnownOrder | None, order: Order) -> None:
    draft.note_finished(order.order_id, draft.now_ns)
    if known is not None:
        draft.drop_order(order.symbol, order.order_id)


def _recount(draft: Draft, symbol: str) -> None:
    book = draft.orders.get(symbol, {})
    draft.set_adding(symbol, sum(may_add_exposure(known.order) for known in book.values()))


def note_ended(draft: Draft, execution: Execution) -> None:
    """An execution tells that an order of ours was cancelled or rejected; its own row comes with it, as a rule."""
    known = draft.orders.get(execution.symbol, {}).get(execution.order_id)
    if known is None or known.ended_ns or not ids.is_ours(draft.account, known.order.client_order_id):
        return
    draft.put_order(replace(known, ended_ns=draft.now_ns))
    draft.touch(execution.symbol)


def end_told(draft: Draft, symbol: str) -> None:
    """Let orders go of whose end an execution told, where no row of theirs says so.

    That row was lost, or could not be read, and a read may come from a copy that lags behind: the position would have
    no stop, and the guard would not know.
    """
    for known in list(draft.orders.get(symbol, {}).values()):
        if not known.ended_ns:
            continue
        due_ns = known.ended_ns + ENDS_WITHIN_NS
        if draft.now_ns < due_ns:
            draft.wake(symbol, due_ns)
        else:
            order = replace(known.order, status=OrderStatus.CANCELED, leaves_quantity=0)
            take_order(draft, order, Evidence.STREAM, draft.now_ns)


def take_orders_listed(draft: Draft, orders: tuple[Order, ...], evidence: Evidence, taken_ns: int) -> None:
    """Fold a whole list of open orders: rows first, then what it leaves out.

    Args:
        draft: The step at work.
        orders: Every open order, as one witness lists them.
        evidence: Stream (a new connection) or query (a picture).
        taken_ns: When the list was taken in, or asked for; orders heard of since then are not judged by it.
    """
    if not draft.orders_known:
        draft.orders_known = True
        for symbol in draft.positions:
            draft.touch(symbol)
    for order in orders:
        take_order(draft, order, evidence, taken_ns)
    listed = {order.order_id for order in orders}
    for symbol, book in list(draft.orders.items()):
        missing = [known for name, known in book.items() if name not in listed and known.taken_ns < taken_ns]
        for known in missing:
            _miss(draft, known, evidence)
        if missing:
            _recount(draft, symbol)
            draft.touch(symbol)


def _miss(draft: Draft, known: KnownOrder, evidence: Evidence) -> None:
    """A whole list leaves an order out."""
    is_live = evidence is Evidence.STREAM
    if not ids.is_ours(draft.account, known.order.client_order_id) or (known.denied_ns and is_live):
        draft.drop_order(known.order.symbol, known.order.order_id)
    elif not known.denied_ns:
        is_left_out = is_live or known.is_left_out
        draft.put_order(replace(known, is_doubted=True, is_told=known.is_told and not is_live, is_left_out=is_left_out))
    elif draft.now_ns >= known.denied_ns + DENIED_FOR_NS:
        drop_unknown(draft, known)


def deny(draft: Draft, known: KnownOrder) -> None:
    """The venue was asked for an order of ours by its client order id and shows none.

    What the live stream told and did not end, or could not tell because it is away, may rest all the same: a read may
    come from a copy that lags behind. It covers nothing from now on, and counts as one that may rest until the stream
    lists its table anew, a cancel finds nothing, or reads have said so for long (P4).
    """
    account = draft.health.account
    if known.denied_ns and not known.is_doubted:
        return  # It was asked for on other grounds, and reads say what they said.
    if not known.denied_ns and (known.is_told or account.doubted or not account.is_live):
        draft.put_order(replace(known, is_doubted=False, denied_ns=draft.now_ns))
        draft.touch(known.order.symbol)
    else:
        drop_unknown(draft, known)


def drop_unknown(draft: Draft, known: KnownOrder) -> None:
    """The venue knows no such order any more."""
    draft.drop_order(known.order.symbol, known.order.order_id)
    _recount(draft, known.order.symbol)
    draft.touch(known.order.symbol)


# ---------------------------------------------------------------------- our own


def _witness_own(draft: Draft, known: KnownOrder | None, order: Order, evidence: Evidence) -> None:
    """What a believed row of ours says about the open write, and about the stop's life."""
    guarded = draft.positions.get(order.symbol)
    if guarded is None:
        return
    is_stop = ids.is_stop(draft.account, order.client_order_id)
    before = guarded
    if evidence is not Evidence.ANSWER:
        guarded = _settle_seen(draft, guarded, order)
    has_fired = is_stop and _has_fired(order) and _is_of_episode(before, known, order, evidence)
    if has_fired and order.status is OrderStatus.CANCELED:
        draft.change(order.symbol, cut_off_ns=guarded.cut_off_ns or draft.now_ns)
    if has_fired and not guarded.fired_ns:
        draft.change(order.symbol, fired_ns=draft.now_ns)
        _tell_fired(draft, order)
    elif is_stop and evidence is not Evidence.ANSWER and (known is not None or _is_awaited(before, order)):
        # An answer that carries a cancelled row is a refusal, and `answers.py` pauses for it.
        _note_cancelled(draft, known, order)
    elif ids.is_take(draft.account, order.client_order_id):
        asked = before.bracket.write
        is_asked = asked is not None and asked.order_id == order.order_id
        take_profit.take_row(draft, order, is_asked=is_asked or evidence is Evidence.ANSWER)


def _tell_fired(draft: Draft, order: Order) -> None:
    tell(
        draft,
        Reason.FACT,
        Severity.WARNING,
        topic="position",
        state="fired",
        symbol=order.symbol,
        text=f"The stop of {order.symbol} at {order.stop_price} fired.",
        facts=(("stop_price", order.stop_price), ("quantity", order.quantity)),
    )


def _settle_seen(draft: Draft, guarded: Guarded, order: Order) -> Guarded:
    """Settle the writes whose effect this row shows."""
    symbol = order.symbol
    if guarded.write is not None and _shows(guarded.write, order):
        next_state(guarded.write.state, WriteInput.SEEN)
        guarded = draft.change(symbol, write=None)
    bracket = guarded.bracket
    if bracket.write is not None and _shows(bracket.write, order):
        next_state(bracket.write.state, WriteInput.SEEN)
        guarded = draft.change(symbol, bracket=replace(bracket, write=None))
    if guarded.reduce is not None and _shows(guarded.reduce, order):
        next_state(guarded.reduce.state, WriteInput.SEEN)
        guarded = draft.change(symbol, reduce=None, reduced_ns=draft.now_ns)
    return guarded


def _shows(write: Write, order: Order) -> bool:
    """Whether a row shows that a write took effect, or can no longer do so."""
    if write.kind in {WriteKind.PLACE, WriteKind.REDUCE, WriteKind.TAKE}:
        if order.client_order_id != write.client_order_id:
            return False
        return order.status.is_final or (write.kind is not WriteKind.REDUCE and order.status is not OrderStatus.PENDING)
    if order.order_id != write.order_id:
        return False
    if order.status.is_final or write.kind in {WriteKind.CANCEL, WriteKind.DROP}:
        return order.status.is_final
    priced = write.stop_price is None or order.stop_price == write.stop_price
    sized = write.quantity is None or order.quantity == write.quantity
    return priced and sized


def _note_cancelled(draft: Draft, known: KnownOrder | None, order: Order) -> None:
    """A stop of ours that ended as soon as it was placed, resting or not: wait before the next, longer each time.

    One that had rested for a while and vanished (the dead man's switch, somebody's cancel) is put back at once.
    """
    guarded = draft.positions[order.symbol]
    if order.status not in {OrderStatus.CANCELED, OrderStatus.REJECTED}:
        return
    if not guarded.placed_ns or draft.now_ns - guarded.placed_ns >= SETTLED_AFTER_NS:
        return
    if known is None or not known.is_confirmed:
        draft.change(order.symbol, refusal=refused_by_venue(order.text or order.status.value))
    if guarded.unamendable:
        draft.change(order.symbol, unamendable="")  # this way is no better: the other one again
    pause(draft, order.symbol, WriteKind.PLACE)


def _is_of_episode(guarded: Guarded, known: KnownOrder | None, order: Order, evidence: Evidence) -> bool:
    """Whether a fired stop belongs to the position that is known now, and not to one of long ago."""
    side = guarded.position.side
    if side is not None and order.side is not ids.closing_side(side):
        return False
    if known is None and 0 < order.timestamp_ns < guarded.known_ns - CLOCK_TOLERANCE_NS:
        return False
    return known is not None or _is_awaited(guarded, order) or evidence is Evidence.STREAM


def _is_awaited(guarded: Guarded, order: Order) -> bool:
    """Whether an order is the one that the open write asked for, and not an older one under the same id."""
    write = guarded.write
    return write is not None and write.client_order_id == order.client_order_id and not write.probe


def _has_fired(order: Order) -> bool:
    return order.is_triggered or order.filled_quantity > 0 or order.status is OrderStatus.FILLED
