"""What is remembered of a market beside its mark prices: bid and ask, and liquidations of others.

These are values of `GuardState`; `inputs_seen.py` keeps them, the floor and the account rules read them.

Units: prices in the quote currency, quantities in contracts, times in nanoseconds since 1970 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connectors.vocabulary import LiquidationOrder


@dataclass(frozen=True, kw_only=True, slots=True)
class SpreadSample:
    """Best bid and ask at one moment, in the quote currency; a side without orders is None."""

    bid: Decimal | None
    ask: Decimal | None
    at_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ForcedOrder:
    """A liquidation of somebody's position, as seen on the venue's public list."""

    order: LiquidationOrder
    quantity: int
    """The most that was seen left of it: what the liquidation was about."""
    seen_ns: int
    gone_ns: int = 0
    """Since when it is off the list; 0 while it is on it."""
