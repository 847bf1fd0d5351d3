"""While a latch holds, or a bot is silent: cancel orders that may add exposure as they appear, many in one request.

Why in bulk and at a pace: a bot may have hundreds of orders open and may quote again for ever. A cancel of many orders
costs as much as a cancel of one, so what appeared since the last request goes in the next. A burst is free; after it
one request every two seconds, so that a bot in a loop cannot use up the requests that stops and closes need (P8; the
connector also leaves them half of the reserve).

What only shrinks a position stays, whoever placed it; a plain stop that may be all that a position has waits until our
own cover is confirmed. Once a FLATTEN is proved flat, the stops that are left on its symbols go as well.

A cancel by order id may be repeated without harm, so a lost answer needs no question: what still stands after a second
is cancelled again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from connectors.vocabulary import STOP_KINDS, Order
from daemon.core import bots, ids
from daemon.core.adding import may_add_exposure
from daemon.core.alerts import seconds
from daemon.core.commands import CancelOrders, NamedOrder
from daemon.core.draft import ACCOUNT, Draft
from daemon.core.emergency.exposure import AGAIN_AFTER_NS, might_protect
from daemon.core.memory.interventions import Freezing, FrozenOrder, LatchKind
from daemon.core.memory.under_way import PendingKind
from daemon.core.mode import Mode
from daemon.core.reasons import Reason
from daemon.core.restraint import latches, quiet
from daemon.core.state import GuardState
from daemon.core.writes.requests import grown_pause

MOST_AT_ONCE: Final = 100
MOST_IN_FLIGHT: Final = 3
STEADY_NS: Final = 2 * 10**9
"""Between two requests once the burst is used up."""
BURST: Final = 10
GATHER_NS: Final = 100_000_000
"""Between two requests of a burst: orders come one by one on the stream."""
STUCK_AFTER_NS: Final = 10 * 10**9


def cancel_frozen(draft: Draft) -> None:
    """Ask for the cancel of whatever latches and silences forbid; wake up when something is due."""
    _note_what_is_to_go(draft)
    if not draft.frozen_orders or quiet.sends_nothing(draft) or draft.mode is Mode.STOPPED:
        return
    due = _due(draft)
    if not due:
        return
    earliest_ns = _earliest_ns(draft.freezing)
    if draft.now_ns < earliest_ns:
        draft.wake(ACCOUNT, earliest_ns)
    elif _in_flight(draft) < MOST_IN_FLIGHT:
        _cancel(draft, due[:MOST_AT_ONCE])


def fail(draft: Draft, reason: str, told_ns: int) -> None:
    """A request did not get through, or was refused: again after a pause that grows, or the one that was told."""
    pause_ns = grown_pause(draft, draft.freezing.pause_ns)
    draft.freezing = replace(
        draft.freezing,
        pause_ns=pause_ns,
        retry_at_ns=draft.now_ns + max(pause_ns, told_ns),
        refusal=reason or "no answer",
    )


def stuck(draft: Draft) -> str:
    """What has stood for too long although a latch or a silence forbids it, for people; empty if nothing has."""
    if not draft.frozen_orders or quiet.sends_nothing(draft):
        return ""
    since_ns = min(each.seen_ns for each in draft.frozen_orders.values())
    if draft.now_ns < since_ns + STUCK_AFTER_NS:
        draft.wake(ACCOUNT, since_ns + STUCK_AFTER_NS)
        return ""
    late = [name for name, each in draft.frozen_orders.items() if draft.now_ns >= each.seen_ns + STUCK_AFTER_NS]
    symbols = Counter(draft.frozen_orders[name].symbol for name in late)
    where = ", ".join(f"{symbol} ({count})" for symbol, count in sorted(symbols.items()))
    waits = all(not draft.frozen_orders[name].asked_ns for name in late)
    why = "a plain stop may be all that protects the position" if waits else draft.freezing.refusal
    stood = f"have stood for {seconds(draft.now_ns - since_ns)}: {where}"
    what = f"{len(late)} order(s) that a latch or a silence forbids {stood}"
    return f"{what}; {why}" if why else what


# ---------------------------------------------------------------------- which orders


def _note_what_is_to_go(draft: Draft) -> None:
    """Keep the list of forbidden orders: those that ended leave it, new ones join it."""
    if not draft.latches and not draft.frozen_orders and not bots.is_forbidding(draft):
        return
    found = {order.order_id: order for order in _forbidden(draft)}
    for name in [name for name in draft.frozen_orders if name not in found]:
        draft.remove("frozen_orders", name)
    for name, order in found.items():
        if name not in draft.frozen_orders:
            draft.put("frozen_orders", name, FrozenOrder(symbol=order.symbol, seen_ns=draft.now_ns))


def _forbidden(draft: Draft) -> Iterator[Order]:
    is_paused = draft.pause is not None
    by_bots = bots.is_forbidding(draft) and not is_paused
    if not draft.latches and not by_bots:
        return
    for symbol, book in draft.orders.items():
        held = list(latches.holding(draft, symbol))
        is_latched = any(quiet.is_carried_out(draft, latch) for latch in held) if is_paused else bool(held)
        if not is_latched and not by_bots:
            continue
        stops_too = are_stops_left_over(draft, symbol)
        for known in book.values():
            if ids.is_ours(draft.account, known.order.client_order_id):
                continue
            if not is_latched and not bots.forbids(draft, known.order):
                continue
            if may_add_exposure(known.order) or (stops_too and known.order.kind in STOP_KINDS):
                yield known.order


def are_stops_left_over(view: Draft | GuardState, symbol: str) -> bool:
    """Whether a FLATTEN about a symbol is proved, so that its stops protect nothing any more."""
    guarded = view.positions.get(symbol)
    if guarded is not None and guarded.position.quantity:
        return False
    return any(latch.kind is LatchKind.FLATTEN and latch.proven_ns for latch in latches.holding(view, symbol))


def is_unread_stop(view: Draft | GuardState, order: Order) -> bool:
    """Whether a stop was first seen after the newest picture was asked for.

    A stream that comes back lists orders before positions, and what such a stop protects may not be known yet.
    """
    frozen = view.frozen_orders.get(order.order_id)
    return order.kind in STOP_KINDS and (frozen is None or view.pictures.taken_ns <= frozen.seen_ns)


def _due(draft: Draft) -> list[NamedOrder]:
    """The orders to name in the next request, those that were never asked for first."""
    due = []
    for name, frozen in sorted(draft.frozen_orders.items(), key=lambda each: (each[1].asked_ns, each[0])):
        again_ns = frozen.asked_ns + AGAIN_AFTER_NS if frozen.asked_ns else 0
        if draft.now_ns < again_ns:
            draft.wake(ACCOUNT, again_ns)
            continue
        order = draft.orders[frozen.symbol][name].order
        if is_unread_stop(draft, order):
            draft.want_picture(Reason.FROZEN, frozen.seen_ns + 1)
        elif not might_protect(draft, order):
            due.append(NamedOrder(symbol=order.symbol, order_id=name, client_order_id=order.client_order_id))
    return due


# ---------------------------------------------------------------------- the request


def _earliest_ns(freezing: Freezing) -> int:
    paced_ns = freezing.earned_ns - (BURST - 1) * STEADY_NS
    return max(freezing.retry_at_ns, freezing.sent_ns + GATHER_NS if freezing.sent_ns else 0, paced_ns)


def _in_flight(draft: Draft) -> int:
    return sum(pending.kind is PendingKind.FREEZE for pending in draft.pending.values())


def _cancel(draft: Draft, orders: list[NamedOrder]) -> None:
    command_id = draft.await_answer(PendingKind.FREEZE, ids=tuple(each.order_id for each in orders))
    freezing = draft.freezing
    earned_ns = max(freezing.earned_ns, draft.now_ns) + STEADY_NS
    draft.freezing = replace(freezing, sent_ns=draft.now_ns, earned_ns=earned_ns)
    for each in orders:
        _count(draft, each)
        known = draft.frozen_orders[each.order_id]
        draft.put("frozen_orders", each.order_id, replace(known, asked_ns=draft.now_ns))
    draft.emit(CancelOrders(command_id=command_id, reason=_reason(draft, orders[0].symbol), orders=tuple(orders)))


def _reason(draft: Draft, symbol: str) -> Reason:
    if latches.flattening(draft, symbol) is not None:
        return Reason.FLATTEN
    return Reason.FROZEN if latches.is_frozen(draft, symbol) else Reason.BOT_SILENT


def _count(draft: Draft, order: NamedOrder) -> None:
    """Each order counts once, for every latch and every silence that forbids it."""
    if draft.frozen_orders[order.order_id].asked_ns:
        return
    bots.note_cancelled(draft, order.client_order_id)
    for latch in list(latches.holding(draft, order.symbol)):
        latches.note(draft, latch.name, cancelled=latch.cancelled + 1)
