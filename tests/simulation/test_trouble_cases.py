"""What troubles of market, venue, bots and machine brought to light, each told as short as it can be."""

from __future__ import annotations

from decimal import Decimal
from math import inf

import pytest

from config.bots import OnSilence
from config.modes import RuleMode
from config.policy import MaxLossPolicy, Policy, StopPolicy
from connectors.simulated.engine.switches import ClientIdReuse, Switches
from daemon.core.operator_requests import FlattenAsked
from tests.simulation.bot import BOTS_PREFIX
from tests.simulation.heartbeats import ANSWERED_WITHIN_S, EVERY_S, SILENT_AFTER_S, maker
from tests.simulation.promises import WHOLE_AGAIN_S
from tests.simulation.troubles.staging import board_fault, move_past_stop
from tests.simulation.virtual_loop import passing
from tests.simulation.world import Plan, World, play

SYMBOL = "XBTUSDT"


def test_a_position_that_waits_for_its_next_close_has_a_stop() -> None:
    """P2: opened for the eighth time under a flatten, through its maximum loss at once, it waits 32 s for the close."""

    async def script(world: World) -> None:
        await passing(5)
        world.guard.ask(FlattenAsked())
        for _ in range(8):
            world.bot.open(SYMBOL, side=1, leverage=50)
            await passing(0.2)
            await world.until(lambda: not world.promises.size((world.account, SYMBOL)), within_s=60)
        world.bot.open(SYMBOL, side=1, leverage=50)
        await passing(WHOLE_AGAIN_S)
        assert world.promises.size((world.account, SYMBOL)) > 0, "closed before anything could be seen"
        world.promises.audit(is_strict=True)
        assert len(world.promises.our_stops((world.account, SYMBOL))) == 1

    rule = MaxLossPolicy(mode=RuleMode.ON, equity_percent=Decimal("0.01"), slippage_percent=Decimal("0.1"))
    plan = Plan(seed=91, troubles=0, act_every_s=inf, policy=Policy(stop=StopPolicy(max_loss=rule)))
    report = play(plan, script)
    assert not report.violations, str(report)


def test_a_stop_that_the_venue_cancels_for_ever_is_a_few_messages() -> None:
    """P2, P10: put back each time, for two minutes; people hear of it at the first, second, fourth ... time."""

    async def script(world: World) -> None:
        await passing(5)
        world.bot.open(SYMBOL, side=1, leverage=10)
        await passing(5)
        with (
            world.scene.hindered(),
            board_fault(world.scene, "stop-cancelled", after_ms=2_000, text="Canceled: Canceled by the venue"),
        ):
            placed = world.promises.counts["PlaceStop"]
            await passing(120)
        assert world.promises.counts["PlaceStop"] - placed > 20, "it was not put back each time"
        assert 3 <= world.told("cover").count("vanished") <= 8
        assert world.told("degraded").count("uncovered") <= 6
        await passing(WHOLE_AGAIN_S)
        world.promises.audit(is_strict=True)

    report = play(Plan(seed=92, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_a_guard_without_a_journal_uses_no_id_a_second_time() -> None:
    """P4: a venue that forgets finished orders, a stop that fired, and a start without memory beside a new position."""

    async def script(world: World) -> None:
        key = (world.account, SYMBOL)
        await passing(5)
        world.bot.open(SYMBOL, side=1, leverage=10)
        await passing(5)
        used = {str(row["clOrdID"]) for row in world.promises.our_stops(key)}
        assert move_past_stop(world.scene, SYMBOL)
        await world.until(lambda: not world.promises.size(key), within_s=10)
        world.guard.strike()
        await world.guard.wait_dead()
        world.guard.disk.wipe()
        world.promises.forget(world.guard, is_memory_lost=True)
        world.bot.open(SYMBOL, side=1, leverage=10)
        world.guard.start()
        await passing(WHOLE_AGAIN_S)
        world.promises.audit(is_strict=True)
        assert used
        assert not used & {str(row["clOrdID"]) for row in world.promises.our_stops(key)}

    switches = Switches(client_id_reuse=ClientIdReuse.WHEN_CLOSED)
    report = play(Plan(seed=93, troubles=0, act_every_s=inf, switches=switches), script)
    assert not report.violations, str(report)


@pytest.mark.parametrize("on_silence", [OnSilence.CANCEL, OnSilence.ALERT], ids=lambda each: each.value)
def test_of_a_bot_that_died_nothing_rests_that_may_add(on_silence: OnSilence) -> None:
    """P6: its quotes go by id where the settings say so, and stay where people are only told; its stop stays anyway."""

    async def script(world: World) -> None:
        await passing(5)
        world.bot.open(SYMBOL, side=1, leverage=5)
        world.bot.quote("ETHUSD")
        world.bot.place_stop(SYMBOL)
        await passing(10)
        assert world.bot.quotes(), "cancelled while it lived"
        world.bot.is_dead = True
        await passing(SILENT_AFTER_S + EVERY_S + ANSWERED_WITHIN_S)
        assert bool(world.bot.quotes()) == (on_silence is OnSilence.ALERT)
        stops = [row for row in world.promises.orders.values() if str(row["clOrdID"]).startswith(BOTS_PREFIX)]
        assert any(row["ordType"] == "Stop" for row in stops)

    policy = Policy(bots=maker(on_silence=on_silence, must_be_alive=False))
    report = play(Plan(seed=94, troubles=0, act_every_s=inf, policy=policy), script)
    assert not report.violations, str(report)
