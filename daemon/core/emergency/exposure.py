"""Cancel what may add exposure, one order at a time: at an orderly stop, and while blind.

At an orderly stop, if the setting `cancel_on_stop` says so. Why: quotes that outlive their guard can open a position
that nobody covers. In mode `auto` the dead man's switch is disarmed by the stop, so nothing else would take them away.

While the guard does not guard and the switch is armed, in mode `auto` (P6). Why: the countdown would take the quotes,
as it is meant to, and the protective stops with them. So when half of what was left of it is over, and a picture asked
since then shows that requests still work, the quotes are cancelled by id; once a picture younger than the cancels shows
none, the switch is disarmed and the stops stay. If requests do not work, the countdown runs out as before.

Orders that can only shrink a position stay, whoever placed them; a plain stop on the closing side of an open position
might protect it, and waits until our own cover is confirmed.

One cancel per symbol is under way at a time, so a stop never waits behind a row of them. A cancel by order id may be
repeated without harm: one without effect is sent again after a pause, until the time for it is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from config.policy import Policy, SwitchMode
from connectors.vocabulary import STOP_KINDS, Order, PositionKey
from daemon.core import ids
from daemon.core.adding import may_add_exposure
from daemon.core.alerts import seconds, tell
from daemon.core.commands import CancelOrder, Severity
from daemon.core.draft import ACCOUNT, Draft
from daemon.core.memory.under_way import PendingKind
from daemon.core.mode import Mode
from daemon.core.reasons import Reason
from daemon.core.restraint import quiet
from daemon.core.state import GuardState

CANCEL_WITHIN_NS: Final = 3 * 10**9
"""Of the stop's time; what is left of it belongs to the switch."""
AGAIN_AFTER_NS: Final = 10**9


def is_asked_for(policy: Policy) -> bool:
    """Whether policy wants the orders cancelled at an orderly stop."""
    return policy.switch.cancel_on_stop and policy.switch.mode is SwitchMode.AUTO and not policy.observe


def cancel_at_stop(draft: Draft) -> None:
    """While stopping: cancel, one per symbol at a time, every open order that may add exposure."""
    if draft.mode is not Mode.STOPPING or is_settled(draft):
        return
    draft.wake(ACCOUNT, draft.stop_asked_ns + CANCEL_WITHIN_NS)
    _cancel_next(draft, Reason.STOPPING)


def _cancel_next(draft: Draft, reason: Reason) -> None:
    under_way = _under_way(draft)
    for symbol in sorted(draft.adding):
        order = None if symbol in under_way else _next(draft, symbol)
        if order is not None:
            _cancel(draft, order, reason)


def is_settled(draft: Draft) -> bool:
    """Whether the stop has nothing more to wait for here: done, not asked for, or out of time."""
    if not is_asked_for(draft.policy) or draft.now_ns >= draft.stop_asked_ns + CANCEL_WITHIN_NS:
        return True
    return draft.orders_known and not draft.adding and not _under_way(draft)


# ---------------------------------------------------------------------- while blind


def cancel_while_blind(draft: Draft) -> None:
    """While the countdown runs unfed: take the quotes away, so that it need not take the stops."""
    due_ns = clearing_due_ns(draft)
    if not due_ns:
        if draft.switch.clearing_ns and draft.mode is not Mode.SYNCING:
            draft.switch = replace(draft.switch, clearing_ns=0)
            draft.forget_cancels()
        return
    if draft.now_ns < due_ns:
        draft.wake(ACCOUNT, due_ns)
        return
    draft.want_picture(Reason.EXPOSURE_UNWATCHED, due_ns if draft.adding else _cleared_ns(draft, due_ns))
    if draft.pictures.taken_ns < due_ns:
        return
    if not draft.switch.clearing_ns:
        _tell_clearing(draft)
        draft.forget_cancels()
        draft.switch = replace(draft.switch, clearing_ns=draft.now_ns)
    _cancel_next(draft, Reason.EXPOSURE_UNWATCHED)


