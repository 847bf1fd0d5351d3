"""Small histories for the tests of the backtest: candle files made of a few straight ways."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path

MIDNIGHT_MS = 1_583_971_200_000  # 2020-03-12T00:00Z
MINUTE_MS = 60_000


def closes_along(*turns: tuple[int, float]) -> list[float]:
    """Return one close a minute along straight ways: (minutes, price reached)."""
    closes: list[float] = []
    price = turns[0][1]
    for minutes, target in turns:
        closes += [price + (target - price) * number / minutes for number in range(1, minutes + 1)]
        price = target
    return closes


def write_candles(
    path: Path,
    closes: Sequence[float],
    *,
    left_out: Container[int] = (),
    silent: Container[int] = (),
    jumps: Container[int] = (),
) -> Path:
    """Write minute candles that go from close to close.

    Args:
        path: Where to.
        closes: One a minute.
        left_out: Minutes whose bars are missing.
        silent: Minutes that stand still without volume.
        jumps: Minutes that trade at their close only, wherever the one before ended.
    """
    lines, before = ["open_time,open,high,low,close,volume"], closes[0]
    for minute, wanted in enumerate(closes):
        close = before if minute in silent else wanted
        start = close if minute in jumps else before
        if minute not in left_out:
            high, low, volume = max(start, close), min(start, close), 0 if minute in silent else 1000
            lines.append(f"{MIDNIGHT_MS + minute * MINUTE_MS},{start:.1f},{high:.1f},{low:.1f},{close:.1f},{volume}")
        before = close
    path.write_text("\n".join(lines) + "\n")
    return path


CRASH = closes_along((10, 8000.0), (5, 8010.0), (15, 7000.0), (10, 7300.0), (20, 7250.0))
"""An hour: calm, down an eighth within a quarter of an hour, half way back."""
