"""At an orderly stop: cancel what may add exposure, if the setting `cancel_on_stop` says so.

Why: quotes that outlive their guard can open a position that nobody covers. In mode `auto` the dead man's switch is
disarmed by the stop, so nothing else would take them away. Orders that can only shrink a position stay, whoever placed
them; a plain stop on the closing side of an open position might protect it, and waits until our own cover is confirmed.

One cancel per symbol is under way at a time, so a stop never waits behind a row of them. A cancel by order id may be
repeated without harm: one without effect is sent again after a pause, until the time for it is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from config.policy import Policy, SwitchMode
from connectors.vocabulary import STOP_KINDS, Order, PositionKey
from daemon.core import ids
from daemon.core.books import may_add_exposure
from daemon.core.commands import CancelOrder
from daemon.core.draft import ACCOUNT, Draft
from daemon.core.mode import Mode
from daemon.core.reasons import Reason
from daemon.core.state import PendingKind

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
    under_way = _under_way(draft)
    for symbol in sorted(draft.adding):
        order = None if symbol in under_way else _next(draft, symbol)
        if order is not None:
            _cancel(draft, order)


def is_settled(draft: Draft) -> bool:
    """Whether the stop has nothing more to wait for here: done, not asked for, or out of time."""
    if not is_asked_for(draft.policy) or draft.now_ns >= draft.stop_asked_ns + CANCEL_WITHIN_NS:
        return True
    return draft.orders_known and not draft.adding and not _under_way(draft)


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
        if may_add_exposure(known.order) and not _might_protect(draft, known.order):
            yield known.order


def _might_protect(draft: Draft, order: Order) -> bool:
    """Whether this stop may be all that a position has: no cover of ours is confirmed, or no position is known yet."""
    if order.kind not in STOP_KINDS:
        return False
    if not draft.was_whole and not draft.positions_listed_ns:
        return True
    guarded = draft.positions.get(order.symbol)
    if guarded is None or guarded.position.side is None or guarded.covered_ns:
        return False
    return order.side is ids.closing_side(guarded.position.side)


def _cancel(draft: Draft, order: Order) -> None:
    command_id = draft.await_answer(PendingKind.CANCEL, order.symbol, order_id=order.order_id)
    draft.note_cancel(order.order_id)
    draft.emit(
        CancelOrder(
            command_id=command_id,
            reason=Reason.STOPPING,
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            key=PositionKey(account=draft.account, symbol=order.symbol, strategy=order.strategy),
        )
    )
