"""What covers a position now (P2), read from the open orders.

A stop counts when it rests (confirmed by the order stream or a query), is a stop-market triggered by the mark price,
can only shrink the position, stands between mark and liquidation, and is not looser than wanted. Ours count; what
somebody else placed counts under the policy `adopt`. The quantities of all that count are added; a Close stop counts
whole.

Pure reading: nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from config.policy import ForeignStops
from connectors.vocabulary import STOP_KINDS, Order, OrderKind, Side, Trigger
from daemon.core import ids
from daemon.core.draft import Draft
from daemon.core.market.marks import is_looser, ns
from daemon.core.memory.witnesses import KnownOrder
from daemon.core.protecting.wanted import wanted_quantity
from daemon.core.state import Guarded, GuardState
from daemon.core.writes import outcomes

CROWDED_FROM: Final = 8
"""Of the ten stops that the venue allows on a symbol, bots' included."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cover:
    """The stops of one position, sorted by what they are worth."""

    is_whole: bool
    """P2 holds: enough, and nowhere looser than wanted."""
    keeper: Order | None
    """The newest of ours that rests and protects, even if it is too small, or stands too far from the mark."""
    nearest: Decimal | None
    """The trigger nearest the mark among ours that rest, and that no person let go back: not always the keeper's."""
    others: tuple[Order, ...]
    """More of ours on the right side that rest, soundly or not, or are denied: the least useful first."""
    needless: tuple[Order, ...]
    """Ours on the wrong side: of a position that turned."""
    placed: int
    """Open stops of ours on the right side, doubted, denied and those that may exist included: never to exceed two."""
    denied: int
    """How many of those no question shows: they count for nothing else, and another is placed."""
    is_doubtful: bool
    """One of those is not known for sure: the venue is being asked, and nothing is placed before it answers."""
    counted: tuple[Order, ...]
    """All stops that count, whoever placed them."""


def is_sound(order: Order, side: Side, liquidation_price: Decimal | None) -> bool:
    """Whether an order, if confirmed, protects a position of this side before it is liquidated."""
    if not is_well_formed(order, side) or order.stop_price is None:
        return False
    return liquidation_price is None or is_looser(side, liquidation_price, order.stop_price)


def is_well_formed(order: Order, side: Side) -> bool:
    """Whether an order is a protective stop for this side in everything but its price, which an amend can mend."""
    if not order.is_resting_stop or order.kind is not OrderKind.STOP_MARKET or order.stop_price is None:
        return False
    if order.trigger is not Trigger.MARK or order.side is not ids.closing_side(side):
        return False
    return order.is_reduce_only or order.is_close


def is_enough(orders: Iterable[Order], quantity: int) -> bool:
    """Whether these stops together hold `quantity` (signed) contracts; Close stops hold all."""
    total = 0
    for order in orders:
        if order.quantity is None:
            return True
        total += order.quantity
    return total >= abs(quantity)


def judge(view: Draft | GuardState, guarded: Guarded, side: Side, trigger: Decimal | None) -> Cover:
    """Sort the open orders of a position's symbol by what they are worth to it.

    Args:
        view: The account.
        guarded: The position, open.
        side: Its direction.
        trigger: Where the stop belongs; None when that is not known: then nothing counts as whole.
    """
    book = view.orders.get(guarded.position.key.symbol, {}).values()
    formed = [k for k in book if k.is_settled and is_well_formed(k.order, side)]
    ours = [k for k in formed if ids.is_ours(view.account, k.order.client_order_id)]
    sound = [k for k in formed if is_sound(k.order, side, guarded.liquidation.price)]
    counted = tuple(k.order for k in sound if _counts(view, k, side, trigger))
    best = min(ours, key=lambda k: (k.is_left_out, _rank(view, guarded, k.order)), default=None)
    keeper = None if best is None else best.order
    own_stops = [k for k in book if _is_own_stop(view, k)]
    right = [k for k in own_stops if k.order.side is ids.closing_side(side)]
    return Cover(
        is_whole=trigger is not None and is_enough(counted, guarded.position.quantity),
        keeper=keeper,
        nearest=_nearest(side, [k for k in ours if number(view, k.order) >= guarded.episode.loosened]),
        others=_others(view, guarded, right, keeper),
        needless=tuple(
            k.order for k in own_stops if k.order.side is not ids.closing_side(side) and not k.is_asked_about
        ),
        placed=len(right) + (_unseen(view, guarded, side) if view.unproved else 0),
        denied=sum(k.denied_ns > 0 for k in right),
        is_doubtful=any(k.is_asked_about for k in right),
        counted=counted,
    )


