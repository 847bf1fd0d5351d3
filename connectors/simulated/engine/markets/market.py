"""One contract's market: its prices now, its book, the liquidity of the tape, its public history.

Why: mark, index and last price are three different numbers, and a guard that mixes them up must
fail here as it would on the venue. What a taker meets is worked out in `liquidity`.

Units: prices in quote currency, depth and volume in contracts, tape times in ms.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.contracts import Contract
from connectors.simulated.engine.inputs import Print, SymbolPrices
from connectors.simulated.engine.markets.activity import Activity
from connectors.simulated.engine.remembered import remembered
from connectors.simulated.engine.resting.book import Book
from connectors.simulated.engine.resting.orders import Order, Side

RECENT = 1000  # rows of public history kept
ZERO = Decimal(0)
INTEREST = Decimal("0.0001")  # funding rate while nothing else is known


def recent_rows(kept: int = RECENT) -> deque[Row]:
    """Return an empty history that keeps the latest rows only."""
    return deque(maxlen=kept)


class MarketState(Enum):
    """Whether a contract trades: `state` of its instrument row, a halt aside."""

    OPEN = "Open"
    SETTLED = "Settled"


class MarkMethod(Enum):
    """Where the mark price comes from."""

    FAIR = "FairPrice"  # the tape's
    LAST = "LastPrice"
    INDEX = "IndicativeSettlePrice"


@lru_cache(maxsize=512)
def _ms_of(stamp: str) -> int:
    return round(datetime.fromisoformat(stamp).timestamp() * 1000)


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
    bid: Decimal = ZERO  # best of the tape's
    ask: Decimal = ZERO
    half_spread: Decimal = ZERO
    depth: int = 0
    thinning: Decimal = ZERO  # share by which each modelled level holds less than the one before
    gaps: Decimal = ZERO  # share of modelled levels that are missing
    gap_seed: int = 0
    recorded: dict[Side, tuple[tuple[Decimal, int], ...]] = field(default_factory=dict)  # by the taker's side
    limit_down: Decimal | None = None  # no order at a price below it
    limit_up: Decimal | None = None
    is_halted: bool = False
    state: MarketState = MarketState.OPEN
    settled_price: Decimal | None = None
    is_reduce_only: bool = False
    mark_method: MarkMethod = MarkMethod.FAIR
    index_window: deque[tuple[int, Decimal]] = field(default_factory=lambda: deque(maxlen=31))  # ms, one a minute
    book: Book = field(default_factory=Book)
    waiting: dict[str, Order] = field(default_factory=dict)  # for their trigger price, by orderID, oldest first
    funding_rate: Decimal = ZERO  # charged at the next exchange
    indicative_rate: Decimal = ZERO  # forming, charged at the one after
    premium_sum: Decimal = ZERO
    premium_count: int = 0
    premium: Decimal = ZERO  # their mean
    taken: dict[Side, int] = field(default_factory=dict)  # liquidity used up since the last step
    tick_direction: str = "ZeroPlusTick"
    activity: Activity = field(default_factory=Activity)
    open_interest: int = 0
    is_interest_stale: bool = True
    prints: tuple[Print, ...] = ()  # recorded trades that came with the latest step
    columns: Row | None = remembered()  # those of its instrument row that never change; for `instrument_rows`
    trades: deque[Row] = field(default_factory=recent_rows)
    quotes: deque[Row] = field(default_factory=recent_rows)

    @property
    def expiry_ms(self) -> int | None:
        """When the contract expires, protocol ms; None for a perpetual."""
        expiry = self.contract.expiry
        return None if expiry is None else _ms_of(expiry)

    def touch(self, taker: Side) -> Decimal:
        """Return the best price of the tape's that a taker of one side would meet."""
        return self.ask if taker is Side.BUY else self.bid

    def take(self, prices: SymbolPrices) -> None:
        """Move to one step of the tape; the liquidity is fresh again."""
        if self.has_prices:
            self.tick_direction = tick_direction(self.last, prices.last, self.tick_direction)
        self.has_prices = True
        self.mark, self.index, self.last = prices.mark, prices.index, prices.last
        if self.mark_method is not MarkMethod.FAIR:
            self.mark = prices.last if self.mark_method is MarkMethod.LAST else prices.index
        self.low = prices.last if prices.low is None else min(prices.low, prices.last)
        self.high = prices.last if prices.high is None else max(prices.high, prices.last)
        self.is_halted = prices.halted
        self.prints = prices.trades
        self._take_liquidity(prices)

    def _take_liquidity(self, prices: SymbolPrices) -> None:
        self.half_spread, self.depth = prices.half_spread, prices.depth
        self.thinning, self.gaps, self.gap_seed = prices.thinning, prices.gaps, prices.gap_seed
        self.limit_down, self.limit_up = prices.limit_down, prices.limit_up
        is_recorded = prices.bids or prices.asks
        self.recorded = {Side.SELL: prices.bids, Side.BUY: prices.asks} if is_recorded else {}
        modelled_bid = self.contract.on_tick(self.last - self.half_spread, up=False)
        modelled_ask = self.contract.on_tick(self.last + self.half_spread, up=True)
        self.bid = prices.bids[0][0] if prices.bids else modelled_bid
        self.ask = prices.asks[0][0] if prices.asks else modelled_ask
        if self.bid >= self.ask:  # without a spread, or where only one side was recorded
            if prices.bids:
                self.ask = self.bid + self.contract.tick_size
            else:
                self.bid = self.ask - self.contract.tick_size
        self.taken.clear()


def tick_direction(before: Decimal, now: Decimal, last: str) -> str:
    """Return how a price compares with the one before it; `last` is the direction until then."""
    if now == before:
        return last if last.startswith("Zero") else f"Zero{last}"
    return "PlusTick" if now > before else "MinusTick"