def clearing_due_ns(view: Draft | GuardState) -> int:
    """When half of the countdown that was left at the end of guarding is over; 0 where there is nothing to wait for.

    A short gap thus cancels nothing. SYNCING does not count: it ends with the next picture.
    """
    switch, policy = view.switch, view.policy
    if policy.switch.mode is not SwitchMode.AUTO or quiet.is_quiet(view):
        return 0
    if view.mode not in {Mode.BLIND, Mode.STARTING} or not view.unguarded_ns or view.now_ns >= switch.expires_ns:
        return 0
    return view.unguarded_ns + max(0, switch.expires_ns - view.unguarded_ns) // 2


def is_cleared(draft: Draft) -> bool:
    """Whether a blind guard may disarm: a picture younger than every cancel shows nothing that may add exposure."""
    due_ns = clearing_due_ns(draft)
    if not due_ns or not draft.switch.clearing_ns or draft.adding or _under_way(draft):
        return False
    return draft.pictures.taken_ns >= _cleared_ns(draft, due_ns)


def _cleared_ns(draft: Draft, due_ns: int) -> int:
    """How young a picture has to be to show the effect of the cancels, and orders that no stream told of."""
    return max(due_ns, *(at_ns + 1 for at_ns in draft.cancels.values())) if draft.cancels else due_ns


def _tell_clearing(draft: Draft) -> None:
    left_ns = draft.switch.expires_ns - draft.now_ns
    count = sum(draft.adding.values())
    tell(
        draft,
        Reason.EXPOSURE_UNWATCHED,
        Severity.CRITICAL,
        topic="switch",
        state="clearing",
        text=f"Not guarding for {seconds(draft.now_ns - draft.unguarded_ns)} while the dead man's switch runs out in"
        f" {seconds(left_ns)}: {count} open order(s) that may add exposure are cancelled by id, then it is disarmed,"
        " so that the stops stay.",
        facts=(("orders", count), ("left_ms", left_ns // 1_000_000)),
    )


def tell_cleared(draft: Draft) -> None:
    """The venue confirmed the disarming that ends the clearing."""
    count = len(draft.cancels)
    tell(
        draft,
        Reason.EXPOSURE_UNWATCHED,
        Severity.CRITICAL,
        topic="switch",
        state="cleared",
        text=f"The dead man's switch is disarmed while the guard cannot see: {count} order(s) that may add exposure"
        " were cancelled, none is left, and the stops stay. New orders of bots have no guard now.",
        facts=(("cancelled", count),),
    )


# ---------------------------------------------------------------------- which orders


def _under_way(draft: Draft) -> set[str]:
    return {pending.symbol for pending in draft.pending.values() if pending.kind is PendingKind.CANCEL}


def _next(draft: Draft, symbol: str) -> Order | None:
    """The order of a symbol to cancel now; a tried one is due again after a pause."""
    due = {order.order_id: draft.cancels.get(order.order_id, 0) for order in _adding(draft, symbol)}
    if not due:
        return None
    order_id = min(due, key=lambda name: due[name])
    if due[order_id] and draft.now_ns < due[order_id] + AGAIN_AFTER_NS:
        draft.wake(ACCOUNT, due[order_id] + AGAIN_AFTER_NS)
        return None
    return draft.orders[symbol][order_id].order


def _adding(draft: Draft, symbol: str) -> Iterator[Order]:
    for known in draft.orders.get(symbol, {}).values():
        is_others = not ids.is_ours(draft.account, known.order.client_order_id)
        if is_others and may_add_exposure(known.order) and not might_protect(draft, known.order):
            yield known.order


def might_protect(draft: Draft, order: Order) -> bool:
    """Whether this stop may be all that a position has: no cover of ours is confirmed, or no position is known yet."""
    if order.kind not in STOP_KINDS:
        return False
    if not draft.was_whole and not draft.positions_listed_ns:
        return True
    guarded = draft.positions.get(order.symbol)
    if guarded is None or guarded.position.side is None or guarded.covered_ns:
        return False
    return order.side is ids.closing_side(guarded.position.side)


def _cancel(draft: Draft, order: Order, reason: Reason) -> None:
    command_id = draft.await_answer(PendingKind.CANCEL, order.symbol, order_id=order.order_id)
    draft.note_cancel(order.order_id)
    draft.emit(
        CancelOrder(
            command_id=command_id,
            reason=reason,
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            key=PositionKey(account=draft.account, symbol=order.symbol, strategy=order.strategy),
        )
    )
