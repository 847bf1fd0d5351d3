"""Rows of the `instrument` table: contracts and indices.

Why: clients build their contract arithmetic and their price checks from these columns; the
static ones are written once per contract, the moving ones at every step of the tape.

Units: as on the wire. Source: the venue's `/instrument` of May 2026 and partials of 2025.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from connectors.simulated.engine.activity import SESSION_MS
from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.contracts import EXACT, Contract, Index, Kind
from connectors.simulated.engine.indices import IndexPrints
from connectors.simulated.engine.market import Market, MarketState, MarkMethod
from connectors.simulated.engine.public_rows import touches
from connectors.simulated.engine.rows import SATOSHI_CURRENCY, iso
from connectors.simulated.engine.world import World

EIGHT_HOURS = "2000-01-01T08:00:00.000Z"
FUNDINGS_A_YEAR = 1095
_YEAR_MS = 365 * 86_400_000
_RATE_PLACES = Decimal("0.01")
_VWAP_PLACES = Decimal("0.0001")
_PREDICTION = "FFICSX"
_LAST_PRICE = MarkMethod.LAST.value
_CHANGE_PLACES = Decimal("0.0001")
_NONE_COLUMNS = (
    "calcInterval",
    "publishInterval",
    "publishTime",
    "rebalanceTimestamp",
    "rebalanceInterval",
    "settledPriceAdjustmentRate",
    "relistInterval",
)


@lru_cache(maxsize=512)
def _static_columns(contract: Contract) -> Row:
    """Return the columns that never change; to be copied, never written to."""
    is_spread, is_spot = contract.kind is Kind.SPREAD, contract.kind is Kind.SPOT
    row: Row = {
        "symbol": contract.symbol,
        "rootSymbol": contract.root_symbol,
        "state": "Open",
        "typ": contract.typ,
        "instrumentID": contract.instrument_id,
        "listing": contract.listing,
        "front": None if is_spot else contract.listing,
        "expiry": contract.expiry,
        "settle": contract.expiry,
        "listedSettle": None if is_spread else contract.expiry,
        "positionCurrency": contract.position_currency,
        "underlying": contract.underlying,
        "quoteCurrency": contract.quote_currency,
        "underlyingSymbol": contract.underlying_symbol,
        "reference": contract.reference,
        "referenceSymbol": contract.reference_symbol or None,
        "maxOrderQty": contract.max_order_qty,
        "minPrice": contract.min_price,
        "maxPrice": contract.max_price,
        "lotSize": contract.lot_size,
        "tickSize": contract.tick_size,
        "multiplier": contract.multiplier,
        "settlCurrency": contract.settl_currency or None,
        "underlyingToPositionMultiplier": contract.underlying_to_position,
        "underlyingToSettleMultiplier": contract.underlying_to_settle,
        "quoteToSettleMultiplier": contract.quote_to_settle,
        "isQuanto": contract.kind is Kind.QUANTO,
        "isInverse": contract.kind is Kind.INVERSE,
        "initMargin": None if is_spread else contract.init_margin,
        "maintMargin": None if is_spread else contract.maint_margin,
        "riskLimit": None if is_spread else contract.risk_limit or None,
        "riskStep": None if is_spread else contract.risk_step or None,
        "limit": contract.limit,
        "taxed": True,
        "deleverage": not is_spot,
        "capped": contract.typ == _PREDICTION,
        "makerFee": contract.maker_fee,
        "takerFee": contract.taker_fee,
        "settlementFee": None if is_spread else 0,
        "instantPnl": contract.is_instant,
        "minTick": None if is_spread else contract.min_tick,
        "pool": "Primary",
        **dict.fromkeys(_NONE_COLUMNS),
        **_pricing_columns(contract),
    }
    if is_spread:
        row.update(nearLegSymbol=contract.near_leg, farLegSymbol=contract.far_leg)
    return row


def _pricing_columns(contract: Contract) -> Row:
    """Return how mark and funding are made, None where there is none of it."""
    is_perpetual = contract.is_perpetual
    is_fair = contract.mark_method.startswith(MarkMethod.FAIR.value)
    method = "FundingRate" if is_perpetual else "ImpactMidPrice"
    return {
        "fundingBaseSymbol": contract.funding_base_symbol,
        "fundingQuoteSymbol": contract.funding_quote_symbol,
        "fundingPremiumSymbol": contract.funding_premium_symbol,
        "fundingInterval": EIGHT_HOURS if is_perpetual else None,
        "fundingBaseRate": contract.funding_base_rate if is_perpetual else None,
        "fundingQuoteRate": contract.funding_quote_rate if is_perpetual else None,
        "fairMethod": method if is_fair else None,
        "markMethod": contract.mark_method or None,
    }


def instrument_row(world: World, market: Market) -> Row:
    """Return the `instrument` row of a contract; price columns None before the first step."""
    contract = market.contract
    row = _static_columns(contract).copy()
    row["timestamp"] = iso(world.at_ms)
    if market.is_halted or market.state is not MarketState.OPEN:
        row["state"] = "Closed" if market.is_halted else market.state.value
    row["settledPrice"] = market.settled_price
    if market.mark_method is not MarkMethod.FAIR:
        row["markMethod"] = market.mark_method.value
    if contract.kind is Kind.QUANTO and contract.settl_currency == SATOSHI_CURRENCY:
        row["quoteToSettleMultiplier"] = world.quote_to_settle
    row.update(_quoted_columns(market))
    row.update(_fair_columns(world, market))
    row.update(_activity_columns(market))
    interest = open_interest(world, market)
    row["openInterest"] = None if contract.kind is Kind.SPREAD else interest
    row["openValue"] = contract.value(interest, market.mark) if interest else 0
    is_funded = contract.is_perpetual and market.has_prices
    row["fundingTimestamp"] = iso(world.next_funding_shown_ms) if is_funded else None
    row["fundingRate"] = market.funding_rate if is_funded else None
    row["indicativeFundingRate"] = market.indicative_rate if is_funded else None
    if contract.kind is Kind.SPREAD:
        near = world.markets.get(contract.near_leg or "")
        row["referencePrice"] = near.mark if near is not None and near.has_prices else None
    return row


_QUOTED_COLUMNS = (
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
    "limitDownPrice",
    "limitUpPrice",
)


def _quoted_columns(market: Market) -> Row:
    if not market.has_prices:
        return dict.fromkeys(_QUOTED_COLUMNS)
    last, first = market.last, market.activity.first
    is_quoted = market.depth > 0 or bool(market.recorded)
    bid: Decimal | None = None
    ask: Decimal | None = None
    middle: Decimal | None = None
    if is_quoted:
        (bid, _), (ask, _) = touches(market)
        middle = (bid + ask) / 2
    change = EXACT.divide(last - first, first) if first > 0 else Decimal(0)
    return {
        "lastPrice": last,
        "lastPriceProtected": last,
        "lastTickDirection": market.tick_direction,
        "lastChangePcnt": change.quantize(_CHANGE_PLACES, ROUND_HALF_EVEN),
        "bidPrice": bid,
        "midPrice": middle,
        "askPrice": ask,
        "impactBidPrice": bid,
        "impactMidPrice": middle,
        "impactAskPrice": ask,
        "hasLiquidity": is_quoted and not market.is_halted,
        "limitDownPrice": market.limit_down,
        "limitUpPrice": market.limit_up,
    }


_FAIR_COLUMNS = ("fairBasisRate", "fairBasis", "fairPrice", "markPrice", "indicativeSettlePrice")


def _fair_columns(world: World, market: Market) -> Row:
    contract, mark = market.contract, market.mark
    if not market.has_prices or contract.kind is Kind.SPREAD:
        return dict.fromkeys(_FAIR_COLUMNS)
    if contract.mark_method == _LAST_PRICE:
        return {**dict.fromkeys(_FAIR_COLUMNS), "markPrice": mark}
    basis = mark - market.index
    return {
        "fairBasisRate": market.funding_rate * FUNDINGS_A_YEAR
        if contract.is_perpetual
        else _yearly(basis, market, world.at_ms),
        "fairBasis": basis,
        "fairPrice": mark,
        "markPrice": mark,
        "indicativeSettlePrice": market.index or None,
    }


def _yearly(basis: Decimal, market: Market, at_ms: int) -> Decimal:
    """Return the basis of a dated contract as a rate of a year."""
    left_ms = (market.expiry_ms or 0) - at_ms
    if left_ms <= 0 or not market.index:
        return Decimal(0)
    return EXACT.divide(basis * _YEAR_MS, market.index * left_ms).quantize(_RATE_PLACES, ROUND_HALF_EVEN)


def _activity_columns(market: Market) -> Row:
    activity, known = market.activity, market.has_prices
    vwap = activity.vwap
    return {
        "openingTimestamp": iso(activity.opening_ms) if known else None,
        "closingTimestamp": iso(activity.opening_ms + SESSION_MS) if known else None,
        "prevClosePrice": activity.session_close if known else None,
        "prevTotalVolume": activity.volume_before,
        "totalVolume": activity.total_volume,
        "volume": activity.total_volume - activity.volume_before,
        "volume24h": activity.traded.volume,
        "prevTotalTurnover": activity.value_before,
        "totalTurnover": activity.total_value,
        "turnover": activity.total_value - activity.value_before,
        "turnover24h": activity.traded.value,
        "homeNotional24h": activity.traded.home,
        "foreignNotional24h": activity.traded.foreign,
        "prevPrice24h": activity.first if known else None,
        "vwap": None if vwap is None else vwap.quantize(min(_VWAP_PLACES, market.contract.tick_size)),
        "highPrice": activity.high if known else None,
        "lowPrice": activity.low if known else None,
    }


def open_interest(world: World, market: Market) -> int:
    """Return the contracts held long, the modelled liquidity's own included; counted anew when a position changed."""
    if market.is_interest_stale:
        symbol = market.contract.symbol
        held = (account.positions.get(symbol) for account in world.accounts.values())
        longs = sum(position.quantity for position in held if position is not None and position.quantity > 0)
        market.open_interest = longs + max(0, world.house.provider_quantity.get(symbol, 0))
        market.is_interest_stale = False
    return market.open_interest


