"""Rows of the `instrument` table: contracts and indices.

Why: clients build their contract arithmetic and their price checks from these columns; the
static ones are written once per contract, the moving ones at every step of the tape.

Units: as on the wire. Source: the venue's `/instrument` of May 2026 and partials of 2025.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.contracts import EXACT, Contract, Index, Kind
from connectors.simulated.engine.markets.activity import SESSION_MS
from connectors.simulated.engine.markets.indices import IndexPrints
from connectors.simulated.engine.markets.market import Market, MarketState, MarkMethod
from connectors.simulated.engine.rows import SATOSHI_CURRENCY, iso
from connectors.simulated.engine.tables.public_rows import touches
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


_IN_ORDER = """
    symbol rootSymbol state typ listing front expiry settle listedSettle relistInterval positionCurrency underlying
    quoteCurrency underlyingSymbol reference referenceSymbol calcInterval publishInterval publishTime maxOrderQty
    maxPrice lotSize tickSize multiplier settlCurrency underlyingToPositionMultiplier underlyingToSettleMultiplier
    quoteToSettleMultiplier isQuanto isInverse initMargin maintMargin riskLimit riskStep limit taxed deleverage
    makerFee takerFee settlementFee fundingBaseSymbol fundingQuoteSymbol fundingPremiumSymbol fundingTimestamp
    fundingInterval fundingRate indicativeFundingRate rebalanceTimestamp rebalanceInterval prevClosePrice
    limitDownPrice limitUpPrice prevTotalVolume totalVolume volume volume24h prevTotalTurnover totalTurnover turnover
    turnover24h homeNotional24h foreignNotional24h prevPrice24h vwap highPrice lowPrice lastPrice lastPriceProtected
    lastTickDirection lastChangePcnt bidPrice midPrice askPrice impactBidPrice impactMidPrice impactAskPrice
    hasLiquidity openInterest openValue fairMethod fairBasisRate fairBasis fairPrice markMethod markPrice
    indicativeSettlePrice settledPriceAdjustmentRate settledPrice instantPnl minTick fundingBaseRate fundingQuoteRate
    timestamp instrumentID minPrice capped openingTimestamp closingTimestamp pool nearLegSymbol farLegSymbol
    referencePrice
"""
_ORDER = tuple(_IN_ORDER.split())
_INDEX_MOVES = ("lastPrice", "markPrice", "lastTickDirection", "prevPrice24h", "lastChangePcnt", "timestamp")


def _in_order(row: Row) -> Row:
    """Return the row with its columns in the venue's order."""
    return {name: row[name] for name in _ORDER if name in row} | row


def _static_columns(contract: Contract) -> Row:
    """Return the columns that never change."""
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
    if market.columns is None:
        market.columns = _in_order({**_static_columns(contract), **dict.fromkeys(_MOVING_COLUMNS)})
    row = market.columns.copy()
    row["timestamp"] = iso(world.at_ms)
    if market.is_halted or market.state is not MarketState.OPEN:
        row["state"] = "Closed" if market.is_halted else market.state.value
    row["settledPrice"] = market.settled_price
    if market.mark_method is not MarkMethod.FAIR:
        row["markMethod"] = market.mark_method.value
    if contract.kind is Kind.QUANTO and contract.settl_currency == SATOSHI_CURRENCY:
        row["quoteToSettleMultiplier"] = world.quote_to_settle
    _fill_activity(row, market)
    interest = open_interest(world, market)
    row["openInterest"] = None if contract.kind is Kind.SPREAD else interest
    row["openValue"] = contract.value(interest, market.mark) if interest else 0
    if market.has_prices:
        _fill_prices(row, market)
        _fill_fair(row, world, market)
        if contract.is_perpetual:
            row["fundingTimestamp"] = iso(world.next_funding_shown_ms)
            row["fundingRate"] = market.funding_rate
            row["indicativeFundingRate"] = market.indicative_rate
    if contract.kind is Kind.SPREAD:
        near = world.markets.get(contract.near_leg or "")
        row["referencePrice"] = near.mark if near is not None and near.has_prices else None
    return row


