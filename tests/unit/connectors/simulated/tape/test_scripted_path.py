"""The way through given points: touched, jumped, halted, strayed from within bounds."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from connectors.simulated.tape.candles import MINUTE_MS, Candle
from connectors.simulated.tape.scripted_path import Line, ScriptedPath

M = MINUTE_MS


def bars(*points: tuple[float, int], noise: float = 0.001, halts: tuple[tuple[int, int], ...] = ()) -> list[Candle]:
    """Candles along points given as (minute, price)."""
    line = Line([(int(minute * M), Decimal(price)) for minute, price in points])
    end_ms = int(points[-1][0] * M)
    path = ScriptedPath(line=line, start_ms=0, end_ms=end_ms, noise=noise, halts=halts, seed=1)
    return list(path.bars())


def test_every_point_is_touched() -> None:
    """At the end of its minute, or inside it."""
    made = bars((0, 100), (3, 110), (3.5, 90), (6, 100))
    assert made[2].close == 110
    assert made[3].low == 90
    assert made[5].close == 100


def test_two_points_at_one_moment_are_a_jump() -> None:
    """The bar before ends at the first, the bar after begins at the second and never sees the first."""
    made = bars((0, 100), (2, 100), (2, 80), (4, 81))
    assert made[1].close == 100
    assert made[2].high < 85


def test_a_halt_stands_still_and_ends_where_the_line_has_gone() -> None:
    """Nothing trades, then the price is elsewhere."""
    made = bars((0, 100), (2, 100), (6, 50), (8, 50), halts=((2 * M, 6 * M),))
    assert [bar.halted for bar in made] == [False] * 2 + [True] * 4 + [False] * 2
    assert {(bar.low, bar.high, bar.close) for bar in made[2:6]} == {(made[1].close,) * 3}
    assert made[6].high < 51


def test_a_moment_before_and_after_all_points_has_their_price() -> None:
    """The line stands still outside."""
    line = Line([(10, Decimal(5)), (20, Decimal(6))])
    assert (line.leaving(0), line.arriving(99), round(line.leaving(15), 3)) == (5, 6, 5.477)


@given(st.lists(st.integers(50, 200), min_size=2, max_size=8), st.floats(0, 0.05), st.integers(0, 5))
def test_bars_are_whole_and_stay_within_what_was_given(prices: list[int], noise: float, gap: int) -> None:
    """Low and high hold the close, nothing leaves the lowest and highest point, and each bar meets the one before."""
    made = bars(*((place * (gap + 1), price) for place, price in enumerate(prices)), noise=noise)
    assert len(made) == (len(prices) - 1) * (gap + 1)
    for bar in made:
        assert min(prices) <= bar.low <= bar.close <= bar.high <= max(prices)
    for before, after in pairwise(made):
        assert after.low <= before.close <= after.high
