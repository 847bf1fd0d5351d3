"""Which mark price a decision may rest on.

Why: the market stream's mark is the venue's trigger. While it is away the mark of the position row may serve to place a
stop, but never to reduce at the market, nor to judge how near liquidation is.

Units: prices in quote currency, ages in nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from connectors.vocabulary import Side
from daemon.core.draft import Draft
from daemon.core.state import GuardState, Mark

FRESH_FOR_NS: Final = 60 * 10**9
"""A symbol's own mark may be this old on a live stream; the shell repeats it every ten seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UsableMark:
    """A mark price and whether it may decide."""

    price: Decimal
    is_fresh: bool


def usable_mark(view: Draft | GuardState, symbol: str) -> UsableMark | None:
    """The best mark of a symbol; None when there is none at all."""
    mark = view.marks.get(symbol)
    if mark is not None and _is_young(view, mark):
        return UsableMark(price=mark.price, is_fresh=True)
    guarded = view.positions.get(symbol)
    row = None if guarded is None else guarded.position.mark_price
    if guarded is not None and row is not None and row > 0 and (mark is None or guarded.taken_ns > mark.at_ns):
        return UsableMark(price=row, is_fresh=False)
    return None if mark is None else UsableMark(price=mark.price, is_fresh=False)


def newest_mark(view: Draft | GuardState, symbol: str) -> Decimal | None:
    """The younger of the stream's mark and the one of the position's row: what a cost is measured against.

    A mark inside its band reaches the core every ten seconds only, and in ten seconds a market falls by percents.
    """
    mark, guarded = view.marks.get(symbol), view.positions.get(symbol)
    row = None if guarded is None else guarded.position.mark_price
    if guarded is not None and row is not None and row > 0 and (mark is None or guarded.taken_ns > mark.at_ns):
        return row
    return None if mark is None else mark.price


def is_fresh(view: Draft | GuardState, symbol: str) -> bool:
    """Whether the stream's mark of a symbol may decide: the stream lives and the mark is not old."""
    mark = view.marks.get(symbol)
    return mark is not None and _is_young(view, mark)


def _is_young(view: Draft | GuardState, mark: Mark) -> bool:
    return view.now_ns - mark.at_ns <= FRESH_FOR_NS and market_is_fresh(view)


def market_is_fresh(view: Draft | GuardState) -> bool:
    """Whether the market stream is heard and its table can be believed."""
    return market_is_heard(view) and not view.health.market.doubted


def market_is_heard(view: Draft | GuardState) -> bool:
    """Whether the market stream is live and told something lately: a pong is no price."""
    market = view.health.market
    return market.is_live and max(market.age_ns, market.data_age_ns) <= ns(view.policy.health.stale_after_s)


def is_through(side: Side, trigger: Decimal, mark: Decimal) -> bool:
    """Whether a mark is at or beyond a trigger: the venue fires there, equality included, or may."""
    return mark <= trigger if side is Side.LONG else mark >= trigger


def nearer(side: Side, one: Decimal, other: Decimal) -> Decimal:
    """The one of two triggers that is nearer to the mark, seen from liquidation."""
    return max(one, other) if side is Side.LONG else min(one, other)


def is_looser(side: Side, one: Decimal, than: Decimal) -> bool:
    """Whether a trigger is farther from the mark than another."""
    return one < than if side is Side.LONG else one > than


@lru_cache(maxsize=256)
def ns(duration_s: Decimal) -> int:
    """Seconds of a setting as nanoseconds."""
    return int(duration_s * 1_000_000_000)
