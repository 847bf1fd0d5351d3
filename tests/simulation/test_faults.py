"""Each fault alone: people hear of it by its name, hear of its end, and the guard is whole again (P12, P2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import inf

import pytest

from daemon.core.degraded import Degraded
from tests.simulation.faults import RequestFate
from tests.simulation.promises import WHOLE_AGAIN_S
from tests.simulation.virtual_loop import passing
from tests.simulation.world import Plan, World, play

LONG_S = 40.0
Fault = Callable[[World], Awaitable[None]]


def _requests_end_as(fate: RequestFate, lasting_s: float = LONG_S) -> Fault:
    async def spoil(world: World) -> None:
        world.guard.line.weather.request_fates = {fate: 1.0}
        world.bot.open("ETHUSD", side=-1, leverage=10)
        await passing(lasting_s)
        world.guard.line.weather.request_fates = {}

    return spoil


async def _down(world: World) -> None:
    """The cable is out, and no connection notices."""
    weather = world.guard.line.weather
    weather.is_down, weather.silent_feeds = True, frozenset({"private", "public"})
    world.network.hang_up(world.guard.name)
    await passing(150)
    weather.is_down, weather.silent_feeds = False, frozenset()


async def _prices_freeze(world: World) -> None:
    """The market stream lives (pongs come) and no mark arrives any more."""
    world.guard.line.weather.silent_feeds = frozenset({"public"})
    await passing(90)
    world.guard.line.weather.silent_feeds = frozenset()
    world.network.hang_up(world.guard.name)


async def _clock_jumps(world: World) -> None:
    world.guard.clock.set_off(6_000_000_000)
    await passing(130)
    world.guard.clock.set_off(0)
    await passing(70)


async def _stall(world: World) -> None:
    world.loop.stall(5.0)
    await passing(3)


async def _full_disk(world: World) -> None:
    world.guard.disk.problem = "no space left on device"
    await passing(5)
    world.guard.disk.problem = None


async def _flood(world: World) -> None:
    """A bot uses up the account's requests just before a position opens, and goes on for a while."""
    for turn in range(40):
        world.scene.drain(140 if turn == 0 else 2)
        if turn == 1:
            world.bot.open("ETHUSD", side=-1, leverage=10)
        await passing(0.5)


FAULTS: dict[str, tuple[Fault, frozenset[Degraded]]] = {
    "network down": (_down, frozenset({Degraded.BLIND_MARKET, Degraded.BLIND_ACCOUNT, Degraded.PICTURE_OVERDUE})),
    "prices freeze": (_prices_freeze, frozenset({Degraded.BLIND_MARKET})),
    "clock jumps": (_clock_jumps, frozenset({Degraded.CLOCK_SKEW})),
    "process stalls": (_stall, frozenset({Degraded.LOOP_STALLED})),
    "disk full": (_full_disk, frozenset({Degraded.JOURNAL_FAILED})),
    "orders refused": (
        _requests_end_as(RequestFate.REFUSED),
        frozenset({Degraded.COVER_REFUSED, Degraded.UNCOVERED}),
    ),
    "requests lost": (_requests_end_as(RequestFate.LOST), frozenset({Degraded.UNCOVERED})),
    "overloaded": (
        _requests_end_as(RequestFate.OVERLOADED),
        frozenset({Degraded.UNCOVERED, Degraded.VENUE_UNREACHABLE}),
    ),
    "unreachable": (
        _requests_end_as(RequestFate.UNREACHABLE, 150.0),
        frozenset({Degraded.UNCOVERED, Degraded.VENUE_UNREACHABLE, Degraded.PICTURE_OVERDUE}),
    ),
    "budget drained": (_flood, frozenset({Degraded.BUDGET_EMPTY})),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_has_a_name_and_an_end(name: str) -> None:
    """P12: while a fault lasts its degraded states are told, once each; P2: afterwards every position is covered."""
    fault, expected = FAULTS[name]

    async def script(world: World) -> None:
        await passing(5)
        world.bot.open("XBTUSD", side=1, leverage=10)
        await passing(5)
        world.promises.audit(is_strict=True)
        world.promises.quiet_since_s = inf
        await fault(world)
        world.promises.quiet_since_s = 0.0
        world.promises.disturb()
        told = world.told("degraded")
        assert {state.value for state in expected} <= set(told), f"people heard of {sorted(set(told))} only"
        await passing(WHOLE_AGAIN_S + 30)
        world.promises.audit(is_strict=True)
        assert world.guard.state is not None
        assert not world.guard.state.degraded, world.guard.state.degraded

    report = play(Plan(seed=11, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


@pytest.mark.parametrize(
    "fate",
    [
        RequestFate.REPLY_LOST,
        RequestFate.REPLY_SILENT,
        RequestFate.DELAYED,
        RequestFate.BROKEN,
    ],
    ids=lambda fate: fate.value,
)
def test_an_answer_that_never_comes_makes_no_second_stop(fate: RequestFate) -> None:
    """P4, P5: every placement is carried out and never answered; there is one stop, and it is found and believed."""

    async def script(world: World) -> None:
        await passing(5)
        world.promises.quiet_since_s = inf
        await _requests_end_as(fate, 20.0)(world)
        world.promises.quiet_since_s = 0.0
        world.promises.disturb()
        await passing(WHOLE_AGAIN_S)
        world.promises.audit(is_strict=True)
        assert len(world.promises.our_stops((world.account, "ETHUSD"))) == 1

    report = play(Plan(seed=12, troubles=0, act_every_s=inf), script)
    assert report.counts["most stops at once"] == 1
    assert not report.violations, str(report)
