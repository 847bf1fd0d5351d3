"""Rows of strangers made readable: wire rows of any age, with cells missing, null, or written as text.

Why: people paste position rows out of logs, issues and old files. Cells that cannot be meant are set aside and named;
cells that are missing are worked out from others where the venue's own sums leave no choice (`posMargin` is `posInit` +
`posComm` + `posCross` - `posLoss`, and so on), and named as well, so that nobody takes them for the venue's word.

Units: money in minor units of the settlement currency, prices `Decimal`, times as in the row.
Source: www.bitmex.com/api/explorer (columns); docs/venue-facts.md (sums).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from connectors.bitmex.protocol.numbers import MalformedRow, flag, integer, number, price, text, time_ns

Cells = dict[str, object]
"""Column to a cell that the parsers read: `int`, `Decimal`, `str`, `bool`."""

_TEXTS: Final = frozenset({"symbol", "currency", "settlCurrency", "quoteCurrency", "underlying", "typ", "strategy"})
_STAMPS: Final = frozenset({"currentTimestamp", "timestamp"})
_FLAGS: Final = frozenset({"crossMargin", "isOpen", "isInverse", "isQuanto"})
_PRICES: Final = frozenset(
    {
        "avgCostPrice",
        "avgEntryPrice",
        "bankruptPrice",
        "breakEvenPrice",
        "commission",
        "deleveragePercentile",
        "fundingRate",
        "initMarginReq",
        "leverage",
        "liquidationPrice",
        "maintMarginReq",
        "makerFee",
        "markPrice",
        "maxPrice",
        "settlementFee",
        "takerFee",
        "tickSize",
    }
)
_AMOUNTS: Final = frozenset(
    {
        "account",
        "amount",
        "availableMargin",
        "currentQty",
        "excessMargin",
        "lastValue",
        "lotSize",
        "marginBalance",
        "markValue",
        "maxOrderQty",
        "multiplier",
        "openOrderBuyCost",
        "openOrderBuyPremium",
        "openOrderBuyQty",
        "openOrderSellCost",
        "openOrderSellPremium",
        "openOrderSellQty",
        "posComm",
        "posCost",
        "posCost2",
        "posCross",
        "posInit",
        "posLoss",
        "posMaint",
        "posMargin",
        "realisedPnl",
        "riskLimit",
        "riskStep",
        "riskValue",
        "unrealisedCost",
        "unrealisedGrossPnl",
        "unrealisedPnl",
        "walletBalance",
    }
)
_BY_TABLE: Final = {
    "instrument": (_PRICES | {"initMargin", "maintMargin"}, _AMOUNTS),
    "position": (_PRICES, _AMOUNTS | {"initMargin", "maintMargin"}),
    "margin": (_PRICES, _AMOUNTS | {"initMargin", "maintMargin"}),
}
_TRUE: Final = {"true": True, "false": False, "1": True, "0": False}


def clean(table: str, row: Mapping[str, object], ignored: list[str]) -> Cells:
    """Return the cells of a row that can be read; the others are left out and named as "table.column".

    Args:
        table: "instrument", "position" or "margin": some columns mean a ratio in one and an amount in the other.
        row: As it came out of JSON, numbers with a point as `Decimal`.
        ignored: Gets the names.
    """
    prices, amounts = _BY_TABLE[table]
    found: Cells = {}
    for column, cell in row.items():
        if cell is None or cell == "":
            continue
        read = _reader(column, prices, amounts)
        if read is None:
            continue
        try:
            found[column] = read({column: _loosened(column, cell)}, column)
        except MalformedRow:
            ignored.append(f"{table}.{column}")
    return found


def _reader(
    column: str, prices: frozenset[str], amounts: frozenset[str]
) -> Callable[[Mapping[str, object], str], object] | None:
    """How a column is read; None for those that nobody here asks for."""
    if column in prices:
        return price
    if column in amounts:
        return integer
    if column in _TEXTS:
        return text
    if column in _FLAGS:
        return flag
    if column in {"foreignMarginBalance", "foreignRequirement"}:
        return number
    return _stamp if column in _STAMPS else None


def _stamp(row: Mapping[str, object], column: str) -> str:
    """A time that can be read, left as it is."""
    time_ns(row, column)
    return text(row, column)


def _loosened(column: str, cell: object) -> object:
    """Take numbers and flags out of quotation marks, and flags out of numbers."""
    if column in _FLAGS:
        return _TRUE.get(str(cell).lower(), cell)
    if column in _STAMPS:
        return _dated(cell)
    if column in _TEXTS or not isinstance(cell, str):
        return cell
    try:
        return Decimal(cell.strip())
    except InvalidOperation:
        return cell


def _dated(cell: object) -> object:
    """Write a time that databases keep as a number of (milli-, micro-, nano-) seconds since 1970 as the venue does."""
    if isinstance(cell, bool) or not isinstance(cell, int | Decimal) or not 10**8 < cell < 10**19:
        return cell
    seconds = Decimal(cell)
    while seconds >= 10**10:
        seconds /= 1000
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(seconds * 1_000_000))).isoformat()


def amount(row: Cells, column: str) -> int | None:
    """Return a whole number of a clean row, None where it is missing."""
    cell = row.get(column)
    return cell if isinstance(cell, int) and not isinstance(cell, bool) else None


def ratio(row: Cells, column: str) -> Decimal | None:
    """Return a price or ratio of a clean row, None where it is missing."""
    cell = row.get(column)
    return cell if isinstance(cell, Decimal) else None
