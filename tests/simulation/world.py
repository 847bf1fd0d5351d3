"""One simulated world: an exchange, prices, a bot, guards, trouble, and somebody who holds the promises against it.

Why: everything that happens is drawn from the seed, so a seed that breaks a promise is a test case.

Units: seconds of virtual time; the report tells how much of it a real second bought.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from unittest.mock import patch

import structlog

from connectors.bitmex import feed
from connectors.simulated.server.player import Player, run_refresher, run_timers
from connectors.simulated.server.rest.door import Door
from connectors.simulated.server.settings import ExchangeSettings
from daemon.core.memory.interventions import Latch, LatchKind
from daemon.core.operator_requests import ResumeAsked
from tests.simulation.agenda import Item, agenda_of, carry_out
from tests.simulation.bot import CONTRACTS, Bot
from tests.simulation.faults import Line
from tests.simulation.guard_life import SimGuard, SimPorts
from tests.simulation.heartbeats import beat
from tests.simulation.operators import Operator
from tests.simulation.plans import Plan
from tests.simulation.prices import VOLATILITY, PriceWalk
from tests.simulation.promises import Promises
from tests.simulation.report import Report
from tests.simulation.scene import Scene
from tests.simulation.sim_venue import SimVenue
from tests.simulation.streams import Network
from tests.simulation.tracing import Tracer
from tests.simulation.virtual_loop import MachineClock, TrueTime, VirtualLoop, passing, run_virtually

AUDIT_S = 1.0
CALM_S = 60.0
"""How long nothing goes wrong at the end, before everything has to be whole."""
NOBODY = -1
"""No account: an observing guard covers nothing, so nothing is asked of it but that it sends nothing."""
FLAT_WITHIN_S = 200.0
"""So long after the last trouble a FLATTEN has come to its end: pauses under the latch grow to a minute."""


class EnoughError(Exception):
    """The promise that somebody asked about is broken."""


class World:
    """Everything, put together. `run` lives it through; scripted tests use the parts directly."""

    def __init__(self, loop: VirtualLoop, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.loop = loop
        self.true_time = TrueTime(loop)
        self.venue = SimVenue(
            ExchangeSettings(
                seed=plan.seed, switches=plan.switches, accounts=plan.accounts, rows=plan.rows, image_period_ms=0
            ),
            self.true_time,
        )
        self.account = self.venue.accounts[0]
        self.promises = Promises(self.venue.exchange, loop.time)
        self.promises.repeats.is_asked = plan.is_replayed
        self.tracer = Tracer(promises=self.promises, now_s=loop.time)
        self.venue.watchers.append(self.tracer.watch)
        self.network = Network(self.venue)
        self.prices = PriceWalk(
            venue=self.venue,
            random=self._random_of("prices"),
            true_time=self.true_time,
            every_s=plan.price_every_s,
        )
        self.bot = self.bot_of(self.account)
        self.guards = [self._guard(f"guard{number}", folder) for number in range(1, plan.guards + 1)]
        self.scene = Scene(
            venue=self.venue,
            network=self.network,
            prices=self.prices,
            promises=self.promises,
            bot=self.bot,
            operator=Operator(),
            account=self.account,
            guards=self.guards,
            loop=loop,
            told=self.tracer.note,
        )
        loop.set_exception_handler(self._note_failure)
        self.enough = ""
        """The promise that ends everything when it breaks."""
        if plan.policy.observe:
            self.promises.only(NOBODY)

    def _note_failure(self, _loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """Something failed in a callback, where nobody waits for it."""
        self.promises.broken("world", f"{context['message']}: {context.get('exception')!r}")

    @property
    def guard(self) -> SimGuard:
        """The first guard."""
        return self.guards[0]

    @property
    def agenda(self) -> tuple[Item, ...]:
        """What will be done to this world."""
        plan = self.plan
        items = agenda_of(plan.seed, plan) if plan.items is None else plan.items
        return tuple(item for item in items if plan.only is None or item.number in plan.only)

    def _random_of(self, what: str) -> Random:
        """Randomness of its own for each thing: what one draws changes nothing of another."""
        return Random(f"{what} {self.plan.seed}")  # noqa: S311 - a world is a function of its seed

    def _guard(self, name: str, folder: Path) -> SimGuard:
        line = Line(random=self._random_of(f"line of {name}"), now_s=self.loop.time)
        self.network.lines[name] = line
        ports = SimPorts(
            name=name,
            key=self.venue.keyring.of_account(self.account)[0],
            line=line,
            door=Door(self.venue),
            clock=MachineClock(self.true_time),
            symbols=tuple(CONTRACTS),
            on_sent=self.tracer.on_sent,
            on_arrival=self.tracer.on_arrival,
        )
        guard = SimGuard(
            account=self.account,
            ports=ports,
            policy=self.plan.policy if name == "guard1" else self.plan.other_policy or self.plan.policy,
            witness=self.tracer,
            folder=folder,
            loop=self.loop,
            random=self._random_of(name),
        )
        self.promises.meet(guard)
        return guard

    def bot_of(self, account: int) -> Bot:
        """A bot that trades another account."""
        return Bot(
            venue=self.venue,
            account=account,
            random=self._random_of(f"bot of {account}"),
            promises=self.promises,
        )

    def stop_price(self, symbol: str) -> Decimal | None:
        """The trigger of our one resting stop."""
        stops = self.promises.our_stops((self.account, symbol))
        return Decimal(str(stops[0]["stopPx"])) if len(stops) == 1 else None

    async def until(self, condition: Callable[[], bool], *, within_s: float) -> float:
        """Wait until something holds; return how long it took.

        Raises:
            AssertionError: If it does not within the time.
        """
        began_s = self.loop.time()
        while not condition():
            assert self.loop.time() - began_s < within_s, f"not within {within_s} s: {condition}"
            await passing(0.05)
        return self.loop.time() - began_s

    def told(self, topic: str) -> list[str]:
        """The named states that people were told about a topic, by all guards, in order."""
        return [alert.state for guard in self.guards for alert in guard.alerts if alert.topic == topic]

    # ------------------------------------------------------------ running

    async def live(self, script: Callable[[World], Awaitable[None]]) -> None:
        """Let the world turn while `script` runs."""
        player = None if self.plan.tape is None else Player(self.venue, self.plan.tape)
        if player is None:
            self.prices.step()
        with patch.object(feed, "StraightConnect", self.network.connect):
            try:
                async with asyncio.TaskGroup() as tasks:
                    turning = [
                        tasks.create_task(work)
                        for work in (
                            self.prices.run() if player is None else player.run(),
                            run_timers(self.venue),
                            run_refresher(self.venue),
                            self._audit(),
                            beat(self.scene),
                        )
                    ]
                    for guard in self.guards:
                        guard.start()
                    await script(self)
                    for task in turning:
                        task.cancel()
            finally:
                await self._end_guards()

    async def _end_guards(self) -> None:
        for guard in self.guards:
            guard.strike()
            await guard.wait_dead()
            for error in guard.broken:
                self.promises.broken("core", f"{guard.name} broke: {error!r}")
            self.promises.at_end(guard)

    async def _audit(self) -> None:
        while True:
            await passing(AUDIT_S)
            self.promises.audit()
            for guard in self.guards:
                self.tracer.live(guard, AUDIT_S)
                self.promises.look(guard)
                if guard.broken:
                    raise BaseExceptionGroup(f"{guard.name} broke", list(guard.broken))
            self.tracer.look()
            if any(violation.promise == self.enough for violation in self.promises.violations):
                raise EnoughError

    async def trouble(self, seconds: float) -> None:
        """Carry out the agenda for a while."""
        await carry_out(self.scene, self.agenda, seconds)

    def report(self, real_s: float) -> Report:
        """Tell what came of it."""
        self.tracer.look()
        return Report(
            seed=self.plan.seed,
            violations=self.promises.violations,
            counts=self.promises.counts,
            checked=self.promises.checked,
            cast=self.scene.cast,
            hits=self.scene.hits,
            acts=self.bot.acts,
            density=self.tracer.density(self.scene.faults),
            agenda=self.agenda,
            before_failure=self.tracer.before_failure,
            virtual_s=self.loop.time(),
            real_s=real_s,
            log=self.scene.log,
        )

    def heal(self) -> None:
        """End every trouble that was cut short."""
        for guard in self.guards:
            guard.line.weather = type(guard.line.weather)()
            if guard.clock.offset_ns:
                guard.clock.set_off(0)
            guard.disk.problem = None
            guard.disk.on_submit = lambda: None
            self.network.hang_up(guard.name)
            if not guard.is_alive:
                guard.start()
            if guard.state is not None and guard.state.pause is not None:
                guard.ask(ResumeAsked(), f"resume-{self.loop.time()}")
        self.prices.volatility = VOLATILITY / 2
        self.promises.quiet_since_s = 0.0
        self.promises.disturb()


async def to_the_end(world: World) -> None:
    """Trouble first, calm after it, and then nothing may be left undone."""
    await world.trouble(world.plan.minutes * 60)
    if world.scene.held_until_s > world.loop.time():
        with world.scene.hindered():
            await passing(world.scene.held_until_s - world.loop.time())
    for guard in world.guards:
        if guard.line.is_cut:
            await guard.wait_dead()
            world.promises.forget(guard, is_memory_lost=True)
    world.heal()
    await passing(CALM_S)
    world.promises.audit(is_strict=True)
    await flat_where_it_is_latched(world)


async def flat_where_it_is_latched(world: World) -> None:
    """What a FLATTEN is about is flat in the end, proved, and stays so."""
    latches = [
        latch
        for guard in world.guards
        if guard.state is not None and not guard.policy.observe
        for latch in guard.state.latches.values()
        if latch.kind is LatchKind.FLATTEN
    ]
    left_s = FLAT_WITHIN_S - CALM_S
    while left_s > 0 and any(_open_under(world, latch) for latch in latches):
        await passing(1.0)
        left_s -= 1.0
    for latch in latches:
        for symbol in _open_under(world, latch):
            world.promises.broken(
                "P2", f"{symbol} is open, or not proved flat, {FLAT_WITHIN_S} s after all trouble: {latch}"
            )


def _open_under(world: World, latch: Latch) -> list[str]:
    """What is not flat yet under it. The other guard's settings may have that rule only freeze: that proves nothing."""
    held = [symbol for symbol in CONTRACTS if latch.concerns(symbol) and world.promises.size((world.account, symbol))]
    now = [guard.state.latches.get(latch.name) for guard in world.guards if guard.state is not None]
    flattening = [each for each in now if each is not None and each.kind is LatchKind.FLATTEN]
    return held or ["the proof"] * (not all(each.proven_ns for each in flattening))


