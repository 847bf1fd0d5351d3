"""Contract arithmetic: what contracts are worth at a price, and which price gives a worth.

Why: a stop one tick on the wrong side of a boundary protects nothing. So every rounding here has a name that says where
it goes, and everything is exact: integers inside, `Decimal` for prices, no binary floats.

Units: prices in the quote currency; values in minor units of the settlement currency (XBt, USDt), worked out per lot
and then multiplied, as the venue does. A move is a fraction of the price (-0.1 = ten percent down).
Source: www.bitmex.com/app/inversePerpetualsGuide, /app/perpetualContractsGuide, and rows of the `position` table.
"""

from __future__ import annotations

from decimal import Decimal
from typing import assert_never

from connectors.vocabulary import ZERO, ContractKind, Instrument, Side


def tick_up(price: Decimal, tick_size: Decimal) -> Decimal:
    """Return the lowest price on the tick grid that is not below `price`."""
    numerator, denominator = price.as_integer_ratio()
    return _ticks_up(numerator, denominator, tick_size)


def tick_down(price: Decimal, tick_size: Decimal) -> Decimal:
    """Return the highest price on the tick grid that is not above `price`."""
    numerator, denominator = price.as_integer_ratio()
    return _ticks_down(numerator, denominator, tick_size)


def tick_toward_mark(price: Decimal, tick_size: Decimal, side: Side) -> Decimal:
    """Return `price` on the tick grid, rounded toward the mark: a stop never ends farther away than asked.

    Args:
        price: A boundary on the losing side of the mark. Finite.
        tick_size: The grid. Above zero.
        side: Direction of the position; the boundary of a long lies below the mark, of a short above it.

    Returns:
        A price on the grid, equal to `price` or less than one tick nearer to the mark.

    Example:
        >>> tick_toward_mark(Decimal("100.2"), Decimal("0.5"), Side.LONG)
        Decimal('100.5')
        >>> tick_toward_mark(Decimal("100.2"), Decimal("0.5"), Side.SHORT)
        Decimal('100.0')
    """
    return tick_up(price, tick_size) if side is Side.LONG else tick_down(price, tick_size)


def moved_price(price: Decimal, move: Decimal) -> Decimal:
    """Return `price` after a relative move: a fraction, below zero for a fall. Not rounded to a tick."""
    return price + price * move


def value_per_lot(instrument: Instrument, price: Decimal) -> int:
    """Return what one lot is worth at `price`, to the nearest minor unit (a tie goes up).

    How the venue breaks ties is in no row. No mark of a listed linear or quanto contract makes one; a lot of
    100 inverse dollars makes one at 81.92 times the powers of five only (51,200 is one).

    Args:
        instrument: A usable contract (`is_usable`).
        price: Finite and above zero. Need not lie on the tick grid: mark prices do not.
    """
    numerator, denominator = price.as_integer_ratio()
    scale = abs(instrument.multiplier) * instrument.lot_size
    if instrument.kind is ContractKind.INVERSE:
        return _nearest(scale * denominator, numerator)
    return _nearest(scale * numerator, denominator)


def value_sat(instrument: Instrument, quantity: int, price: Decimal) -> int:
    """Return the signed worth of `quantity` contracts (below zero: short) at `price`, as `markValue` shows it.

    Long inverse and short linear or quanto positions have a worth below zero, the others above.
    """
    per_lot = value_per_lot(instrument, price)
    return value_sign(instrument.kind, quantity) * _nearest(per_lot * abs(quantity), instrument.lot_size)


def unrealised_pnl_sat(instrument: Instrument, quantity: int, price: Decimal, cost_sat: int) -> int:
    """Return the profit at `price` in minor units, given the position's signed `unrealisedCost`."""
    return value_sat(instrument, quantity, price) - cost_sat


def value_sign(kind: ContractKind, quantity: int) -> int:
    """Return the sign that the venue gives to cost and value of a position; +1 for an empty one."""
    short = quantity < 0
    match kind:
        case ContractKind.INVERSE:
            return 1 if short or quantity == 0 else -1
        case ContractKind.LINEAR | ContractKind.QUANTO:
            return -1 if short else 1
        case _:
            assert_never(kind)


def boundary_price(instrument: Instrument, side: Side, contracts: int, value: int) -> Decimal | None:
    """Return the price at which a position is worth `value`, rounded against its holder.

    The value per lot is made whole first and the price put on the tick grid second, both toward the mark: a long's
    boundary is a little too high, a short's a little too low, never the other way.

    Args:
        instrument: A usable contract (`is_usable`).
        side: Direction of the position.
        contracts: Its amount, above zero.
        value: Unsigned worth of the whole position at the boundary, minor units.

    Returns:
        A price on the tick grid, not clamped to the contract's range; zero or below where a linear or quanto
        position would need such a price. None where an inverse contract reaches no such worth at any price.
    """
    scale = abs(instrument.multiplier) * instrument.lot_size
    inverse = instrument.kind is ContractKind.INVERSE
    lots_worth = value * instrument.lot_size
    # An inverse long gains worth as it loses money, so the whole number against its holder is the lower one.
    per_lot = lots_worth // contracts if inverse is (side is Side.LONG) else -(-lots_worth // contracts)
    if not inverse:
        return _toward_mark(per_lot, scale, instrument.tick_size, side)
    return _toward_mark(scale, per_lot, instrument.tick_size, side) if per_lot > 0 else None


def is_usable(instrument: Instrument) -> bool:
    """Whether the contract's figures allow any arithmetic: real numbers, right signs, a range above one tick."""
    inverse = instrument.kind is ContractKind.INVERSE
    return (
        (instrument.multiplier < 0 if inverse else instrument.multiplier > 0)
        and instrument.lot_size > 0
        and instrument.tick_size.is_finite()
        and instrument.max_price.is_finite()
        and ZERO < instrument.tick_size < instrument.max_price
    )


def is_price(price: Decimal | None) -> bool:
    """Whether this is a finite number above zero."""
    return price is not None and price.is_finite() and price > 0


def _toward_mark(numerator: int, denominator: int, tick_size: Decimal, side: Side) -> Decimal:
    """Put the ratio of two integers on the tick grid, toward the mark."""
    if side is Side.LONG:
        return _ticks_up(numerator, denominator, tick_size)
    return _ticks_down(numerator, denominator, tick_size)


def _ticks_up(numerator: int, denominator: int, tick_size: Decimal) -> Decimal:
    return -_ticks_down(-numerator, denominator, tick_size)


def _ticks_down(numerator: int, denominator: int, tick_size: Decimal) -> Decimal:
    tick_numerator, tick_denominator = tick_size.as_integer_ratio()
    return numerator * tick_denominator // (denominator * tick_numerator) * tick_size


def _nearest(numerator: int, denominator: int) -> int:
    """Return the nearest integer to a ratio; a tie goes up. `denominator` above zero."""
    return (2 * numerator + denominator) // (2 * denominator)
