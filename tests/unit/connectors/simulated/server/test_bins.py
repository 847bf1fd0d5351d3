"""Trade bins: stamped with their end, empty ones left out."""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine.changes import Change
from connectors.simulated.server.bins import TradeBins


def trade(clock: str, price: int, size: int = 10) -> Change:
    """Return a trade at a time of the day."""
    row = {
        "timestamp": f"2026-07-01T{clock}Z",
        "symbol": "XBTUSD",
        "price": Decimal(price),
        "size": size,
        "grossValue": 5,
        "homeNotional": Decimal(1),
        "foreignNotional": Decimal(price),
    }
    return Change(table="trade", account=None, row=row)  # type: ignore[arg-type]


def test_a_bin_ends_when_the_next_one_begins() -> None:
    """Open, high, low, close, volume and the average price of one minute; the hour goes on."""
    bins = TradeBins()
    for clock, price in (("00:00:01.000", 100), ("00:00:30.000", 130), ("00:00:59.999", 90)):
        assert bins.take(trade(clock, price)) == []
    (closed,) = bins.take(trade("00:02:00.000", 95))
    assert closed.table == "tradeBin1m"
    assert closed.row["timestamp"] == "2026-07-01T00:01:00.000Z"
    columns = ("open", "high", "low", "close", "trades", "volume", "turnover")
    assert [closed.row[name] for name in columns] == [100, 130, 90, 90, 3, 30, 15]
    assert closed.row["vwap"] == Decimal("106.6667")


def test_forming_bins_only_when_asked() -> None:
    """`partial` brings the bin whose end is still ahead."""
    bins = TradeBins()
    bins.take(trade("00:00:01.000", 100))
    bins.take(trade("00:01:01.000", 101))
    now_ms = 1_782_864_000_000 + 90_000
    whole = bins.rows("XBTUSD", "1m", now_ms=now_ms, is_partial=False)
    assert [row["close"] for row in whole] == [100]
    assert len(bins.rows(None, "1m", now_ms=now_ms, is_partial=True)) == 2
    assert bins.rows("ETHUSD", "1m", now_ms=now_ms, is_partial=True) == []
