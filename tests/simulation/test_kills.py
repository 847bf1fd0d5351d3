"""`kill -9` at every command boundary: the next process makes everything whole without an operator (P7).

Each kind of memory takes its turn at the boundaries; `SIM_KILLS=all` tries every kind at every one.
"""

from __future__ import annotations

import os
from math import inf

import pytest

from tests.simulation.promises import WHOLE_AGAIN_S
from tests.simulation.virtual_loop import passing
from tests.simulation.world import Plan, World, play

PLAN = Plan(seed=21, troubles=0, act_every_s=inf)
BUSY_S = 16.0


async def _busy(world: World) -> None:
    """A short life with everything in it: open, grow, turn round, work orders, lose the stop, close."""
    await passing(3)
    world.bot.open("XBTUSD", side=1, leverage=10)
    await passing(2)
    world.bot._grow("XBTUSD", world.promises.size((world.account, "XBTUSD")))
    world.bot._work("ETHUSD", 0)
    await passing(2)
    world.bot._cancel_guards("XBTUSD", 1)
    await passing(2)
    world.bot._flip("XBTUSD", world.promises.size((world.account, "XBTUSD")))
    await passing(3)
    world.bot.open("ETHUSD", side=-1, leverage=20)
    await passing(2)
    world.bot._close("XBTUSD", world.promises.size((world.account, "XBTUSD")))
    await passing(2)


def _boundaries() -> list[int]:
    """Counts of journal records after which a command for the venue has just been written, and just before it."""
    found: list[int] = []

    async def script(world: World) -> None:
        def note() -> None:
            name = world.guard.disk.newest().split(b'"name":"')[1].split(b'"')[0]
            if name in {b"PlaceStop", b"AmendStop", b"CancelOrder", b"FeedSwitch", b"DisarmSwitch", b"ReadPicture"}:
                found.extend((world.guard.disk.submitted - 1, world.guard.disk.submitted))

        world.guard.disk.on_submit = note
        await _busy(world)

    play(PLAN, script)
    return sorted({count for count in found if count > 1})


BOUNDARIES = _boundaries()
MEMORIES = ("whole", "torn", "lost")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("memory", MEMORIES)
def test_a_kill_at_any_command_boundary_leaves_nothing_undone(memory: str) -> None:
    """P7, P4, P9: killed right before or after a command was written, with the journal whole, torn or lost."""
    assert len(BOUNDARIES) > 10
    share = slice(None) if os.environ.get("SIM_KILLS") == "all" else slice(MEMORIES.index(memory), None, len(MEMORIES))
    for boundary in BOUNDARIES[share]:

        async def script(world: World, at: int = boundary) -> None:
            guard = world.guard
            guard.disk.on_submit = lambda: guard.strike() if guard.disk.submitted == at and guard.lives == 1 else None
            life = world.loop.create_task(_busy(world))
            await world.until(lambda: guard.line.is_cut, within_s=BUSY_S)
            await guard.wait_dead()
            match memory:
                case "torn":
                    guard.disk.lose_newest(0.01, torn_bytes=25)
                case "lost":
                    guard.disk.wipe()
                case _:
                    pass
            world.promises.forget(guard, is_memory_lost=memory != "whole")
            world.promises.disturb()
            await passing(0.7)
            guard.start()
            await life
            world.promises.disturb()
            await passing(WHOLE_AGAIN_S)
            world.promises.audit(is_strict=True)

        report = play(PLAN, script)
        assert not report.violations, f"killed at record {boundary}: {report}"


def test_a_killed_process_hears_nothing_when_its_successor_begins() -> None:
    """P7: a bot calls in the very turn in which the next process is started; the dead one writes no record of it."""

    async def script(world: World) -> None:
        await passing(3)
        guard = world.guard
        guard.strike()
        await guard.wait_dead()
        world.promises.forget(guard, is_memory_lost=False)
        before = guard.disk.submitted
        guard.start()
        guard.hear("maker")
        assert guard.disk.submitted == before
        await passing(5)

    report = play(PLAN, script)
    assert not report.violations, str(report)
