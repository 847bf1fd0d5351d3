"""Keep a buffer in front of the liquidation price.

Why: a stop has to fire, fill and settle before the venue takes the position over. The buffer is a percentage of the
liquidation price or a multiple of hourly volatility, whichever is wider, but never more than a share of the way from
entry to liquidation (or a highly leveraged position would be stopped the moment it opens), and never less than a floor
(spread, slippage, one jump of the mark). While volatility is unknown the percentage alone counts.

Units: prices in quote currency, not yet on the tick grid.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Final

from config.modes import RuleMode
from config.policy import StopPolicy
from connectors.vocabulary import Side
from daemon.core.stop_rules.proposal import PERCENT, Proposal, Rule, RuleInput, Word, shown

NAME: Final = "liquidation_buffer"


def buffer(
    side: Side,
    liquidation_price: Decimal,
    entry_price: Decimal | None,
    policy: StopPolicy,
    hourly_percent: Decimal | None = None,
) -> Decimal:
    """The distance to keep from the liquidation price.

    Args:
        side: Direction of the position.
        liquidation_price: As assessed. Above zero.
        entry_price: Average entry; None, or an entry that liquidation has already passed (a cross position after
            losses elsewhere), leaves the share of the way out of account.
        policy: Percentages and share.
        hourly_percent: Volatility in percent per hour; None while it is unknown.

    Returns:
        Above zero.

    Example:
        >>> buffer(Side.LONG, Decimal(90), Decimal(100), StopPolicy())
        Decimal('1.8')
    """
    wanted = liquidation_price * wide_percent(policy, hourly_percent) / PERCENT
    if entry_price is not None:
        way = side.sign * (entry_price - liquidation_price)
        if way > 0:
            wanted = min(wanted, way * policy.max_room_share)
    return max(wanted, floor(liquidation_price, policy))


def wide_percent(policy: StopPolicy, hourly_percent: Decimal | None) -> Decimal:
    """The wider of the percentage and the multiple of volatility, in percent."""
    if policy.buffer_volatility is None or hourly_percent is None:
        return policy.buffer_percent
    return max(policy.buffer_percent, policy.buffer_volatility * hourly_percent)


def floor(liquidation_price: Decimal, policy: StopPolicy) -> Decimal:
    """The distance below which a stop is worthless, whatever the market does."""
    return liquidation_price * policy.floor_percent / PERCENT


def trigger(
    side: Side,
    liquidation_price: Decimal,
    entry_price: Decimal | None,
    policy: StopPolicy,
    hourly_percent: Decimal | None = None,
) -> Decimal:
    """The trigger that this rule asks for."""
    return liquidation_price + side.sign * buffer(side, liquidation_price, entry_price, policy, hourly_percent)


def propose(given: RuleInput) -> Word:
    """The buffer; nothing where there is no liquidation price, which is told elsewhere."""
    price = given.liquidation_price
    if price is None:
        return None
    wanted = trigger(given.side, price, given.entry_price, given.policy, given.hourly_percent)
    return Proposal(rule=NAME, price=wanted, why=_why(price, abs(wanted - price)))


@lru_cache(maxsize=4096)
def _why(price: Decimal, kept: Decimal) -> str:
    share = (kept / price * PERCENT).quantize(Decimal("0.01"))
    return f"{shown(share)} % before liquidation at {shown(price)}"


RULE: Final = Rule(name=NAME, mode=lambda _policy: RuleMode.ON, propose=propose)
