"""The guard's lesser inputs in a whole life: they arrive, and their absence costs nothing but themselves."""

from __future__ import annotations

from itertools import pairwise
from math import inf

from connectors.simulated.engine.inputs import Deposit
from daemon.core.market.inputs_seen import widest_spread
from daemon.core.mode import Mode
from daemon.core.state import GuardState
from tests.simulation.virtual_loop import passing
from tests.simulation.world import Plan, World, play

SYMBOL = "XBTUSD"
LESSER = frozenset({"wallet", "insurance", "liquidation"})


def known(world: World) -> GuardState:
    """Return what the guard knows."""
    state = world.guard.state
    assert state is not None
    return state


def move_money(world: World, amount_sat: int) -> None:
    """Deposit, or withdraw if below 0."""
    world.venue.submit(Deposit(account=world.account, currency="XBt", amount=amount_sat))


def test_money_moved_while_the_guard_is_dead_is_known_after_its_start() -> None:
    """P7: a deposit before, a withdrawal during and a deposit after a crash add up; equity agrees with the wallet."""

    async def script(world: World) -> None:
        await passing(6)
        before = known(world).wallets["XBt"].transfers_sat
        assert before is not None
        world.bot.open(SYMBOL, side=1, leverage=10)
        move_money(world, 50_000)
        await passing(5)
        assert known(world).wallets["XBt"].transfers_sat == before + 50_000
        world.guard.strike()
        await world.guard.wait_dead()
        move_money(world, -20_000)
        await passing(2)
        world.guard.start()
        await passing(10)
        move_money(world, 1_000)
        await passing(5)
        state = known(world)
        assert state.wallets["XBt"].transfers_sat == before + 31_000
        assert state.margins["XBt"].amount_sat == state.wallets["XBt"].amount_sat
        assert state.missing_topics == {}

    report = play(Plan(seed=81, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_silent_lesser_topics_leave_the_guard_seeing() -> None:
    """P2, P12: the venue never answers for any of them: each is named as missing, and every position is covered."""

    async def script(world: World) -> None:
        await passing(2)
        world.guard.line.weather.silent_feeds = LESSER
        world.network.hang_up(world.guard.name)
        await passing(8)
        assert known(world).mode is Mode.GUARDING
        world.bot.open(SYMBOL, side=1, leverage=10)
        await passing(20)
        assert known(world).mode is Mode.GUARDING
        assert set(known(world).missing_topics) == LESSER
        assert world.promises.our_stops((world.account, SYMBOL))
        assert not known(world).degraded
        world.guard.line.weather.silent_feeds = frozenset()
        world.network.hang_up(world.guard.name)
        await passing(10)
        assert known(world).missing_topics == {}

    report = play(Plan(seed=82, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_spreads_are_sampled_while_a_position_is_held() -> None:
    """A minute of samples of what is held, and none of what is not."""

    async def script(world: World) -> None:
        await passing(5)
        world.bot.open(SYMBOL, side=1, leverage=10)
        await passing(90)
        state = known(world)
        assert set(state.spreads) == {SYMBOL}
        samples = [each.at_ns for each in state.spreads[SYMBOL]]
        assert len(samples) >= 6
        assert all(later - earlier >= 10**10 for earlier, later in pairwise(samples))
        spread = widest_spread(state, SYMBOL)
        assert spread is not None
        assert spread > 0

    report = play(Plan(seed=83, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)
