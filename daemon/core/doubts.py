"""Ask the venue about orders of ours whose fate is not known, before anything else is done with them (P5).

What is asked for, in one question per symbol: writes without an answer, stops that were accepted and not confirmed in
time, orders that a list left out, requests without a verdict that can no longer arrive (`outcomes.py`), and, where an
id was refused as a duplicate, the numbers after it.

A question may stay without an answer for as long as reads fail, while placements would get through. A stop is then
asked for in the other way that the venue has: the very same placement is sent again, under the same id. If the first
one is there it is refused as a duplicate, which is an answer; if not, the position is covered.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from daemon.core import ids
from daemon.core.draft import Draft
from daemon.core.folding.feeds import account_is_fresh
from daemon.core.market.marks import ns
from daemon.core.memory.orders import WriteInput, WriteKind, WriteState, next_state
from daemon.core.memory.under_way import Write
from daemon.core.protecting.cover import own_stops
from daemon.core.protecting.take_profit import own_takes
from daemon.core.reasons import Reason
from daemon.core.state import Guarded
from daemon.core.writes import outcomes
from daemon.core.writes.requests import find_orders, pause_repeat

REPEAT_AFTER_NS: Final = 10 * 10**9
"""After it left a placement that nobody tells of, and about which no question is answered, is sent once more."""


def ask(draft: Draft, symbol: str) -> None:
    """Ask what has to be asked about one symbol, unless a question is under way."""
    is_late = _declare_late(draft, symbol)
    _give_up_asking(draft, symbol)
    names, reason = _doubtful(draft, symbol)
    if not names:
        return
    asking = draft.asking.get(symbol)
    if asking is not None and asking > 0:
        return
    if asking is not None and draft.now_ns < -asking:
        draft.wake(symbol, -asking)
        return
    find_orders(draft, symbol, Reason.CONFIRMATION_LATE if is_late else reason, names)


def _declare_late(draft: Draft, symbol: str) -> bool:
    """A write that was accepted and not confirmed in time is as good as unanswered; whether one became so now."""
    guarded = draft.positions[symbol]
    write, reduce = _late(draft, symbol, guarded.write), _late(draft, symbol, guarded.reduce)
    bracket = guarded.bracket
    take = _late(draft, symbol, bracket.write)
    is_late = write is not guarded.write or reduce is not guarded.reduce or take is not bracket.write
    if is_late:
        draft.change(symbol, write=write, reduce=reduce, bracket=replace(bracket, write=take))
    return is_late


def _give_up_asking(draft: Draft, symbol: str) -> None:
    """Let a lost placement of a stop be repeated although its question is not answered.

    Only while the stream is fresh, which would have told of an order that came to rest, fired or was refused, and only
    where nothing but the question is in the way. What arrives late meets the repeat: one name, one order.
    """
    guarded = draft.positions[symbol]
    write = guarded.write
    if write is None or write.kind is not WriteKind.PLACE or write.state is not WriteState.UNKNOWN:
        return
    if not write.unanswered or write.probe or not account_is_fresh(draft):
        return
    book = draft.orders.get(symbol, {}).values()
    if any(known.order.client_order_id == write.client_order_id for known in book):
        return
    due_ns = write.sent_ns + REPEAT_AFTER_NS
    if draft.now_ns < due_ns:
        draft.wake(symbol, due_ns)
        return
    draft.change(symbol, write=None)
    pause_repeat(draft, symbol, write.kind, write.sent_ns)


def _late(draft: Draft, symbol: str, write: Write | None) -> Write | None:
    if write is None or write.state is not WriteState.SUBMITTED:
        return write
    due_ns = write.sent_ns + ns(draft.policy.stop.confirm_within_s)
    if draft.now_ns < due_ns:
        draft.wake(symbol, due_ns)
        return write
    outcomes.note(draft, symbol, write, WriteInput.LATE)
    return replace(write, state=next_state(write.state, WriteInput.LATE))


def _doubtful(draft: Draft, symbol: str) -> tuple[tuple[str, ...], Reason]:
    guarded = draft.positions[symbol]
    names: dict[str, None] = {}
    reason = Reason.CONFIRMATION_LATE
    for write in (guarded.write, guarded.reduce, guarded.bracket.write):
        if write is not None and write.state is WriteState.UNKNOWN:
            names |= dict.fromkeys(_names(draft, write))
            reason = Reason.OUTCOME_UNKNOWN
    names |= dict.fromkeys(
        known.order.client_order_id
        for known in (*own_stops(draft, symbol), *own_takes(draft, symbol))
        if known.is_doubted or (known.is_asked_about and not _is_awaited(guarded, known.order.client_order_id))
    )
    if draft.unproved and (due := outcomes.due_names(draft, symbol)):
        names |= dict.fromkeys(due)
        reason = Reason.OUTCOME_UNKNOWN
    return tuple(names), reason


def _names(draft: Draft, write: Write) -> tuple[str, ...]:
    parsed = ids.parse(draft.account, write.client_order_id)
    if not write.probe or parsed is None:
        return (write.client_order_id,)
    return ids.probes(*parsed)


def _is_awaited(guarded: Guarded, name: str) -> bool:
    placing = ((guarded.write, WriteKind.PLACE), (guarded.bracket.write, WriteKind.TAKE))
    return any(write is not None and write.kind is kind and write.client_order_id == name for write, kind in placing)