def play(
    plan: Plan,
    script: Callable[[World], Awaitable[None]] = to_the_end,
    *,
    show: Callable[[str], None] | None = None,
) -> Report:
    """Live one world through.

    Args:
        plan: What it is like.
        script: What is done in it, its end included.
        show: Where every line of what happens goes, as it happens.

    Raises:
        BaseException: What the script, or a guard, raises.
    """
    report, error = live_through(plan, script, show=show)
    if error is not None:
        raise error
    return report


def live_through(
    plan: Plan,
    script: Callable[[World], Awaitable[None]] = to_the_end,
    *,
    show: Callable[[str], None] | None = None,
    enough: str = "",
) -> tuple[Report, BaseException | None]:
    """Live one world through, to its end or to an error, which is returned beside the report.

    Args:
        plan: See `play`.
        script: See `play`.
        show: See `play`.
        enough: The promise that ends the world when it breaks: whoever only asks whether it does need not wait.
    """
    structlog.configure(processors=[_drop])
    began_s = time.perf_counter()
    worlds: list[World] = []
    error: BaseException | None = None
    with TemporaryDirectory() as folder:

        async def work(loop: VirtualLoop) -> None:
            worlds.append(World(loop, plan, Path(folder)))
            worlds[0].tracer.show, worlds[0].enough = show, enough
            structlog.configure(processors=[worlds[0].promises.secrets.take_log])
            await worlds[0].live(script)

        try:
            run_virtually(work)
        except (Exception, BaseExceptionGroup) as raised:
            if not worlds:
                raise
            error = None if _is_enough(raised) else raised
        finally:
            structlog.reset_defaults()
    return worlds[0].report(time.perf_counter() - began_s), error


def _is_enough(raised: BaseException) -> bool:
    while isinstance(raised, BaseExceptionGroup) and len(raised.exceptions) == 1:
        raised = raised.exceptions[0]
    return isinstance(raised, EnoughError)


def _drop(_logger: object, _method: str, _entry: object) -> str:
    raise structlog.DropEvent
