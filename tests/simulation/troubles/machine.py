"""What happens to the machine the guard runs on: its clock, its processor, its disk, its process."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.simulation.guard_life import SimGuard
from tests.simulation.scene import Scene
from tests.simulation.troubles.staging import some_position
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


async def clock_jumps(scene: Scene, guard: SimGuard, random: Random) -> None:
    """The machine's clock is set again and again, forward and back."""
    try:
        for _ in range(random.randint(2, 8)):
            before = guard.clock.offset_ns
            guard.clock.set_off(int(either_sign(random) * some_s(random, 0.05, 900) * 1e9))
            if guard.clock.offset_ns != before and guard.is_alive:
                scene.hit("clock jumps")
            await passing(some_s(random, 0.2, 15))
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


async def slow_disk(scene: Scene, guard: SimGuard, random: Random) -> None:
    """The disk takes nothing for a while; what waits may overflow, and a process that dies meanwhile loses it."""
    life = guard.lives
    guard.disk.hang(room_bytes=random.choice((None, 3_000, 30_000)))
    try:
        await passing(1.5)
        if guard.disk.is_waiting:
            scene.hit("slow disk")
        await passing(some_s(random, 0.5, 40))
        if random.random() < 0.5 and guard.is_alive and guard.lives == life:
            guard.strike()
            await _bury_and_restart(scene, guard, random)
    finally:
        guard.disk.go_on()


async def torn_journal(scene: Scene, guard: SimGuard, random: Random) -> None:
    """`kill -9` or a power cut, and the journal ends at any byte: in a record, in a checkpoint, in an older segment."""
    if not guard.is_alive:
        return
    guard.strike()
    await guard.wait_dead()
    lost = guard.disk.lose_waiting() + guard.disk.cut(
        random.choice((random.randint(1, 400), random.randint(1, 20_000)))
    )
    if lost:
        scene.hit("torn journal")
    scene.promises.forget(guard, is_memory_lost=lost > 0)
    await passing(some_s(random, 0.2, 20))
    guard.start()


async def kill(scene: Scene, guard: SimGuard, random: Random) -> None:
    """`kill -9`, and a restart some time later, with or without what was not yet on disk."""
    if guard.is_alive:
        guard.strike()
        scene.hit("kill")
        await _bury_and_restart(scene, guard, random)


async def kill_in_a_decision(scene: Scene, guard: SimGuard, random: Random) -> None:
    """`kill -9` between two records of the journal."""
    left = random.randint(1, 60)

    def count() -> bool:
        nonlocal left
        left -= 1
        return left == 0

    def arm(strike: Callable[[], None]) -> Callable[[], None]:
        def look() -> None:
            if count():
                strike()

        guard.disk.on_submit = look
        return lambda: _take_off(guard, look)

    await _kill_at(scene, guard, random, "kill in a decision", arm)


def _take_off(guard: SimGuard, look: Callable[[], None]) -> None:
    if guard.disk.on_submit is look:
        guard.disk.on_submit = lambda: None


async def kill_at_a_turn(scene: Scene, guard: SimGuard, random: Random) -> None:
    """`kill -9` between any two turns of the loop, while there is something to do: a position has just been opened."""
    left = random.choice((random.randint(1, 40), random.randint(1, 600)))

    def arm(strike: Callable[[], None]) -> Callable[[], None]:
        def look() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                strike()

        scene.loop.turn_watchers.append(look)
        return lambda: scene.loop.turn_watchers.remove(look)

    scene.bot.drawing(random).disturb_account()
    await _kill_at(scene, guard, random, "kill at a turn", arm)


async def _kill_at(
    scene: Scene,
    guard: SimGuard,
    random: Random,
    name: str,
    arm: Callable[[Callable[[], None]], Callable[[], None]],
) -> None:
    """Wait until the moment has come that `arm` looks for, at most half a minute, then bury and start again."""
    life, struck = guard.lives, False

    def strike() -> None:
        nonlocal struck
        if guard.is_alive and guard.lives == life:
            guard.strike()
            scene.hit(name)
            struck = True

    disarm = arm(strike)
    try:
        for _ in range(60):
            await passing(0.5)
            if struck or guard.lives != life:
                break
    finally:
        disarm()
    if struck and guard.lives == life:
        await _bury_and_restart(scene, guard, random)


async def _bury_and_restart(scene: Scene, guard: SimGuard, random: Random) -> None:
    await guard.wait_dead()
    lost = guard.disk.lose_waiting()
    lost += guard.disk.lose_newest(random.choice((0.0, 0.003, 0.02, 1.0)), torn_bytes=random.choice((0, 7, 90)))
    if random.random() < 0.2:
        guard.disk.wipe()
        lost = 1
    scene.promises.forget(guard, is_memory_lost=lost > 0)
    await passing(some_s(random, 0.2, 30))
    guard.start()


async def second_guard(scene: Scene, guard: SimGuard, random: Random) -> None:
    """A second guard on the same account goes away and comes back, while there is something to protect."""
    if len(scene.guards) < 2:
        return
    await some_position(scene, random)
    if not guard.is_alive:
        return
    life = guard.lives
    guard.strike()
    await guard.wait_dead()
    scene.promises.forget(guard, is_memory_lost=guard.disk.lose_waiting() > 0)
    await passing(some_s(random, 0.5, 15))
    if guard.lives == life:
        guard.start()
    await passing(some_s(random, 3, 10))
    if sum(each.is_alive and each.state is not None for each in scene.guards) > 1:
        scene.hit("second guard")


MACHINE = (
    Trouble(name="clock skew", listed="clock off by seconds", cast=clock_skew),
    Trouble(name="clock jumps", listed="clock jumping", cast=clock_jumps),
    Trouble(name="stall", listed="", cast=stall),
    Trouble(name="full disk", listed="disk full", cast=full_disk),
    Trouble(name="slow disk", listed="disk slow", cast=slow_disk),
    Trouble(name="torn journal", listed="journal torn at any byte", cast=torn_journal),
    Trouble(name="kill", listed="", cast=kill, weight=2),
    Trouble(
        name="kill in a decision",
        listed="process killed between any two steps",
        cast=kill_in_a_decision,
        weight=2,
    ),
    Trouble(name="kill at a turn", listed="process killed between any two steps", cast=kill_at_a_turn),
    Trouble(name="second guard", listed="a second guard on the same account", cast=second_guard),
)
