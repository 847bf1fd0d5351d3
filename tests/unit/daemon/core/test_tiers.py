"""Tiers: heard once, early, and again if nobody acts (P10)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from config.policy import Policy, Tier, TierPolicy
from connectors.vocabulary import Side
from daemon.core import events as e
from daemon.core.commands import PlaceStop
from daemon.core.market.distance import bounds
from daemon.core.reasons import Reason
from daemon.core.tiers import next_tier
from tests.builders import SECOND, a_position, a_stop
from tests.driven import Driven

LIMITS = bounds(TierPolicy(), Side.LONG, None)


def guarding() -> Driven:
    """A covered long, liquidation at 900."""
    guard = Driven().up()
    guard.position(a_position())
    guard.rest()
    return guard


def told(guard: Driven) -> list[str]:
    """The tiers that were told, in order."""
    return [alert.state for alert in guard.alerts() if alert.topic == "tier"]


def test_each_rise_is_told_once() -> None:
    """Mark falls through watch and warn: one message each."""
    guard = guarding()
    for price in (948, 947, 946, 927, 926):
        guard.mark(price)
    assert told(guard) == ["watch", "warn"]


def test_a_jump_over_two_tiers_tells_the_higher() -> None:
    """From calm straight to emergency."""
    guard = guarding()
    guard.mark(905)
    assert told(guard) == ["emergency"]


def test_a_flapping_price_is_one_message() -> None:
    """P10: around the bound of watch, within the hysteresis."""
    guard = guarding()
    for price in (947, 949, 947, 950, 946, 950):
        guard.mark(price)
    assert told(guard) == ["watch"]


def test_a_position_turned_round_again_and_again_is_one_message() -> None:
    """P10: each turn begins in warn; it is told once, and again when a turn stays for a while."""
    guard = guarding()
    guard.mark(926)
    for quantity in (-100, 100, -100, 100):
        guard.wait(2 * SECOND)
        price = 900 if quantity > 0 else 952
        guard.position(a_position(quantity=quantity, liquidation_price=Decimal(price)))
        guard.mark(926)
    assert told(guard) == ["warn"]
    guard.wait(15 * SECOND)
    assert told(guard) == ["warn", "warn"]


def test_back_to_calm_is_a_note() -> None:
    """Beyond the bound by a fifth of it."""
    guard = guarding()
    guard.mark(947)
    guard.mark(960)
    assert told(guard) == ["watch", "calm"]


def test_warn_is_repeated_while_it_lasts() -> None:
    """P10: again if nobody acts; watch is not repeated."""
    guard = guarding()
    guard.mark(927)
    for _ in range(65):
        guard.wait(10 * SECOND)
        guard.mark(927)
    assert told(guard).count("warn") == 3
    assert [alert.reason for alert in guard.alerts("warn")[1:]] == [Reason.TIER_REPEATED] * 2
    guard.mark(940)
    before = len(told(guard))
    guard.wait(400 * SECOND)
    assert len(told(guard)) == before


@given(st.decimals("0.01", 20), st.sampled_from(list(Tier)))
def test_a_tier_once_found_holds(room: Decimal, present: Tier) -> None:
    """The same room again never changes the tier found."""
    found = next_tier(LIMITS, present, room)
    assert next_tier(LIMITS, found, room) is found


@given(st.decimals("0.01", 20), st.sampled_from(list(Tier)))
def test_a_tier_is_never_less_than_its_bound_says(room: Decimal, present: Tier) -> None:
    """Hysteresis may hold a tier longer, never begin one later."""
    assert next_tier(LIMITS, present, room).severity >= next_tier(LIMITS, Tier.CALM, room).severity


def test_at_the_moment_of_opening_the_stop_is_said_to_be_on_its_way() -> None:
    """P10: opened inside a tier: nobody shall read that no stop rests while the guard is placing it."""
    guard = Driven().up()
    guard.position(a_position(liquidation_price=Decimal(960)))
    assert "its stop is being placed" in guard.alerts("watch")[0].text


def test_at_the_start_a_stop_is_not_denied_before_the_orders_are_known() -> None:
    """P10: the position table comes before the order table."""
    guard = Driven()
    guard.start()
    guard.connect([a_position(liquidation_price=Decimal(960))], [a_stop("v", stop_price=Decimal("979.5"))])
    assert "its stop is being placed" in guard.alerts("watch")[0].text


def test_a_stop_that_is_missing_for_long_is_missing() -> None:
    """P12: the venue refuses it for seconds: then the next tier says that none rests; observing says so at once."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    guard.now += 3 * SECOND
    guard.give(e.RequestRefused(at_ns=guard.now, command_id=place.command_id, reason="10 stops"))
    guard.mark(940)
    assert "no stop rests" in guard.alerts("watch")[0].text
    observing = Driven(Policy(observe=True)).up()
    observing.position(a_position(liquidation_price=Decimal(960)))
    assert "no stop rests" in observing.alerts("watch")[0].text


