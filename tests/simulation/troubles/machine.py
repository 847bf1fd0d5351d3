"""What happens to the machine the guard runs on: its clock, its processor, its disk, its process."""

from __future__ import annotations

from random import Random

from tests.simulation.guard_life import SimGuard
from tests.simulation.scene import Scene
from tests.simulation.troubles.trouble import Trouble, either_sign, some_s
from tests.simulation.virtual_loop import passing


async def clock_skew(scene: Scene, guard: SimGuard, random: Random) -> None:
    """The machine's clock is wrong for a while."""
    guard.clock.set_off(int(either_sign(random) * some_s(random, 0.5, 30) * 1e9))
    scene.hit("clock skew")
    try:
        await passing(some_s(random, 5, 150))
    finally:
        guard.clock.set_off(0)


async def stall(scene: Scene, guard: SimGuard, random: Random) -> None:
    """The process stands still; everything it should have done is late."""
    guard.loop.stall(some_s(random, 0.2, 8))
    scene.hit("stall")
    await passing(some_s(random, 0.5, 2))


async def full_disk(scene: Scene, guard: SimGuard, random: Random) -> None:
    """The journal cannot be written."""
    guard.disk.problem = "no space left on device"
    scene.hit("full disk")
    try:
        await passing(some_s(random, 2, 30))
    finally:
        guard.disk.problem = None


async def kill(scene: Scene, guard: SimGuard, random: Random) -> None:
    """`kill -9`, and a restart some time later, with or without what was not yet on disk."""
    if guard.is_alive:
        guard.strike()
        scene.hit("kill")
        await _bury_and_restart(scene, guard, random)


async def kill_in_a_decision(scene: Scene, guard: SimGuard, random: Random) -> None:
    """`kill -9` between two records of the journal."""
    life, struck = guard.lives, False
    left = random.randint(1, 60)

    def count() -> None:
        nonlocal left, struck
        left -= 1
        if left == 0:
            guard.strike()
            scene.hit("kill in a decision")
            struck = True

    guard.disk.on_submit = count
    try:
        for _ in range(60):
            await passing(0.5)
            if struck or guard.lives != life:
                break
    finally:
        if guard.disk.on_submit is count:
            guard.disk.on_submit = lambda: None
    if struck and guard.lives == life:
        await _bury_and_restart(scene, guard, random)


async def _bury_and_restart(scene: Scene, guard: SimGuard, random: Random) -> None:
    await guard.wait_dead()
    lost = guard.disk.lose_newest(random.choice((0.0, 0.003, 0.02, 1.0)), torn_bytes=random.choice((0, 7, 90)))
    if random.random() < 0.2:
        guard.disk.wipe()
        lost = 1
    scene.promises.forget(guard, is_memory_lost=lost > 0)
    await passing(some_s(random, 0.2, 30))
    guard.start()


MACHINE = (
    Trouble(name="clock skew", listed="clock off by seconds", cast=clock_skew),
    Trouble(name="stall", listed="", cast=stall),
    Trouble(name="full disk", listed="disk full", cast=full_disk),
    Trouble(name="kill", listed="", cast=kill, weight=2),
    Trouble(
        name="kill in a decision",
        listed="process killed between any two steps",
        cast=kill_in_a_decision,
        weight=2,
    ),
)
