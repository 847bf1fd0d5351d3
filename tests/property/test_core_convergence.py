"""Once faults stop, the guard is whole again: every open position is covered by exactly one stop of ours (P2 to P7)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.modes import RuleMode
from config.policy import (
    BreakEvenPolicy,
    MaxLossPolicy,
    Policy,
    StopPolicy,
    StopStyle,
    TakeProfitPolicy,
    TrailingPolicy,
)
from connectors.vocabulary import OrderKind, OrderSide, Side
from daemon.core.commands import PlaceStop
from daemon.core.mode import Mode
from daemon.core.stop_rules.liquidation_buffer import trigger
from tests.builders import SECOND, START_NS
from tests.model_faults import Faults
from tests.model_venue import ModelVenue

STORM = Faults(
    lose_request=0.1,
    lose_reply=0.15,
    refuse=0.1,
    not_sent=0.1,
    answer_cancelled=0.05,
    repeat_row=0.2,
    slow=0.1,
    bot=0.5,
    cancel_stops=0.05,
    drop_stream=0.05,
    restart=0.02,
    forget_restart=0.5,
    stuck=0.02,
    partial=0.3,
    margin=0.3,
)


def weather(venue: ModelVenue, *, storm_s: int = 60, calm_s: int = 75) -> None:
    """Run through a storm, then stop all faults, make the marks harmless, and let the calm last."""
    venue.start()
    venue.run_until(START_NS + storm_s * SECOND)
    venue.faults = Faults()
    venue.stuck_until = 0
    for symbol in venue.symbols:
        venue.set_mark(symbol, Decimal(1000))
    venue.run_until(START_NS + (storm_s + calm_s) * SECOND)


def assert_whole(venue: ModelVenue) -> None:
    """Every open position has exactly one sound stop of ours at the venue, and the guard knows it."""
    for symbol in venue.symbols:
        held = venue.positions[symbol].quantity
        own = [o for o in venue.open_orders() if o.symbol == symbol and o.kind is not OrderKind.LIMIT]
        if held == 0:
            assert own == [], f"{symbol}: stops left behind"
            continue
        assert len(own) == 1, f"{symbol}: {len(own)} stops for {held}"
        stop = own[0]
        assert stop.side is (OrderSide.SELL if held > 0 else OrderSide.BUY)
        assert stop.quantity is None or stop.quantity >= abs(held)
        line = venue.positions[symbol].liquidation_price
        assert stop.stop_price is not None
        assert line is not None
        wanted = trigger(Side.LONG if held > 0 else Side.SHORT, line, Decimal(1000), StopPolicy())
        mark = venue.marks[symbol]
        assert wanted <= stop.stop_price < mark if held > 0 else mark < stop.stop_price <= wanted
    for guard in venue.guards:
        assert guard.state.mode is Mode.GUARDING
        for symbol in venue.symbols:
            guarded = guard.state.positions.get(symbol)
            held = venue.positions[symbol].quantity
            assert (guarded.position.quantity if guarded else 0) == held
            assert guarded is None or not held or (guarded.covered_ns and guarded.write is None)
            assert guarded is None or guarded.reduce is None


@pytest.mark.parametrize("seed", range(25))
def test_the_guard_is_whole_after_a_storm(seed: int) -> None:
    """P2, P5, P7: lost, refused, late and repeated everything, restarts with and without a journal, bots trading."""
    venue = ModelVenue(seed, STORM)
    weather(venue)
    assert venue.problems == []
    assert venue.most_own_stops <= 2
    assert_whole(venue)


@given(st.integers(0, 2**32))
def test_any_storm_ends_whole(seed: int) -> None:
    """P2 to P7 for any seed."""
    venue = ModelVenue(seed, STORM)
    weather(venue, storm_s=30)
    assert venue.problems == []
    assert venue.most_own_stops <= 2
    assert_whole(venue)


@pytest.mark.parametrize("seed", range(10))
def test_two_guards_place_one_stop(seed: int) -> None:
    """P4: two guards on one account end with one stop per position, and never more than two stand."""
    venue = ModelVenue(seed, STORM, guards=2)
    weather(venue)
    assert venue.problems == []
    assert venue.most_own_stops <= 2
    assert_whole(venue)


@given(st.integers(0, 2**32))
@example(8387)
@example(284)
@example(1182)
def test_two_guards_that_want_other_stops_leave_no_position_bare(seed: int) -> None:
    """P1, P4: one wants a Close and the other a quantity, and nearer; each clears up, and neither takes the last."""
    other = Policy(stop=StopPolicy(style=StopStyle.CLOSE, buffer_percent=Decimal(4)))
    venue = ModelVenue(seed, replace(STORM, cancel_stops=0, answer_cancelled=0), others=(other,))
    weather(venue, storm_s=30)
    assert venue.problems == []
    assert venue.bared == 0
    for symbol in venue.symbols:
        assert len(venue.own_orders(symbol)) == bool(venue.positions[symbol].quantity)
    placed = sum(isinstance(each, PlaceStop) for guard in venue.guards for each in guard.commands)
    venue.run_until(venue.now + 60 * SECOND)
    assert placed == sum(isinstance(each, PlaceStop) for guard in venue.guards for each in guard.commands)


@pytest.mark.parametrize("seed", range(10))
def test_a_venue_that_forgets_ids_gets_one_stop_too(seed: int) -> None:
    """P4: ids are refused among open orders only; asking before repeating keeps the number of stops."""
    venue = ModelVenue(seed, STORM, guards=1 + seed % 2)
    venue.remembers_ids = False
    weather(venue)
    assert venue.problems == []
    assert venue.most_own_stops <= 2
    assert_whole(venue)


@pytest.mark.parametrize("seed", range(5))
def test_close_style_converges(seed: int) -> None:
    """P2: the same with Close stops, which follow the position."""
    venue = ModelVenue(seed, STORM, policy=Policy(stop=StopPolicy(style=StopStyle.CLOSE)))
    weather(venue)
    assert venue.problems == []
    assert_whole(venue)


ALL_RULES = Policy(
    stop=StopPolicy(
        max_loss=MaxLossPolicy(mode=RuleMode.ON, equity_percent=Decimal("1.5")),
        trailing=TrailingPolicy(mode=RuleMode.ON, distance_percent=Decimal(6)),
        break_even=BreakEvenPolicy(mode=RuleMode.ON, after_percent=Decimal(3)),
    ),
    take_profit=TakeProfitPolicy(mode=RuleMode.ON),
)


@pytest.mark.parametrize("seed", range(12))
def test_all_rules_and_the_ladder_converge(seed: int) -> None:
    """P2, P3, P4: every rule on: one stop, nowhere looser than the buffer asks, and rungs that fit the position."""
    venue = ModelVenue(seed, STORM, policy=ALL_RULES)
    weather(venue, calm_s=400)
    assert venue.problems == []
    assert venue.most_own_stops <= 2
    assert_whole(venue)
    for symbol in venue.symbols:
        held = venue.positions[symbol].quantity
        rungs = [order for order in venue.own_orders(symbol) if order.kind is OrderKind.LIMIT]
        assert sum(order.leaves_quantity for order in rungs) <= abs(held)
        assert all(order.side is (OrderSide.SELL if held > 0 else OrderSide.BUY) for order in rungs)
        assert bool(rungs) is bool(held)


@pytest.mark.parametrize("forgets", [False, True], ids=["journal", "no journal"])
@pytest.mark.parametrize("sends", [False, True], ids=["before", "after"])
def test_a_kill_at_every_command_ends_whole(forgets: bool, sends: bool) -> None:
    """P7: killed right before or after each command leaves, with or without a journal: whole again, one stop."""
    number = 1
    while True:
        venue = ModelVenue(number, Faults())
        venue.crash_at, venue.crash_sends, venue.crash_forgets = number, sends, forgets
        venue.start()
        venue.at(START_NS + 2 * SECOND, lambda venue=venue: venue.set_position("XBTUSDT", 100))
        venue.at(START_NS + 4 * SECOND, lambda venue=venue: venue.set_position("XBTUSDT", 300))
        venue.at(START_NS + 6 * SECOND, lambda venue=venue: venue.set_position("XBTUSDT", 300, 50))
        venue.at(START_NS + 8 * SECOND, lambda venue=venue: venue.set_position("XBTUSDT", -100))
        venue.at(START_NS + 9 * SECOND, lambda venue=venue: venue.set_position("ETHUSDT", 100))
        venue.run_until(START_NS + 30 * SECOND)
        assert venue.problems == []
        assert venue.most_own_stops <= 2
        assert_whole(venue)
        if len(venue.guards[0].commands) < number:
            break
        number += 1
    assert number > 30


def test_calm_weather_needs_one_write() -> None:
    """P4: without faults, a position costs one PlaceStop and nothing else."""
    venue = ModelVenue(1, Faults())
    venue.start()
    venue.run_until(START_NS + 2 * SECOND)
    venue.set_position("XBTUSDT", 100)
    venue.run_until(START_NS + 90 * SECOND)
    assert_whole(venue)
    sent = [type(c).__name__ for c in venue.guards[0].commands if hasattr(c, "client_order_id")]
    assert sent == ["PlaceStop"]
