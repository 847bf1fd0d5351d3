"""Keep a buffer in front of the liquidation price.

Why: a stop has to fire, fill and settle before the venue takes the position over. The buffer is a percentage of the
liquidation price, but never more than a share of the way from entry to liquidation (or a highly leveraged position
would be stopped the moment it opens), and never less than a floor (spread, slippage, one jump of the mark).

Units: prices in quote currency, not yet on the tick grid.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from config.policy import StopPolicy
from connectors.vocabulary import Side

PERCENT: Final = Decimal(100)


def buffer(side: Side, liquidation_price: Decimal, entry_price: Decimal | None, policy: StopPolicy) -> Decimal:
    """The distance to keep from the liquidation price.

    Args:
        side: Direction of the position.
        liquidation_price: As assessed. Above zero.
        entry_price: Average entry; None, or an entry that liquidation has already passed (a cross position after
            losses elsewhere), leaves the share of the way out of account.
        policy: Percentages and share.

    Returns:
        Above zero.

    Example:
        >>> buffer(Side.LONG, Decimal(90), Decimal(100), StopPolicy())
        Decimal('1.8')
    """
    wanted = liquidation_price * policy.buffer_percent / PERCENT
    if entry_price is not None:
        way = side.sign * (entry_price - liquidation_price)
        if way > 0:
            wanted = min(wanted, way * policy.max_room_share)
    return max(wanted, floor(liquidation_price, policy))


def floor(liquidation_price: Decimal, policy: StopPolicy) -> Decimal:
    """The distance below which a stop is worthless."""
    return liquidation_price * policy.floor_percent / PERCENT


def trigger(side: Side, liquidation_price: Decimal, entry_price: Decimal | None, policy: StopPolicy) -> Decimal:
    """The trigger that this rule asks for."""
    return liquidation_price + side.sign * buffer(side, liquidation_price, entry_price, policy)
