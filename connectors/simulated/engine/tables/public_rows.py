"""Public rows of what happens: quotes, trades, books, funding.

Units: as on the wire. Source: partials of 2025.
"""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.contracts import Contract
from connectors.simulated.engine.markets.activity import Turnover
from connectors.simulated.engine.markets.liquidity import displayed
from connectors.simulated.engine.markets.market import Market
from connectors.simulated.engine.resting.orders import Side, tidy
from connectors.simulated.engine.rows import iso, notionals

EIGHT_HOURS = "2000-01-01T08:00:00.000Z"


def touches(market: Market) -> tuple[tuple[Decimal, int], tuple[Decimal, int]]:
    """Return best displayed price and size of bid and ask; in a halt the tape's prices, which hold nothing."""
    bid, ask = (market.bid, market.depth), (market.ask, market.depth)
    book = market.book
    if not (book.bids.prices or book.asks.prices or market.recorded or market.taken):
        return bid, ask
    bids, asks = displayed(market, Side.BUY, 1), displayed(market, Side.SELL, 1)
    return bids[0] if bids else bid, asks[0] if asks else ask


def quote_row(market: Market, *, at_ms: int) -> Row:
    """Return the `quote` row: best bid and ask, orders and the tape's levels together."""
    (bid, bid_size), (ask, ask_size) = touches(market)
    return {
        "timestamp": iso(at_ms),
        "symbol": market.contract.symbol,
        "bidSize": bid_size,
        "bidPrice": bid,
        "askPrice": ask,
        "askSize": ask_size,
    }


def turnover_of(contract: Contract, quantity: int, price: Decimal, *, quote_to_settle: int) -> Turnover:
    """Return what a public match counts for."""
    home, foreign = notionals(contract, quantity, price, quote_to_settle=quote_to_settle)
    return Turnover(volume=quantity, value=contract.value(quantity, price), home=abs(home), foreign=abs(foreign))


def trade_row(market: Market, *, side: Side, price: Decimal, traded: Turnover, match_id: str, at_ms: int) -> Row:
    """Return the `trade` row of a public match; `side` is the taker's."""
    return {
        "timestamp": iso(at_ms),
        "symbol": market.contract.symbol,
        "side": side.value,
        "size": traded.volume,
        "price": price,
        "tickDirection": market.tick_direction,
        "trdMatchID": match_id,
        "grossValue": traded.value,
        "homeNotional": traded.home,
        "foreignNotional": traded.foreign,
        "trdType": "Regular",
    }


def book_rows(market: Market, depth: int, *, at_ms: int) -> list[Row]:
    """Return `orderBookL2` rows: the tape's levels and what orders display, dearest first."""
    asks = displayed(market, Side.SELL, depth)
    bids = displayed(market, Side.BUY, depth)
    shown = [(*level, Side.SELL) for level in reversed(asks)] + [(*level, Side.BUY) for level in bids]
    tick = market.contract.tick_size
    return [
        {
            "symbol": market.contract.symbol,
            "id": 10_000_000_000 + int(price / tick),
            "side": side.value,
            "size": size,
            "price": tidy(price),
            "timestamp": iso(at_ms),
            "transactTime": iso(at_ms),
        }
        for price, size, side in shown
    ]


def funding_row(symbol: str, rate: Decimal, *, at_ms: int) -> Row:
    """Return the `funding` row of one exchange."""
    return {
        "timestamp": iso(at_ms),
        "symbol": symbol,
        "fundingInterval": EIGHT_HOURS,
        "fundingRate": rate,
        "fundingRateDaily": rate * 3,
    }
