"""Freeze and flatten in whole worlds: among faults, killed in the middle, against a bot that never stops."""

from __future__ import annotations

from decimal import Decimal
from math import inf

import pytest

from connectors.simulated.engine.inputs import PlaceOrder
from connectors.simulated.engine.refusals import Refused
from daemon.core.operator_requests import FlattenAsked, FreezeAsked
from tests.simulation.faults import RequestFate
from tests.simulation.promises import OURS
from tests.simulation.virtual_loop import passing
from tests.simulation.world import Plan, World, play

SYMBOL = "XBTUSD"


def others(world: World) -> list[str]:
    """Open orders that are not the guard's."""
    return [order_id for order_id, row in world.promises.orders.items() if not str(row["clOrdID"]).startswith(OURS)]


def held(world: World) -> list[str]:
    """Symbols with an open position."""
    return [symbol for symbol in ("XBTUSD", "ETHUSD", "XBTUSDT") if world.promises.size((world.account, symbol))]


def is_proved(world: World) -> bool:
    """Whether the guard knows, by its own standard, that all is flat."""
    state = world.guard.state
    return state is not None and any(latch.proven_ns for latch in state.latches.values())


async def _trading(world: World) -> None:
    """Two covered positions, quotes, and a stop of the bot's own."""
    await passing(5)
    world.bot.open(SYMBOL, side=1, leverage=10)
    world.bot.open("ETHUSD", side=-1, leverage=0, share=0.05)
    for _ in range(6):
        world.bot._work("XBTUSDT", 0)
    world.bot._place_stop(SYMBOL, world.promises.size((world.account, SYMBOL)))
    await passing(10)
    assert len(held(world)) == 2
    world.promises.quiet_since_s = inf


async def _to_the_end(world: World, within_s: float) -> None:
    """Everything is closed, proved, and the stops are gone, ours and the bot's."""
    await world.until(lambda: is_proved(world) and not world.promises.orders, within_s=within_s)
    assert not held(world)


