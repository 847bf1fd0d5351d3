"""The dead man's switch of a guard that cannot see: the selective thing first, the countdown where nothing works."""

from __future__ import annotations

from math import inf

from daemon.core.mode import Mode
from tests.simulation.promises import OURS, WHOLE_AGAIN_S
from tests.simulation.virtual_loop import passing
from tests.simulation.world import Plan, World, play

SYMBOL = "XBTUSD"


async def _quoting(world: World) -> None:
    """A covered position, a bot's order elsewhere, the switch armed and fed."""
    await passing(5)
    world.bot._work("ETHUSD", 0)
    world.bot.open(SYMBOL, side=1, leverage=10)
    await passing(20)
    assert len(world.promises.our_stops((world.account, SYMBOL))) == 1
    assert _quotes(world)
    assert world.venue.exchange.next_timer_ms() is not None
    world.promises.quiet_since_s = inf


def _quotes(world: World) -> list[str]:
    return [order_id for order_id, row in world.promises.orders.items() if not str(row["clOrdID"]).startswith(OURS)]


async def _guarding_again(world: World) -> None:
    world.heal()
    await world.until(
        lambda: (
            world.guard.state is not None
            and world.guard.state.mode is Mode.GUARDING
            and bool(world.promises.our_stops((world.account, SYMBOL)))
        ),
        within_s=30,
    )
    await passing(WHOLE_AGAIN_S)
    world.promises.audit(is_strict=True)


def test_without_streams_the_quote_goes_by_id_and_the_stop_outlives_the_countdown() -> None:
    """P1, P6: streams down, requests answered: past the time-out the stop rests and the bot's order is gone."""

    async def script(world: World) -> None:
        await _quoting(world)
        before = {str(row["orderID"]) for row in world.promises.our_stops((world.account, SYMBOL))}
        world.guard.line.weather.are_streams_down = True
        world.network.hang_up(world.guard.name)
        await passing(120)
        assert {str(row["orderID"]) for row in world.promises.our_stops((world.account, SYMBOL))} == before
        assert not _quotes(world)
        assert [state for state in world.told("switch") if state in {"clearing", "cleared", "expired"}] == [
            "clearing",
            "cleared",
        ]
        await _guarding_again(world)

    report = play(Plan(seed=61, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_without_any_connection_the_countdown_fires_and_the_stop_is_put_back() -> None:
    """P2, P6: nothing gets through: the venue cancels everything, and the guard covers again as soon as it can."""

    async def script(world: World) -> None:
        await _quoting(world)
        world.guard.line.weather.is_down = True
        world.network.hang_up(world.guard.name)
        await passing(90)
        assert not world.promises.our_stops((world.account, SYMBOL))
        assert not _quotes(world)
        assert "clearing" not in world.told("switch")
        assert "expired" in world.told("switch")
        await _guarding_again(world)

    report = play(Plan(seed=62, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)
