"""What the demo's bot does on both accounts, worked out from the first prices alone.

Why: a demo that knew the tape could choose positions that make the guard look good. So leverage is fixed here, sizes
follow from the wallet and the first mark price, and nothing looks ahead.

Pure. Money in minor units, quantities in contracts, prices `Decimal`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from connectors.vocabulary import ContractKind, Instrument, Side

WALLETS = "XBt=100000000,USDt=5000000000"
"""What each account starts with, in minor units: 1 XBT and 5,000 USDT."""

QUOTING_SYMBOL = "XBTH27"
"""The bot keeps one far limit order here, so that the dead man's switch has something to guard."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedPosition:
    """One position of the demo."""

    symbol: str
    side: Side
    leverage: Decimal
    """0 stands for cross margin."""
    notional_share: Decimal
    """Position value as a multiple of the wallet in the settlement currency."""

    @property
    def title(self) -> str:
        """How the position is introduced to people."""
        margin = "cross" if self.leverage == 0 else f"isolated {self.leverage}x"
        return f"{self.symbol} {self.side.value} ({margin})"


POSITIONS = (
    PlannedPosition(symbol="XBTUSD", side=Side.LONG, leverage=Decimal(20), notional_share=Decimal(6)),
    PlannedPosition(symbol="ETHUSD", side=Side.LONG, leverage=Decimal(20), notional_share=Decimal(4)),
    PlannedPosition(symbol="XBTUSDT", side=Side.SHORT, leverage=Decimal(0), notional_share=Decimal(18)),
)
"""An isolated inverse long, an isolated quanto long, and a cross linear short: 20x on the first two puts liquidation
about 4.5 % below entry, the cross short's wallet fails about 5 % above it. A violent day moves further than that one
way or the other."""


def quantity_for(position: PlannedPosition, instrument: Instrument, *, wallet_sat: int, mark_price: Decimal) -> int:
    """Return the contracts that make the planned value at this mark price, rounded down to lots, at least one lot.

    Args:
        position: The planned position.
        instrument: Its contract figures.
        wallet_sat: The account's wallet in the contract's settlement currency, minor units.
        mark_price: First mark price of the tape, above zero.
    """
    wanted_sat = wallet_sat * position.notional_share
    if instrument.kind is ContractKind.INVERSE:
        contracts = wanted_sat * mark_price / abs(instrument.multiplier)
    else:
        contracts = wanted_sat / (instrument.multiplier * mark_price)
    lots = (contracts / instrument.lot_size).to_integral_value(ROUND_DOWN)
    return max(1, int(lots)) * instrument.lot_size


def far_quote_price(instrument: Instrument, mark_price: Decimal) -> Decimal:
    """Return three times the mark price on the tick: a sell there waits out any day."""
    ticks = (mark_price * 3 / instrument.tick_size).to_integral_value(ROUND_DOWN)
    return ticks * instrument.tick_size
