from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from connectors.simulated.tape.path import (
    DIRECT_SHARE,
    BarPath,
    TickBar,
    in_ticks,
    plan_bar,
    plan_halt,
)


def planned(bar: TickBar, before: int, *, place: int = 0, duration_ms: int = 60_000) -> BarPath:
    """Return the plan of a bar with five points a minute."""
    return plan_bar(bar, before=before, duration_ms=duration_ms, per_minute=5, seed=1, place=place)


def test_a_quiet_bar_has_a_handful_of_points() -> None:
    """A bar that does not move at all still gives its five prices."""
    bar = TickBar(low=600_000, high=600_000, close=600_000)
    assert list(planned(bar, 600_000).points()) == [600_000] * 5


def test_a_violent_bar_has_as_many_points_as_it_needs() -> None:
    """A minute of a fifth of the price, as on 2020-03-13, has more than a hundred points."""
    bar = TickBar(low=36_060, high=43_220, close=40_000)
    assert 100 < planned(bar, 38_000).count < 300


def test_a_jump_is_one_step_to_the_nearest_edge() -> None:
    """A close outside the next bar is a real jump: no path is invented for the space between."""
    bar = TickBar(low=550_000, high=560_000, close=555_000)
    plan = planned(bar, 600_000)
    assert plan.has_jump
    assert next(iter(plan.points())) == 560_000


def test_a_jump_into_a_flat_bar_stays_there() -> None:
    """A bar of one price away from the close before is a jump and then rest."""
    bar = TickBar(low=550_000, high=550_000, close=550_000)
    points = list(planned(bar, 600_000).points())
    assert set(points) == {550_000}
    assert len(points) > 50  # enough for the mark to follow within the bar


def test_rising_bars_mostly_see_their_low_first() -> None:
    """The order of high and low is drawn, in favour of the way that travels less."""
    bar = TickBar(low=598_000, high=602_000, close=601_500)
    low_first = sum(planned(bar, 598_500, place=place).knots[1] == bar.low for place in range(1_000))
    assert abs(low_first / 1_000 - DIRECT_SHARE) < 0.05


def test_seeds_and_places_give_different_ways() -> None:
    """Two bars of equal prices are not copies of each other."""
    bar = TickBar(low=590_000, high=602_000, close=596_500)
    ways = {tuple(planned(bar, 598_500, place=place).points()) for place in range(20)}
    assert len(ways) == 20


def test_an_hour_is_no_straight_line() -> None:
    """A bar of an hour turns many times on its way."""
    bar = TickBar(low=570_000, high=602_000, close=575_000)
    points = list(planned(bar, 598_500, duration_ms=3_600_000).points())
    moves = [b - a for a, b in pairwise(points) if a != b]
    turns = sum((a > 0) is not (b > 0) for a, b in pairwise(moves))
    assert len(points) >= 300
    assert turns >= 8


def test_a_halt_stands_still() -> None:
    """Without trading the last price does not move, however far prices elsewhere go."""
    plan = plan_halt(600_000, duration_ms=60_000, per_minute=5, drift=0.02)
    assert set(plan.points()) == {600_000}
    assert plan.count >= 13  # an index crosses 2 % in steps of 0.15 %
    assert plan.travel == plan.jump == 0


def test_prices_are_rounded_to_ticks() -> None:
    """Files of other venues are rounded to the nearest tick; nothing rounds to zero."""
    assert in_ticks(Decimal("123277.8306468"), Decimal("0.1")) == 1_232_778
    assert in_ticks(Decimal("0.001"), Decimal("0.1")) == 1
