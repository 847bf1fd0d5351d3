"""Market reads: instruments, prices, the book, trades and their bins, funding, liquidations.

Units: as in the rows; `depth` is levels a side. Source: www.bitmex.com/api/explorer.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.contracts import Contract
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.resting.orders import tidy
from connectors.simulated.server.clock import iso, parse_iso
from connectors.simulated.server.rest.call import Answer, Call
from connectors.simulated.server.selection import select
from connectors.simulated.server.symbols import is_index, periods_of
from connectors.simulated.server.tables import BIN_SIZES, INSTRUMENT, QUOTE, TABLES, TRADE, TRADE_BIN, Table

_DEFAULT_DEPTH = 25
_FULL_DEPTH = 1_000
_DAY_MS = 86_400_000
_SPANS = {"turnover24h": 1, "turnover30d": 30, "turnover365d": 365}
_SETTLED = "Settled"
_MAIN_INDEX = ".BXBT"
_PRICE_INDEX = "MRCXXX"
# Venues behind a price index, and how far from it each stands.
_SOURCES = {
    "BSTP": Decimal("0.00008"),
    "GDAX": Decimal("-0.00008"),
    "GMNI": Decimal("0.00003"),
    "KRKN": Decimal("-0.00003"),
}
_COMPOSITE = Table(
    name="compositeIndex",
    keys=("timestamp", "symbol", "indexSymbol", "reference"),
    types={
        "timestamp": "timestamp",
        "symbol": "symbol",
        "indexSymbol": "symbol",
        "indexMultiplier": "float",
        "reference": "symbol",
        "lastPrice": "float",
        "sourcePrice": "float",
        "conversionIndex": "symbol",
        "conversionIndexPrice": "float",
        "weight": "float",
        "logged": "timestamp",
    },
)
_BINS = Table(name="trade/bucketed", keys=("timestamp", "symbol"), types=TRADE_BIN, max_count=1_000)


def get_instruments(call: Call) -> Answer:
    """`GET /instrument`: all of them, expired and unlisted ones too."""
    return call.selected(call.venue.exchange.instrument_rows(call.symbol()), INSTRUMENT)


def get_active(call: Call) -> Answer:
    """`GET /instrument/active`: what can be traded, and what has expired within a day."""
    return [row for row in call.venue.exchange.instrument_rows() if _is_active(call, row)]


def get_indices(call: Call) -> Answer:
    """`GET /instrument/indices`."""
    return [row for row in call.venue.exchange.instrument_rows() if is_index(str(row["symbol"]))]


def get_active_and_indices(call: Call) -> Answer:
    """`GET /instrument/activeAndIndices`."""
    rows = call.venue.exchange.instrument_rows()
    return [row for row in rows if _is_active(call, row) or is_index(str(row["symbol"]))]


def _is_active(call: Call, row: Row) -> bool:
    if is_index(str(row["symbol"])):
        return False
    return row["state"] != _SETTLED or str(row["settle"] or "") > iso(call.venue.clock() - _DAY_MS)


def get_active_intervals(call: Call) -> Answer:
    """`GET /instrument/activeIntervals`: the series with their periods, and the contract each means now."""
    rows = call.venue.exchange.instrument_rows()
    roots = dict.fromkeys(str(row["rootSymbol"]) for row in rows if not is_index(str(row["symbol"])))
    found = [(root, period, symbol) for root in roots for period, symbol in periods_of(root, rows).items()]
    return {
        "intervals": [f"{root}:{period}" for root, period, _ in found],
        "symbols": [symbol for _, _, symbol in found],
    }


def get_composite_index(call: Call) -> Answer:
    """`GET /instrument/compositeIndex`: an index and what it is made of, as of now."""
    wanted = (call.params.text("symbol") or _MAIN_INDEX).upper()
    rows = [one for row in call.venue.exchange.instrument_rows(wanted) for one in _composition(row)]
    return select(rows, call.params.selection(_COMPOSITE), _COMPOSITE)


def _composition(row: Row) -> list[Row]:
    """Return the rows of one index; the sources stand around its price, so that their weighted mean is it."""
    price = row["lastPrice"]
    if not is_index(str(row["symbol"])) or not isinstance(price, Decimal):
        return []
    own = [_constituent(row, "BMI", price, None)]
    if row["typ"] != _PRICE_INDEX or row["calcInterval"] is not None:
        return own  # rates, averages and stocks come from one source
    share = 1 / Decimal(len(_SOURCES))
    return own + [_constituent(row, name, tidy(price * (1 + apart)), share) for name, apart in _SOURCES.items()]


def _constituent(row: Row, reference: str, price: Decimal, weight: Decimal | None) -> Row:
    return {
        "timestamp": row["timestamp"],
        "symbol": row["symbol"],
        "indexSymbol": row["symbol"],
        "indexMultiplier": None,
        "reference": reference,
        "lastPrice": price,
        "sourcePrice": None if weight is None else price,
        "conversionIndex": None,
        "conversionIndexPrice": None,
        "weight": weight,
        "logged": row["timestamp"],
    }


def get_book(call: Call) -> Answer:
    """`GET /orderBook/L2`."""
    depth = call.params.whole("depth")
    if depth is not None and depth < 0:
        raise Refused("depth is invalid")
    levels = _DEFAULT_DEPTH if depth is None else depth or _FULL_DEPTH
    symbol, exchange = call.required_symbol(), call.venue.exchange
    return [] if is_index(symbol) or not exchange.has_symbol(symbol) else exchange.book_rows(symbol, levels)


def get_quotes(call: Call) -> Answer:
    """`GET /quote`."""
    return call.selected(_of_symbols(call, call.venue.exchange.quote_rows), QUOTE)


def get_trades(call: Call) -> Answer:
    """`GET /trade`."""
    return call.selected(_of_symbols(call, call.venue.exchange.trade_rows, indices=True), TRADE)


def get_trade_bins(call: Call) -> Answer:
    """`GET /trade/bucketed`."""
    size = _bin_size(call)
    is_partial = call.params.flag("partial", default=False)
    symbol = call.symbol()
    rows = call.venue.hub.bins.rows(symbol, size, now_ms=call.venue.clock(), is_partial=is_partial)
    return select(rows, call.params.selection(_BINS), _BINS)


def get_quote_bins(call: Call) -> Answer:
    """`GET /quote/bucketed`: the last quote of each minute (or other size), stamped with its end."""
    size, symbol = _bin_size(call), call.symbol()
    is_partial = call.params.flag("partial", default=False)
    rows = call.venue.hub.bins.quotes(symbol, size, now_ms=call.venue.clock(), is_partial=is_partial)
    return select(rows, call.params.selection(QUOTE), QUOTE)


def get_funding(call: Call) -> Answer:
    """`GET /funding`."""
    return call.selected(call.venue.exchange.funding_rows(), TABLES["funding"])


def get_liquidations(call: Call) -> Answer:
    """`GET /liquidation`: liquidation orders now in the book, everybody's."""
    return call.selected(call.venue.exchange.liquidation_rows(), TABLES["liquidation"])


