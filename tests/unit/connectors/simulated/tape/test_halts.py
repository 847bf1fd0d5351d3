from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import pytest

from connectors.simulated.tape.candles import show_time
from connectors.simulated.tape.halts import mark_halts
from connectors.simulated.tape.reading import read_candles
from tests.unit.connectors.simulated.tape.candle_files import a_candle

if TYPE_CHECKING:
    from pathlib import Path

    from connectors.simulated.tape.candles import Candle


def silent(minute: int) -> Candle:
    """Return a bar in which nothing traded."""
    return a_candle(minute, low=100, high=100, close=100, volume=0)


def test_silence_in_a_busy_market_is_a_halt() -> None:
    """Twelve minutes without a trade among hundreds that traded are no chance."""
    bars = [silent(m) if 300 <= m < 312 else a_candle(m) for m in range(600)]
    assert [bar.halted for bar in mark_halts(bars)] == [300 <= m < 312 for m in range(600)]


def test_silence_in_a_thin_market_is_ordinary() -> None:
    """In a market of early years, where most minutes see no trade, none of them is a halt."""
    bars = [a_candle(m) if m % 7 == 0 else silent(m) for m in range(600)]
    assert not any(bar.halted for bar in mark_halts(bars))


def test_a_single_silent_minute_is_ordinary() -> None:
    """One quiet minute, or a bar that moved although it reports no volume, is no halt."""
    bars = [silent(m) if m == 300 else a_candle(m) for m in range(600)]
    moved = [a_candle(m, volume=0 if 300 <= m < 330 else 5) for m in range(600)]
    assert not any(bar.halted for bar in mark_halts(bars))
    assert not any(bar.halted for bar in mark_halts(moved))


def test_a_file_without_volume_has_no_halts() -> None:
    """Where nobody recorded volume, standing prices prove nothing."""
    bars = [replace(silent(m), volume=None) for m in range(600)]
    assert not any(bar.halted for bar in mark_halts(bars))
    assert mark_halts([]) == []


@pytest.mark.real_day
@pytest.mark.parametrize(
    ("month", "expected"),
    [
        ("2020-05", [("2020-05-19T12:01Z", 99)]),
        ("2021-05", [("2021-05-13T00:24Z", 20), ("2021-05-13T00:47Z", 12)]),
        ("2018-11", []),
    ],
)
def test_the_recorded_outages_are_halts(real_data: Path, month: str, expected: list[tuple[str, int]]) -> None:
    """BitMEX's known trading halts are found, and nothing else in those months."""
    series = read_candles(real_data / "candles" / f"bitmex-xbtusd-1m-{month}.csv.gz")
    runs = [list(bars) for halted, bars in groupby(series.candles, lambda bar: bar.halted) if halted]
    assert [(show_time(run[0].open_time_ms), len(run)) for run in runs] == expected
