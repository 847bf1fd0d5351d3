"""What becomes of requests on their way to the exchange and back.

Most rows are spells (`faults.Blight`): for a while a share of the requests meets one of a few fates. Several spells may
lie on a line at once. A hit is counted where the fate is met: when an answer is thrown away, when a request that its
sender gave up is carried out, when a second answer is read as another request's.

Units: seconds of virtual time.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tests.simulation.faults import EVERY_VERB, WRITES, Blight, RequestFate, Weather
from tests.simulation.guard_life import SimGuard
from tests.simulation.scene import Scene
from tests.simulation.troubles.board import trade_something
from tests.simulation.troubles.staging import board_fault
from tests.simulation.troubles.trouble import Cast, Trouble, either_sign, some_s
from tests.simulation.virtual_loop import passing

BAD_REQUESTS = {
    RequestFate.LOST: 0.12,
    RequestFate.REPLY_LOST: 0.1,
    RequestFate.REPLY_SILENT: 0.08,
    RequestFate.REPLY_TORN: 0.05,
    RequestFate.DELAYED: 0.1,
    RequestFate.TWICE: 0.05,
    RequestFate.OVERLOADED: 0.1,
    RequestFate.OVERLOADED_DONE: 0.05,
    RequestFate.GATEWAY: 0.05,
    RequestFate.UNREACHABLE: 0.08,
    RequestFate.BROKEN: 0.05,
    RequestFate.REFUSED: 0.05,
}
NEW_OR_AMENDED = frozenset({"POST", "PUT"})
"""What overload sheds; cancels and reads pass."""
_ABOUT_WRITES = frozenset({RequestFate.REFUSED, RequestFate.BROKEN})
_FINE = Weather()
_TOLD_PAUSE_S = 8.0
"""The longest that a 429 of `answers.CANNED` asks for."""
BAN_PAUSE_S = 130.0
"""A client that was banned looks after the end of the ban once in two minutes."""


def spell(
    name: str,
    fates: Sequence[RequestFate],
    *,
    verbs: frozenset[str] = EVERY_VERB,
    late_s: tuple[float, float] = (0.5, 9.0),
    lasting_s: tuple[float, float] = (3.0, 60.0),
    after_s: float = 0.0,
) -> Cast:
    """Return what lays a spell on a guard's line: a share of its requests meets one of these fates."""

    async def cast(scene: Scene, guard: SimGuard, random: Random) -> None:
        share = random.choice((0.3, 0.6, 1.0, 1.0)) / len(fates)
        blight = Blight(
            fates=dict.fromkeys(fates, share),
            random=Random(random.getrandbits(48)),  # noqa: S311 - drawn from the item's seed
            on_bite=lambda _: scene.hit(name),
            verbs=verbs,
            late_s=late_s,
        )
        with guard.line.blighted(blight):
            trade_something(scene, random)
            await passing(some_s(random, *lasting_s))
        await passing(after_s)

    return cast


async def bad_requests(scene: Scene, guard: SimGuard, random: Random) -> None:
    """A good part of the requests goes wrong in one way or another."""
    chosen = random.sample(sorted(BAD_REQUESTS, key=lambda fate: fate.value), random.randint(1, len(BAD_REQUESTS)))
    grown = random.choice((1.0, 2.0, 4.0))
    own = Random(random.getrandbits(48))  # noqa: S311 - drawn from the item's seed
    any_verb = {fate: BAD_REQUESTS[fate] * grown for fate in chosen if fate not in _ABOUT_WRITES}
    of_writes = {fate: BAD_REQUESTS[fate] * grown for fate in chosen if fate in _ABOUT_WRITES}
    tell = lambda _: scene.hit("bad requests")  # noqa: E731 - twice the same few words otherwise
    with (
        guard.line.blighted(Blight(fates=any_verb, random=own, on_bite=tell)),
        guard.line.blighted(Blight(fates=of_writes, random=own, on_bite=tell, verbs=WRITES)),
    ):
        await passing(some_s(random, 3, 60))


