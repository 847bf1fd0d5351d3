"""Which liquidation price may be acted on at the market: one that a second witness bears out.

Why: the nearer figure counts, so one wrong figure, a row garbled on its way or a lying read, could close a healthy
position. A stop may follow a single figure, since a stop does nothing while the mark stays away from it. Closing at the
market may not: there a figure has to be borne out by a second source, that is by the venue's other channel (stream and
REST rows come on different ways) or by our own computation. A figure of ours that no row confirms needs one as well.

Units: prices in the quote currency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from connectors.vocabulary import Side

NEAR_SHARE: Final = Decimal("0.01")
"""Two figures this share of the price apart say the same; between rows of different instants there always is some."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One liquidation price and who says so."""

    price: Decimal
    source: str
    """The venue's two channels are two sources, our own computation is a third."""
    stands_alone: bool = False
    """Reproduced on real rows, so it needs nobody else's word."""
    is_candidate: bool = True
    """Of now; an earlier figure of the other channel only bears witness."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """The price to work with."""

    price: Decimal
    is_sure: bool


def nearest_sure(figures: Sequence[Figure], side: Side) -> Decimal | None:
    """Return the nearest to the mark of the figures that are borne out; None where none is."""
    sure = [one.price for one in figures if one.is_candidate and _is_borne_out(one, figures, side)]
    if not sure:
        return None
    return max(sure) if side is Side.LONG else min(sure)


def choose(price: Decimal, figures: Sequence[Figure], side: Side, *, has_room: bool) -> Chosen:
    """Return the price to work with.

    Args:
        price: The nearest of all.
        figures: Every figure there is, that one's own among them.
        side: Direction of the position.
        has_room: Whether a stop can rest in front of `price`. While it can, the stop goes there whoever says so; where
            the mark has come too near, only a price that is borne out counts, if there is one.
    """
    sure = nearest_sure(figures, side)
    if sure is not None and side.sign * (price - sure) <= 0:
        return Chosen(price=price, is_sure=True)
    if has_room or sure is None:
        return Chosen(price=price, is_sure=False)
    return Chosen(price=sure, is_sure=True)


def _is_borne_out(one: Figure, figures: Sequence[Figure], side: Side) -> bool:
    """Whether another source names a price that is as near, or nearly."""
    least = one.price - side.sign * NEAR_SHARE * one.price
    return one.stands_alone or any(
        other.source != one.source and side.sign * (other.price - least) >= 0 for other in figures
    )
