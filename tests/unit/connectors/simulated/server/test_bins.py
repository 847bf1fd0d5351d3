"""Bins of trades and quotes: stamped with their end, one after the other without a hole."""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine.changes import Change
from connectors.simulated.server.bins import Bins


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


def quote(clock: str, bid: int) -> Change:
    """Return a quote at a time of the day."""
    row = {"timestamp": f"2026-07-01T{clock}Z", "symbol": "XBTUSD", "bidPrice": Decimal(bid), "bidSize": 7}
    return Change(table="quote", account=None, row=row)  # type: ignore[arg-type]


def test_a_bin_ends_when_the_next_one_begins() -> None:
    """Open, high, low, close, volume and the average price of one minute; the hour goes on."""
    bins = Bins()
    for clock, price in (("00:00:01.000", 100), ("00:00:30.000", 130), ("00:00:59.999", 90)):
        assert bins.take(trade(clock, price)) == []
    (closed,) = bins.take(trade("00:01:00.000", 95))
    assert closed.table == "tradeBin1m"
    assert closed.row["timestamp"] == "2026-07-01T00:01:00.000Z"
    columns = ("open", "high", "low", "close", "trades", "volume", "turnover", "lastSize")
    assert [closed.row[name] for name in columns] == [100, 130, 90, 90, 3, 30, 15, 10]
    assert closed.row["vwap"] == Decimal("106.6667")


def test_a_bin_opens_where_the_one_before_closed() -> None:
    """As in recorded rows, `open` is the last price before, and may lie outside high and low."""
    bins = Bins()
    bins.take(trade("00:00:01.000", 100))
    bins.take(trade("00:01:10.000", 120))
    (closed,) = bins.take(trade("00:02:00.000", 95))
    assert [closed.row[name] for name in ("open", "high", "low", "close")] == [100, 120, 120, 120]


def test_a_minute_without_trades_is_there() -> None:
    """Nothing traded: all prices are the last one, sums are zero, averages absent; quotes close it."""
    bins = Bins()
    bins.take(trade("00:00:01.000", 100))
    bins.take(quote("00:01:30.000", 99))
    trades, quotes = bins.take(quote("00:02:00.500", 98))
    assert (trades.table, quotes.table) == ("tradeBin1m", "quoteBin1m")
    columns = ("timestamp", "open", "high", "low", "close", "trades", "volume", "vwap", "lastSize")
    assert [trades.row[name] for name in columns] == ["2026-07-01T00:02:00.000Z", 100, 100, 100, 100, 0, 0, None, None]
    assert quotes.row == {"timestamp": "2026-07-01T00:02:00.000Z", "symbol": "XBTUSD", "bidPrice": 99, "bidSize": 7}


def test_a_long_silence_is_bounded() -> None:
    """After a month without a row the bins kept are full of empty ones, and no more."""
    bins = Bins()
    bins.take(trade("00:00:01.000", 100))
    later = Change(
        table="trade", account=None, row={**trade("00:00:01.000", 90).row, "timestamp": "2026-08-01T00:00:00Z"}
    )
    assert len(bins.take(later)) < 10_000
    rows = bins.rows("XBTUSD", "1m", now_ms=1_785_600_000_000, is_partial=True)
    assert len(rows) == len({row["timestamp"] for row in rows}) <= 1_000


def test_bins_of_an_index_are_few() -> None:
    """There are hundreds of indices; a week of each would be a lot of memory for nobody."""
    bins = Bins()
    for minute in range(300):
        row = {
            **trade("00:00:01.000", 90).row,
            "symbol": ".BXBT",
            "timestamp": f"2026-07-01T{minute // 60:02}:{minute % 60:02}:01Z",
        }
        bins.take(Change(table="trade", account=None, row=row))
    assert len(bins.rows(".BXBT", "1m", now_ms=1_785_600_000_000, is_partial=True)) == 120


def test_closed_bins_let_their_quotes_go() -> None:
    """Only the forming bin and the last closed one hold a quote."""
    bins = Bins()
    for minute in range(5):
        bins.take(quote(f"00:0{minute}:30.000", 90 + minute))
    assert [one.quote is None for one in bins._bins["XBTUSD", "1m"]] == [True, True, True, False, False]


def test_the_partial_is_the_last_closed_bin() -> None:
    """Whoever subscribes gets the latest whole bin of each symbol, none before there is one."""
    bins = Bins()
    bins.take(trade("00:00:01.000", 100))
    bins.take(quote("00:00:02.000", 99))
    assert bins.latest("tradeBin1m") == []
    bins.take(trade("00:01:01.000", 101))
    assert [row["close"] for row in bins.latest("tradeBin1m")] == [100]
    assert [row["bidPrice"] for row in bins.latest("quoteBin1m")] == [99]
    assert bins.latest("tradeBin1h") == []


def test_forming_bins_only_when_asked() -> None:
    """`partial` brings the bin whose end is still ahead."""
    bins = Bins()
    bins.take(trade("00:00:01.000", 100))
    bins.take(trade("00:01:01.000", 101))
    now_ms = 1_782_864_000_000 + 90_000
    whole = bins.rows("XBTUSD", "1m", now_ms=now_ms, is_partial=False)
    assert [row["close"] for row in whole] == [100]
    assert len(bins.rows(None, "1m", now_ms=now_ms, is_partial=True)) == 2
    assert bins.rows("ETHUSD", "1m", now_ms=now_ms, is_partial=True) == []