_MOVING_COLUMNS = (
    "timestamp",
    "settledPrice",
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
    "fairBasisRate",
    "fairBasis",
    "fairPrice",
    "markPrice",
    "indicativeSettlePrice",
    "openingTimestamp",
    "closingTimestamp",
    "prevClosePrice",
    "prevTotalVolume",
    "totalVolume",
    "volume",
    "volume24h",
    "prevTotalTurnover",
    "totalTurnover",
    "turnover",
    "turnover24h",
    "homeNotional24h",
    "foreignNotional24h",
    "prevPrice24h",
    "vwap",
    "highPrice",
    "lowPrice",
    "openInterest",
    "openValue",
    "fundingTimestamp",
    "fundingRate",
    "indicativeFundingRate",
)


def _fill_prices(row: Row, market: Market) -> None:
    last, first = market.last, market.activity.first
    is_quoted = market.depth > 0 or bool(market.recorded)
    if is_quoted:
        (bid, _), (ask, _) = touches(market)
        row["bidPrice"] = row["impactBidPrice"] = bid
        row["midPrice"] = row["impactMidPrice"] = (bid + ask) / 2
        row["askPrice"] = row["impactAskPrice"] = ask
    row["lastPrice"] = row["lastPriceProtected"] = last
    row["lastTickDirection"] = market.tick_direction
    row["lastChangePcnt"] = _change(last, first) if first > 0 else Decimal(0)
    row["hasLiquidity"] = is_quoted and not market.is_halted
    row["limitDownPrice"] = market.limit_down
    row["limitUpPrice"] = market.limit_up


def _fill_fair(row: Row, world: World, market: Market) -> None:
    contract, mark = market.contract, market.mark
    if contract.kind is Kind.SPREAD:
        return
    row["markPrice"] = mark
    if contract.mark_method == _LAST_PRICE:
        return
    row["fairBasis"] = basis = mark - market.index
    if contract.is_perpetual:
        row["fairBasisRate"] = market.funding_rate * FUNDINGS_A_YEAR
    else:
        row["fairBasisRate"] = _yearly(basis, market, world.at_ms)
    row["fairPrice"] = mark
    row["indicativeSettlePrice"] = market.index or None


def _yearly(basis: Decimal, market: Market, at_ms: int) -> Decimal:
    """Return the basis of a dated contract as a rate of a year."""
    left_ms = (market.expiry_ms or 0) - at_ms
    if left_ms <= 0 or not market.index:
        return Decimal(0)
    return EXACT.divide(basis * _YEAR_MS, market.index * left_ms).quantize(_RATE_PLACES, ROUND_HALF_EVEN)


def _fill_activity(row: Row, market: Market) -> None:
    activity, traded = market.activity, market.activity.traded
    if market.has_prices:
        row["openingTimestamp"] = iso(activity.opening_ms)
        row["closingTimestamp"] = iso(activity.opening_ms + SESSION_MS)
        row["prevClosePrice"] = activity.session_close
        row["prevPrice24h"] = activity.first
        row["highPrice"], row["lowPrice"] = activity.high, activity.low
    row["prevTotalVolume"] = activity.volume_before
    row["totalVolume"] = activity.total_volume
    row["volume"] = activity.total_volume - activity.volume_before
    row["volume24h"] = traded.volume
    row["prevTotalTurnover"] = activity.value_before
    row["totalTurnover"] = activity.total_value
    row["turnover"] = activity.total_value - activity.value_before
    row["turnover24h"] = traded.value
    row["homeNotional24h"], row["foreignNotional24h"] = traded.home, traded.foreign
    vwap = activity.vwap
    row["vwap"] = None if vwap is None else vwap.quantize(min(_VWAP_PLACES, market.contract.tick_size))


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
    if prints.columns is None:
        prints.columns = _in_order({**_index_columns(prints.index), **dict.fromkeys(_INDEX_MOVES)})
    row = prints.columns.copy()
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


def _index_columns(index: Index) -> Row:
    """Return the columns of an index that never change."""
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
