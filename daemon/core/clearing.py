"""Clear up after a position that went flat or turned round: cancel the stops that protect nothing, then forget it.

Why apart from `stops.py`: a stop that is cancelled by mistake cannot be called back, so here more witnesses are heard
than anywhere else (`flatness.py`), and nothing is forgotten that a request under way may still bring back.
"""

from __future__ import annotations

from connectors.vocabulary import Order
from daemon.core.alerts import tell
from daemon.core.commands import Severity
from daemon.core.draft import Draft
from daemon.core.folding import flatness
from daemon.core.folding.account import FORGET_AFTER_NS, is_agreed
from daemon.core.protecting import take_profit
from daemon.core.protecting.cover import own_stops
from daemon.core.reasons import Reason
from daemon.core.restraint import latches, quiet
from daemon.core.state import Guarded
from daemon.core.writes import outcomes, requests


def is_needless(draft: Draft, guarded: Guarded, order: Order) -> bool:
    """Whether the witnesses say so, and speak of the present; if not, a picture is wanted.

    Two for a position that turned, three for one that is flat (`flatness.py`).

    The stream has to have listed its table on this connection, and a read has to be younger than that and than the
    stop itself: after a restart, or beside a second guard, a stop may be heard of before the position it protects.
    """
    known = draft.orders[order.symbol][order.order_id]
    since_ns = max(guarded.turned_ns, draft.positions_listed_ns, known.taken_ns)
    if not guarded.position.quantity:
        return flatness.is_flat(draft, guarded, known.taken_ns)
    is_read = guarded.query is not None and guarded.query.at_ns >= since_ns
    if is_read and draft.positions_listed_ns and is_agreed(guarded):
        return True
    draft.want_picture(Reason.DOUBT, since_ns)
    return False


def clear_up(draft: Draft, symbol: str) -> None:
    """The position is flat: cancel what is left once three witnesses agree, and forget it after a while."""
    guarded = draft.positions[symbol]
    if (guarded.fired_ns or guarded.reductions) and not (guarded.was_told_out or guarded.was_liquidated):
        guarded = _tell_out(draft, guarded)
    left = [known for known in own_stops(draft, symbol) if not known.is_asked_about]
    if guarded.write is not None:
        return
    latch = latches.flattening(draft, symbol)
    if latch is not None and not latch.proven_ns:
        # One witness more than usual: the stop goes last of all (see `flat_proof.py`, which asks for it).
        return
    if left and not quiet.is_held(draft, symbol):
        if draft.now_ns < guarded.retry_at_ns:
            draft.wake(symbol, guarded.retry_at_ns)
        elif is_needless(draft, guarded, left[0].order):
            requests.cancel_order(draft, guarded, left[0].order, Reason.COVER_NEEDLESS)
        return
    if guarded.bracket.write is not None or take_profit.own_takes(draft, symbol):
        return
    if guarded.reduce is not None or own_stops(draft, symbol) or _is_asked_about(draft, symbol):
        return
    if draft.now_ns >= guarded.flat_ns + FORGET_AFTER_NS:
        draft.drop_position(symbol)
        draft.set_asking(symbol, None)
        draft.remove("in_vain", symbol)
    else:
        draft.wake(symbol, guarded.flat_ns + FORGET_AFTER_NS)


def _is_asked_about(draft: Draft, symbol: str) -> bool:
    """Whether a question is under way, or will have to be asked of a request that may still take effect."""
    return draft.asking.get(symbol, 0) > 0 or outcomes.is_any(draft, symbol)


def _tell_out(draft: Draft, guarded: Guarded) -> Guarded:
    """Say what of ours was at work: a stop that fired and left something over is followed by a reduction."""
    symbol, reductions = guarded.position.key.symbol, guarded.reductions
    ours = ["our stop fired"] if guarded.fired_ns else []
    ours += [f"{reductions} market reduction(s) of ours were sent"] if reductions else []
    tell(
        draft,
        Reason.FACT,
        Severity.WARNING,
        topic="position",
        state="stopped",
        symbol=symbol,
        text=f"{symbol} is flat after {' and '.join(ours)}.",
        facts=(("how", "stop" if guarded.fired_ns else "reduce"), ("reductions", reductions)),
    )
    return draft.change(symbol, was_told_out=True)