def _nearest(side: Side, ours: Iterable[KnownOrder]) -> Decimal | None:
    prices = [k.order.stop_price for k in ours if k.order.stop_price is not None]
    if not prices:
        return None
    return max(prices) if side is Side.LONG else min(prices)


def _counts(view: Draft | GuardState, known: KnownOrder, side: Side, trigger: Decimal | None) -> bool:
    price = known.order.stop_price
    if trigger is None or price is None or is_looser(side, price, trigger):
        return False
    if view.unproved and outcomes.is_doomed(view, known.order):
        return False
    ours = ids.is_ours(view.account, known.order.client_order_id)
    return ours or view.policy.stop.foreign is ForeignStops.ADOPT


def _unseen(view: Draft | GuardState, guarded: Guarded, side: Side) -> int:
    series = ids.series(view.account, guarded.position.key.symbol, side, ids.Purpose.STOP)
    return outcomes.unseen_stops(view, guarded.position.key.symbol, series)


def number(view: Draft | GuardState, order: Order) -> int:
    """Which stop of its series an order of ours is, counted from 1; 0 for anybody else's."""
    return number_of(view, order.client_order_id)


def number_of(view: Draft | GuardState, client_order_id: str) -> int:
    """The same, from its client order id."""
    parsed = ids.parse(view.account, client_order_id)
    return 0 if parsed is None else parsed[1]


def _rank(view: Draft | GuardState, guarded: Guarded, order: Order) -> tuple[bool, int]:
    """Lowest is best: it protects, and it is the newest.

    Two guards of one account have to come to the same choice, or each cancels what the other keeps. So nothing counts
    that only one of them knows (its policy, its requests), and what either may be changing at this moment (price and
    quantity) counts for no more than it must: the newest is made right where it stands.
    """
    side = guarded.position.side
    is_useless = side is None or not is_sound(order, side, guarded.liquidation.price)
    return is_useless, -number(view, order)


def has_right_form(view: Draft | GuardState, guarded: Guarded, order: Order) -> bool:
    """Whether a stop of ours is written as policy asks: with a quantity, or as a Close without one."""
    return (order.quantity is None) == (wanted_quantity(view, guarded) is None)


def _others(
    view: Draft | GuardState, guarded: Guarded, right: list[KnownOrder], keeper: Order | None
) -> tuple[Order, ...]:
    rest = [k.order for k in right if not k.is_asked_about and (keeper is None or k.order.order_id != keeper.order_id)]
    side = guarded.position.side
    worst_first = sorted(rest, key=lambda order: _rank(view, guarded, order), reverse=True)
    unsound = [o for o in worst_first if side is None or not is_well_formed(o, side)]
    return (*unsound, *(o for o in worst_first if o not in unsound))


def _is_own_stop(view: Draft | GuardState, known: KnownOrder) -> bool:
    """Whether this is a stop of ours that has not fired."""
    return ids.is_stop(view.account, known.order.client_order_id) and not known.order.is_triggered


def own_stops(view: Draft | GuardState, symbol: str) -> list[KnownOrder]:
    """All stops of ours on a symbol that have not fired."""
    return [known for known in view.orders.get(symbol, {}).values() if _is_own_stop(view, known)]


def is_crowded(view: Draft | GuardState, symbol: str) -> bool:
    """Whether the venue's ten stops a symbol are nearly used up."""
    book = view.orders.get(symbol, {}).values()
    return sum(known.order.kind in STOP_KINDS and not known.order.is_triggered for known in book) >= CROWDED_FROM


def is_firing(draft: Draft, guarded: Guarded) -> bool:
    """Whether our stop fired a moment ago, so that the position is about to shrink by itself."""
    if not guarded.fired_ns or guarded.cut_off_ns:
        return False
    return draft.now_ns < guarded.fired_ns + ns(draft.policy.stop.stuck_after_s)
