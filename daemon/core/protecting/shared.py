"""Stops of an account that has two guards: which may go, when, and whose form is let be (P1, P4).

Both guards place under the same names, see the same book a moment apart, and may have other policies and requests of
their own under way. Two rules keep one from taking what the other leaves (decision 33):

- the newest stop is the one that stays (`cover.judge`), and a guard that holds another for the better one leaves the
  newer time to be seen by everybody;
- a form (a quantity, or a Close without one) is put right once: who finds a newer stop in its place has found somebody
  who wants it so, and lets it be.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from connectors.vocabulary import Order
from daemon.core.draft import Draft
from daemon.core.market.marks import is_looser
from daemon.core.protecting import cover as covers
from daemon.core.state import Guarded
from daemon.core.writes import outcomes

STANDS_NS: Final = 500 * 10**6
"""So long a stop has to rest before another goes for it: a venue that refuses one late tells first that it rests."""
LOOSER_RESTS_NS: Final = 2 * 10**9
"""So long a looser stop has to rest before a tighter one goes: a second guard, whom nobody told that a person loosened
it, takes the looser one away meanwhile, and both at once would leave nothing."""
NEWER_RESTS_NS: Final = 5 * 10**9
"""So long a newer stop has to rest before it goes for an older one: whoever placed it may be clearing that one up."""


def may_go_ns(draft: Draft, guarded: Guarded, keeper: Order, other: Order) -> int | None:
    """From when on one stop of ours may be cancelled because another is kept.

    Args:
        draft: The step at work.
        guarded: The position that both protect.
        keeper: The stop that stays.
        other: The stop that is one too many.

    Returns:
        A time in ns; None while a request of ours may still change or end the one that is kept.
    """
    if outcomes.is_unsettled(draft, keeper):
        return None
    book = draft.orders[keeper.symbol]
    due_ns = book[keeper.order_id].first_ns + STANDS_NS
    if _is_tighter(guarded, other, keeper):
        due_ns = max(due_ns, guarded.placed_ns + LOOSER_RESTS_NS)
    if covers.number(draft, other) > covers.number(draft, keeper):
        due_ns = max(due_ns, book[other.order_id].first_ns + NEWER_RESTS_NS)
    return due_ns


def _is_tighter(guarded: Guarded, one: Order, than: Order) -> bool:
    side = guarded.position.side
    if side is None or one.stop_price is None or than.stop_price is None:
        return False
    return is_looser(side, than.stop_price, one.stop_price)


def is_as_somebody_wants(draft: Draft, guarded: Guarded, keeper: Order) -> bool:
    """Whether a stop of another form than policy asks for was placed after we had put the form right."""
    put_right = guarded.episode.put_right
    return put_right > 0 and covers.number(draft, keeper) > put_right


def note_put_right(draft: Draft, symbol: str) -> None:
    """Remember the stop that is on its way, in the form that policy asks for."""
    guarded = draft.positions[symbol]
    placed = 0 if guarded.write is None else covers.number_of(draft, guarded.write.client_order_id)
    draft.change(symbol, episode=replace(guarded.episode, put_right=placed))


def want_anew(draft: Draft, symbol: str) -> None:
    """The settings want another form from now on: whatever rests may be put right once more."""
    episode = draft.positions[symbol].episode
    if episode.put_right:
        draft.change(symbol, episode=replace(episode, put_right=0))


def disagreement(draft: Draft, guarded: Guarded) -> str:
    """In words, that another guard wants the stop in another form; empty while nobody does."""
    side = guarded.position.side
    if side is None or not guarded.episode.put_right:
        return ""
    keeper = covers.judge(draft, guarded, side, None).keeper
    if keeper is None or covers.has_right_form(draft, guarded, keeper):
        return ""
    if not is_as_somebody_wants(draft, guarded, keeper):
        return ""
    theirs, ours = ("a Close", "with a quantity") if keeper.quantity is None else ("with a quantity", "a Close")
    return f"another guard of this account made its stop {theirs}, our settings want it {ours}; it is left as it is"
