"""What a position and its orders have to lock, by the venue's formulas.

Why: the margin columns of a row are the inputs of its liquidation price. Computing them as well shows which of them was
misread or is missing, and what they will be after a change.

Units: money in whole minor units of the settlement currency, every requirement rounded up; ratios and rates as
fractions. Source: www.bitmex.com/app/isolatedMarginExamples, /app/riskLimitsExamples, and rows of the `position` table;
docs/venue-facts.md says which statement rests on what.
"""

from __future__ import annotations

from decimal import Decimal

from connectors.vocabulary import ZERO

_NOISE = Decimal("1e-9")
"""Of a minor unit: what a ratio such as 0.30303030303030304 leaves behind must not cost one."""


def share_up(amount_sat: int, ratio: Decimal) -> int:
    """Return a share of an amount, rounded up; noise of a binary ratio far below one unit is dropped.

    Example:
        >>> share_up(75239178, Decimal("0.30303030303030304"))
        22799751
        >>> share_up(75239178, Decimal("0.5"))
        37619589
    """
    numerator, denominator = ratio.as_integer_ratio()
    whole, rest = divmod(amount_sat * numerator, denominator)
    return whole if Decimal(rest) < _NOISE * denominator else whole + 1


def initial_sat(cost_sat: int, initial_ratio: Decimal) -> int:
    """Return `posInit` of an isolated position, and of any of the legacy engine."""
    return share_up(cost_sat, initial_ratio)


def fee_reserve_sat(cost_sat: int, initial: int, added_sat: int, fee: Decimal) -> int:
    """Return `posComm`: what closing will cost, on entry cost, initial margin and margin added (`posCross`).

    Later changes of the margin added are rounded up one by one at the venue: a row may show one unit more.
    """
    return share_up(cost_sat + initial + added_sat, fee)


def paying_rate(quantity: int, funding_rate: Decimal) -> Decimal:
    """Return the part of the next funding rate that this side pays; zero for who receives."""
    return max(ZERO, funding_rate if quantity > 0 else -funding_rate)


def maintenance_need_sat(
    cost_sat: int, quantity: int, *, maintenance_ratio: Decimal, funding_rate: Decimal, at_most: Decimal | None
) -> int:
    """Return the maintenance margin without the fee reserve: on entry cost, funding to be paid included.

    Args:
        cost_sat: Unsigned entry cost.
        quantity: Signed contracts.
        maintenance_ratio: Of the row.
        funding_rate: Charged at the next stamp.
        at_most: The initial ratio, which caps it for positions with margin of their own; None for shared cross ones.
    """
    ratio = maintenance_ratio + paying_rate(quantity, funding_rate)
    return share_up(cost_sat, ratio if at_most is None else min(at_most, ratio))


def order_margin_sat(open_cost_sat: int, initial_ratio: Decimal, fee: Decimal) -> int:
    """Return `initMargin` of a symbol's open orders: initial margin, the fee to enter, and the fee to leave.

    Args:
        open_cost_sat: Cost of the dearer side, orders that only shrink the position left out.
        initial_ratio: Of the position row.
        fee: The highest fee of the contract.
    """
    return share_up(open_cost_sat, initial_ratio + fee * (2 + initial_ratio))


def stepped_ratios(
    initial_ratio: Decimal, maintenance_ratio: Decimal, *, risk_limit_sat: int, base_sat: int, step_sat: int
) -> tuple[Decimal, Decimal]:
    """Return initial and maintenance ratio at a risk limit above the base: each step adds one base maintenance.

    Stated by the venue and seen on no row. Where limit or step are unknown, the base ratios.

    Example:
        >>> stepped_ratios(Decimal("0.01"), Decimal("0.005"), risk_limit_sat=350, base_sat=200, step_sat=150)
        (Decimal('0.015'), Decimal('0.010'))
    """
    if step_sat <= 0 or base_sat <= 0 or risk_limit_sat <= base_sat:
        return initial_ratio, maintenance_ratio
    steps = -((base_sat - risk_limit_sat) // step_sat)
    return initial_ratio + steps * maintenance_ratio, maintenance_ratio * (1 + steps)
