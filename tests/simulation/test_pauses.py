"""A person pauses the guard: nothing of its own leaves, it is said, and afterwards all is whole."""

from __future__ import annotations

from math import inf
from random import Random

import pytest

from config.policy import Policy, SwitchMode, SwitchPolicy
from daemon.core.degraded import Degraded
from daemon.core.operator_requests import FlattenAsked, PauseAsked, ShadowAsked
from tests.simulation.troubles.machine import kill
from tests.simulation.virtual_loop import passing
from tests.simulation.world import Plan, World, play

SYMBOL = "XBTUSD"


@pytest.mark.parametrize(("seed", "mode"), [(90, SwitchMode.AUTO), (91, SwitchMode.ALWAYS)])
def test_pauses_among_everything_that_happens(seed: int, mode: SwitchMode) -> None:
    """P1, P2, P6, P12: bots trade, a person freezes, flattens and gives stops, the guard is killed: paused or not."""
    pauses: list[str] = []

    async def script(world: World) -> None:
        random = Random(seed)  # noqa: S311 - a scene is always the same
        await passing(5)
        for number in range(15):
            drawn = random.random()
            if drawn < 0.2:
                kind = PauseAsked if drawn < 0.13 else ShadowAsked
                world.guard.ask(kind(seconds=random.choice((5, 20, 45))), f"p-{number}")
                pauses.append(kind.__name__)
            elif drawn < 0.3:
                world.scene.operator.act(world.guard, random)
            elif drawn < 0.35:
                await kill(world.scene, world.guard, random)
            else:
                world.bot.act(random)
            world.promises.disturb()
            await passing(random.choice((1, 4, 12)))
        world.heal()
        await passing(30)
        world.promises.audit(is_strict=True)

    plan = Plan(seed=seed, troubles=0, act_every_s=inf, policy=Policy(switch=SwitchPolicy(mode=mode)))
    report = play(plan, script)
    assert pauses
    assert not report.violations, str(report)


def test_a_stop_that_somebody_cancels_in_a_pause_is_back_when_it_is_over() -> None:
    """P2, P12: naked for the rest of the pause, and said so; the stop rests within seconds of its end."""

    async def script(world: World) -> None:
        await passing(5)
        world.bot.open(SYMBOL, side=1, leverage=10)
        await passing(10)
        world.guard.ask(PauseAsked(seconds=60))
        await passing(2)
        world.bot.cancel_guards(SYMBOL)
        await passing(50)
        assert not world.promises.our_stops((world.account, SYMBOL))
        assert world.guard.state is not None
        assert Degraded.UNCOVERED in world.guard.state.positions[SYMBOL].degraded
        await passing(15)
        assert world.promises.our_stops((world.account, SYMBOL))

    report = play(Plan(seed=93, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_a_flatten_in_a_pause_comes_to_its_end() -> None:
    """The kill switch works whatever else a person asked for before."""

    async def script(world: World) -> None:
        await passing(5)
        world.bot.open(SYMBOL, side=1, leverage=10)
        await passing(10)
        world.guard.ask(PauseAsked(seconds=300))
        await passing(5)
        world.guard.ask(FlattenAsked(), "r-2")
        await passing(30)
        assert not world.promises.size((world.account, SYMBOL))
        assert world.guard.state is not None
        assert world.guard.state.latches["operator-flatten"].proven_ns
        assert not world.promises.our_stops((world.account, SYMBOL))

    report = play(Plan(seed=94, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)
