"""Spells of trouble, drawn from a seed, one after another or two at a time.

Why: each kind of fault is harmless enough when everything else works. So they are drawn at random, for random times,
and while they last the promises that need a working world are only watched; when the last one ends they count again.

Units: seconds of virtual time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

from connectors.simulated.engine.inputs import CancelAllAfter
from connectors.simulated.server.venue import Venue
from tests.simulation.faults import RequestFate
from tests.simulation.guard_life import SimGuard
from tests.simulation.prices import PriceWalk
from tests.simulation.promises import Promises
from tests.simulation.streams import Network
from tests.simulation.virtual_loop import passing

Spell = Callable[[SimGuard], Awaitable[None]]
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


class Chaos:
    """Casts spells on guards."""

    def __init__(
        self, *, venue: Venue, network: Network, prices: PriceWalk, promises: Promises, random: Random, account: int
    ) -> None:
        self._venue = venue
        self._network = network
        self._prices = prices
        self._promises = promises
        self._random = random
        self._account = account
        self._lasting = 0
        self.cast: Counter[str] = Counter()
        self.spells: tuple[Spell, ...] = (
            self.bad_requests,
            self.bad_requests,
            self.slow,
            self.down,
            self.hang_up,
            self.silence,
            self.repeated_frames,
            self.jump,
            self.storm,
            self.clock_skew,
            self.stall,
            self.kill,
            self.kill,
            self.kill_in_a_decision,
            self.kill_in_a_decision,
            self.full_disk,
            self.foreign_switch,
            self.flood,
        )

    async def run(self, guards: list[SimGuard], *, pause_s: float) -> None:
        """Cast until cancelled."""
        while True:
            await passing(self._random.expovariate(1 / pause_s))
            await self.cast_one(self._random.choice(self.spells), self._random.choice(guards))

    async def cast_one(self, spell: Spell, guard: SimGuard) -> None:
        """Cast one spell and wait for its end."""
        self.cast[spell.__name__] += 1
        self._lasting += 1
        self._promises.quiet_since_s = math.inf
        try:
            await spell(guard)
        finally:
            self._lasting -= 1
            if not self._lasting:
                self._promises.quiet_since_s = 0.0
                self._promises.disturb()

    def _some_s(self, least: float, most: float) -> float:
        return math.exp(self._random.uniform(math.log(least), math.log(most)))

    # ------------------------------------------------------------ the network

    async def bad_requests(self, guard: SimGuard) -> None:
        """A good part of the requests goes wrong in one way or another."""
        chosen = self._random.sample(sorted(BAD_REQUESTS, key=lambda fate: fate.value), self._random.randint(1, 8))
        grown = self._random.choice((1.0, 2.0, 4.0))
        guard.line.weather.request_fates = {fate: BAD_REQUESTS[fate] * grown for fate in chosen}
        await passing(self._some_s(3, 60))
        guard.line.weather.request_fates = {}

    async def slow(self, guard: SimGuard) -> None:
        """Everything takes its time."""
        weather = guard.line.weather
        before = weather.latency_s, weather.stream_latency_s
        weather.latency_s, weather.stream_latency_s = (0.1, self._some_s(0.2, 3)), (0.05, self._some_s(0.1, 4))
        await passing(self._some_s(5, 60))
        weather.latency_s, weather.stream_latency_s = before

    async def down(self, guard: SimGuard) -> None:
        """Nothing gets through, and connections may or may not notice."""
        guard.line.weather.is_down = True
        guard.line.weather.silent_feeds = frozenset({"private", "public"})
        if self._random.random() < 0.5:
            self._network.hang_up(guard.name)
        await passing(self._some_s(1, 90))
        guard.line.weather.is_down = False
        guard.line.weather.silent_feeds = frozenset()
        self._network.hang_up(guard.name)

    async def hang_up(self, guard: SimGuard) -> None:
        """Connections break, a few times in a row."""
        for _ in range(self._random.randint(1, 4)):
            self._network.hang_up(guard.name)
            await passing(self._some_s(0.1, 5))

    async def silence(self, guard: SimGuard) -> None:
        """Frames of one table, or one stream, are swallowed while the connection lives."""
        silent = self._random.choice(("private", "public", "order", "position", "execution", "margin", "wallet"))
        guard.line.weather.silent_feeds = frozenset({silent})
        await passing(self._some_s(1, 40))
        guard.line.weather.silent_feeds = frozenset()
        self._network.hang_up(guard.name)

    async def repeated_frames(self, guard: SimGuard) -> None:
        """Private frames arrive twice."""
        guard.line.weather.repeat_frames = self._random.uniform(0.1, 0.9)
        await passing(self._some_s(5, 40))
        guard.line.weather.repeat_frames = 0.0

    # ------------------------------------------------------------ the market

    async def jump(self, guard: SimGuard) -> None:
        """The price is somewhere else at once."""
        self._prices.jump(self._random.choice((-1, 1)) * self._some_s(0.001, 0.03))
        await passing(self._some_s(1, 5))

    async def storm(self, guard: SimGuard) -> None:
        """Prices run."""
        before = self._prices.volatility
        self._prices.volatility = before * self._random.choice((3, 6, 10))
        await passing(self._some_s(5, 40))
        self._prices.volatility = before

    # ------------------------------------------------------------ the machine

    async def clock_skew(self, guard: SimGuard) -> None:
        """The machine's clock is wrong for a while."""
        guard.clock.set_off(int(self._random.choice((-1, 1)) * self._some_s(0.5, 30) * 1e9))
        await passing(self._some_s(5, 150))
        guard.clock.set_off(0)

    async def stall(self, guard: SimGuard) -> None:
        """The process stands still; everything it should have done is late."""
        guard.loop.stall(self._some_s(0.2, 8))
        await passing(self._some_s(0.5, 2))

    async def full_disk(self, guard: SimGuard) -> None:
        """The journal cannot be written."""
        guard.disk.problem = "no space left on device"
        await passing(self._some_s(2, 30))
        guard.disk.problem = None

    async def kill(self, guard: SimGuard) -> None:
        """`kill -9`, and a restart some time later, with or without what was not yet on disk."""
        if guard.is_alive:
            guard.strike()
            await self._bury_and_restart(guard)

    async def kill_in_a_decision(self, guard: SimGuard) -> None:
        """`kill -9` between two records of the journal."""
        life, struck = guard.lives, False
        left = self._random.randint(1, 60)

        def count() -> None:
            nonlocal left, struck
            left -= 1
            if left == 0:
                guard.strike()
                struck = True

        guard.disk.on_submit = count
        for _ in range(60):
            await passing(0.5)
            if struck or guard.lives != life:
                break
        guard.disk.on_submit = lambda: None
        if struck:
            await self._bury_and_restart(guard)

    async def _bury_and_restart(self, guard: SimGuard) -> None:
        await guard.wait_dead()
        lost = guard.disk.lose_newest(
            self._random.choice((0.0, 0.003, 0.02, 1.0)), torn_bytes=self._random.choice((0, 7, 90))
        )
        if self._random.random() < 0.2:
            guard.disk.wipe()
            lost = 1
        self._promises.forget(guard, is_memory_lost=lost > 0)
        await passing(self._some_s(0.2, 30))
        guard.start()

    # ------------------------------------------------------------ others

    async def foreign_switch(self, guard: SimGuard) -> None:
        """Some other client arms the one switch that the account has, and goes away."""
        self._venue.submit(CancelAllAfter(account=self._account, timeout_ms=self._random.randint(1_000, 20_000)))
        await passing(self._some_s(1, 25))

    async def flood(self, guard: SimGuard) -> None:
        """A bot uses up the account's requests."""
        for _ in range(self._random.randint(5, 30)):
            self.drain(20)
            await passing(0.5)

    def drain(self, requests: int) -> None:
        """Use up so many of the account's requests."""
        for _ in range(requests):
            self._venue.limits.admit(
                account=self._account, address="address of the bot", is_order=False, now_ms=self._venue.clock()
            )
