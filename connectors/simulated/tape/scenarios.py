"""Built-in scenarios: seeded candles of a shape that a guard must live through.

Why: a demo and a test need a crash without a file, and the same one every time. Each scenario is a
line through a few (minute, percent) corners with seeded wobble, cut into minute candles; from there
on it is played exactly like a file.

| name        | shape                                                                             |
| ----------- | --------------------------------------------------------------------------------- |
| calm        | small moves around the start, for ever                                             |
| crash       | 12 % down in ten minutes, ever faster, then a third of it back                     |
| flash-crash | a wick of 13 % that is gone two minutes later                                      |
| squeeze     | 12 % up in ten minutes, then a third of it back                                    |
| gap         | slips, halts for four minutes, opens 2.5 % lower, goes on falling                  |
| grind       | 10 % down over fifty minutes, without a bar worth an alarm                         |

Units: minutes since the start, changes as natural logs of price ratios, prices in USD.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from itertools import count, pairwise
from math import exp, pi, sin

from connectors.simulated.tape.candles import MINUTE_MS, Candle
from connectors.simulated.tape.noise import derive, unit

START_PRICE = Decimal(60_000)
START_MS = 1_782_864_000_000  # 2026-07-01T00:00Z: every contract is listed and none has expired
_VOLUME = Decimal(1_000_000)


class Scenario(Enum):
    """The names that `--scenario` takes."""

    CALM = "calm"
    CRASH = "crash"
    FLASH_CRASH = "flash-crash"
    SQUEEZE = "squeeze"
    GAP = "gap"
    GRIND = "grind"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """Corners of the line (minute, change from the start) and what else happens on it."""

    corners: tuple[tuple[int, float], ...]
    default_s: float  # real seconds it is played in unless told otherwise
    wobble: float = 0.0008  # of a minute's close around the line
    wick: float = 0.0008  # beyond a minute's ends
    spike: tuple[int, float] | None = None  # a minute whose low is this far from the start
    halts: range = range(0)  # minutes without trading


_FALL = (
    (4, 0.0),
    (7, -0.012),
    (9, -0.03),
    (11, -0.062),
    (13, -0.105),
    (14, -0.128),
    (16, -0.118),
    (20, -0.085),
    (24, -0.088),
)

SHAPES: dict[Scenario, Shape] = {
    Scenario.CRASH: Shape(corners=_FALL, default_s=20),
    Scenario.SQUEEZE: Shape(corners=tuple((minute, -change * 0.9) for minute, change in _FALL), default_s=20),
    Scenario.FLASH_CRASH: Shape(
        corners=((5, 0.0), (6, -0.02), (7, -0.09), (8, -0.03), (9, -0.012), (14, -0.008)),
        spike=(6, -0.14),
        default_s=20,
    ),
    Scenario.GAP: Shape(
        corners=((4, 0.0), (6, -0.01), (10, -0.01), (11, -0.04), (14, -0.09), (18, -0.07)),
        halts=range(6, 10),
        default_s=20,
    ),
    Scenario.GRIND: Shape(corners=((3, 0.0), (53, -0.105), (60, -0.1)), default_s=30),
}
GAP = -0.025


def scenario_candles(
    scenario: Scenario, *, seed: int, start_price: Decimal = START_PRICE
) -> Callable[[], Iterator[Candle]]:
    """Return a function that begins the scenario's candles anew; those of `calm` never end."""
    if scenario is Scenario.CALM:
        return lambda: _calm(derive(seed, 0), start_price)
    shape = SHAPES[scenario]
    return lambda: iter(_cut(shape, derive(seed, 1), start_price))


def _cut(shape: Shape, seed: int, start_price: Decimal) -> list[Candle]:
    minutes = shape.corners[-1][0]
    ends = [0.0, *(_close(shape, seed, minute) for minute in range(1, minutes + 1))]
    return [
        _halt(minute, before, start_price)
        if minute in shape.halts
        else _bar(shape, seed, minute, before=before, after=after, start_price=start_price)
        for minute, (before, after) in enumerate(pairwise(ends))
    ]


def _close(shape: Shape, seed: int, minute: int) -> float:
    if minute - 1 in shape.halts:
        minute = shape.halts.start
    line = _line(((0, 0.0), *shape.corners), minute)
    return line + shape.wobble * (2 * unit(seed, minute) - 1)


def _line(corners: tuple[tuple[int, float], ...], minute: int) -> float:
    for (left, start), (right, end) in pairwise(corners):
        if minute <= right:
            return start + (end - start) * (minute - left) / (right - left)
    return corners[-1][1]


def _bar(shape: Shape, seed: int, minute: int, *, before: float, after: float, start_price: Decimal) -> Candle:
    reopens = bool(shape.halts) and minute == shape.halts.stop
    entry = before + GAP if reopens else before
    wicks = [shape.wick * unit(derive(seed, minute), side) for side in (0, 1)]
    high = max(entry, after) + (0.0 if reopens else wicks[0])
    low = min(entry, after) - wicks[1]
    if shape.spike and shape.spike[0] == minute:
        low = shape.spike[1]
    return _candle(minute, (before, high, low, after), start_price, _VOLUME)


def _halt(minute: int, level: float, start_price: Decimal) -> Candle:
    return _candle(minute, (level,) * 4, start_price, Decimal(0), halted=True)


def _candle(
    minute: int,
    levels: tuple[float, float, float, float],
    start_price: Decimal,
    volume: Decimal,
    *,
    halted: bool = False,
) -> Candle:
    first, high, low, close = (_price(start_price, level) for level in levels)
    return Candle(
        open_time_ms=START_MS + minute * MINUTE_MS,
        open=first,
        high=high,
        low=low,
        close=close,
        volume=volume,
        halted=halted,
    )


def _price(start_price: Decimal, level: float) -> Decimal:
    return Decimal(round(float(start_price) * exp(level) * 10)) / 10


def _calm(seed: int, start_price: Decimal) -> Iterator[Candle]:
    before = 0.0
    for minute in count():
        after = _swing(seed, minute + 1) - _swing(seed, 0) + 0.0003 * (2 * unit(derive(seed, minute), 0) - 1)
        wicks = [0.0003 * unit(derive(seed, minute), side) for side in (1, 2)]
        levels = (before, max(before, after) + wicks[0], min(before, after) - wicks[1], after)
        yield _candle(minute, levels, start_price, _VOLUME)
        before = after


def _swing(seed: int, minute: int) -> float:
    periods = enumerate((17, 47, 131))
    return sum(0.001 * sin(2 * pi * (minute / period + unit(seed, place))) for place, period in periods)
