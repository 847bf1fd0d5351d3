"""What becomes of connections, and of frames on their way to the guard."""

from __future__ import annotations

from random import Random

from tests.simulation.guard_life import SimGuard
from tests.simulation.scene import Scene
from tests.simulation.troubles.trouble import Trouble, some_s
from tests.simulation.virtual_loop import passing

SILENCEABLE = ("private", "public", "order", "position", "execution", "margin", "wallet")


async def hang_up(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Connections break, a few times in a row."""
    for _ in range(random.randint(1, 4)):
        if scene.network.sockets.get(guard.name):
            scene.hit("hang up")
        scene.network.hang_up(guard.name)
        await passing(some_s(random, 0.1, 5))


async def silence(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Frames of one table, or one stream, are swallowed while the connection lives."""
    guard.line.weather.silent_feeds = frozenset({random.choice(SILENCEABLE)})
    scene.hit("silence")
    try:
        await passing(some_s(random, 1, 40))
    finally:
        guard.line.weather.silent_feeds = frozenset()
        scene.network.hang_up(guard.name)


async def repeated_frames(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Private frames arrive twice."""
    guard.line.weather.repeat_frames = random.uniform(0.1, 0.9)
    scene.hit("repeated frames")
    try:
        await passing(some_s(random, 5, 40))
    finally:
        guard.line.weather.repeat_frames = 0.0


STREAMS = (
    Trouble(name="hang up", listed="", cast=hang_up),
    Trouble(name="silence", listed="half-open and mute with pongs", cast=silence),
    Trouble(name="repeated frames", listed="", cast=repeated_frames),
)
