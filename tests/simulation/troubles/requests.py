"""What becomes of requests on their way to the exchange and back."""

from __future__ import annotations

from random import Random

from tests.simulation.faults import RequestFate, Weather
from tests.simulation.guard_life import SimGuard
from tests.simulation.scene import Scene
from tests.simulation.troubles.trouble import Trouble, some_s
from tests.simulation.virtual_loop import passing

BAD_REQUESTS = {
    RequestFate.LOST: 0.12,
    RequestFate.REPLY_LOST: 0.1,
    RequestFate.REPLY_SILENT: 0.08,
    RequestFate.DELAYED: 0.1,
    RequestFate.OVERLOADED: 0.1,
    RequestFate.UNREACHABLE: 0.08,
    RequestFate.BROKEN: 0.05,
    RequestFate.REFUSED: 0.05,
}
_FINE = Weather()


async def bad_requests(scene: Scene, guard: SimGuard, random: Random) -> None:
    """A good part of the requests goes wrong in one way or another."""
    chosen = random.sample(sorted(BAD_REQUESTS, key=lambda fate: fate.value), random.randint(1, 8))
    grown = random.choice((1.0, 2.0, 4.0))
    guard.line.weather.request_fates = {fate: BAD_REQUESTS[fate] * grown for fate in chosen}
    scene.hit("bad requests")
    try:
        await passing(some_s(random, 3, 60))
    finally:
        guard.line.weather.request_fates = {}


async def slow(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Everything takes its time."""
    weather = guard.line.weather
    weather.latency_s = (0.1, some_s(random, 0.2, 3))
    weather.stream_latency_s = (0.05, some_s(random, 0.1, 4))
    scene.hit("slow")
    try:
        await passing(some_s(random, 5, 60))
    finally:
        guard.line.weather.latency_s, guard.line.weather.stream_latency_s = _FINE.latency_s, _FINE.stream_latency_s


async def down(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Nothing gets through, and connections may or may not notice."""
    guard.line.weather.is_down = True
    guard.line.weather.silent_feeds = frozenset({"private", "public"})
    scene.hit("down")
    if random.random() < 0.5:
        scene.network.hang_up(guard.name)
    try:
        await passing(some_s(random, 1, 90))
    finally:
        guard.line.weather.is_down = False
        guard.line.weather.silent_feeds = frozenset()
        scene.network.hang_up(guard.name)


REQUESTS = (
    Trouble(name="bad requests", listed="", cast=bad_requests, weight=2),
    Trouble(name="slow", listed="reply late", cast=slow),
    Trouble(name="down", listed="", cast=down),
)
