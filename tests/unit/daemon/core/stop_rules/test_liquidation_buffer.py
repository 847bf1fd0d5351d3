"""The liquidation buffer: in front of liquidation, not too near, not too far."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.policy import StopPolicy
from connectors.vocabulary import Side
from daemon.core.stop_rules import RuleInput, ask
from daemon.core.stop_rules.liquidation_buffer import buffer, floor, trigger

POLICY = StopPolicy()
prices = st.decimals(1, 100_000, places=2)


def test_low_leverage_keeps_the_percentage() -> None:
    """Far from entry: two percent of the liquidation price."""
    assert trigger(Side.LONG, Decimal(500), Decimal(1000), POLICY) == Decimal(510)
    assert trigger(Side.SHORT, Decimal(1500), Decimal(1000), POLICY) == Decimal(1470)


def test_high_leverage_takes_half_of_the_way() -> None:
    """At 100x the percentage would reach beyond the entry: half the way is kept."""
    assert trigger(Side.LONG, Decimal(995), Decimal(1000), POLICY) == Decimal("997.5")


def test_the_floor_holds() -> None:
    """Entry at liquidation's door: the floor is kept even beyond the entry."""
    assert buffer(Side.LONG, Decimal(1000), Decimal("1000.5"), POLICY) == Decimal("1.5")


def test_an_entry_that_liquidation_has_passed_is_left_out() -> None:
    """A cross long after losses elsewhere: liquidation above the entry; the percentage counts."""
    assert buffer(Side.LONG, Decimal(1000), Decimal(900), POLICY) == Decimal(20)
    assert buffer(Side.LONG, Decimal(1000), None, POLICY) == Decimal(20)


@given(st.sampled_from(Side), prices, st.one_of(st.none(), prices))
def test_the_trigger_is_always_on_the_safe_side(side: Side, liquidation: Decimal, entry: Decimal | None) -> None:
    """P2: in front of liquidation by the floor or more, by the percentage or less (or the floor)."""
    price = trigger(side, liquidation, entry, POLICY)
    distance = side.sign * (price - liquidation)
    assert distance >= floor(liquidation, POLICY)
    assert distance <= liquidation * POLICY.buffer_percent / 100
    given_all = RuleInput(side=side, liquidation_price=liquidation, entry_price=entry, policy=POLICY)
    assert [each.price for each in ask(given_all).proposals] == [price]


@pytest.mark.parametrize(("hourly", "kept"), [(None, "10"), ("0.5", "10"), ("1", "15"), ("3", "45"), ("4", "50")])
def test_the_wider_of_percent_and_volatility(hourly: str | None, kept: str) -> None:
    """Three hourly volatilities of 500: from 1 % an hour on wider than 2 %; half of the way from 600 stays the most."""
    policy = StopPolicy(buffer_volatility=Decimal(3))
    volatility = None if hourly is None else Decimal(hourly)
    assert buffer(Side.LONG, Decimal(500), Decimal(600), policy, volatility) == Decimal(kept)
