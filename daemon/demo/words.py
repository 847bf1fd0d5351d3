"""How the demo writes times, prices and money for people. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

XBT_SAT = 100_000_000


def iso_time(tape_ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC."""
    stamp = datetime.fromtimestamp(tape_ms / 1000, tz=UTC)
    return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock_time(tape_ms: int) -> str:
    """Milliseconds since 1970 as month-day and time of day, UTC."""
    return datetime.fromtimestamp(tape_ms / 1000, tz=UTC).strftime("%m-%d %H:%M:%S")


def price_text(price: float) -> str:
    """A price with thousands marked and as many decimals as its size deserves."""
    decimals = 1 if abs(price) >= 1000 else 2 if abs(price) >= 10 else 4
    return f"{price:,.{decimals}f}"


def money_text(sat: int) -> str:
    """XBt as XBT with four decimals."""
    return f"{sat / XBT_SAT:,.4f} XBT"


def span_text(ms: int) -> str:
    """A stretch of time in the largest units that fit: "2h 05m", "4m 10s", "3.2s"."""
    seconds = abs(ms) / 1000
    if seconds >= 3600:
        return f"{int(seconds // 3600)}h {int(seconds % 3600 // 60):02d}m"
    if seconds >= 60:
        return f"{int(seconds // 60)}m {int(seconds % 60):02d}s"
    return f"{seconds:.1f}s"
