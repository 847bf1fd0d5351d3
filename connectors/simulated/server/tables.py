"""The venue's tables: their keys, columns and types, and which of them need a key to read.

Why: the real-time partials carry this, `columns` and `filter` are checked against it, and REST
answers always keep the key columns. Source: BitMEX's `GET /schema` and real partials, see
`docs/venue-facts.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """One table.

    Attributes:
        name: The venue's name, also the topic.
        keys: Columns that identify a row; empty where every row is an insert.
        types: Column to the venue's type name.
        attributes: Column to the venue's hint (`sorted`, `grouped`), in partials of the old form.
        foreign_keys: Column to the table it points into, in partials of the old form.
        is_private: Rows belong to an account.
        repeated: Columns that each update carries, changed or not.
        max_count: Most rows one REST answer holds.
    """

    name: str
    keys: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    foreign_keys: Mapping[str, str] = field(default_factory=dict)
    is_private: bool = False
    repeated: tuple[str, ...] = ()
    max_count: int = 500


def _types(*groups: str) -> dict[str, str]:
    """Read groups written as `type: column column ...`, in the order of the columns."""
    types: dict[str, str] = {}
    for group in groups:
        name, _, columns = group.partition(":")
        types.update(dict.fromkeys(columns.split(), name))
    return types


_POSITION = _types(
    "long:account",
    "symbol:symbol strategy currency underlying quoteCurrency",
    "float:commission initMarginReq maintMarginReq",
    "long:riskLimit",
    "float:leverage",
    "boolean:crossMargin",
    "float:deleveragePercentile",
    "long:rebalancedPnl prevRealisedPnl prevUnrealisedPnl openingQty openOrderBuyQty openOrderBuyCost",
    "long:openOrderBuyPremium openOrderSellQty openOrderSellCost openOrderSellPremium currentQty currentCost",
    "long:currentComm realisedCost unrealisedCost grossOpenPremium",
    "boolean:isOpen",
    "float:markPrice",
    "long:markValue riskValue",
    "float:homeNotional foreignNotional",
    "symbol:posState",
    "long:posCost posCross posComm posLoss posMargin posMaint posInit initMargin maintMargin realisedPnl",
    "long:unrealisedPnl",
    "float:unrealisedPnlPcnt unrealisedRoePcnt avgCostPrice avgEntryPrice breakEvenPrice marginCallPrice",
    "float:liquidationPrice bankruptPrice",
    "timestamp:timestamp",
)
_MARGIN = _types(
    "long:account",
    "symbol:currency",
    "long:riskLimit",
    "symbol:state",
    "long:amount prevRealisedPnl grossComm grossOpenCost grossOpenPremium grossExecCost grossMarkValue riskValue",
    "long:initMargin maintMargin targetExcessMargin realisedPnl unrealisedPnl walletBalance marginBalance",
    "float:marginLeverage marginUsedPcnt",
    "long:excessMargin availableMargin withdrawableMargin systemWithdrawableMargin",
    "float:makerFeeDiscount takerFeeDiscount",
    "timestamp:timestamp",
    "long:foreignMarginBalance foreignRequirement isolatedUnrealisedPnl",
)
_EXECUTION = _types(
    "guid:execID orderID",
    ":clOrdID clOrdLinkID",
    "long:account",
    "symbol:symbol strategy side",
    "long:lastQty",
    "float:lastPx",
    "symbol:lastLiquidityInd",
    "long:orderQty",
    "float:price",
    "long:displayQty",
    "float:stopPx pegOffsetValue",
    "symbol:pegPriceType currency settlCurrency execType ordType timeInForce execInst contingencyType ordStatus",
    "symbol:triggered",
    "boolean:workingIndicator",
    ":ordRejReason",
    "long:leavesQty cumQty",
    "float:avgPx commission brokerCommission",
    "symbol:feeType tradePublishIndicator",
    ":text",
    "guid:trdMatchID",
    "long:execCost execComm brokerExecComm",
    "float:homeNotional foreignNotional",
    "timestamp:transactTime timestamp",
    "long:realisedPnl",
    "symbol:trdType",
)
_ORDER = _types(
    "guid:orderID",
    "string:clOrdID",
    "symbol:clOrdLinkID",
    "long:account",
    "symbol:symbol strategy side",
    "long:orderQty",
    "float:price",
    "long:displayQty",
    "float:stopPx pegOffsetValue",
    "symbol:pegPriceType currency settlCurrency ordType timeInForce execInst contingencyType ordStatus triggered",
    "boolean:workingIndicator",
    "symbol:ordRejReason",
    "long:leavesQty cumQty",
    "float:avgPx",
    "string:text",
    "timestamp:transactTime timestamp",
    "symbol:pool",
)
_WALLET = _types(
    "long:account",
    "symbol:currency",
    "long:deposited withdrawn transferIn transferOut amount pendingCredit pendingDebit confirmedDebit",
    "timestamp:timestamp",
)
_TRANSACT = _types(
    "guid:transactID",
    "long:account",
    "symbol:currency transactType",
    "long:amount fee",
    "symbol:transactStatus",
    "string:address tx text",
    "timestamp:transactTime timestamp",
    "long:walletBalance marginBalance",
)
_INSTRUMENT = _types(
    "symbol:symbol rootSymbol state typ",
    "timestamp:listing front expiry settle listedSettle",
    "timespan:relistInterval",
    "symbol:positionCurrency underlying quoteCurrency underlyingSymbol reference referenceSymbol",
    "timespan:calcInterval publishInterval publishTime",
    "long:maxOrderQty",
    "float:maxPrice",
    "long:lotSize",
    "float:tickSize",
    "long:multiplier",
    "symbol:settlCurrency",
    "long:underlyingToPositionMultiplier underlyingToSettleMultiplier quoteToSettleMultiplier",
    "boolean:isQuanto isInverse",
    "float:initMargin maintMargin",
    "long:riskLimit riskStep",
    "float:limit",
    "boolean:taxed deleverage",
    "float:makerFee takerFee settlementFee",
    "symbol:fundingBaseSymbol fundingQuoteSymbol fundingPremiumSymbol",
    "timestamp:fundingTimestamp",
    "timespan:fundingInterval",
    "float:fundingRate indicativeFundingRate",
    "timestamp:rebalanceTimestamp",
    "timespan:rebalanceInterval",
    "float:prevClosePrice limitDownPrice limitUpPrice",
    "long:prevTotalVolume totalVolume volume volume24h prevTotalTurnover totalTurnover turnover turnover24h",
    "float:homeNotional24h foreignNotional24h prevPrice24h vwap highPrice lowPrice lastPrice lastPriceProtected",
    "symbol:lastTickDirection",
    "float:lastChangePcnt bidPrice midPrice askPrice impactBidPrice impactMidPrice impactAskPrice",
    "boolean:hasLiquidity",
    "long:openInterest openValue",
    "symbol:fairMethod",
    "float:fairBasisRate fairBasis fairPrice",
    "symbol:markMethod",
    "float:markPrice indicativeSettlePrice settledPriceAdjustmentRate settledPrice",
    "boolean:instantPnl",
    "float:minTick fundingBaseRate fundingQuoteRate",
    "timestamp:timestamp",
    "long:instrumentID",
    "float:minPrice",
    "boolean:capped",
    "timestamp:openingTimestamp closingTimestamp",
    "symbol:pool nearLegSymbol farLegSymbol",
    "float:referencePrice",
)
_BOOK = _types(
    "symbol:symbol", "long:id", "symbol:side", "long:size", "float:price", "timestamp:timestamp transactTime"
)
_BOOK_TEN = _types("symbol:symbol", ":bids asks", "timestamp:timestamp")
_TRADE = _types(
    "timestamp:timestamp",
    "symbol:symbol side",
    "long:size",
    "float:price",
    "symbol:tickDirection",
    "guid:trdMatchID",
    "long:grossValue",
    "float:homeNotional foreignNotional",
    "symbol:trdType",
)
_QUOTE = _types("timestamp:timestamp", "symbol:symbol", "long:bidSize", "float:bidPrice askPrice", "long:askSize")
TRADE_BIN = _types(
    "timestamp:timestamp",
    "symbol:symbol",
    "float:open high low close",
    "long:trades volume",
    "float:vwap",
    "long:lastSize turnover",
    "float:homeNotional foreignNotional",
)
_FUNDING = _types(
    "timestamp:timestamp", "symbol:symbol", "timespan:fundingInterval", "float:fundingRate fundingRateDaily"
)
_SETTLEMENT = _types(
    "timestamp:timestamp",
    "symbol:symbol settlementType",
    "float:settledPrice optionStrikePrice optionUnderlyingPrice",
    "long:bankrupt taxBase",
    "float:taxRate",
)
_LIQUIDATION = _types("guid:orderID", "symbol:symbol side", "float:price", "long:leavesQty")
_INSURANCE = _types("symbol:currency", "timestamp:timestamp", "long:walletBalance")
_NOTICE = _types("integer:id", "string:link title content", "timestamp:date")
_CHAT = _types("integer:id", "timestamp:date", "string:user message html", "boolean:fromBot", "float:channelID")
_NOTIFICATION = _types("integer:id", "timestamp:date", "string:title body", "integer:ttl", "string:type")
_NOTIFICATION.update(_types("boolean:closable persist waitForVisibility", "string:sound"))
_AFFILIATE = _types(
    "long:account",
    "symbol:currency",
    "long:prevPayout prevTurnover prevComm",
    "timestamp:prevTimestamp",
    "long:execTurnover execComm totalReferrals totalTurnover totalComm",
    "float:payoutPcnt",
    "long:pendingPayout",
    "timestamp:timestamp",
    "float:referrerAccount referralDiscount affiliatePayout",
)
_ACCOUNT = _types("long:id account", "string:username", "timestamp:created lastUpdated")
_SYMBOL_HINTS = {"timestamp": "sorted", "symbol": "grouped"}
_OF_INSTRUMENT = {"symbol": "instrument"}
_OF_SIDE = {"symbol": "instrument", "side": "side"}
BIN_SIZES = {"1m": 60_000, "5m": 300_000, "1h": 3_600_000, "1d": 86_400_000}  # milliseconds


def _all() -> list[Table]:
    bins = [
        Table(
            name=f"{kind}Bin{size}", types=types, attributes=_SYMBOL_HINTS, foreign_keys=_OF_INSTRUMENT, max_count=1_000
        )
        for kind, types in (("quote", _QUOTE), ("trade", TRADE_BIN))
        for size in BIN_SIZES
    ]
    platform = [
        Table(name="announcement", keys=("id",), types=_NOTICE),
        Table(name="chat", keys=("id",), types=_CHAT),
        Table(name="connected", types=_types("integer:users bots")),
        Table(name="publicNotifications", keys=("id",), types=_NOTIFICATION),
    ]
    return [*_market(), *_books(), *bins, *platform, *_balances(), *_trading()]


def _market() -> list[Table]:
    stamped = ("timestamp", "symbol")
    return [
        Table(
            name="instrument",
            keys=("symbol",),
            types=_INSTRUMENT,
            attributes={"symbol": "unique"},
            repeated=("timestamp", "markPrice"),
        ),
        Table(name="trade", types=_TRADE, attributes=_SYMBOL_HINTS, foreign_keys=_OF_SIDE, max_count=1_000),
        Table(name="quote", types=_QUOTE, attributes=_SYMBOL_HINTS, foreign_keys=_OF_INSTRUMENT, max_count=1_000),
        Table(name="funding", keys=stamped, types=_FUNDING, attributes=_SYMBOL_HINTS, foreign_keys=_OF_INSTRUMENT),
        Table(
            name="settlement", keys=stamped, types=_SETTLEMENT, attributes=_SYMBOL_HINTS, foreign_keys=_OF_INSTRUMENT
        ),
        Table(name="insurance", keys=("currency", "timestamp"), types=_INSURANCE, attributes={"timestamp": "sorted"}),
        Table(
            name="liquidation",
            keys=("orderID",),
            types=_LIQUIDATION,
            attributes={"orderID": "unique"},
            foreign_keys=_OF_SIDE,
            repeated=("symbol",),
        ),
    ]


def _books() -> list[Table]:
    keys, hints = ("symbol", "id", "side"), {"symbol": "parted", "id": "sorted"}
    return [
        Table(name="orderBookL2_25", keys=keys, types=_BOOK, attributes=hints, foreign_keys=_OF_SIDE),
        Table(name="orderBookL2", keys=keys, types=_BOOK, attributes=hints, foreign_keys=_OF_SIDE),
        Table(name="orderBook10", keys=("symbol",), types=_BOOK_TEN, attributes={"symbol": "sorted"}),
    ]


def _balances() -> list[Table]:
    """Return the private tables about money and the person."""
    of_currency = ("account", "currency")
    hints = {"account": "sorted", "currency": "grouped"}
    return [
        Table(name="account", keys=("id",), types=_ACCOUNT, is_private=True),
        Table(name="affiliate", keys=of_currency, types=_AFFILIATE, attributes={"account": "sorted"}, is_private=True),
        Table(
            name="margin", keys=of_currency, types=_MARGIN, attributes=hints, is_private=True, repeated=("timestamp",)
        ),
        Table(name="privateNotifications", keys=("id",), types=_NOTIFICATION, is_private=True),
        Table(name="transact", keys=("transactID",), types=_TRANSACT, is_private=True),
        Table(
            name="wallet", keys=of_currency, types=_WALLET, attributes=hints, is_private=True, repeated=("timestamp",)
        ),
    ]


def _trading() -> list[Table]:
    """Return the private tables about orders and positions."""
    grouped = {"account": "grouped", "transactTime": "sorted"}
    return [
        Table(
            name="execution",
            types=_EXECUTION,
            attributes={"execID": "grouped", "execType": "grouped", **grouped},
            foreign_keys={**_OF_SIDE, "ordStatus": "ordStatus"},
            is_private=True,
        ),
        Table(
            name="order",
            keys=("orderID",),
            types=_ORDER,
            attributes=dict.fromkeys(("orderID", "account", "ordStatus", "workingIndicator"), "grouped"),
            foreign_keys={**_OF_SIDE, "ordStatus": "ordStatus"},
            is_private=True,
            repeated=("timestamp", "clOrdID", "account", "symbol"),
        ),
        Table(
            name="position",
            keys=("account", "symbol", "strategy"),
            types=_POSITION,
            attributes={"account": "sorted", "symbol": "grouped", "underlying": "grouped"},
            foreign_keys=_OF_INSTRUMENT,
            is_private=True,
            repeated=("currency", "currentQty", "markPrice", "liquidationPrice", "timestamp"),
        ),
    ]


TABLES: Mapping[str, Table] = {table.name: table for table in _all()}
EXECUTION = TABLES["execution"]
ORDER = TABLES["order"]
POSITION = TABLES["position"]
MARGIN = TABLES["margin"]
INSTRUMENT = TABLES["instrument"]
TRADE = TABLES["trade"]
QUOTE = TABLES["quote"]
FINAL_ORDER_STATES = frozenset({"Filled", "Canceled", "Rejected", "Expired", "DoneForDay"})
