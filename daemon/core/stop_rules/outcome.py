"""What a trade comes to if it is stopped out, in minor units, and the first trigger at which that is good enough.

Exact: worth as the venue rounds it (per lot, then multiplied), fees and what is lost by slippage rounded against the
holder, prices on the tick grid. Outcomes rise with the price for a long and fall for a short, so the trigger is found
by halving.

Units: prices in quote currency; money in minor units of the settlement currency, above 0 gained; rates as fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connectors.vocabulary import ZERO, Instrument, Side
from daemon.core.margin.contracts import is_usable, unrealised_pnl_sat, value_sat
from daemon.core.margin.costs import fee_sat, worse_price


@dataclass(frozen=True, kw_only=True, slots=True)
class Trade:
    """An open position, as far as its outcome goes."""

    instrument: Instrument
    quantity: int
    """Signed contracts, not 0."""
    entry_price: Decimal
    cost_sat: int = 0
    """Signed worth at entry; 0: the entry price has to do."""
    slippage_percent: Decimal = ZERO
    """How much worse than the trigger the fill is expected to be."""

    @property
    def side(self) -> Side:
        """Direction."""
        return Side.LONG if self.quantity > 0 else Side.SHORT


def outcome_sat(trade: Trade, trigger: Decimal, *, opened_contracts: int) -> int:
    """What the trade brings if a stop at `trigger` closes all of it.

    Args:
        trade: The position.
        trigger: Above zero; so has to be the fill price.
        opened_contracts: For how many contracts the fee to open counts; 0 leaves it out.

    Returns:
        Gain, less the fee to close and the fee to open; below 0: loss.
    """
    instrument, rate = trade.instrument, max(trade.instrument.taker_fee, ZERO)
    fill = worse_price(trigger, trade.side, trade.slippage_percent)
    cost_sat = trade.cost_sat or value_sat(instrument, trade.quantity, trade.entry_price)
    gain = unrealised_pnl_sat(instrument, trade.quantity, fill, cost_sat)
    opening = fee_sat(instrument, opened_contracts, trade.entry_price, rate) if opened_contracts else 0
    return gain - fee_sat(instrument, trade.quantity, fill, rate) - opening


def first_trigger(trade: Trade, *, budget_sat: int, opened_contracts: int) -> Decimal | None:
    """The trigger farthest from the mark at which being stopped out loses no more than the budget.

    Args:
        trade: The position.
        budget_sat: What may be lost; 0: come out even.
        opened_contracts: For how many contracts the fee to open counts.

    Returns:
        On the tick grid within the contract's range: for a long the lowest such price, for a short the highest; the
        end of the range where every price will do (nothing can be lost beyond the budget). None where no price will,
        or the contract's figures allow no arithmetic.
    """
    instrument = trade.instrument
    if not is_usable(instrument) or trade.quantity == 0 or trade.entry_price <= 0:
        return None
    tick = instrument.tick_size
    last = int(instrument.max_price / tick) - 1
    # Ticks counted from the losing end: 0 is the worst price for the holder.
    lowest, highest = 0, last - 1

    def price(ticks: int) -> Decimal:
        return tick * (ticks + 1 if trade.quantity > 0 else last - ticks)

    def is_enough(ticks: int) -> bool:
        return outcome_sat(trade, price(ticks), opened_contracts=opened_contracts) >= -budget_sat

    if highest < 0 or not is_enough(highest):
        return None
    while lowest < highest:
        middle = (lowest + highest) // 2
        if is_enough(middle):
            highest = middle
        else:
            lowest = middle + 1
    return price(lowest)
