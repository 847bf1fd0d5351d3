"""One trade from entry to exit: what it costs, what is left, and the price at which enough is left.

Why: break-even, a wanted return and a size for a given risk are one question asked from three sides: what is left
after both fees, slippage and funding. Here it is asked once, by the functions that the daemon itself counts with.

What is left never falls while the exit price moves in favour of the position, so the price of a wanted result is found
by halving the price range, tick by tick, to the exact tick.

Units: money in minor units of the settlement currency, prices in the quote currency, rates as fractions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from connectors.vocabulary import Instrument, Side
from daemon.core.margin.costs import fee_sat, pnl_sat


@dataclass(frozen=True, kw_only=True, slots=True)
class Trade:
    """A position from its entry on."""

    instrument: Instrument
    side: Side
    contracts: int
    entry: Decimal
    entry_rate: Decimal
    """Fee of the opening trade."""
    exit_rate: Decimal
    """Fee of the closing trade."""
    funding_sat: int = 0
    """Paid while it was held; below zero: received."""

    @property
    def quantity(self) -> int:
        """Signed contracts."""
        return self.side.sign * self.contracts

    @property
    def entry_fee_sat(self) -> int:
        """What opening costs."""
        return fee_sat(self.instrument, self.quantity, self.entry, self.entry_rate)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a trade that was closed at a price."""

    price: Decimal
    gross_sat: int
    entry_fee_sat: int
    exit_fee_sat: int
    funding_sat: int

    @property
    def net_sat(self) -> int:
        """What is left of the profit after fees and funding."""
        return self.gross_sat - self.entry_fee_sat - self.exit_fee_sat - self.funding_sat


def closed_at(trade: Trade, price: Decimal) -> Outcome:
    """Return what is left if the position is closed at a price above zero."""
    return Outcome(
        price=price,
        gross_sat=pnl_sat(trade.instrument, trade.quantity, trade.entry, price),
        entry_fee_sat=trade.entry_fee_sat,
        exit_fee_sat=fee_sat(trade.instrument, trade.quantity, price, trade.exit_rate),
        funding_sat=trade.funding_sat,
    )


def price_for(trade: Trade, goal_sat: int) -> Decimal | None:
    """Return the first price on the tick grid at which at least `goal_sat` is left; None if the range has none.

    First means: the lowest for a long, the highest for a short.
    """
    tick = trade.instrument.tick_size
    highest = int(trade.instrument.max_price // tick)

    def is_enough(steps: int) -> bool:
        ticks = steps if trade.side is Side.LONG else highest + 1 - steps
        return closed_at(trade, ticks * tick).net_sat >= goal_sat

    steps = first(is_enough, 1, highest)
    if steps is None:
        return None
    return (steps if trade.side is Side.LONG else highest + 1 - steps) * tick


def first(holds: Callable[[int], bool], low: int, high: int) -> int | None:
    """Return the lowest number from `low` to `high` for which a condition holds that stays true once it is."""
    if low > high or not holds(high):
        return None
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
