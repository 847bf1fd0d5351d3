"""One contract's market: its prices now, its modelled liquidity, its public history.

Why: mark, index and last price are three different numbers, and a guard that mixes them up must
fail here as it would on the venue. Liquidity is modelled around the last price.

Units: prices in quote currency, depth and volume in contracts, tape times in ms.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.contracts import Contract
from connectors.simulated.engine.inputs import SymbolPrices
from connectors.simulated.engine.orders import Side

RECENT = 1000  # rows of public history kept
ZERO = Decimal(0)
INTEREST = Decimal("0.0001")  # funding rate while nothing else is known


def recent_rows() -> deque[Row]:
    """Return an empty history that keeps the latest rows only."""
    return deque(maxlen=RECENT)


@dataclass(slots=True, kw_only=True)
class Market:
    """State of one contract's market; `has_prices` is false until the tape's first step."""

    contract: Contract
    has_prices: bool = False
    mark: Decimal = ZERO
    index: Decimal = ZERO
    last: Decimal = ZERO
    low: Decimal = ZERO  # traded extremes of the latest step
    high: Decimal = ZERO
    bid: Decimal = ZERO  # best modelled
    ask: Decimal = ZERO
    half_spread: Decimal = ZERO
    depth: int = 0
    is_halted: bool = False
    funding_rate: Decimal = ZERO  # charged at the next exchange
    indicative_rate: Decimal = ZERO  # forming, charged at the one after
    premium_sum: Decimal = ZERO
    premium_count: int = 0
    taken: dict[Side, int] = field(default_factory=dict)  # liquidity used up since the last step
    tick_direction: str = "ZeroPlusTick"
    first_price: Decimal = ZERO
    top_price: Decimal = ZERO
    bottom_price: Decimal = ZERO
    volume: int = 0
    turnover: int = 0
    trades: deque[Row] = field(default_factory=recent_rows)
    quotes: deque[Row] = field(default_factory=recent_rows)

    def touch(self, taker: Side) -> Decimal:
        """Return the best modelled price a taker of one side would meet."""
        return self.ask if taker is Side.BUY else self.bid

    def take(self, prices: SymbolPrices) -> None:
        """Move to one step of the tape; the liquidity is fresh again."""
        if self.has_prices:
            self.tick_direction = tick_direction(self.last, prices.last, self.tick_direction)
        else:
            self.first_price = self.top_price = self.bottom_price = prices.last
            self.has_prices = True
        self.mark, self.index, self.last = prices.mark, prices.index, prices.last
        self.low = prices.last if prices.low is None else min(prices.low, prices.last)
        self.high = prices.last if prices.high is None else max(prices.high, prices.last)
        self.top_price = max(self.top_price, self.high)
        self.bottom_price = min(self.bottom_price, self.low)
        self.half_spread, self.depth = prices.half_spread, prices.depth
        self.bid = self.contract.on_tick(self.last - self.half_spread, up=False)
        self.ask = self.contract.on_tick(self.last + self.half_spread, up=True)
        self.is_halted = prices.halted
        self.taken.clear()


def tick_direction(before: Decimal, now: Decimal, last: str) -> str:
    """Return how a price compares with the one before it; `last` is the direction until then."""
    if now == before:
        return last if last.startswith("Zero") else f"Zero{last}"
    return "PlusTick" if now > before else "MinusTick"
