"""Distance in three units, and bounds in any of them as percent of the mark."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.policy import Tier, TierPolicy
from connectors.vocabulary import Side
from daemon.core.market.distance import (
    RISING,
    Distance,
    bounds,
    common_move_percent,
    deciding_unit,
    distance,
    measured,
)
from daemon.core.state import Guarded, Liquidation
from daemon.core.tiers import RANK, next_tier
from daemon.core.touch import percent_at, touch_probability
from tests.builders import START_NS, a_position
from tests.driven import Driven

D = Decimal
PERCENT_ALONE = TierPolicy()
THREE_UNITS = TierPolicy(
    watch_volatility=D(6),
    warn_volatility=D(4),
    critical_volatility=D("2.5"),
    emergency_volatility=D("1.5"),
    watch_probability=D("0.01"),
    warn_probability=D("0.03"),
    critical_probability=D("0.1"),
    emergency_probability=D("0.25"),
)

sides = st.sampled_from(list(Side))
rooms = st.decimals("-5", 99, places=2)
volatilities = st.one_of(st.none(), st.decimals("0.05", 40, places=2))
optional_bounds = st.lists(st.one_of(st.none(), st.integers(1, 40)), min_size=4, max_size=4)


@st.composite
def policies(draw: st.DrawFn) -> TierPolicy:
    """Any bounds in volatilities and probabilities, gaps included, beside the percent ones."""

    def falling(values: list[int | None]) -> list[int | None]:
        given_ones = iter(sorted({value for value in values if value is not None}, reverse=True))
        return [None if value is None else next(given_ones, None) for value in values]

    multiples, chances = falling(draw(optional_bounds)), falling(draw(optional_bounds))
    names = [tier.value for tier in RISING]
    by_multiple = {f"{n}_volatility": D(v) / 2 for n, v in zip(names, multiples, strict=True) if v is not None}
    by_chance = {f"{n}_probability": 1 / D(v + 1) for n, v in zip(names, chances, strict=True) if v is not None}
    return TierPolicy(**by_multiple, **by_chance, hysteresis_share=D(draw(st.sampled_from(["0", "0.2", "0.9"]))))


def test_percent_alone_stays_what_it_was() -> None:
    """No other bound is set: volatility, known or not, changes nothing."""
    for hourly in (None, D("0.5"), D(30)):
        assert bounds(PERCENT_ALONE, Side.LONG, hourly).percents == (D(5), D(3), D("1.5"), D("0.75"))
    assert bounds(PERCENT_ALONE, Side.LONG, None).leave_factor == D("1.2")


def test_the_widest_unit_counts() -> None:
    """Quiet: percent is the widest. Wild: volatility. Where the tail counts: probability."""
    assert bounds(THREE_UNITS, Side.LONG, D("0.1")).percents[0] == 5
    by_multiples = replace(THREE_UNITS, watch_probability=None)
    assert bounds(by_multiples, Side.LONG, D(2)).percents[0] == 12
    assert deciding_unit(by_multiples, Tier.WATCH, Side.LONG, D(2)) == "volatility"
    cautious = replace(THREE_UNITS, watch_probability=D("0.001"))
    assert bounds(cautious, Side.SHORT, D(2)).percents[0] == percent_at(Side.SHORT, D("0.001"), D(2))
    assert deciding_unit(cautious, Tier.WATCH, Side.SHORT, D(2)) == "probability"
    assert deciding_unit(THREE_UNITS, Tier.WATCH, Side.LONG, D("0.1")) == "percent"
    assert deciding_unit(THREE_UNITS, Tier.CALM, Side.LONG, D(1)) == ""


def test_unknown_volatility_leaves_percent_in_force() -> None:
    """Unknown is never safe, and never a reason to judge by nothing."""
    assert bounds(THREE_UNITS, Side.LONG, None).percents == bounds(PERCENT_ALONE, Side.LONG, None).percents
    assert measured(Side.LONG, D(4), None) == Distance(percent=D(4))
    assert measured(Side.LONG, D(4), None).in_words() == "4.00 %"


def test_a_distance_is_told_in_three_units() -> None:
    """Multiples are rounded down and the probability up: both on the cautious side."""
    found = measured(Side.LONG, D("4.216"), D("1.34"))
    assert found.multiples == D("3.1")
    assert found.probability == touch_probability(Side.LONG, D("4.216"), D("1.34"))
    assert found.in_words() == "4.22 %, 3.1 hourly volatilities, 4.88 % to be touched within an hour"


def test_a_position_without_a_price_has_no_distance() -> None:
    """No liquidation price, no mark, or flat."""
    state = Driven().state
    known = Guarded(position=a_position(), taken_ns=START_NS, liquidation=Liquidation(price=D(900)))
    assert distance(state, known, D(1000)) == Distance(percent=D(10))
    assert distance(state, known, None) is None
    assert distance(state, replace(known, liquidation=Liquidation()), D(1000)) is None
    assert distance(state, replace(known, position=a_position(0)), D(1000)) is None


def test_the_common_move_is_signed_and_rounded_toward_zero() -> None:
    """A long's account fails by a fall; without other cross positions there is no common move."""
    known = Guarded(position=a_position(), taken_ns=START_NS)
    assert common_move_percent(known, D(1000)) is None
    assert common_move_percent(replace(known, common_price=D("900.05")), D(1000)) == D("-9.99")
    assert common_move_percent(replace(known, common_price=D("1100.05")), D(1000)) == D("10.00")