def get_insurance(call: Call) -> Answer:
    """`GET /insurance`."""
    return call.selected(call.venue.exchange.insurance_rows(), TABLES["insurance"])


def get_settlements(call: Call) -> Answer:
    """`GET /settlement`."""
    return call.selected(call.venue.exchange.settlement_rows(), TABLES["settlement"])


def get_stats(call: Call) -> Answer:
    """`GET /stats`: sums over the contracts of a series, by currency, and the totals of each currency."""
    sums: dict[tuple[object, object], dict[str, object]] = {}
    totals: dict[object, dict[str, object]] = {}
    for row in call.venue.exchange.instrument_rows():
        if row["state"] != "Open" or row["settlCurrency"] is None:
            continue
        key = (row["rootSymbol"], row["settlCurrency"])
        one = sums.setdefault(key, {"rootSymbol": key[0], "currency": key[1]})
        for name in ("volume24h", "turnover24h", "openInterest", "openValue"):
            one[name] = _number(one.get(name)) + _number(row.get(name))
        # Contracts of several series cannot be added up, money can.
        total = totals.setdefault(key[1], {"rootSymbol": "Total", "currency": key[1], "volume24h": None})
        total["turnover24h"] = _number(total.get("turnover24h")) + _number(row.get("turnover24h"))
        total["openInterest"] = None
        total["openValue"] = _number(total.get("openValue")) + _number(row.get("openValue"))
    return [*sums.values(), *totals.values()]


def get_stats_history(call: Call) -> Answer:
    """`GET /stats/history`: volume and turnover of each series and currency by day, the present day included."""
    sums: dict[tuple[str, str, str], Row] = {}
    for row, contract in _days(call):
        day = iso(parse_iso(str(row["timestamp"])) - _DAY_MS)
        key = (day, contract.root_symbol, contract.settl_currency)
        one = sums.setdefault(key, dict(zip(("date", "rootSymbol", "currency"), key, strict=True)))
        for name in ("volume", "turnover"):
            one[name] = int(_number(one.get(name)) + _number(row[name]))
    return list(sums.values())


def get_stats_in_dollars(call: Call) -> Answer:
    """`GET /stats/historyUSD`: turnover of each series in dollars over a day, a month, a year and ever."""
    now_ms = call.venue.clock()
    since = {name: iso(now_ms - days * _DAY_MS) for name, days in _SPANS.items()}
    sums: dict[str, Row] = {}
    for row, contract in _days(call):
        worth = int(_number(row["foreignNotional"]) * _dollars_in(call, contract.quote_currency))
        one = sums.setdefault(contract.root_symbol, {"rootSymbol": contract.root_symbol, "currency": "USD"})
        for name, start in since.items():
            one[name] = int(_number(one.get(name))) + (worth if str(row["timestamp"]) > start else 0)
        one["turnover"] = int(_number(one.get("turnover"))) + worth
    return list(sums.values())


def _days(call: Call) -> list[tuple[Row, Contract]]:
    """Return the daily bins of what is traded for a settlement currency, stamped with the day's end."""
    rows = call.venue.hub.bins.rows(None, "1d", now_ms=call.venue.clock(), is_partial=True)
    markets = call.venue.exchange.world.markets
    found = [(row, markets.get(str(row["symbol"]))) for row in rows]
    return [(row, market.contract) for row, market in found if market is not None and market.contract.is_traded]


def _dollars_in(call: Call, currency: str) -> Decimal:
    """Return what one unit of a quote currency is worth; of those without a perpetual of their own, about one."""
    market = call.venue.exchange.world.markets.get(f"{currency}USD")
    return market.index if market is not None and market.has_prices else Decimal(1)


def _of_symbols(call: Call, read: Callable[[str], list[Row]], *, indices: bool = False) -> list[Row]:
    wanted = call.symbol()
    symbols = call.venue.exchange.symbols()
    asked = [name for name in symbols if wanted in (None, name) and (indices or not is_index(name))]
    rows = [row for name in asked for row in read(name)]
    return sorted(rows, key=lambda row: str(row["timestamp"]))


def _bin_size(call: Call) -> str:
    size = call.params.text("binSize") or "1m"
    if size not in BIN_SIZES:
        raise Refused("Invalid binSize")
    return size


def _number(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value or 0))
