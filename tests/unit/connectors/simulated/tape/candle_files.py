"""Small candle files and series for the tests of the tape."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from connectors.simulated.tape.candles import Candle, CandleSeries, Hole, show_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MINUTE_MS = 60_000
MIDNIGHT_MS = 1_583_971_200_000  # 2020-03-12T00:00Z
HEADER = "open_time,open,high,low,close,volume"


def a_line(minute: int, *, prices: str = "100,101,99,100", volume: str = "5") -> str:
    """Return a valid line of a candle file."""
    return f"{show_time(MIDNIGHT_MS + minute * MINUTE_MS)},{prices},{volume}"


def a_file(folder: Path, lines: Sequence[str], *, header: str = HEADER) -> Path:
    """Write a candle file and return its path."""
    path = folder / "bars.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def a_candle(minute: int, *, low: int = 99, high: int = 101, close: int = 100, volume: int = 5) -> Candle:
    """Return a one-minute candle after midnight."""
    return Candle(
        open_time_ms=MIDNIGHT_MS + minute * MINUTE_MS,
        open=Decimal(close),
        high=Decimal(high),
        low=Decimal(low),
        close=Decimal(close),
        volume=Decimal(volume),
    )


def a_series(candles: Sequence[Candle], *, holes: Sequence[Hole] = ()) -> CandleSeries:
    """Return a series of one-minute candles."""
    return CandleSeries(name="bars.csv", interval_ms=MINUTE_MS, candles=candles, holes=holes)
