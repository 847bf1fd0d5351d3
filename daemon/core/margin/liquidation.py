"""The liquidation price the guard works with: the venue's and ours, compared.

Why: the venue's figure may be a sentinel ("cannot be liquidated"), lag behind, or be wrong; ours may rest on rows that
are not of one instant. So both are worked out, the one nearer to the mark counts, and a difference beyond tolerance is
said. That a position cannot be liquidated is believed only when both say so.

Units: prices in the quote currency, room in percent of the mark.
Source: www.bitmex.com/app/liquidation; the sentinels are from rows of the `position` table.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final

from connectors.vocabulary import ZERO, Instrument, Margin, Position, Side
from daemon.core.margin.account_failure import FailureMove, account_failure_move, common_move_price
from daemon.core.margin.own_liquidation import (
    Engine,
    NotComputable,
    OwnLiquidation,
    OwnState,
    consistent_margin,
    own_bankruptcy_price,
    own_price,
)

__all__ = [
    "Assessment",
    "Engine",
    "FailureMove",
    "LiquidationState",
    "NotComputable",
    "OwnLiquidation",
    "OwnState",
    "Sentinel",
    "VenueLiquidation",
    "account_failure_move",
    "assess",
    "common_move_price",
    "consistent_margin",
    "own_bankruptcy_price",
    "own_price",
    "room_percent",
    "sentinel_of",
    "tolerance",
    "venue_price",
]

LEGACY_END: Final = Decimal(100_000_000)
"""What the legacy engine shows for an inverse short that no price liquidates."""
SHARED_CROSS_TOLERANCE: Final = Decimal("0.001")
"""Share of the price; the formula of the shared engine is not published."""
PERCENT: Final = Decimal(100)


class Sentinel(Enum):
    """Why a figure shown by the venue is not a price to act on."""

    NULL = "null"
    ZERO = "zero"
    LEGACY_END = "legacy_end"
    AT_OR_BELOW_TICK = "at_or_below_tick"
    """A long that no price in range liquidates."""
    AT_OR_ABOVE_MAX = "at_or_above_max"
    """A short that no price in range liquidates."""
    WRONG_SIDE = "wrong_side"
    """Beyond the mark: the position is being liquidated, or rows and mark are of different instants."""
    MALFORMED = "malformed"
    """Not a number, or below zero."""

    @property
    def says_never(self) -> bool:
        """Whether the venue means that nothing in range liquidates the position."""
        return self not in {Sentinel.WRONG_SIDE, Sentinel.MALFORMED}


class LiquidationState(Enum):
    """What is known of a position's liquidation."""

    IN_RANGE = "in_range"
    NO_LIQUIDATION_IN_RANGE = "no_liquidation_in_range"
    """Both the venue and our own computation say so, or the position is flat."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class VenueLiquidation:
    """The venue's figure: a price, or the reason why it is none."""

    price: Decimal | None
    sentinel: Sentinel | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Assessment:
    """The liquidation price to work with, and where it comes from."""

    liquidation_price: Decimal | None
    """Set if and only if IN_RANGE. May lie beyond the mark when both witnesses say so: liquidation is under way."""
    state: LiquidationState
    disagreement: bool
    """The two figures differ by more than the tolerance, or contradict each other."""
    own: OwnLiquidation
    venue: VenueLiquidation


def room_percent(side: Side, mark_price: Decimal, liquidation_price: Decimal) -> Decimal:
    """Return the room left before liquidation, in percent of the mark price.

    Args:
        side: Direction of the open position.
        mark_price: Latest mark price. Finite and above zero.
        liquidation_price: As assessed. Finite and above zero.

    Returns:
        Above zero while safe, zero at the liquidation price, below zero beyond it.

    Raises:
        ValueError: If a price is not finite and above zero: corrupt input must surface, never become a decision.

    Example:
        >>> room_percent(Side.LONG, Decimal(100), Decimal(95))
        Decimal('5.00')
    """
    _require_price("mark_price", mark_price)
    _require_price("liquidation_price", liquidation_price)
    return side.sign * (mark_price - liquidation_price) / mark_price * PERCENT


def sentinel_of(price: Decimal | None, instrument: Instrument, side: Side, mark: Decimal | None) -> Sentinel | None:
    """Tell why a shown liquidation price is none; None when it is a real price.

    Args:
        price: As the venue shows it.
        instrument: Its tick and highest price bound what a price can be.
        side: Direction of the position.
        mark: The present mark; None or not a price leaves the side unjudged.
    """
    if price is None:
        return Sentinel.NULL
    if not price.is_finite() or price < 0:
        return Sentinel.MALFORMED
    if price == 0:
        return Sentinel.ZERO
    if price == LEGACY_END:
        return Sentinel.LEGACY_END
    return _out_of_range(price, instrument, side) or _wrong_side(price, side, mark)


def venue_price(position: Position, instrument: Instrument, mark: Decimal | None) -> VenueLiquidation:
    """Return the venue's liquidation price of a position if it is a price, else why it is none."""
    side = position.side
    if side is None:
        return VenueLiquidation(price=None, sentinel=Sentinel.NULL)
    sentinel = sentinel_of(position.liquidation_price, instrument, side, mark)
    return VenueLiquidation(price=position.liquidation_price if sentinel is None else None, sentinel=sentinel)


