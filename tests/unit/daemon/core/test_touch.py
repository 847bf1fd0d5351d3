"""The probability of touching: the formula against simulation, and against what markets did."""

from __future__ import annotations

import csv
import gzip
import math
import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.vocabulary import Side
from daemon.core.touch import LEAST, brownian, multiples_at, percent_at, student, touch_probability

sides = st.sampled_from(list(Side))
rooms = st.decimals("0.01", 90, places=2)
volatilities = st.decimals("0.05", 20, places=2)
hours = st.decimals("0.1", 24, places=1)
pairs = st.tuples(st.floats(0.01, 60), st.floats(1.001, 5)).map(lambda pair: (pair[0], pair[0] * pair[1]))

PATHS = 1500
STEPS = 200
BETWEEN_STEPS = 0.5826
"""A path looked at only at its steps misses touches between them, as if the barrier were this many steps' deviations
farther (Broadie, Glasserman and Kou, 1997)."""


def touched_share(multiples: float, chance: random.Random, step: Callable[[], Callable[[], float]]) -> float:
    """The share of simulated hours that touch a barrier so many deviations away; `step()` begins a path."""
    barrier, touched = multiples - BETWEEN_STEPS / math.sqrt(STEPS), 0
    for _ in range(PATHS):
        at, draw = 0.0, step()
        for _ in range(STEPS):
            at += draw()
            if at >= barrier:
                touched += 1
                break
    return touched / PATHS


def within(found: float, expected: float) -> bool:
    """Four standard errors of the share, and one percent of it for the correction itself."""
    return abs(found - expected) <= 4 * math.sqrt(expected * (1 - expected) / PATHS) + 0.01 * expected


@pytest.mark.parametrize("multiples", [0.5, 1.0, 2.0])
def test_simulation_agrees_where_the_assumptions_hold(multiples: float) -> None:
    """Known constant volatility, no jumps, no drift."""
    chance, deviation = random.Random(3), 1 / math.sqrt(STEPS)  # noqa: S311 - a simulation
    found = touched_share(multiples, chance, lambda: lambda: chance.gauss(0, deviation))
    assert within(found, brownian(multiples))


@pytest.mark.parametrize("multiples", [1.0, 3.0])
def test_simulation_agrees_with_the_cautious_model(multiples: float) -> None:
    """Each hour draws its variance: the estimate over a third of a chi-squared draw with three degrees of freedom."""
    chance = random.Random(5)  # noqa: S311 - a simulation

    def an_hour() -> Callable[[], float]:
        deviation = math.sqrt(3 / chance.gammavariate(1.5, 2) / STEPS)
        return lambda: chance.gauss(0, deviation)

    found = touched_share(multiples, chance, an_hour)
    assert within(found, student(multiples))


def test_where_volatility_is_uncertain_the_plain_formula_says_too_little() -> None:
    """The direction of the error: volatility half or one and a half of the estimate, the same variance on average."""
    chance = random.Random(7)  # noqa: S311 - a simulation

    def an_hour() -> Callable[[], float]:
        deviation = chance.choice((0.5, 1.3229)) / math.sqrt(STEPS)
        return lambda: chance.gauss(0, deviation)

    found = touched_share(3.0, chance, an_hour)
    assert 2 * brownian(3.0) < found < student(3.0)


def test_where_there_are_jumps_the_plain_formula_says_too_little() -> None:
    """Half of the variance comes in a jump of three deviations, once in eighteen hours: the bound holds."""
    chance, deviation = random.Random(9), math.sqrt(0.5 / STEPS)  # noqa: S311 - a simulation

    def an_hour() -> Callable[[], float]:
        jumps = chance.random() < 1 / 18
        jump_at, sign = chance.randrange(STEPS), chance.choice((-1, 1))
        steps = iter(range(STEPS + 1))
        return lambda: chance.gauss(0, deviation) + (3 * sign if jumps and next(steps) == jump_at else 0)

    found = touched_share(3.0, chance, an_hour)
    assert 2 * brownian(3.0) < found < student(3.0)


def hours_of(path: Path) -> Iterator[tuple[float, float]]:
    """For every tenth minute of a file: how many estimated volatilities the mark came up and down in the next hour."""
    with gzip.open(path, "rt") as lines:
        bars = [(float(bar["high"]), float(bar["low"]), float(bar["close"])) for bar in csv.DictReader(lines)]
    squares = minutes = 0.0
    last, kept = bars[0][2], 0.5 ** (1 / 60)
    for number, (_, _, close) in enumerate(bars[:-60]):
        squares, minutes, last = squares * kept + math.log(close / last) ** 2, minutes * kept + 1, close
        if number >= 300 and number % 10 == 0:
            deviation, ahead = math.sqrt(squares / minutes * 60), bars[number + 1 : number + 61]
            yield (
                math.log(max(high for high, _, _ in ahead) / close) / deviation,
                math.log(close / min(low for _, low, _ in ahead)) / deviation,
            )


