"""The estimate of recent volatility: right on ordinary marks, and not led astray by odd ones."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.policy import Policy, VolatilityPolicy
from daemon.core.market.distance import hourly_percent, largest_gap_percent
from daemon.core.state import GuardState
from daemon.core.volatility import LONELY_NS, Volatility, after_mark
from tests.builders import SECOND, START_NS, a_position
from tests.driven import Driven

POLICY = VolatilityPolicy()
STEP_NS = 10 * SECOND
HOUR_NS = 3600 * SECOND
Told = tuple[int, Decimal]


def after(marks: Iterable[Told], known: Volatility | None = None) -> Volatility:
    """The estimate after these marks, each with its time."""
    for at_ns, price in marks:
        known = after_mark(known, price, at_ns, POLICY)
    assert known is not None
    return known


def every_ten_seconds(prices: Iterable[str | int | Decimal], since_ns: int = START_NS) -> Iterator[Told]:
    """One mark per sample."""
    return ((since_ns + number * STEP_NS, Decimal(price)) for number, price in enumerate(prices))


def a_walk(hourly: float, seconds: int, seed: int) -> list[float]:
    """Prices of a Brownian motion of the log price, one a second."""
    chance, price, deviation = random.Random(seed), 60_000.0, hourly / 100 / 60  # noqa: S311 - a simulation
    return [price := price * math.exp(chance.gauss(0, deviation)) for _ in range(seconds)]


def calm(samples: int = 60) -> list[Told]:
    """Ten minutes around 1000, up and down by 0.02 %: no outlier among them."""
    return list(every_ten_seconds([1000 if number % 2 else "1000.2" for number in range(samples)]))


def hourly(known: Volatility) -> float:
    """As a float, for comparing within a tolerance."""
    found = known.hourly_percent
    assert found is not None
    return float(found)


@pytest.mark.parametrize("true_hourly", [0.3, 2.0])
def test_a_brownian_motion_is_measured(true_hourly: float) -> None:
    """Three hours: about 520 samples count, so one standard error is 3 %; three are allowed, and the rounding."""
    walk = a_walk(true_hourly, 3 * 3600, seed=4)
    told = every_ten_seconds(f"{price:.4f}" for price in walk[::10])
    assert hourly(after(told)) == pytest.approx(true_hourly, rel=0.1)


@pytest.mark.parametrize("band", [0.0005, 0.001, 0.002])
def test_being_told_marks_because_they_moved_does_not_bend_it(band: float) -> None:
    """Marks are told when they leave a band, and otherwise after ten seconds, as the shell does."""
    walk, told, last, last_s = a_walk(2.0, 4 * 3600, seed=11), [], 0.0, -100
    for second, price in enumerate(walk):
        if second - last_s >= 10 or abs(price / last - 1) > band:
            told.append((START_NS + second * SECOND, Decimal(f"{price:.4f}")))
            last, last_s = price, second
    assert hourly(after(told)) == pytest.approx(2.0, rel=0.1)


def test_a_mark_told_again_after_ten_seconds_is_a_sample_though_clocks_jitter() -> None:
    """The shell counts its ten seconds from when the frame came, the core from when it was told."""
    quiet = after(calm())
    late = after([(quiet.at_ns + STEP_NS - SECOND // 100, Decimal(1000) + Decimal("0.1"))], quiet)
    assert late.samples == quiet.samples + 1


def test_marks_within_ten_seconds_are_one_sample() -> None:
    """A burst of marks, each with the venue's own noise, counts no more than its last word ten seconds later."""
    quiet = after(calm())
    burst = [(quiet.at_ns + number * SECOND // 2, Decimal(1000 + number % 2)) for number in range(1, 18)]
    assert after(burst, quiet) is quiet


@settings(max_examples=100)
@given(
    st.lists(st.integers(-4, 4).filter(bool), min_size=12, max_size=60),
    st.floats(0, 1),
    st.sampled_from(["0.001", "0.3", "0.9", "0.98", "1.02", "1.5", "10", "1e9"]),
)
def test_one_bad_print_leaves_no_trace(moves: list[int], where: float, factor: str) -> None:
    """Whatever it is and wherever it comes, the estimate is as if it had not come."""
    prices = [Decimal(1000)]
    for move in moves:
        prices.append(prices[-1] * (1 + Decimal(move) / 20_000))
    told = list(every_ten_seconds(prices))
    index = 1 + int(where * (len(told) - 3))
    bad = (told[index][0], told[index][1] * Decimal(factor))
    without = after(told[:index] + told[index + 1 :])
    found = after([*told[:index], bad, *told[index + 1 :]])
    assert replace(found, dropped_ns=0) == without


def test_a_bad_first_print_leaves_no_trace() -> None:
    """The very first mark is the wild one: the two after it agree against it."""
    told = list(every_ten_seconds([2000, 1000, "1000.2", 1000, "1000.2"]))
    assert after(told) == after(told[1:])


def test_a_jump_that_the_next_sample_confirms_counts_in_full() -> None:
    """Five percent at once, and it stays: held back for ten seconds, then all of it."""
    quiet = after(calm())
    jumped = after([(quiet.at_ns + STEP_NS, Decimal(950))], quiet)
    assert jumped.squares == quiet.squares
    assert jumped.held_price == 950
    settled = after([(quiet.at_ns + 2 * STEP_NS, Decimal(951))], jumped)
    assert float(settled.squares) == pytest.approx(float(quiet.squares) + math.log(950 / 1000) ** 2, rel=0.01)
    assert settled.held_price is None
    assert settled.largest_percent == Decimal("5.12")


def test_a_crash_that_goes_on_counts_step_by_step() -> None:
    """Every sample falls by one percent more: never more than the newest move is outstanding."""
    quiet = after(calm())
    falling = after(
        every_ten_seconds([1000 * Decimal("0.99") ** n for n in range(1, 31)], quiet.at_ns + STEP_NS), quiet
    )
    expected = 29 * math.log(0.99) ** 2
    assert float(falling.squares) > 0.9 * expected
    assert hourly(falling) > 10 * hourly(quiet)
    # A percent in ten seconds is a trend, not a jump over stops: what chance would make of it in one second.
    assert falling.largest_percent is not None
    assert Decimal("0.3") < falling.largest_percent < Decimal("0.35")


def test_a_crash_from_the_first_mark_on_counts() -> None:
    """Nothing is known yet and every move is wild: they confirm each other all the same."""
    known = after(every_ten_seconds([1000 * Decimal("0.98") ** n for n in range(31)]))
    assert known.samples >= 28
    assert hourly(known) == pytest.approx(2 * math.sqrt(360), rel=0.1)


def test_a_market_that_whips_counts() -> None:
    """One lonely print is a fault, the second within five minutes is the market."""
    quiet = after(calm())
    whip = [1000, 1030, 1000, 1030, 1000, 1030, 1000, 1030, 1000, 1030, 1000]
    wild = after(every_ten_seconds(whip, quiet.at_ns + STEP_NS), quiet)
    assert hourly(wild) > 5 * hourly(quiet)


def test_lonely_prints_far_apart_are_left_out_each_time() -> None:
    """One index source that burps every quarter of an hour."""
    known, start = after(calm(600)), START_NS
    for _ in range(4):
        start = known.at_ns + STEP_NS
        known = after([(start, Decimal(700))], known)
        known = after(((at_ns + start - START_NS + STEP_NS, price) for at_ns, price in calm(90)), known)
    assert start - START_NS > 4 * LONELY_NS
    assert hourly(known) == pytest.approx(hourly(after(calm(600))), rel=0.05)


def test_a_frozen_mark_is_not_a_calm_one() -> None:
    """Unchanged for an hour: the estimate stays, and the next move is spread over that hour."""
    quiet = after(calm())
    frozen = after(((quiet.at_ns + number * STEP_NS, quiet.price) for number in range(1, 361)), quiet)
    assert frozen == quiet
    assert after([(quiet.at_ns, Decimal(1000))]).hourly_percent is None


def test_a_move_below_all_digits_is_no_move() -> None:
    """A price that differs in the fifteenth digit: neither a sample nor a volatility of zero."""
    quiet = after(calm())
    assert after([(quiet.at_ns + STEP_NS, quiet.price + Decimal("1e-12"))], quiet) is quiet


def test_a_coarse_tick_reads_as_the_same_volatility() -> None:
    """Marks that change once in a minute or so because the tick is coarse: silence is time, not calm."""
    walk = a_walk(1.0, 6 * 3600, seed=8)
    coarse = every_ten_seconds(Decimal(round(price / 50) * 50) for price in walk[::10])
    # What is rounded to a grid moves a little more than what it was; never less.
    assert 0.95 < hourly(after(coarse)) < 1.6


def test_a_move_over_a_gap_is_spread_over_its_time() -> None:
    """Five percent over ten hours without a mark is not five percent in ten seconds, and not the only truth."""
    quiet = after(calm(360))
    gap = [(quiet.at_ns + 10 * HOUR_NS, Decimal(950)), (quiet.at_ns + 10 * HOUR_NS + STEP_NS, Decimal("950.1"))]
    known = after(gap, quiet)
    assert known.held_price is None
    at_once = after([(quiet.at_ns + STEP_NS, Decimal(950)), (quiet.at_ns + 2 * STEP_NS, Decimal("950.1"))], quiet)
    assert hourly(known) < hourly(at_once) / 5
    # Half of what was known before the gap is still there.
    assert known.seconds > quiet.seconds / 2


def test_a_clock_that_stands_still_or_runs_back_gives_no_sample() -> None:
    """The same instant, and one before it."""
    quiet = after(calm())
    assert after([(quiet.at_ns, Decimal(500)), (quiet.at_ns - HOUR_NS, Decimal(400))], quiet) is quiet


def test_old_moves_count_half_after_the_half_life() -> None:
    """An hour of twice the calm: the sums lie half way between."""
    doubled = [1000 if number % 2 else "1000.4" for number in range(361)]
    quiet = after(calm(3000))
    known = after(every_ten_seconds(doubled, quiet.at_ns + STEP_NS), quiet)
    assert hourly(known) == pytest.approx(hourly(quiet) * math.sqrt((1 + 4) / 2), rel=0.02)


@given(st.lists(st.sampled_from(["1e-300", "1e300", "0.00000001", "1000", "1e8", "3"]), min_size=2, max_size=20))
def test_no_price_breaks_it(prices: list[str]) -> None:
    """Nonsense prices that are numbers above zero: some estimate, finite, never an error."""
    known = after(every_ten_seconds(prices))
    assert known.squares.is_finite()
    assert known.hourly_percent is None or known.hourly_percent > 0


# ---------------------------------------------------------------------- in the guard


def warmed(samples: int, policy: Policy | None = None) -> Driven:
    """A covered long, and so many samples after it."""
    guard = Driven(policy).up()
    guard.position(a_position())
    guard.rest()
    for number in range(samples):
        guard.now += STEP_NS
        guard.mark("1000.5" if number % 2 else "1000")
    return guard


def test_it_is_unknown_until_enough_moves_were_seen() -> None:
    """Unknown is not zero, neither for the pace nor for the largest jump."""
    guard = warmed(POLICY.least_samples)
    assert hourly_percent(guard.state, "XBTUSDT") is None
    assert largest_gap_percent(guard.state, "XBTUSDT") is None
    guard.now += STEP_NS
    guard.mark("1000")
    assert largest_gap_percent(guard.state, "XBTUSDT") == Decimal("0.0159")
    assert hourly_percent(guard.state, "XBTUSDT") == Decimal("0.932")
    assert hourly_percent(guard.state, "OTHER") is None
    assert largest_gap_percent(guard.state, "OTHER") is None


def test_a_restart_keeps_it() -> None:
    """P7: it is part of the checkpoint, to the last digit."""
    state = warmed(40).state
    again = msgspec.convert(msgspec.to_builtins(state), GuardState)
    assert again.volatility == state.volatility
    decoded = msgspec.json.decode(msgspec.json.encode(state), type=GuardState)
    assert decoded.volatility == state.volatility
