"""One guard in the simulation: the real composition of `daemon.app`, lived through and killed as often as one likes.

Why: the parts and their wiring are the product's own (`Guard._build`). What differs is the world around: no state
folder, no signals, no threads; a disk in memory, connections in memory, and a clock that may be wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import httpx

from config.compare import changes
from config.credentials import Credentials, Secret
from config.model import Settings
from config.policy import Policy
from config.venue import Environment, VenueSettings
from connectors.bitmex.drop_copy import BitmexDropCopy
from connectors.bitmex.market_data import BitmexMarketData
from connectors.bitmex.order_entry import BitmexOrderEntry
from connectors.ports import DropCopy, FeedSink, MarketData, OrderEntry
from connectors.simulated.server.auth import ApiKey
from connectors.simulated.server.rest.door import Door
from daemon.app import Guard
from daemon.core.commands import Command, RaiseAlert
from daemon.core.events import BotHeard, Event, HeardBy, OperatorAsked, PolicyChanged, Started, StopAsked
from daemon.core.operator_requests import OperatorRequest
from daemon.core.state import GuardState
from daemon.shell.account_seen import describe_account
from daemon.shell.alerts.desk import AlertDesk
from daemon.shell.alerts.message import Alert
from daemon.shell.crew import Crew
from daemon.shell.inbox import Inbox
from daemon.shell.journal import Journal
from daemon.shell.recover import recover
from daemon.shell.slices import at_once
from daemon.shell.watchdog import ServiceNotifier
from tests.simulation.faults import Line
from tests.simulation.memory_disk import MemoryDisk
from tests.simulation.requests import Sent, VirtualTransport
from tests.simulation.virtual_loop import MachineClock, VirtualLoop

VERSION = "simulation"


class Witness:
    """Who wants to see every event and decision of a guard, as it happens."""

    def on_event(self, guard: SimGuard, event: Event) -> None:
        """An event is about to be decided on."""

    def on_commands(self, guard: SimGuard, commands: Sequence[Command]) -> None:
        """This was decided."""

    def on_sent(self, sent: Sent) -> None:
        """A request left a guard."""


class _SeenJournal(Journal):
    """The real journal, and somebody who looks over its shoulder."""

    def watch(self, guard: SimGuard, witness: Witness) -> None:
        """Show everything to `witness`."""
        self._guard = guard
        self._witness = witness

    def append_event(self, event: Event) -> None:
        super().append_event(event)
        self._witness.on_event(self._guard, event)

    def append_commands(self, commands: Sequence[Command]) -> None:  # type: ignore[override]  # a tuple comes
        super().append_commands(commands)
        self._witness.on_commands(self._guard, commands)


def _drop(_command: Command) -> None:
    """What a dead process hands over goes nowhere."""


class _RecordingDesk(AlertDesk):
    """Keeps what people were told."""

    def __init__(self, clock: MachineClock, heard: list[RaiseAlert]) -> None:
        super().__init__(clock=clock, outbox=None)
        self._heard = heard

    def note(self, command: RaiseAlert) -> Alert:
        self._heard.append(command)
        return super().note(command)


@dataclass(frozen=True, kw_only=True, slots=True)
class SimPorts:
    """The three real ports of BitMEX over one simulated line."""

    name: str
    key: ApiKey
    line: Line
    door: Door
    clock: MachineClock
    symbols: tuple[str, ...]
    on_sent: Callable[[Sent], None]
    on_arrival: Callable[[str, bytes], Callable[[], None] | None]

    @property
    def venue_settings(self) -> VenueSettings:
        """Where the exchange seems to be."""
        return VenueSettings(
            environment=Environment.EMBEDDED, rest_url=f"http://{self.name}", realtime_url=f"ws://{self.name}/realtime"
        )

    @property
    def _credentials(self) -> Credentials:
        return Credentials(key_id=self.key.key_id, secret=Secret(self.key.secret))

    def order_entry(self) -> OrderEntry:
        transport = VirtualTransport(
            guard=self.name, line=self.line, door=self.door, on_sent=self.on_sent, on_arrival=self.on_arrival
        )
        real_client = httpx.AsyncClient

        def client(**settings: Any) -> httpx.AsyncClient:  # whatever transport the connector would choose
            return real_client(**(settings | {"transport": transport}))

        with patch.object(httpx, "AsyncClient", client):
            return BitmexOrderEntry(
                settings=self.venue_settings, credentials=self._credentials, now_ns=self.clock.wall_ns
            )

    def market_data(self, sink: FeedSink) -> MarketData:
        return BitmexMarketData(
            settings=self.venue_settings,
            sink=sink,
            jitter=self.line.random.random,
            symbols=self.symbols,
            now_ns=self.clock.wall_ns,
        )

    def drop_copy(self, sink: FeedSink) -> DropCopy:
        return BitmexDropCopy(
            settings=self.venue_settings,
            credentials=self._credentials,
            sink=sink,
            jitter=self.line.random.random,
            now_ns=self.clock.wall_ns,
        )


class _Life(Guard):
    """One process of a guard."""

    def __init__(self, owner: SimGuard, crew: Crew) -> None:
        super().__init__(
            Settings(venue=owner.ports.venue_settings, policy=owner.policy),
            owner.ports,
            Path("nowhere"),
            clock=owner.clock,
            notifier=ServiceNotifier(None),
            crew=crew,
            desk=_RecordingDesk(owner.clock, owner.alerts),
            renewal=None,
            hung_up=asyncio.Event(),
        )
        self._owner = owner
        self._desk.account = owner.account

    def begin(self, folder: Path) -> None:
        """What `open` does, without threads and questions about the key."""
        owner = self._owner
        owner.disk.write_out(folder)
        recovered = self._of_this_account(recover(folder, owner.policy))
        state = self._state_from(recovered)
        owner.clock.move_past(state.now_ns)
        owner.problems.append(recovered.problem)
        journal = _SeenJournal(
            owner.disk,  # type: ignore[arg-type]  # the same verbs, in memory
            first_seq=recovered.next_seq,
            unanswered=recovered.unanswered,
            version=VERSION,
        )
        journal.watch(owner, owner.witness)
        journal.begin_segment(state)
        self._parts = self._build(state, journal, lambda: "")
        self._parts.runner.take(
            Started(at_ns=owner.clock.now_ns(), account=state.account, unanswered=recovered.unanswered)
        )

    @property
    def state(self) -> GuardState | None:
        """What the guard knows."""
        return None if self._parts is None else self._parts.runner.state

    @property
    def inbox(self) -> Inbox | None:
        """Where its news comes in."""
        return None if self._parts is None else self._parts.inbox

    def behead(self) -> None:
        """From this very instruction on nothing leaves any more."""
        if self._parts is not None:
            self._parts.executor._outbox.put_nowait = _drop  # type: ignore[assignment, method-assign]

    def take(self, event: Event) -> None:
        """Tell the core something, as a person or a signal would."""
        if self._parts is not None:
            self._parts.runner.take(event)

    async def wait_exit(self) -> None:
        """Ask for an orderly stop and wait for it."""
        if self._parts is not None:
            self._parts.runner.take(StopAsked(at_ns=self._owner.clock.now_ns()))
            await self._parts.executor.exit_asked.wait()


@dataclass(slots=True)
class SimGuard:
    """One guard over all its lives."""

    account: int
    ports: SimPorts
    policy: Policy
    witness: Witness
    folder: Path
    loop: VirtualLoop
    random: Random
    disk: MemoryDisk = field(init=False)
    alerts: list[RaiseAlert] = field(default_factory=list)
    problems: list[str | None] = field(default_factory=list)
    """Per life: why the journal could not be used."""
    former_policies: list[Policy] = field(default_factory=list)
    """Those before a reload: what they latched holds on."""
    lives: int = 0
    broken: list[BaseException] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None
    _life: _Life | None = None

    def __post_init__(self) -> None:
        self.disk = MemoryDisk(now_s=self.loop.time)

    @property
    def name(self) -> str:
        """Which guard."""
        return self.ports.name

    @property
    def clock(self) -> MachineClock:
        """The clock of its machine."""
        return self.ports.clock

    @property
    def line(self) -> Line:
        """Its network."""
        return self.ports.line

    @property
    def is_alive(self) -> bool:
        """Whether a process runs."""
        return self._task is not None and not self._task.done() and not self.line.is_cut

    @property
    def state(self) -> GuardState | None:
        """What it knows now; None when it is dead."""
        return self._life.state if self._life is not None and self.is_alive else None

    @property
    def inbox(self) -> Inbox | None:
        """Its inbox; None when it is dead."""
        return self._life.inbox if self._life is not None and self.is_alive else None

    def shown(self) -> dict[str, object]:
        """What it would show to whoever asks; empty when it is dead."""
        life = self._life
        if life is None or not self.is_alive or life.state is None:
            return {}
        return {"the status": at_once(life.describing()), "the account": describe_account(life.state)}

    def start(self) -> None:
        """Start a process."""
        self.lives += 1
        self._life = None  # the one before hears nothing more, in the moment before this one begins either
        self.disk.is_frozen = self.line.is_cut = False
        self.clock.begin_process()
        self._task = self.loop.create_task(self._live(), name=f"{self.name} life {self.lives}")

    async def _live(self) -> None:
        try:
            async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
                self._life = _Life(self, Crew(tasks))
                stack.push_async_callback(self._life._orders.close)
                self._life.begin(self.folder / f"{self.name}-{self.lives}")
        except* Exception as failures:  # noqa: BLE001 - the world reports whatever broke a guard
            self.broken.extend(failures.exceptions)

    def strike(self) -> None:
        """`kill -9`, effective between this instruction and the next. May be called in the middle of a decision."""
        self.line.is_cut = self.disk.is_frozen = True
        if self._life is not None:
            self._life.behead()
        if self._task is not None:
            self.loop.call_soon(self._task.cancel)

    async def wait_dead(self) -> None:
        """Wait until the corpse is gone."""
        if self._task is not None:
            with suppress(asyncio.CancelledError):
                await self._task

    def ask(self, request: OperatorRequest, request_id: str = "r-1") -> None:
        """A person asks for something; the socket and the disk are not what this is about."""
        if self._life is not None:
            asked = OperatorAsked(at_ns=self.clock.now_ns(), request_id=request_id, who="ada", request=request)
            self._life.take(asked)

    def reload(self, policy: Policy, *, may_loosen: bool) -> None:
        """Other settings stand in the file, and are taken in while it runs."""
        told = tuple(str(each) for each in changes(self.policy, policy))
        self.former_policies.append(self.policy)
        self.policy = policy
        if self._life is not None:
            self._life.take(
                PolicyChanged(at_ns=self.clock.now_ns(), policy=policy, who="ada", changes=told, may_loosen=may_loosen)
            )

    def hear(self, bot: str) -> None:
        """A bot calls."""
        if self._life is not None and self.is_alive:
            self._life.take(BotHeard(at_ns=self.clock.now_ns(), bot=bot, how=HeardBy.CALL))

    async def stop(self) -> None:
        """An orderly stop."""
        if self._life is not None and self._task is not None:
            await self._life.wait_exit()
            self._task.cancel()
            await self.wait_dead()