# ---------------------------------------------------------------------- properties


@given(policies(), sides, volatilities, rooms, rooms, st.sampled_from(list(Tier)))
def test_less_room_is_never_calmer(
    policy: TierPolicy, side: Side, hourly: Decimal | None, one: Decimal, other: Decimal, present: Tier
) -> None:
    """P10: whatever the units, the tier before, and the estimate."""
    limits, (less, more) = bounds(policy, side, hourly), sorted((one, other))
    assert RANK[next_tier(limits, present, less)] >= RANK[next_tier(limits, present, more)]


@given(policies(), sides, st.decimals("0.05", 30, places=2), st.decimals("1", 3, places=1), rooms)
def test_a_wilder_market_is_never_calmer(
    policy: TierPolicy, side: Side, hourly: Decimal, factor: Decimal, room: Decimal
) -> None:
    """P10: the same room in a market that moves more."""
    quiet, wild = bounds(policy, side, hourly), bounds(policy, side, hourly * factor)
    assert all(one <= other for one, other in zip(quiet.percents, wild.percents, strict=True))
    assert RANK[next_tier(wild, Tier.CALM, room)] >= RANK[next_tier(quiet, Tier.CALM, room)]


@given(policies(), sides, volatilities, rooms, st.sampled_from(list(Tier)))
def test_a_tier_once_found_holds_in_any_unit(
    policy: TierPolicy, side: Side, hourly: Decimal | None, room: Decimal, present: Tier
) -> None:
    """The same room and estimate again never change the tier found."""
    limits = bounds(policy, side, hourly)
    found = next_tier(limits, present, room)
    assert next_tier(limits, found, room) is found


@given(policies(), sides, volatilities, rooms)
def test_a_tier_is_the_first_unit_s_to_say_so(
    policy: TierPolicy, side: Side, hourly: Decimal | None, room: Decimal
) -> None:
    """Judged in each unit by itself, the highest tier is the one found: units agree with their percent."""
    expected, far = Tier.CALM, measured(side, room, hourly)
    for tier in RISING:
        multiples = getattr(policy, f"{tier.value}_volatility")
        reached = room < getattr(policy, f"{tier.value}_percent")
        reached |= hourly is not None and multiples is not None and room / hourly < multiples
        chance = getattr(policy, f"{tier.value}_probability")
        if chance is not None and far.probability is not None:
            # The two roundings are each on the cautious side, so the distance may say so a little earlier.
            assert (
                far.probability <= chance + D("0.0002") or room < bounds(policy, side, hourly).percents[RANK[tier] - 1]
            )
            reached |= hourly is not None and room < percent_at(side, chance, hourly)
        expected = tier if reached else expected
    assert next_tier(bounds(policy, side, hourly), Tier.CALM, room) is expected


@pytest.mark.parametrize("side", list(Side))
def test_at_the_bound_of_a_unit_the_other_units_say_the_same(side: Side) -> None:
    """Four volatilities of 1.5 % are 6 %, and the probability there is the bound that gives 6 % back."""
    far = measured(side, D(6), D("1.5"))
    assert far.multiples == 4
    assert far.probability is not None
    assert float(percent_at(side, far.probability, D("1.5"))) == pytest.approx(6, rel=0.002)