def index_row(prints: IndexPrints, *, at_ms: int) -> Row:
    """Return the `instrument` row of an index."""
    row = _index_columns(prints.index).copy()
    price, first = prints.price, prints.first
    row["lastPrice"] = row["markPrice"] = prints.index.level if price is None else price
    row["lastTickDirection"] = prints.direction
    row["prevPrice24h"] = first
    row["lastChangePcnt"] = _change(price, first)
    row["timestamp"] = prints.stamp or iso(at_ms)
    return row


def _change(price: Decimal | None, first: Decimal | None) -> Decimal:
    if price is None or not first:
        return Decimal(0)
    return EXACT.divide(price - first, first).quantize(_CHANGE_PLACES, ROUND_HALF_EVEN)


@lru_cache(maxsize=1_024)
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
        state=index.state,
        typ=index.typ,
        instrumentID=index.instrument_id,
        underlying=index.underlying,
        quoteCurrency=index.quote_currency,
        underlyingSymbol=index.underlying_symbol,
        reference="BMI",
        referenceSymbol=index.reference_symbol or index.symbol,
        calcInterval=index.calc_interval,
        publishInterval=index.publish_interval,
        publishTime=index.publish_time,
        minPrice=index.tick_size,
        tickSize=index.tick_size,
        isQuanto=False,
        isInverse=False,
        taxed=False,
        deleverage=False,
        capped=False,
        hasLiquidity=False,
        openValue=0,
        markMethod="LastPrice",
        instantPnl=False,
    )
    return row
