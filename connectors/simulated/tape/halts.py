"""Halts: which silent bars mean that trading stood still, rather than that nobody cared to trade.

Why: during a halt no order can fill, while in a thin market (XBTUSD's first year, weekends of 2022)
a minute without a trade is ordinary and its book is there. A candle file shows both as volume 0.

A run of bars without volume and without movement is a halt when chance does not explain it: with
p the share of silent bars within `NEIGHBOURS` bars on both sides of the run (add-one estimate),
the run's length L must satisfy p ** L < `CHANCE`. Recorded outages of 12, 20 and 99 minutes pass,
four-minute silences of a thin weekend do not. Files without a volume column have no halts.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.simulated.tape.candles import Candle

NEIGHBOURS = 720
CHANCE = 1e-5


def mark_halts(candles: Sequence[Candle]) -> list[Candle]:
    """Return the bars with `halted` set on every bar of a halt."""
    silent = _silent(candles)
    counts = [0, *accumulate(silent)]
    marked = list(candles)
    for start, end in _runs(silent):
        if _is_halt(start, end, counts):
            marked[start:end] = (replace(bar, halted=True) for bar in candles[start:end])
    return marked


def _silent(candles: Sequence[Candle]) -> list[bool]:
    first = [False] if candles else []
    return first + [
        bar.volume == 0 and bar.low == bar.high == bar.close == before.close for before, bar in pairwise(candles)
    ]


def _runs(silent: Sequence[bool]) -> Iterator[tuple[int, int]]:
    start = None
    for place, is_silent in enumerate([*silent, False]):
        if is_silent and start is None:
            start = place
        elif not is_silent and start is not None:
            yield start, place
            start = None


def _is_halt(start: int, end: int, counts: Sequence[int]) -> bool:
    left, right = max(0, start - NEIGHBOURS), min(len(counts) - 1, end + NEIGHBOURS)
    length = end - start
    others = right - left - length
    silent_others = counts[right] - counts[left] - length
    share = (silent_others + 1) / (others + 2)
    return bool(share**length < CHANCE)