def assess(position: Position, instrument: Instrument, margin: Margin | None, mark: Decimal | None) -> Assessment:
    """Return the liquidation price to protect against, from the venue's figure and ours.

    | venue                  | ours        | result                                                       |
    |------------------------|-------------|--------------------------------------------------------------|
    | a price                | a price     | the one nearer to the mark                                   |
    | a price                | none, never | the venue's                                                  |
    | says never             | a price     | ours, a disagreement unless within tolerance of the end      |
    | says never             | never       | NO_LIQUIDATION_IN_RANGE                                      |
    | beyond the mark        | the same    | the venue's, room below zero: liquidation is under way       |
    | anything else                        || UNKNOWN                                                      |

    Of ours, a price beyond the mark does not count either, unless the venue's lies beyond it as well.

    Args:
        position: The row, flat ones included.
        instrument: The figures of its contract.
        margin: The row of its settlement currency, as consistent with the position rows as can be had
            (`consistent_margin`); None when not known yet.
        mark: The present mark price; None while it is not known.

    Returns:
        Never raises, whatever the rows hold.
    """
    venue = venue_price(position, instrument, mark)
    own = own_price(position, instrument, margin)
    side = position.side
    if side is None:
        return Assessment(
            liquidation_price=None,
            state=LiquidationState.NO_LIQUIDATION_IN_RANGE,
            disagreement=False,
            own=own,
            venue=venue,
        )
    differs = _differs(position.liquidation_price, venue, own, instrument, side)
    price = _nearest_price(venue, own, side, mark)
    if price is None and venue.sentinel is Sentinel.WRONG_SIDE and own.price is not None:
        price = position.liquidation_price
    return Assessment(
        liquidation_price=price, state=_state(price, venue, own), disagreement=differs, own=own, venue=venue
    )


def tolerance(engine: Engine, instrument: Instrument, price: Decimal) -> Decimal:
    """Return by how much the venue's price and ours may differ before it is said."""
    match engine:
        case Engine.ISOLATED:
            return ZERO
        case Engine.LEGACY_CROSS:
            return instrument.tick_size
        case Engine.SHARED_CROSS:
            return max(instrument.tick_size, price * SHARED_CROSS_TOLERANCE)


def _out_of_range(price: Decimal, instrument: Instrument, side: Side) -> Sentinel | None:
    """Judge the ends of the range. The end on the winning side of a position is no "never": it is nonsense."""
    if instrument.tick_size.is_finite() and price <= instrument.tick_size:
        return Sentinel.AT_OR_BELOW_TICK if side is Side.LONG else Sentinel.WRONG_SIDE
    if instrument.max_price.is_finite() and price >= instrument.max_price:
        return Sentinel.AT_OR_ABOVE_MAX if side is Side.SHORT else Sentinel.WRONG_SIDE
    return None


def _wrong_side(price: Decimal, side: Side, mark: Decimal | None) -> Sentinel | None:
    return Sentinel.WRONG_SIDE if _is_beyond(price, side, mark) else None


def _is_beyond(price: Decimal, side: Side, mark: Decimal | None) -> bool:
    """Whether a mark at `mark` has passed a liquidation price. False while the mark is not known."""
    if mark is None or not mark.is_finite() or mark <= 0:
        return False
    return price > mark if side is Side.LONG else price < mark


def _nearest_price(venue: VenueLiquidation, own: OwnLiquidation, side: Side, mark: Decimal | None) -> Decimal | None:
    """Return the nearer of the prices that lie on the losing side of the mark."""
    ours = own.price if own.price is not None and not _is_beyond(own.price, side, mark) else None
    if venue.price is None or ours is None:
        return ours if venue.price is None else venue.price
    return max(venue.price, ours) if side is Side.LONG else min(venue.price, ours)


def _state(price: Decimal | None, venue: VenueLiquidation, own: OwnLiquidation) -> LiquidationState:
    if price is not None:
        return LiquidationState.IN_RANGE
    confirmed = venue.sentinel is not None and venue.sentinel.says_never
    if confirmed and own.state is OwnState.NO_LIQUIDATION_IN_RANGE:
        return LiquidationState.NO_LIQUIDATION_IN_RANGE
    return LiquidationState.UNKNOWN


def _differs(
    shown: Decimal | None, venue: VenueLiquidation, own: OwnLiquidation, instrument: Instrument, side: Side
) -> bool:
    """Whether the venue's figure lies outside of ours by more than the tolerance; "never" counts as the range's end.

    Ours is an interval where it is not known if the margin of open orders is lost too. Nothing to compare with is no
    difference, a figure of ours beside a malformed one is.
    """
    if own.engine is None or venue.sentinel is Sentinel.MALFORMED:
        return own.engine is not None
    end = ZERO if side is Side.LONG else instrument.max_price
    says_never = venue.sentinel is not None and venue.sentinel.says_never
    theirs = end if shown is None or says_never else shown
    far = end if own.price is None else own.price
    near = end if own.price_less_orders is None else own.price_less_orders
    allowed = tolerance(own.engine, instrument, max(theirs, far))
    return not min(far, near) - allowed <= theirs <= max(far, near) + allowed


def _require_price(name: str, value: Decimal) -> None:
    if not value.is_finite() or value <= 0:
        raise ValueError(f"{name} must be finite and above zero, was {value}")
