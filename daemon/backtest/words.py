"""How a backtest writes times, prices and money for people. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from daemon.backtest.plan import SAT

SAYS: Final = (
    "What this says: the same core, exchange rules and liquidator as in life, on the price path of these candles, with "
    "the latency given. Positions, sizes and entries are the bot's of this command, alike on both accounts."
)
SAYS_NOT: Final = (
    "What it does not say: candles hold traded prices, not the mark of the day, and no book. The mark is modelled from "
    "the path (it follows the last price within seconds and crosses jumps gradually), and so are spread, depth and "
    "slippage. The way inside a candle is made up, touching its high and low. Streams here never break and nobody else "
    "uses the request budget. A past day is no promise about the next one."
)


def iso_time(at_ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC."""
    stamp = datetime.fromtimestamp(at_ms / 1000, tz=UTC)
    return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock_time(at_ms: int) -> str:
    """Milliseconds since 1970 as month-day and time of day, UTC."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).strftime("%m-%d %H:%M:%S")


def price_text(price: float | None) -> str:
    """A price with thousands marked and as many decimals as its size deserves."""
    if price is None:
        return "none"
    decimals = 1 if abs(price) >= 1000 else 2 if abs(price) >= 10 else 4
    return f"{price:,.{decimals}f}"


def money_text(sat: int) -> str:
    """Satoshi as XBT with four decimals and a sign."""
    return f"{sat / SAT:+,.4f} XBT"


def span_text(ms: int | None) -> str:
    """A stretch of time in the units that fit."""
    if ms is None:
        return "never"
    seconds = abs(ms) / 1000
    if seconds >= 3600:
        return f"{int(seconds // 3600)}h {int(seconds % 3600 // 60):02d}m"
    if seconds >= 60:
        return f"{int(seconds // 60)}m {int(seconds % 60):02d}s"
    return f"{seconds:.1f}s" if seconds >= 1 else f"{ms} ms"
