"""Reloads in whole worlds: a tighter policy in the middle of a crash, a looser one, and the same over a kill."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from math import inf

from config.policy import Policy, StopPolicy
from tests.simulation.virtual_loop import passing
from tests.simulation.world import Plan, World, play

SYMBOL = "XBTUSD"
TIGHT = Policy(stop=StopPolicy(buffer_percent=Decimal(4), max_room_share=Decimal("0.8")))


async def _covered(world: World) -> Decimal:
    """Open a long and wait for its stop."""
    await passing(5)
    world.bot.open(SYMBOL, side=1, leverage=10)
    await world.until(lambda: world.stop_price(SYMBOL) is not None, within_s=10)
    price = world.stop_price(SYMBOL)
    assert price is not None
    return price


def test_a_reload_moves_the_stop_nearer_and_never_back() -> None:
    """P2, P3: tighter moves it, looser leaves it, and looser with the word lets it go; it rests all the time."""

    async def script(world: World) -> None:
        first = await _covered(world)
        world.guard.reload(TIGHT, may_loosen=False)
        await world.until(lambda: (world.stop_price(SYMBOL) or 0) > first, within_s=10)
        tight = world.stop_price(SYMBOL)
        world.guard.reload(Policy(), may_loosen=False)
        await passing(10)
        assert world.stop_price(SYMBOL) == tight
        world.guard.reload(replace(Policy()), may_loosen=True)
        await world.until(lambda: world.stop_price(SYMBOL) != tight, within_s=10)
        loose = world.stop_price(SYMBOL)
        assert tight is not None
        assert loose is not None
        assert loose < tight

    report = play(Plan(seed=81, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_a_kill_right_after_a_reload_forgets_neither_policy_nor_stop() -> None:
    """P7: the next process starts with the file's policy, and the stop of before rests on."""

    async def script(world: World) -> None:
        first = await _covered(world)
        world.guard.reload(TIGHT, may_loosen=False)
        world.guard.strike()
        await world.guard.wait_dead()
        assert world.stop_price(SYMBOL) is not None
        world.guard.start()
        await world.until(lambda: (world.stop_price(SYMBOL) or 0) > first, within_s=30)
        assert world.guard.state is not None
        assert world.guard.state.policy == TIGHT

    report = play(Plan(seed=82, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)
