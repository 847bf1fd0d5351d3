"""Trade bins: open, high, low, close of 1m, 5m, 1h and 1d, from the trades as they happen.

Why: charting clients ask for `trade/bucketed` and follow `tradeBin1m`. As at the venue a bin is
stamped with its end, and a bin without trades is not there.

Units: milliseconds of protocol time; volume in contracts. Source: www.bitmex.com/api/explorer.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from decimal import Decimal

from connectors.simulated.engine.changes import Change, Row
from connectors.simulated.server.clock import iso, parse_iso
from connectors.simulated.server.tables import BIN_SIZES

_KEPT_BINS = 2_000  # of each symbol and size
_PRICE_DIGITS = Decimal("0.0001")


@dataclass(kw_only=True, slots=True)
class _Bin:
    end_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    trades: int = 0
    volume: int = 0
    last_size: int = 0
    turnover: int = 0
    home: Decimal = Decimal(0)
    foreign: Decimal = Decimal(0)


class TradeBins:
    """The bins of all symbols."""

    def __init__(self) -> None:
        self._bins: dict[tuple[str, str], deque[_Bin]] = {}

    def take(self, change: Change) -> list[Change]:
        """Count one `trade` row; return the bins it closed, as `tradeBin*` rows."""
        closed = []
        for size, width_ms in BIN_SIZES.items():
            done = self._count(change.row, size, width_ms)
            if done is not None:
                closed.append(Change(table=f"tradeBin{size}", account=None, row=done))
        return closed

    def rows(self, symbol: str | None, size: str, *, now_ms: int, is_partial: bool) -> list[Row]:
        """Return the bins of a symbol (of all for None), oldest first.

        Args:
            symbol: Instrument.
            size: `1m`, `5m`, `1h` or `1d`.
            now_ms: Protocol time; bins that end later are still forming.
            is_partial: Whether to return the forming bin as well.
        """
        found = [
            (one.end_ms, _row(name, one))
            for (name, width), kept in self._bins.items()
            if width == size and symbol in (None, name)
            for one in kept
            if is_partial or one.end_ms <= now_ms
        ]
        return [row for _, row in sorted(found, key=lambda pair: pair[0])]

    def _count(self, trade: Row, size: str, width_ms: int) -> Row | None:
        symbol, price = str(trade["symbol"]), _decimal(trade["price"])
        end_ms = (parse_iso(str(trade["timestamp"])) // width_ms + 1) * width_ms
        kept = self._bins.setdefault((symbol, size), deque(maxlen=_KEPT_BINS))
        closed = None
        if not kept or kept[-1].end_ms < end_ms:
            closed = _row(symbol, kept[-1]) if kept else None
            kept.append(_Bin(end_ms=end_ms, open=price, high=price, low=price, close=price))
        _add(kept[-1], trade, price)
        return closed


def _add(one: _Bin, trade: Row, price: Decimal) -> None:
    size = int(_decimal(trade.get("size")))
    one.high, one.low, one.close = max(one.high, price), min(one.low, price), price
    one.trades += 1
    one.volume += size
    one.last_size = size
    one.turnover += int(_decimal(trade.get("grossValue")))
    one.home += _decimal(trade.get("homeNotional"))
    one.foreign += _decimal(trade.get("foreignNotional"))


def _row(symbol: str, one: _Bin) -> Row:
    return {
        "timestamp": iso(one.end_ms),
        "symbol": symbol,
        "open": one.open,
        "high": one.high,
        "low": one.low,
        "close": one.close,
        "trades": one.trades,
        "volume": one.volume,
        "vwap": (one.foreign / one.home).quantize(_PRICE_DIGITS) if one.home else None,
        "lastSize": one.last_size,
        "turnover": one.turnover,
        "homeNotional": one.home,
        "foreignNotional": one.foreign,
    }


def _decimal(cell: object) -> Decimal:
    return Decimal(0) if cell is None else Decimal(str(cell))
