"""Tiers in three units on any path of marks: bands hold, replays agree, and nobody hears of one bad print."""

from __future__ import annotations

from copy import copy
from decimal import Decimal
from functools import cache

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from config.policy import Policy, TierPolicy
from daemon.core import events as e
from daemon.core.commands import Command, RaiseAlert, SetBand, SetTimer
from daemon.core.state import GuardState
from daemon.core.step import step
from tests.builders import SECOND, a_position
from tests.driven import Driven

D = Decimal
SYMBOL = "XBTUSDT"
POLICY = Policy(
    tiers=TierPolicy(
        watch_volatility=D(8),
        warn_volatility=D(5),
        critical_volatility=D(3),
        watch_probability=D("0.01"),
        warn_probability=D("0.04"),
        emergency_probability=D("0.3"),
    )
)
quantities = st.sampled_from([100, -100])
paces = st.sampled_from(["0.5", "1.5", "4"])
paths = st.lists(
    st.tuples(st.sampled_from([1, 5, 10, 11, 30, 90]), st.integers(-12, 12)),
    min_size=5,
    max_size=40,
)


def warmed(quantity: int, pace: str) -> Driven:
    """A covered position in a market of this pace, its volatility known."""
    guard = copy(_warmed(quantity, pace))
    guard.all = []
    return guard


@cache
def _warmed(quantity: int, pace: str) -> Driven:
    guard = Driven(POLICY).up()
    guard.position(a_position(quantity))
    guard.rest()
    for number in range(40):
        guard.now += 10 * SECOND
        guard.mark(str(1000 + (D(pace) if number % 2 else 0)))
    return guard


def marks(guard: Driven, path: list[tuple[int, int]]) -> list[e.MarkSeen]:
    """A path as events: each after some seconds, tenths of a percent from a thousand."""
    at_ns, events = guard.now, []
    for seconds, tenths in path:
        at_ns += seconds * SECOND
        events.append(e.MarkSeen(at_ns=at_ns, symbol=SYMBOL, price=D(1000 + tenths)))
    return events


def played(state: GuardState, events: list[e.MarkSeen]) -> tuple[GuardState, list[Command]]:
    """The state after these events, and all that was asked for."""
    commands: list[Command] = []
    for event in events:
        outcome = step(state, event)
        state = outcome.state
        commands += outcome.commands
    return state, commands


@settings(max_examples=60)
@given(quantities, paces, paths, st.decimals("0.001", "0.999", places=3))
@example(quantity=100, pace="0.5", path=[(10, -12), (10, -12), (1, 10), (10, 0), (1, -5)], share=D("0.001"))
def test_no_mark_inside_a_band_changes_anything_while_the_estimate_stands(
    quantity: int, pace: str, path: list[tuple[int, int]], share: Decimal
) -> None:
    """P10: the shell is silent inside the band, so no tier may begin or end there, whatever unit it is set in."""
    guard = warmed(quantity, pace)
    for event in marks(guard, path):
        guard.now = event.at_ns
        guard.give(event)
    guard.now += SECOND
    guard.mark("1000.5")
    band, tier = guard.state.bands[SYMBOL], guard.guarded().tier
    low, high = band.low or D(901), band.high or D(1099)
    if low >= high:
        return
    commands = guard.mark(low + (high - low) * share)
    assert [each for each in commands if not isinstance(each, (SetTimer, SetBand))] == []
    assert guard.guarded().tier is tier


@settings(max_examples=40)
@given(quantities, paces, paths, st.floats(0, 1))
def test_a_replay_from_a_checkpoint_agrees_to_the_last_digit(
    quantity: int, pace: str, path: list[tuple[int, int]], where: float
) -> None:
    """P9: written to a journal half way and read back, the estimate goes on as if nothing had happened."""
    guard = warmed(quantity, pace)
    events = marks(guard, path)
    cut = int(where * len(events))
    whole, commands = played(guard.state, events)
    half, first = played(guard.state, events[:cut])
    again = msgspec.json.decode(msgspec.json.encode(half), type=GuardState)
    rest, second = played(again, events[cut:])
    assert rest == whole
    assert [*first, *second] == commands


@settings(max_examples=25)
@given(quantities, st.integers(0, 30), st.sampled_from(["960", "1040", "985", "1015"]))
def test_one_bad_print_is_heard_of_at_most_while_it_lasts(quantity: int, where: int, bad: str) -> None:
    """P10: a print may be a tier of its own in percent; ten seconds later every tier is as without it."""
    guards = [warmed(quantity, "0.5"), warmed(quantity, "0.5")]
    for with_print, guard in enumerate(guards):
        for number in range(40):
            guard.now += 10 * SECOND
            if number != where:
                guard.mark("1000" if number % 2 else "1000.5")
            elif with_print:
                guard.mark(bad)
    without, after = guards
    assert after.guarded().tier is without.guarded().tier
    assert after.state.volatility[SYMBOL].hourly_percent == without.state.volatility[SYMBOL].hourly_percent
    later = [each for each in after.last if isinstance(each, RaiseAlert)]
    assert later == []