async def slow(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Everything takes its time."""
    weather = guard.line.weather
    weather.latency_s = (0.1, some_s(random, 0.2, 3))
    weather.stream_latency_s = (0.05, some_s(random, 0.1, 4))
    before = sum(guard.line.statuses.values())
    try:
        await passing(some_s(random, 5, 60))
    finally:
        guard.line.weather.latency_s, guard.line.weather.stream_latency_s = _FINE.latency_s, _FINE.stream_latency_s
        if sum(guard.line.statuses.values()) > before:
            scene.hit("slow")


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


async def ban(scene: Scene, guard: SimGuard, random: Random) -> None:
    """The venue refuses the guard's address: every request and hand-shake gets a 403 page, open sockets end."""
    address, limits = f"address of {guard.name}", scene.venue.limits
    before = guard.line.statuses[403]
    lasting_s = some_s(random, 20, 60)
    scene.hold_until(lasting_s + BAN_PAUSE_S)
    limits.ban(address, until_ms=scene.venue.clock() + int(lasting_s * 1_000))
    if random.random() < 0.8:
        scene.venue.hub.hang_up(address)
    try:
        await passing(lasting_s + BAN_PAUSE_S)
    finally:
        limits.ban(address, until_ms=scene.venue.clock())
        for _ in range(guard.line.statuses[403] - before):
            scene.hit("ban")


async def expired_signatures(scene: Scene, guard: SimGuard, random: Random) -> None:
    """The clock jumps far enough for signatures to be expired when they arrive, while slow requests are under way."""
    before = guard.line.statuses[401]
    guard.line.weather.latency_s = (0.3, 2.0)
    await passing(random.uniform(0.0, 5.0))
    guard.clock.set_off(-int(some_s(random, 10, 120) * 1e9))
    try:
        await passing(some_s(random, 2, 40))
    finally:
        guard.clock.set_off(0)
        guard.line.weather.latency_s = _FINE.latency_s
        for _ in range(guard.line.statuses[401] - before):
            scene.hit("expired signatures")


async def clock_of_the_venue(scene: Scene, guard: SimGuard, random: Random) -> None:
    """A front-end of the venue has a clock that is off: signatures made in time are expired for it, or far ahead."""
    before = guard.line.statuses[401]
    try:
        with board_fault(scene, "clock-skewed", seconds=either_sign(random) * random.randint(3, 120)):
            await passing(some_s(random, 3, 60))
    finally:
        for _ in range(guard.line.statuses[401] - before):
            scene.hit("clock of the venue")


_F = RequestFate
REQUESTS = (
    Trouble(name="bad requests", listed="", cast=bad_requests, weight=2),
    Trouble(name="slow", listed="", cast=slow),
    Trouble(name="down", listed="", cast=down),
    Trouble(
        name="request lost",
        listed="request lost before it took effect",
        cast=spell("request lost", (_F.LOST, _F.RESET)),
    ),
    Trouble(
        name="answer broken off",
        listed="request lost after it took effect",
        cast=spell("answer broken off", (_F.REPLY_LOST,)),
    ),
    Trouble(name="answer lost", listed="reply lost", cast=spell("answer lost", (_F.REPLY_SILENT,))),
    Trouble(name="answer late", listed="reply late", cast=spell("answer late", (_F.REPLY_LATE,), late_s=(1.0, 12.0))),
    Trouble(
        name="answer twice",
        listed="reply duplicated",
        cast=spell("answer twice", (_F.ECHOED,)),
    ),
    Trouble(name="request twice", listed="reply duplicated", cast=spell("request twice", (_F.TWICE,), verbs=WRITES)),
    Trouble(
        name="late arrival",
        listed="",
        cast=spell("late arrival", (_F.DELAYED,), verbs=WRITES, late_s=(5.1, 9.9), after_s=10.0),
    ),
    Trouble(
        name="answer cut",
        listed="socket closed at any byte",
        cast=spell("answer cut", (_F.REPLY_TORN, _F.REPLY_SHORT)),
    ),
    Trouble(name="answer garbled", listed="", cast=spell("answer garbled", (_F.REPLY_GARBLED,))),
    Trouble(
        name="503 carried out",
        listed="503 that was executed",
        cast=spell("503 carried out", (_F.OVERLOADED_DONE, _F.GATEWAY_DONE), verbs=NEW_OR_AMENDED),
    ),
    Trouble(
        name="503 not carried out",
        listed="503 that was not executed",
        cast=spell("503 not carried out", (_F.OVERLOADED, _F.GATEWAY), verbs=NEW_OR_AMENDED),
    ),
    Trouble(name="500", listed="", cast=spell("500", (_F.BROKEN,), verbs=WRITES)),
    Trouble(
        name="429 with a pause",
        listed="429 with Retry-After",
        cast=spell("429 with a pause", (_F.LIMITED,), lasting_s=(3.0, 20.0), after_s=_TOLD_PAUSE_S),
    ),
    Trouble(
        name="429 without a word",
        listed="429 without Retry-After",
        cast=spell("429 without a word", (_F.LIMITED_BARE,), lasting_s=(3.0, 30.0), after_s=2.0),
    ),
    Trouble(name="ban", listed="403 ban", cast=ban),
    Trouble(name="expired signatures", listed="expired signature", cast=expired_signatures),
    Trouble(name="clock of the venue", listed="expired signature", cast=clock_of_the_venue),
)