def test_a_tier_waits_while_the_stop_that_fired_is_at_work() -> None:
    """P10: the stop fires and the mark falls on: nobody hears "no stop rests"; if it does not end, the tier is told."""
    guard = Driven().up()
    guard.position(a_position())
    stop = guard.rest()
    guard.order(replace(stop, is_triggered=True, timestamp_ns=guard.now + 1))
    assert guard.alerts("fired")
    guard.mark(905)
    assert told(guard) == []
    guard.wait(20 * SECOND)
    assert "emergency" in told(guard)


def test_a_position_that_ends_by_its_stop_tells_no_tier() -> None:
    """P10: fired, mark far beyond, flat: the stop is all that people hear of."""
    guard = Driven().up()
    guard.position(a_position())
    stop = guard.rest()
    guard.order(replace(stop, is_triggered=True, timestamp_ns=guard.now + 1))
    guard.mark(905)
    guard.position(a_position(quantity=0))
    guard.wait(20 * SECOND)
    assert told(guard) == []


# ---------------------------------------------------------------------- in volatilities and probabilities


WILD = TierPolicy(watch_volatility=Decimal(8), warn_volatility=Decimal(5), warn_probability=Decimal("0.02"))
SAMPLE = 10 * SECOND


def moving(guard: Driven, around: int, by: str, samples: int) -> None:
    """Marks every ten seconds, up and down by so much."""
    for number in range(samples):
        guard.now += SAMPLE
        guard.mark(str(Decimal(around) + (Decimal(by) if number % 2 else 0)))


def test_a_tier_in_volatilities_begins_when_the_market_turns_wild() -> None:
    """P10: 10 % of room are calm at 0.9 % an hour and a warning at 2 %: the mark did not come nearer."""
    guard = Driven(Policy(tiers=WILD)).up()
    guard.position(a_position())
    guard.rest()
    moving(guard, 1000, "0.5", 60)
    assert told(guard) == []
    moving(guard, 1000, "2", 120)
    assert list(dict.fromkeys(told(guard))) == ["watch", "warn"]
    alert = guard.alerts("warn")[0]
    facts = dict(alert.facts)
    assert "hourly volatilities" in alert.text
    assert "to be touched within an hour" in alert.text
    assert facts["tier_by"] == "volatility"
    assert "is WARN (by volatility): mark" in alert.text
    assert Decimal(facts["room_volatilities"]) < 5
    assert Decimal(facts["hourly_volatility_percent"]) > 2
    assert 0 < Decimal(facts["touch_probability"]) < Decimal("0.1")


def test_an_estimate_that_moves_around_a_bound_is_one_message() -> None:
    """P10: ten minutes quiet, ten minutes less quiet, for hours: the room stays, volatility breathes by a tenth."""
    guard = Driven(Policy(tiers=TierPolicy(watch_volatility=Decimal("7.5")))).up()
    guard.position(a_position())
    guard.rest()
    for number in range(12):
        moving(guard, 1000, "0.6" if number % 2 else "0.8", 60)
    assert told(guard) == ["watch"]


def test_unknown_volatility_leaves_percent_bounds_in_force() -> None:
    """Nothing is known of the market's pace: percent decides, and the text says no more than is known."""
    guard = Driven(Policy(tiers=WILD)).up()
    guard.position(a_position())
    guard.rest()
    guard.mark(947)
    assert told(guard) == ["watch"]
    alert = guard.alerts("watch")[0]
    assert "volatilities" not in alert.text
    assert dict(alert.facts)["tier_by"] == "percent"
    assert "touch_probability" not in dict(alert.facts)


def test_one_wild_print_makes_no_volatility_tier() -> None:
    """P10: half a percent for one sample, ten times the usual move: nothing is said, then or later."""
    guard = Driven(Policy(tiers=WILD)).up()
    guard.position(a_position())
    guard.rest()
    moving(guard, 1000, "0.5", 60)
    guard.now += SAMPLE
    guard.mark("1050")
    moving(guard, 1000, "0.5", 60)
    assert told(guard) == []
