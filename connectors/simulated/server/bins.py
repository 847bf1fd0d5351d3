"""Bins: trades and quotes of 1m, 5m, 1h and 1d, made as they happen.

Why: charting clients ask for `trade/bucketed` and follow `tradeBin1m`. As at the venue a bin is
stamped with its end, opens where the one before closed, and is there though nobody traded; it
closes with the first row that is later, and quotes come all the time.

Units: milliseconds of protocol time; volume in contracts. Source: www.bitmex.com/api/explorer and
recorded rows of 2018 to 2023.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

import msgspec

from connectors.simulated.engine.changes import Change, Row
from connectors.simulated.server.clock import iso, parse_iso
from connectors.simulated.server.symbols import is_index
from connectors.simulated.server.tables import BIN_SIZES

_KEPT_BINS = 1_000  # of each size of a contract: the most that one REST answer holds
_KEPT_OF_INDEX = 120  # there are hundreds of indices, and few ask for their bins
_WITH_QUOTE = 2  # the forming bin and the one before
_ZERO = Decimal(0)
_PRICE_DIGITS = Decimal("0.0001")


class Bin(msgspec.Struct, kw_only=True):
    """The trades and the last quote of one symbol in one span of time; plain data, so that it can be kept."""

    end_ms: int
    open: Decimal | None
    high: Decimal | None = None
    low: Decimal | None = None
    close: Decimal | None
    quote: Row | None
    trades: int = 0
    volume: int = 0
    last_size: int | None = None
    turnover: int = 0
    home: Decimal = Decimal(0)
    foreign: Decimal = Decimal(0)


class _Trade(NamedTuple):
    """What a bin takes from a trade, as numbers."""

    price: Decimal
    size: int
    turnover: int
    home: Decimal
    foreign: Decimal


class Bins:
    """The bins of all symbols."""

    def __init__(self, kept: dict[tuple[str, str], deque[Bin]] | None = None) -> None:
        self._bins = {} if kept is None else kept  # by symbol and size
        self._stamp = ""
        self._at_ms = 0

    def take(self, change: Change) -> list[Change]:
        """Count one `trade` or `quote` row; return the bins it closed, as rows of their tables."""
        row = change.row
        at_ms = self._time_of(str(row["timestamp"]))
        symbol = str(row["symbol"])
        trade = _trade_of(row) if change.table == "trade" else None
        closed: list[Change] = []
        for size, width_ms in BIN_SIZES.items():
            kept = self._bins.get((symbol, size))
            if kept is None:
                kept = self._bins[symbol, size] = deque()
            if not kept or kept[-1].end_ms <= at_ms:
                for one in _roll(kept, end_ms=(at_ms // width_ms + 1) * width_ms, width_ms=width_ms):
                    closed += _changes(symbol, size, one)
                _trim(kept, _KEPT_OF_INDEX if is_index(symbol) else _KEPT_BINS)
            if trade is None:
                kept[-1].quote = row
            else:
                _add(kept[-1], trade)
        return closed

    def _time_of(self, stamp: str) -> int:
        """Return the milliseconds of a timestamp; the rows of one step share theirs."""
        if stamp != self._stamp:
            self._stamp, self._at_ms = stamp, parse_iso(stamp)
        return self._at_ms

    def latest(self, table: str) -> list[Row]:
        """Return the last closed bin of each symbol, for the partial of `tradeBin1m` and its like."""
        kind, _, size = table.partition("Bin")
        row_of = _trade_row if kind == "trade" else _quote_row
        closed = [(name, kept[-2]) for (name, width), kept in self._bins.items() if width == size and len(kept) > 1]
        return [row for name, one in closed if (row := row_of(name, one)) is not None]

    def rows(self, symbol: str | None, size: str, *, now_ms: int, is_partial: bool) -> list[Row]:
        """Return the trade bins of a symbol (of all for None), oldest first.

        Args:
            symbol: Instrument.
            size: `1m`, `5m`, `1h` or `1d`.
            now_ms: Protocol time; bins that end later are still forming.
            is_partial: Whether to return the forming bin as well.
        """
        return self._rows(symbol, size, _trade_row, until_ms=None if is_partial else now_ms)

    def quotes(self, symbol: str | None, size: str, *, now_ms: int, is_partial: bool) -> list[Row]:
        """Return the quote bins likewise."""
        return self._rows(symbol, size, _quote_row, until_ms=None if is_partial else now_ms)

    def _rows(
        self, symbol: str | None, size: str, row_of: Callable[[str, Bin], Row | None], *, until_ms: int | None
    ) -> list[Row]:
        found = [
            (one.end_ms, row)
            for (name, width), kept in self._bins.items()
            if width == size and symbol in (None, name)
            for one in kept
            if (until_ms is None or one.end_ms <= until_ms) and (row := row_of(name, one)) is not None
        ]
        return [row for _, row in sorted(found, key=lambda pair: pair[0])]


def _trade_of(row: Row) -> _Trade:
    return _Trade(
        price=_decimal(row["price"]),
        size=int(_decimal(row.get("size"))),
        turnover=int(_decimal(row.get("grossValue"))),
        home=_decimal(row.get("homeNotional")),
        foreign=_decimal(row.get("foreignNotional")),
    )


def _roll(kept: deque[Bin], *, end_ms: int, width_ms: int) -> list[Bin]:
    """Open the bin that ends then, and empty ones up to it; return those that closed."""
    if not kept:
        kept.append(Bin(end_ms=end_ms, open=None, close=None, quote=None))
    done = []
    first_ms = max(kept[-1].end_ms + width_ms, end_ms - _KEPT_BINS * width_ms)
    for next_ms in range(first_ms, end_ms + 1, width_ms):
        last = kept[-1]
        done.append(last)
        kept.append(Bin(end_ms=next_ms, open=last.close, close=last.close, quote=last.quote))
    return done


def _trim(kept: deque[Bin], most: int) -> None:
    """Forget bins beyond so many, and the quotes of those that no partial shows."""
    while len(kept) > most:
        kept.popleft()
    if len(kept) > _WITH_QUOTE:
        kept[-_WITH_QUOTE - 1].quote = None


def _add(one: Bin, trade: _Trade) -> None:
    price = trade.price
    if one.open is None:
        one.open = price
    if one.high is None or price > one.high:
        one.high = price
    if one.low is None or price < one.low:
        one.low = price
    one.close = price
    one.trades += 1
    one.volume += trade.size
    one.last_size = trade.size
    one.turnover += trade.turnover
    one.home += trade.home
    one.foreign += trade.foreign


def _changes(symbol: str, size: str, one: Bin) -> list[Change]:
    rows = ((f"tradeBin{size}", _trade_row(symbol, one)), (f"quoteBin{size}", _quote_row(symbol, one)))
    return [Change(table=table, account=None, row=row) for table, row in rows if row is not None]


def _trade_row(symbol: str, one: Bin) -> Row | None:
    if one.close is None:
        return None  # nobody has ever traded
    return {
        "timestamp": iso(one.end_ms),
        "symbol": symbol,
        "open": one.open,
        "high": one.close if one.high is None else one.high,
        "low": one.close if one.low is None else one.low,
        "close": one.close,
        "trades": one.trades,
        "volume": one.volume,
        "vwap": (one.foreign / one.home).quantize(_PRICE_DIGITS) if one.home else None,
        "lastSize": one.last_size,
        "turnover": one.turnover,
        "homeNotional": one.home,
        "foreignNotional": one.foreign,
    }


def _quote_row(symbol: str, one: Bin) -> Row | None:
    return None if one.quote is None else {**one.quote, "timestamp": iso(one.end_ms), "symbol": symbol}


def _decimal(cell: object) -> Decimal:
    if isinstance(cell, Decimal):
        return cell
    return _ZERO if cell is None else Decimal(str(cell))
