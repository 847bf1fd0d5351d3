"""What a guard leaves behind when it ends in good order, and what it never does while it only observes."""

from __future__ import annotations

from math import inf
from random import Random

import pytest

from config.policy import Policy, SwitchMode, SwitchPolicy
from tests.simulation.virtual_loop import passing
from tests.simulation.world import Plan, World, play

SYMBOL = "XBTUSD"


@pytest.mark.parametrize(("mode", "stops_left"), [(SwitchMode.AUTO, 1), (SwitchMode.ALWAYS, 0)])
def test_after_an_orderly_stop_the_stops_stay_unless_the_switch_is_always_armed(
    mode: SwitchMode, stops_left: int
) -> None:
    """P6: in `auto` the switch is disarmed and the stop outlives the guard; in `always` it goes with the countdown."""

    async def script(world: World) -> None:
        await passing(5)
        world.bot._work("ETHUSD", 0)
        world.bot.open(SYMBOL, side=1, leverage=10)
        await passing(20)
        assert world.venue.exchange.next_timer_ms() is not None
        world.promises.quiet_since_s = inf
        await world.guard.stop()
        await passing(120)
        assert len(world.promises.our_stops((world.account, SYMBOL))) == stops_left

    plan = Plan(seed=51, troubles=0, act_every_s=inf, policy=Policy(switch=SwitchPolicy(mode=mode)))
    report = play(plan, script)
    assert not report.violations, str(report)


def test_an_observer_writes_nothing() -> None:
    """P1: observing, a guard tells people and sends no order, cancel or feed, whatever the bot does."""

    async def script(world: World) -> None:
        world.promises.quiet_since_s = inf
        await passing(5)
        random = Random(52)  # noqa: S311 - a scene is always the same
        for _ in range(20):
            world.bot.act(random)
            world.promises.quiet_since_s = inf
            await passing(5)
        assert world.told("cover")

    report = play(Plan(seed=52, troubles=0, act_every_s=inf, policy=Policy(observe=True)), script)
    writes = {name: count for name, count in report.counts.items() if name.split()[0] in {"POST", "PUT", "DELETE"}}
    assert not writes
    assert not report.violations, str(report)