@pytest.mark.parametrize("month", ["2018-11", "2020-03", "2021-05", "2022-11"])
def test_in_crash_months_no_more_was_touched_than_it_says(real_data: Path, month: str) -> None:
    """Up to four volatilities; at three the plain formula says less than a fifth of what happened."""
    found = [each for pair in hours_of(real_data / "candles" / f"bitmex-xbtusd-1m-{month}.csv.gz") for each in pair]
    for multiples in (0.5, 1.0, 2.0, 3.0, 4.0):
        assert sum(each >= multiples for each in found) / len(found) <= student(multiples)
    assert sum(each >= 3 for each in found) / len(found) > 5 * brownian(3.0)


# ---------------------------------------------------------------------- properties


def test_the_plain_formula_is_the_reflection_principle() -> None:
    """`2 * Phi(-x)`, and certain at no distance."""
    for multiples in (0.1, 1.0, 2.5, 4.0):
        assert brownian(multiples) == pytest.approx(2 * NormalDist().cdf(-multiples), rel=1e-9)
    assert brownian(0) == brownian(-1) == student(0) == student(-1) == 1


def test_the_cautious_formula_is_exact_where_the_series_takes_over() -> None:
    """The tails of Student's distribution with three degrees of freedom, near and far."""
    assert student(math.sqrt(3)) == pytest.approx(0.5 - 1 / math.pi, rel=1e-12)
    edge = math.sqrt(3) / 0.01
    assert student(edge * (1 + 1e-9)) == pytest.approx(student(edge * (1 - 1e-9)), rel=1e-8)
    assert student(1e5) == pytest.approx(4 * math.sqrt(3) / math.pi / 1e15, rel=1e-6)


@given(pairs)
def test_farther_is_less_likely(pair: tuple[float, float]) -> None:
    """Both formulas fall, and the cautious one is above the plain one everywhere."""
    near, far = pair
    assert student(near) > student(far) > 0
    assert brownian(near) >= brownian(far)
    assert student(far) > brownian(far)


@given(sides, rooms, volatilities, hours, st.decimals("1.1", 3, places=1))
def test_probability_rises_with_nearness_volatility_and_time(
    side: Side, room: Decimal, hourly: Decimal, time: Decimal, factor: Decimal
) -> None:
    """Each for itself, with everything else the same."""
    here = touch_probability(side, room, hourly, time)
    assert touch_probability(side, room / factor, hourly, time) >= here
    assert touch_probability(side, room, hourly * factor, time) >= here
    assert touch_probability(side, room, hourly, time * factor) >= here
    assert LEAST <= here <= 1


@given(sides, st.decimals("0.001", "0.9", places=3), volatilities, hours)
def test_distance_and_probability_are_each_other_s_inverse(
    side: Side, probability: Decimal, hourly: Decimal, time: Decimal
) -> None:
    """The distance at which it is p, rounded up, is touched with p at most and little less; a long's room ends."""
    room = percent_at(side, probability, hourly, time)
    found = touch_probability(side, room, hourly, time)
    if room < 90:
        assert found <= probability + LEAST
        assert float(found) == pytest.approx(float(probability), rel=0.01, abs=2e-4)


@given(sides, volatilities, st.decimals("0.001", "0.9", places=3), st.decimals("0.001", "0.9", places=3))
def test_a_smaller_probability_is_farther_away(side: Side, hourly: Decimal, one: Decimal, other: Decimal) -> None:
    """So bounds that rise from watch to emergency come nearer."""
    low, high = sorted((one, other))
    assert percent_at(side, low, hourly) >= percent_at(side, high, hourly)


def test_the_ends() -> None:
    """Nothing left is certain; a long cannot lose more than everything; never is never told."""
    assert touch_probability(Side.LONG, Decimal(0), Decimal(1)) == 1
    assert touch_probability(Side.LONG, Decimal(-3), Decimal(1)) == 1
    assert touch_probability(Side.LONG, Decimal(100), Decimal(1)) == LEAST
    assert percent_at(Side.LONG, Decimal("0.0001"), Decimal(50)) < 100
    assert percent_at(Side.SHORT, Decimal("0.0001"), Decimal(50)) > 100


def test_a_short_is_a_little_likelier_touched_than_a_long_at_the_same_percent() -> None:
    """Ten percent up is a smaller step of the logarithm than ten percent down."""
    assert touch_probability(Side.SHORT, Decimal(10), Decimal(3)) > touch_probability(
        Side.LONG, Decimal(10), Decimal(3)
    )


@pytest.mark.parametrize("bad", [Decimal(0), Decimal(1), Decimal(-1)])
def test_impossible_arguments_are_refused(bad: Decimal) -> None:
    """Probabilities outside of 0 to 1, volatility or time that is not above zero."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        multiples_at(bad)
    if bad <= 0:
        with pytest.raises(ValueError, match="above zero"):
            touch_probability(Side.LONG, Decimal(1), bad)
        with pytest.raises(ValueError, match="above zero"):
            percent_at(Side.LONG, Decimal("0.1"), Decimal(1), bad)
