"""Public rows: instruments, indices, quotes, trades, books, funding.

Why: clients build their contract arithmetic and their price checks from these columns; the
static ones are written once per contract, the moving ones at every step of the tape.

Units: as on the wire. Source: the venue's `/instrument` of May 2026 and partials of 2025.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.contracts import EXACT, Contract, Index, Kind
from connectors.simulated.engine.liquidity import displayed
from connectors.simulated.engine.market import Market
from connectors.simulated.engine.orders import Side, tidy
from connectors.simulated.engine.rows import iso, notionals

EIGHT_HOURS = "2000-01-01T08:00:00.000Z"
_NONE_COLUMNS = (
    "calcInterval",
    "publishInterval",
    "publishTime",
    "limit",
    "limitDownPrice",
    "limitUpPrice",
    "rebalanceTimestamp",
    "rebalanceInterval",
    "settledPriceAdjustmentRate",
    "settledPrice",
    "relistInterval",
)


@lru_cache(maxsize=64)
def _static_columns(contract: Contract) -> Row:
    """Return the columns that never change; to be copied, never written to."""
    perpetual = contract.is_perpetual
    prefix = contract.funding_prefix
    row: Row = {
        "symbol": contract.symbol,
        "rootSymbol": contract.root_symbol,
        "state": "Open",
        "typ": contract.typ,
        "instrumentID": contract.instrument_id,
        "listing": contract.listing,
        "front": contract.listing,
        "expiry": contract.expiry,
        "settle": contract.expiry,
        "listedSettle": contract.expiry,
        "positionCurrency": contract.position_currency,
        "underlying": contract.underlying,
        "quoteCurrency": contract.quote_currency,
        "underlyingSymbol": contract.underlying_symbol,
        "reference": "BMEX",
        "referenceSymbol": contract.reference_symbol,
        "maxOrderQty": contract.max_order_qty,
        "minPrice": contract.tick_size,
        "maxPrice": contract.max_price,
        "lotSize": contract.lot_size,
        "tickSize": contract.tick_size,
        "multiplier": contract.multiplier,
        "settlCurrency": contract.settl_currency,
        "underlyingToPositionMultiplier": contract.underlying_to_position,
        "underlyingToSettleMultiplier": contract.underlying_to_settle,
        "quoteToSettleMultiplier": contract.quote_to_settle,
        "isQuanto": contract.kind is Kind.QUANTO,
        "isInverse": contract.kind is Kind.INVERSE,
        "initMargin": contract.init_margin,
        "maintMargin": contract.maint_margin,
        "riskLimit": contract.risk_limit,
        "riskStep": contract.risk_step,
        "taxed": True,
        "deleverage": True,
        "capped": False,
        "makerFee": contract.maker_fee,
        "takerFee": contract.taker_fee,
        "settlementFee": 0,
        "fundingBaseSymbol": f"{prefix}BON8H" if prefix else None,
        "fundingQuoteSymbol": contract.funding_quote_symbol,
        "fundingPremiumSymbol": contract.funding_premium_symbol,
        "fundingInterval": EIGHT_HOURS if perpetual else None,
        "fundingBaseRate": Decimal("0.0003") if perpetual else None,
        "fundingQuoteRate": Decimal("0.0006") if perpetual else None,
        "fairMethod": "FundingRate" if perpetual else "ImpactMidPrice",
        "markMethod": "FairPrice",
        "instantPnl": True,
        "minTick": Decimal("0.01"),
        "pool": "Primary",
    }
    row.update(dict.fromkeys(_NONE_COLUMNS))
    return row


def instrument_row(market: Market, *, at_ms: int, funding_ms: int, quote_to_settle: int, open_interest: int) -> Row:
    """Return the `instrument` row of a contract; price columns None before the first step."""
    row = _static_columns(market.contract).copy()
    row["timestamp"] = iso(at_ms)
    row["state"] = "Closed" if market.is_halted else market.state.value
    row["settledPrice"] = market.settled_price
    row["markMethod"] = market.mark_method.value
    if market.contract.kind is Kind.QUANTO:
        row["quoteToSettleMultiplier"] = quote_to_settle
    row.update(_price_columns(market))
    row.update(_activity_columns(market, open_interest))
    perpetual = market.contract.is_perpetual and market.has_prices
    row["fundingTimestamp"] = iso(funding_ms) if perpetual else None
    row["fundingRate"] = market.funding_rate if perpetual else None
    row["indicativeFundingRate"] = market.indicative_rate if perpetual else None
    return row


_PRICE_COLUMNS = (
    "prevClosePrice",
    "prevPrice24h",
    "highPrice",
    "lowPrice",
    "lastPrice",
    "lastPriceProtected",
    "lastTickDirection",
    "lastChangePcnt",
    "bidPrice",
    "midPrice",
    "askPrice",
    "impactBidPrice",
    "impactMidPrice",
    "impactAskPrice",
    "hasLiquidity",
    "fairBasisRate",
    "fairBasis",
    "fairPrice",
    "markPrice",
    "indicativeSettlePrice",
)


def _price_columns(market: Market) -> Row:
    if not market.has_prices:
        return dict.fromkeys(_PRICE_COLUMNS)
    last, mark, index = market.last, market.mark, market.index
    bid, ask = market.bid, market.ask
    middle = (bid + ask) / 2
    change = EXACT.divide(last - market.first_price, market.first_price)
    return {
        "prevClosePrice": market.first_price,
        "prevPrice24h": market.first_price,
        "highPrice": market.top_price,
        "lowPrice": market.bottom_price,
        "lastPrice": last,
        "lastPriceProtected": last,
        "lastTickDirection": market.tick_direction,
        "lastChangePcnt": change.quantize(Decimal("0.0001"), ROUND_HALF_EVEN),
        "bidPrice": bid,
        "midPrice": middle,
        "askPrice": ask,
        "impactBidPrice": bid,
        "impactMidPrice": middle,
        "impactAskPrice": ask,
        "hasLiquidity": not market.is_halted,
        "fairBasisRate": market.funding_rate * 1095,
        "fairBasis": mark - index,
        "fairPrice": mark,
        "markPrice": mark,
        "indicativeSettlePrice": index,
    }


def _activity_columns(market: Market, open_interest: int) -> Row:
    contract = market.contract
    return {
        "prevTotalVolume": 0,
        "totalVolume": market.volume,
        "volume": market.volume,
        "volume24h": market.volume,
        "prevTotalTurnover": 0,
        "totalTurnover": market.turnover,
        "turnover": market.turnover,
        "turnover24h": market.turnover,
        "homeNotional24h": Decimal(0),
        "foreignNotional24h": Decimal(0),
        "vwap": market.last if market.has_prices else None,
        "openInterest": open_interest,
        "openValue": contract.value(open_interest, market.mark) if open_interest else 0,
    }


def index_row(index: Index, price: Decimal | None, *, at_ms: int) -> Row:
    """Return the `instrument` row of an index."""
    row = _index_columns(index).copy()
    row["lastPrice"] = row["markPrice"] = price
    row["timestamp"] = iso(at_ms)
    return row


@lru_cache(maxsize=64)
def _index_columns(index: Index) -> Row:
    """Return the columns of an index that never change; to be copied, never written to."""
    row: Row = dict.fromkeys(
        (
            "listing",
            "front",
            "expiry",
            "settle",
            "positionCurrency",
            "maxOrderQty",
            "maxPrice",
            "lotSize",
            "multiplier",
            "settlCurrency",
            "initMargin",
            "maintMargin",
            "makerFee",
            "takerFee",
        )
    )
    row.update(
        symbol=index.symbol,
        rootSymbol=index.root_symbol,
        state="Unlisted",
        typ="MRCXXX",
        instrumentID=index.instrument_id,
        underlying=index.root_symbol,
        quoteCurrency=index.quote_currency,
        underlyingSymbol=index.underlying_symbol,
        reference="BMI",
        referenceSymbol=index.symbol,
        publishInterval="2000-01-01T00:01:00.000Z",
        minPrice=Decimal("0.01"),
        tickSize=Decimal("0.01"),
        isQuanto=False,
        isInverse=False,
        taxed=False,
        deleverage=False,
        capped=False,
        lastTickDirection="ZeroPlusTick",
        lastChangePcnt=Decimal(0),
        hasLiquidity=False,
        openValue=0,
        markMethod="LastPrice",
        instantPnl=False,
    )
    return row


def quote_row(market: Market, *, at_ms: int) -> Row:
    """Return the `quote` row: best modelled bid and ask."""
    return {
        "timestamp": iso(at_ms),
        "symbol": market.contract.symbol,
        "bidSize": market.depth,
        "bidPrice": market.bid,
        "askPrice": market.ask,
        "askSize": market.depth,
    }


def trade_row(
    market: Market,
    *,
    side: Side,
    quantity: int,
    price: Decimal,
    match_id: str,
    at_ms: int,
    quote_to_settle: int,
) -> Row:
    """Return the `trade` row of a public match; `side` is the taker's."""
    contract = market.contract
    home, foreign = notionals(contract, quantity, price, quote_to_settle=quote_to_settle)
    return {
        "timestamp": iso(at_ms),
        "symbol": contract.symbol,
        "side": side.value,
        "size": quantity,
        "price": price,
        "tickDirection": market.tick_direction,
        "trdMatchID": match_id,
        "grossValue": contract.value(quantity, price),
        "homeNotional": abs(home),
        "foreignNotional": abs(foreign),
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
