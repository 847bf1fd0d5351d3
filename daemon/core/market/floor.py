"""How near to liquidation a stop may stand before it is worthless.

Why: liquidation cancels a contract's orders first. A stop whose trigger the mark can jump over, or that is filled
beyond the liquidation price, may be removed by the very thing that it should prevent. So a stop keeps a distance:
`floor_percent` at least, and where more was seen lately, the spread, the expected slippage and one jump of the mark
together.

What was seen never takes more than `max_room_share` of the way to liquidation, from the entry or from the mark where
that is nearer: at leverage 100 a jump of one percent would otherwise close every position as it opens, and a jump that
left a resting stop untouched would move it past the mark and so close the position by itself. There a stop nearer than
one jump is better than none.

Units: prices and distances in quote currency.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from connectors.vocabulary import Side
from daemon.core.alerts import percent
from daemon.core.draft import Draft
from daemon.core.market.distance import largest_gap_percent
from daemon.core.market.inputs_seen import widest_spread
from daemon.core.market.marks import nearer, usable_mark
from daemon.core.state import Guarded, GuardState
from daemon.core.stop_rules.proposal import PERCENT, shown

ROOM_STEP: Final = Decimal("0.001")
"""The way from the mark counts in steps of this share of the liquidation price, or each mark would move the stop."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Floor:
    """The nearest place to liquidation at which a stop is worth something."""

    distance: Decimal
    """From the liquidation price."""
    price: Decimal
    """That far in front of it."""
    needed: Decimal
    """What spread, slippage and one jump would take; more than `distance` where leverage leaves no room for it."""

    def in_words(self, liquidation_price: Decimal) -> str:
        """For people: "0.31 % (3.1) before liquidation at 1000"."""
        share = percent(self.distance / liquidation_price * PERCENT)
        return f"{share} ({shown(self.distance)}) before liquidation at {shown(liquidation_price)}"


def floor_of(view: Draft | GuardState, guarded: Guarded) -> Floor | None:
    """The floor of a position; None where it is flat or its liquidation price is not known."""
    side, price = guarded.position.side, guarded.liquidation.price
    if side is None or price is None:
        return None
    least = price * view.policy.stop.floor_percent / PERCENT
    needed = _seen(view, guarded.position.key.symbol, price)
    ways = [way * view.policy.stop.max_room_share for way in _ways(view, guarded, side, price)]
    distance = max(least, min([needed, *ways]))
    return Floor(distance=distance, price=price + side.sign * distance, needed=max(least, needed))


def _ways(view: Draft | GuardState, guarded: Guarded, side: Side, price: Decimal) -> Iterator[Decimal]:
    """How far liquidation is from the entry, and from a nearer mark in whole steps; those beyond it do not count."""
    entry, mark = guarded.position.entry_price, usable_mark(view, guarded.position.key.symbol)
    way = Decimal(0) if entry is None else side.sign * (entry - price)
    if way > 0:
        yield way
    left = Decimal(0) if mark is None else side.sign * (mark.price - price)
    if left > 0 and (way <= 0 or left < way):
        step = price * ROOM_STEP
        yield (left / step).to_integral_value(rounding=ROUND_FLOOR) * step


def decision_marks(view: Draft | GuardState, guarded: Guarded) -> Iterator[Decimal]:
    """The marks at which the floor moves by itself: where the way from the mark begins to count, then its steps."""
    side, price = guarded.position.side, guarded.liquidation.price
    mark = None if side is None else usable_mark(view, guarded.position.key.symbol)
    if side is None or price is None or mark is None:
        return
    needed = _seen(view, guarded.position.key.symbol, price)
    if needed <= price * view.policy.stop.floor_percent / PERCENT:
        return
    counts_from = needed / view.policy.stop.max_room_share
    entry = guarded.position.entry_price
    if entry is not None and side.sign * (entry - price) > 0:
        counts_from = min(counts_from, side.sign * (entry - price))
    left, step = side.sign * (mark.price - price), price * ROOM_STEP
    if left >= counts_from:
        yield price + side.sign * counts_from
    elif left > 0:
        here = (left / step).to_integral_value(rounding=ROUND_FLOOR) * step
        yield price + side.sign * here
        yield price + side.sign * min(here + step, counts_from)


def _seen(view: Draft | GuardState, symbol: str, price: Decimal) -> Decimal:
    """Spread, slippage and one jump; 0 while no jump of the mark is known."""
    gap = largest_gap_percent(view, symbol)
    if gap is None:
        return Decimal(0)
    share = gap + view.policy.stop.max_loss.slippage_percent
    return price * share / PERCENT + (widest_spread(view, symbol) or 0)


def kept(side: Side, trigger: Decimal, floor: Floor | None) -> Decimal:
    """The trigger, moved toward the mark where it is nearer to liquidation than the floor."""
    return trigger if floor is None else nearer(side, trigger, floor.price)
