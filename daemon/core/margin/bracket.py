"""One boundary price from the other of the same row.

Why: the price of liquidation of a cross position needs the account's balance, but the distance between the two
boundaries does not: at liquidation the maintenance must be left, at bankruptcy the fee to close. So a row that shows
its bankruptcy price tells the worth at liquidation to within the rounding of that price, which often is one tick of the
other, sometimes two.

Units: prices in the quote currency, worth and money in minor units of the settlement currency.
Source: position rows of the legacy engine, 2019 to 2023.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from connectors.vocabulary import ContractKind, Instrument, Position, Side
from daemon.core.margin.contracts import boundary_price, is_usable


@dataclass(frozen=True, kw_only=True, slots=True)
class Bracket:
    """A boundary known to within the rounding of another."""

    price: Decimal
    """The likeliest, as the venue would show it."""
    near: Decimal
    """The nearest to the mark that is possible."""
    far: Decimal
    """The farthest; equal to `near` where the figure is certain to the tick."""


def shown_price(instrument: Instrument, side: Side, contracts: int, value: int) -> Decimal:
    """Return the boundary at which a position is worth `value`, as the venue shows it: never outside of the range.

    Args:
        instrument: A usable contract; its highest price is the end of the range in force (100,000,000 under the
            legacy engine, whatever the contract's own limit).
        side: Direction of the position.
        contracts: Its amount, above zero.
        value: Unsigned worth at the boundary; zero or below where no price is enough.
    """
    price = boundary_price(instrument, side, contracts, value)
    if price is None:
        return instrument.max_price
    lowest = instrument.tick_size if instrument.kind is ContractKind.INVERSE else Decimal(0)
    return max(lowest, min(price, instrument.max_price))


def liquidation_from_bankruptcy(position: Position, instrument: Instrument, need_sat: int) -> Bracket | None:
    """Return the liquidation price that follows from the bankruptcy price of the row.

    Args:
        position: An open row.
        instrument: Its contract, with the end of the range in force as highest price.
        need_sat: Maintenance less fee reserve: what lies between the two boundaries.

    Returns:
        None where the row shows no bankruptcy price, or one that no worth explains.
    """
    return _other_boundary(position, instrument, position.bankruptcy_price, need_sat)


def bankruptcy_from_liquidation(position: Position, instrument: Instrument, need_sat: int) -> Bracket | None:
    """Return the bankruptcy price that follows from the liquidation price of the row; arguments as above."""
    return _other_boundary(position, instrument, position.liquidation_price, -need_sat)


def _other_boundary(position: Position, instrument: Instrument, shown: Decimal | None, need: int) -> Bracket | None:
    side = position.side
    if side is None or shown is None or not shown.is_finite() or shown < 0 or not is_usable(instrument):
        return None
    contracts = abs(position.quantity)
    span = worth_shown_as(instrument, side, contracts, shown)
    if span is None:
        return None
    # The nearer boundary is the one with more left: a worth that is farther from total loss.
    toward_mark = -side.sign if instrument.kind is ContractKind.INVERSE else side.sign
    ends = [None if end is None else end + toward_mark * need for end in span]
    low, high = ends
    middle = low if high is None else high if low is None else (low + high) // 2
    if low is None or high is None:
        # Beyond the end of the range any balance is possible, and nearly all lie far beyond it.
        limit = shown_price(instrument, side, contracts, _far_worth(side, instrument))
        known = shown_price(instrument, side, contracts, middle or 0)
        return Bracket(price=limit, near=known, far=limit)
    prices = [shown_price(instrument, side, contracts, worth) for worth in (low, high)]
    near, far = (max(prices), min(prices)) if side is Side.LONG else (min(prices), max(prices))
    return Bracket(price=shown_price(instrument, side, contracts, middle or 0), near=near, far=far)


def _far_worth(side: Side, instrument: Instrument) -> int:
    """A worth that is reached only beyond the safe end of the range."""
    grows_with_loss = (instrument.kind is ContractKind.INVERSE) is (side is Side.LONG)
    return 10**30 if grows_with_loss else 0


def worth_shown_as(
    instrument: Instrument, side: Side, contracts: int, price: Decimal
) -> tuple[int | None, int | None] | None:
    """Return the lowest and highest worth of a position for which the boundary is shown as `price`.

    An end that is None is open: at the end of the range any worth beyond it is shown alike. None at all where no worth
    gives this price.
    """
    shown, tick = Fraction(price), Fraction(instrument.tick_size)
    scale = Fraction(abs(instrument.multiplier) * instrument.lot_size)
    inverse = instrument.kind is ContractKind.INVERSE
    long = side is Side.LONG
    per_lot = _inverse_lots(scale, shown, tick, long=long) if inverse else _plain_lots(scale, shown, tick, long=long)
    if per_lot is None:
        return None
    lowest, highest = per_lot
    lots = Fraction(contracts, instrument.lot_size)
    # A worth per lot is rounded down where less worth is against the holder, up where more is.
    if inverse is long:
        low, high = ceil(lowest * lots), None if highest is None else ceil((highest + 1) * lots) - 1
    else:
        low, high = floor((lowest - 1) * lots) + 1, None if highest is None else floor(highest * lots)
    if high is not None and low > high:
        return None
    return _opened(instrument, side, price, low, high)


def _opened(
    instrument: Instrument, side: Side, price: Decimal, low: int, high: int | None
) -> tuple[int | None, int | None]:
    """Open the interval where the price is the safe end of the range."""
    if side is Side.SHORT and price >= instrument.max_price:
        return (None, high) if instrument.kind is ContractKind.INVERSE else (low, None)
    if side is Side.LONG and price <= 0:
        return None, high
    return low, high


def _inverse_lots(scale: Fraction, shown: Fraction, tick: Fraction, *, long: bool) -> tuple[int, int | None] | None:
    """Whole worths of one lot that are shown as a price: a long's was rounded up to the tick, a short's down."""
    if shown <= 0:
        return None
    if long:
        lowest, highest = ceil(scale / shown), None if shown <= tick else ceil(scale / (shown - tick)) - 1
    else:
        lowest, highest = floor(scale / (shown + tick)) + 1, floor(scale / shown)
    return None if highest is not None and lowest > highest else (lowest, highest)


def _plain_lots(scale: Fraction, shown: Fraction, tick: Fraction, *, long: bool) -> tuple[int, int | None] | None:
    if long:
        lowest, highest = floor(scale * (shown - tick)) + 1, floor(scale * shown)
    else:
        lowest, highest = ceil(scale * shown), ceil(scale * (shown + tick)) - 1
    return None if lowest > highest else (lowest, highest)
