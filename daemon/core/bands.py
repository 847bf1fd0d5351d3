"""The price band per symbol inside which no decision can change.

Why: mark prices come thousands of times a second and decisions a few times a day, so the shell compares each with two
numbers and stays silent inside. Bounds are the nearest prices on either side of the mark at which a tier begins or
ends, or a trigger is reached. They are put one tick on the cautious side, so that the shell may compare binary floats.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from connectors.vocabulary import Side
from daemon.core.commands import ClearBand, SetBand
from daemon.core.draft import Draft
from daemon.core.margin.liquidation import PERCENT
from daemon.core.market.distance import bounds, hourly_percent
from daemon.core.market.marks import usable_mark
from daemon.core.protecting import take_profit
from daemon.core.protecting.wanted import decision_marks
from daemon.core.state import Band, Guarded
from daemon.core.tiers import RANK


def refresh(draft: Draft, symbol: str) -> None:
    """Hand out a symbol's band if it changed."""
    guarded = draft.positions.get(symbol)
    if guarded is None or guarded.position.quantity == 0:
        if draft.set_band(symbol, None):
            draft.emit(ClearBand(symbol=symbol))
        return
    band = _band(draft, guarded)
    if draft.set_band(symbol, band):
        draft.emit(SetBand(symbol=symbol, low=band.low, high=band.high))


def _band(draft: Draft, guarded: Guarded) -> Band:
    symbol = guarded.position.key.symbol
    mark, side, price = usable_mark(draft, symbol), guarded.position.side, guarded.liquidation.price
    if mark is None or side is None or symbol not in draft.marks:
        return Band(low=None, high=None)
    bounds = [*_stop_bounds(draft, guarded), *(() if price is None else _tier_bounds(draft, guarded, side, price))]
    instrument = draft.instruments.get(symbol)
    tick = Decimal(0) if instrument is None else instrument.tick_size
    low = max((bound for bound in bounds if bound <= mark.price), default=None)
    high = min((bound for bound in bounds if bound > mark.price), default=None)
    return Band(low=None if low is None else low + tick, high=None if high is None else high - tick)


def _stop_bounds(draft: Draft, guarded: Guarded) -> Iterator[Decimal]:
    """Triggers: where the stop belongs, and where the symbol's resting stops stand, whoever's they are."""
    for price in (guarded.ruled, guarded.ratchet, guarded.liquidation.price):
        if price is not None:
            yield price
    for known in draft.orders.get(guarded.position.key.symbol, {}).values():
        if known.order.is_resting_stop and known.order.is_reduce_only and known.order.stop_price is not None:
            yield known.order.stop_price
    yield from decision_marks(draft, guarded)
    yield from take_profit.decision_marks(draft, guarded)


def _tier_bounds(draft: Draft, guarded: Guarded, side: Side, price: Decimal) -> Iterator[Decimal]:
    """Marks at which the next worse tier begins, and at which the present one is left.

    Bounds in volatilities are prices at the present estimate. It changes only with a mark that the core is told, and
    after each of those the band is worked out again.
    """
    hourly = hourly_percent(draft, guarded.position.key.symbol)
    limits, present_rank = bounds(draft.policy.tiers, side, hourly), RANK[guarded.tier]
    for rank, percents in enumerate(limits.percents, start=1):
        room = percents if rank > present_rank else percents * limits.leave_factor
        # room = sign * (mark - price) / mark * 100, solved for the mark. A long has no mark with a room of 100 %.
        share = 1 - side.sign * room / PERCENT
        if share > 0:
            yield price / share