def test_flatten_closes_everything_and_takes_the_stops_last() -> None:
    """P1: two positions, quotes and stops: closed within seconds; our stops outlive every position."""

    async def script(world: World) -> None:
        await _trading(world)
        world.guard.ask(FlattenAsked())
        while held(world):
            covered = {str(row["symbol"]) for row in world.promises.orders.values() if str(row["clOrdID"])[:3] == OURS}
            assert set(held(world)) <= covered, "a stop went before its position"
            await passing(0.02)
        await _to_the_end(world, 15)
        assert "flat" in world.told("latch")

    report = play(Plan(seed=71, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


@pytest.mark.parametrize(
    "fates",
    [
        {RequestFate.OVERLOADED: 1.0},
        {RequestFate.REPLY_LOST: 0.5, RequestFate.BROKEN: 0.3},
        {RequestFate.LOST: 0.3, RequestFate.DELAYED: 0.5},
        {RequestFate.REFUSED: 0.8},
    ],
    ids=["503", "reply lost", "late", "refused"],
)
def test_flatten_comes_to_the_same_end_whatever_happens_to_requests(fates: dict[RequestFate, float]) -> None:
    """P5: half a minute of a bad line in the middle; nothing is done twice, and the end is the same."""

    async def script(world: World) -> None:
        await _trading(world)
        world.guard.line.weather.request_fates = fates
        world.guard.ask(FlattenAsked())
        await passing(45)
        world.guard.line.weather.request_fates = {}
        await _to_the_end(world, 60)

    report = play(Plan(seed=72, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_flatten_goes_on_while_the_account_stream_is_down() -> None:
    """P12: positions known by reads alone are closed; the proof waits for the stream, and so do the stops."""

    async def script(world: World) -> None:
        await _trading(world)
        world.guard.line.weather.are_streams_down = True
        world.network.hang_up(world.guard.name)
        await passing(2)
        world.guard.ask(FlattenAsked())
        await world.until(lambda: not held(world), within_s=60)
        await passing(60)
        assert not is_proved(world)
        world.guard.line.weather.are_streams_down = False
        await _to_the_end(world, 60)

    report = play(Plan(seed=73, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


@pytest.mark.timeout(120)
def test_a_kill_at_any_record_of_a_flatten_comes_to_the_same_end() -> None:
    """P7, P9: killed at each journal record after the request, restarted after two seconds: flat, proved, latched."""
    found: list[int] = []

    async def count(world: World) -> None:
        await _trading(world)
        before = world.guard.disk.submitted
        world.guard.ask(FlattenAsked())
        await _to_the_end(world, 30)
        found.extend(range(before + 2, world.guard.disk.submitted))

    play(Plan(seed=74, troubles=0, act_every_s=inf), count)
    assert len(found) > 30
    for boundary in found[:: max(1, len(found) // 14)]:

        async def script(world: World, at: int = boundary) -> None:
            guard = world.guard
            await _trading(world)
            guard.disk.on_submit = lambda: guard.strike() if guard.disk.submitted == at and guard.lives == 1 else None
            guard.ask(FlattenAsked())
            is_over = lambda: not guard.is_alive or (is_proved(world) and not world.promises.orders)  # noqa: E731
            await world.until(is_over, within_s=40)
            if not guard.is_alive:
                await guard.wait_dead()
                guard.disk.on_submit = lambda: None
                await passing(2)
                guard.start()
            await _to_the_end(world, 60)
            assert guard.state is not None
            assert "operator-flatten" in guard.state.latches

        report = play(Plan(seed=74, troubles=0, act_every_s=inf), script)
        assert not report.violations, f"killed at record {boundary}: {report}"


def test_a_bot_that_quotes_for_ever_is_answered_and_cannot_use_up_what_stops_need() -> None:
    """P8: five quotes a second for two minutes, frozen; then a position opens at the market, and is covered in time."""
    counted: dict[str, float] = {}

    async def script(world: World) -> None:
        await _trading(world)
        world.guard.ask(FreezeAsked())
        await passing(2)
        before = dict(world.promises.counts)
        for _ in range(600):
            _quote(world)
            await passing(0.2)
        counted["cancels a minute"] = (world.promises.counts["DELETE answered"] - before.get("DELETE answered", 0)) / 2
        counted["left at the end"] = len(others(world))
        world.bot.open("XBTUSDT", side=1, leverage=10)
        took_s = await world.until(lambda: bool(world.promises.our_stops((world.account, "XBTUSDT"))), within_s=10)
        counted["cover took"] = took_s
        await passing(5)
        assert not [
            each
            for each in others(world)
            if "ReduceOnly" not in str(world.promises.orders[each]["execInst"])
            and "Close" not in str(world.promises.orders[each]["execInst"])
        ]

    report = play(Plan(seed=75, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)
    assert counted["cancels a minute"] <= 37
    assert counted["cover took"] < 2


def _quote(world: World) -> None:
    """One small order below the market."""
    mark = world.venue.exchange._world.markets["XBTUSDT"].mark
    price = (mark * Decimal("0.97")).quantize(Decimal(1))
    order = PlaceOrder(
        account=world.account, symbol="XBTUSDT", side="Buy", order_qty=1_000, price=price, ord_type="Limit"
    )
    try:
        world.venue.submit(order)
    except Refused:
        world.log.append("refused")


def test_a_bot_that_reopens_under_the_latch_is_closed_again_and_again() -> None:
    """The latch stays: each new position goes, with pauses that grow, covered meanwhile."""

    async def script(world: World) -> None:
        await _trading(world)
        world.guard.ask(FlattenAsked())
        await _to_the_end(world, 30)
        for _ in range(4):
            world.bot.open(SYMBOL, side=1, leverage=10, share=0.05)
            await passing(1)
            await world.until(lambda: not held(world), within_s=30)
            await passing(3)
        assert world.told("latch").count("reopened") == 4
        await _to_the_end(world, 30)

    report = play(Plan(seed=76, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


@pytest.mark.parametrize("seed", range(4))
def test_flatten_among_random_trouble(seed: int) -> None:
    """P1, P5, P7: a bot that acts, faults one after another, then calm: flat, proved and latched."""

    async def script(world: World) -> None:
        await _trading(world)
        world.promises.quiet_since_s = 0.0
        world.promises.disturb()
        world.guard.ask(FlattenAsked())
        await world.trouble(90)
        for guard in world.guards:
            if guard.line.is_cut:
                await guard.wait_dead()
                world.promises.forget(guard, is_memory_lost=False)
        world.heal()
        state = world.guard.state
        if state is None or "operator-flatten" not in state.latches:
            world.guard.ask(FlattenAsked(), "r-2")  # its memory was taken away
        await world.until(lambda: is_proved(world) and not held(world), within_s=200)

    report = play(Plan(seed=80 + seed, act_every_s=15.0), script)
    assert not report.violations, str(report)
