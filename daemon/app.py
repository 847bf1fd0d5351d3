"""The composition root: builds the parts of one guard, runs them in one TaskGroup, and stops them in order.

Read from here inward. News comes in through the venue's three ports, `Inbox` turns it into events, `Runner` journals
each, asks the core what to do, and leaves the answer in the `Outbox`; `Executor` carries it out, and what became of it
comes back as an event:

    ports ──> Inbox ──> Runner ── step(state, event) ──> Outbox ──> Executor ──> ports, timer, bands, people
                          ^                                            │
                          └────────────────── outcomes ────────────────┘

A *vital* part that ends, ends the process, and the service manager starts it again into recovery. *Helpful* parts are
started again in place. A lost connection is neither: the ports reconnect while the core turns BLIND.
"""

from __future__ import annotations

import asyncio
import os
import random  # noqa: TID251 - for the spread of reconnects alone, see BitmexPorts
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import structlog

from config.credentials import SigningKey
from config.model import Settings
from connectors.bitmex.drop_copy import BitmexDropCopy
from connectors.bitmex.market_data import BitmexMarketData
from connectors.bitmex.order_entry import BitmexOrderEntry
from connectors.ports import DropCopy, Feed, FeedSink, MarketData, OrderEntry
from daemon.core.commands import RaiseAlert, Severity
from daemon.core.events import Started, StopAsked
from daemon.core.operator_requests import OperatorRequest
from daemon.core.reasons import Reason
from daemon.core.state import GuardState, initial_state, with_policy
from daemon.shell.alerts.desk import AlertDesk
from daemon.shell.alerts.opening import open_desk, watch_guard
from daemon.shell.bands import Bands
from daemon.shell.bot_desk import BotDesk
from daemon.shell.calls import Calls
from daemon.shell.clock import Clock, SystemClock
from daemon.shell.control.counter import Counter
from daemon.shell.control.feed import RecordFeed
from daemon.shell.control.journal_tail import tail
from daemon.shell.control.lately import Lately, LatelyInTurns
from daemon.shell.crew import Crew
from daemon.shell.effects import LocalEffects
from daemon.shell.executor import Executor
from daemon.shell.figures import FigureReader
from daemon.shell.health import HealthTicker, SkewGauge
from daemon.shell.inbox import Inbox
from daemon.shell.journal import Journal
from daemon.shell.journal_file import JournalFile
from daemon.shell.lock import hold_state_folder
from daemon.shell.metrics.opening import Metrics
from daemon.shell.opening import Opening
from daemon.shell.operator_desk import OperatorDesk
from daemon.shell.outbox import Outbox
from daemon.shell.recover import Recovered, recover
from daemon.shell.reload import Reloader, Renewal
from daemon.shell.runner import Runner
from daemon.shell.slices import Slices
from daemon.shell.spreads import SpreadSampler
from daemon.shell.status import describing, headline
from daemon.shell.status_alerts import alerts_status
from daemon.shell.status_proofs import describe_freshness
from daemon.shell.stopping import StopSignals, run_stage, stop_signals, wait_first
from daemon.shell.timers import Timer
from daemon.shell.watchdog import ServiceNotifier
from daemon.version import VERSION

SETTLE_S: Final = 10.0
"""Stop stage 1: requests in flight get their answers, the switch is disarmed (or left armed) and confirmed."""
DELIVER_S: Final = 3.0
"""Stop stage 2: what people were to be told gets its last chance; the outbox file keeps the rest."""
FLUSH_S: Final = 5.0
"""Stop stage 3: the journal reaches the disk."""
CLOSE_S: Final = 2.0
"""Stop stage 4: connections are let go."""
RESTORE_S: Final = 3.0
"""At the start: a disk that hangs over old alerts must not keep the guard from guarding."""
STOP_S: Final = SETTLE_S + DELIVER_S + FLUSH_S + CLOSE_S

JOURNAL_AFTER_S: Final = 0.003
"""A decision's records go to the disk this much later: by then its request has left."""

log = structlog.get_logger("app")


class Ports(Protocol):
    """Where the three ports of a venue come from."""

    def order_entry(self) -> OrderEntry:
        """Return what sends requests."""

    def market_data(self, sink: FeedSink) -> MarketData:
        """Return the stream of prices."""

    def drop_copy(self, sink: FeedSink) -> DropCopy:
        """Return the stream of the account."""


class BitmexPorts:
    """BitMEX, its testnet, or the embedded exchange: they differ in their settings only."""

    def __init__(self, settings: Settings, credentials: SigningKey, clock: Clock) -> None:
        self._settings = settings.venue
        self._credentials = credentials
        self._now_ns = clock.wall_ns
        self._jitter = random.Random(os.getpid()).random  # noqa: S311 - spreads reconnects of several guards

    def order_entry(self) -> OrderEntry:
        """Return the REST side."""
        return BitmexOrderEntry(settings=self._settings, credentials=self._credentials, now_ns=self._now_ns)

    def market_data(self, sink: FeedSink) -> MarketData:
        """Return the public stream."""
        return BitmexMarketData(settings=self._settings, sink=sink, jitter=self._jitter, now_ns=self._now_ns)

    def drop_copy(self, sink: FeedSink) -> DropCopy:
        """Return the private stream."""
        return BitmexDropCopy(
            settings=self._settings,
            credentials=self._credentials,
            sink=sink,
            jitter=self._jitter,
            now_ns=self._now_ns,
        )


async def run_guard(
    settings: Settings,
    ports: Ports,
    *,
    clock: Clock | None = None,
    notifier: ServiceNotifier | None = None,
    renewal: Renewal | None = None,
) -> None:
    """Guard one account until SIGTERM or SIGINT asks for an orderly stop.

    Args:
        settings: What to guard and how.
        ports: The venue.
        clock: Where the time comes from; the machine's clocks if left out.
        notifier: The service manager; the one of the environment if left out.
        renewal: Where settings and key are read anew while it runs; None: nowhere.

    Raises:
        AlreadyRunning: If another guard holds the state folder.
        StateFolderUnusable: If that folder cannot be used.
        KeyRefused: If the key is wrong or must not be used for guarding.
        ExceptionGroup: If a vital part ended; the journal tells the next start what was under way.
    """
    clock = clock or SystemClock()
    notifier = notifier or ServiceNotifier.from_environment()
    hung_up = asyncio.Event()
    on_hang_up = None if renewal is None else hung_up.set
    with hold_state_folder(Path(settings.state.directory)) as folder, stop_signals(on_hang_up) as stop:
        async with AsyncExitStack() as resources, asyncio.TaskGroup() as tasks:
            crew = Crew(tasks)
            guard = Guard(
                settings,
                ports,
                folder,
                clock=clock,
                notifier=notifier,
                crew=crew,
                desk=await open_desk(settings, folder, clock, crew, resources),
                renewal=renewal,
                hung_up=hung_up,
            )
            resources.push_async_callback(guard.close)
            opening = crew.spawn(guard.open(), "opening")
            await stop.asked.wait()
            opening.cancel()
            await guard.settle(stop)
            crew.dismiss()


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What an open guard consists of, as far as stopping and showing it need to know."""

    runner: Runner
    executor: Executor
    journal: Journal
    inbox: Inbox
    drop_copy: DropCopy


class Guard:
    """One account's guard, from the first question to the venue to the last byte of the journal."""

    def __init__(
        self,
        settings: Settings,
        ports: Ports,
        folder: Path,
        *,
        clock: Clock,
        notifier: ServiceNotifier,
        crew: Crew,
        desk: AlertDesk,
        renewal: Renewal | None,
        hung_up: asyncio.Event,
    ) -> None:
        self._settings = settings
        self._ports = ports
        self._folder = folder
        self._clock = clock
        self._notifier = notifier
        self._crew = crew
        self._desk = desk
        self._orders = ports.order_entry()
        self._journal_file = JournalFile(
            folder / "journal",
            kept_bytes=settings.state.journal_mb * 1024 * 1024,
            wake_later=_after_the_request,
        )
        desk.deliver_after(self._journal_file.wait_durable_if_well)
        self._reloader = Reloader(
            settings=settings,
            renewal=renewal,
            clock=clock,
            wait_durable=self._journal_file.wait_durable,
            tell=desk.raise_alert,
            hung_up=hung_up,
            notifier=notifier,
        )
        self._parts: Parts | None = None
        self._bots = BotDesk(settings.policy.bots, clock=clock)
        self._feed = RecordFeed()
        self._metrics = Metrics(
            settings, clock=clock, alerts=lambda: desk.figures, reloads=lambda: self._reloader.figures
        )
        self._started_ns = clock.now_ns()

    # ------------------------------------------------------------ start

    async def open(self) -> None:
        """Learn whose guard this is, recover what was known, and set everything going.

        Raises:
            KeyRefused: If the key is wrong or must not be used for guarding.
        """
        self._crew.helpful("reload", self._reloader.run)
        deaf = self._open_control()
        self._metrics.serve(self._crew)
        self._desk.account = await self._opening().wait_account()
        folder, policy = self._folder / "journal", self._settings.policy
        recovered = self._of_this_account(await asyncio.to_thread(recover, folder, policy))
        state = self._state_from(recovered)
        self._clock.move_past(state.now_ns)
        journal = self._open_journal(recovered, state)
        await run_stage("restore alerts", self._desk.restore(recovered.alerts), deadline_s=RESTORE_S)
        if recovered.problem is not None:
            self._say_unrecovered(recovered)
        self._parts = self._build(state, journal, deaf)
        self._parts.runner.take(
            Started(at_ns=self._clock.now_ns(), account=state.account, unanswered=recovered.unanswered)
        )
        self._bots.open(self._parts.runner)
        self._reloader.open(self._parts.runner, self._parts.drop_copy.renew)
        runner = self._parts.runner
        watch_guard(self._settings.alerts, self._desk, self._crew, clock=self._clock, state=lambda: runner.state)
        if not state.instruments:
            _ = self._crew.spawn(self._figures(self._parts).run(), "contract figures")
        log.info("guard open", account=state.account, recovered=recovered.state is not None)

    def _opening(self) -> Opening:
        return Opening(
            orders=self._orders,
            settings=self._settings,
            clock=self._clock,
            notifier=self._notifier,
            raise_alert=self._desk.raise_alert,
        )

    def _open_control(self) -> Callable[[], str]:
        """Open the control API, if the settings ask for it; return what says why nobody can call."""
        if not self._settings.control.enabled:
            return str
        from daemon.shell.control.opening import open_control  # noqa: PLC0415 - its libraries are large

        return open_control(self._settings, self._counter(), self._crew)

    def _counter(self) -> Counter:
        """What callers of the control API may ask of this guard."""
        return Counter(
            bots=self._bots,
            describe=LatelyInTurns(self.describing),
            state=lambda: None if self._parts is None else self._parts.runner.state,
            operate=self.operate,
            reload=self.reload,
            settings=self._reloader.shown,
            alerts=Lately(lambda: {} if self._parts is None else alerts_status(self._parts.runner.state)),
            tail=lambda last, every: tail(self._folder / "journal", last, every=every),
            feed=self._feed,
            metrics=self._metrics.page,
        )

    def _figures(self, parts: Parts) -> FigureReader:
        return FigureReader(orders=self._orders, clock=self._clock, feeds=parts.inbox, take=parts.runner.take)

    def _of_this_account(self, recovered: Recovered) -> Recovered:
        """Use nothing of another account's journal but its numbers."""
        if recovered.state is None or recovered.state.account == self._desk.account:
            return recovered
        problem = f"the journal is that of account {recovered.state.account}"
        return Recovered(state=None, next_seq=recovered.next_seq, problem=problem, chain=recovered.chain)

    def _state_from(self, recovered: Recovered) -> GuardState:
        if recovered.state is None:
            return initial_state(self._desk.account, self._settings.policy)
        return with_policy(recovered.state, self._settings.policy)

    def _open_journal(self, recovered: Recovered, state: GuardState) -> Journal:
        self._journal_file.start(recovered.chain)
        journal = Journal(
            self._journal_file,
            first_seq=recovered.next_seq,
            unanswered=recovered.unanswered,
            version=VERSION,
            follow=self._feed.offer,
        )
        journal.begin_segment(state)
        return journal

    def _build(self, state: GuardState, journal: Journal, deaf: Callable[[], str] = str) -> Parts:
        """Put the parts together and start their tasks. Vital ones end the process when they end."""
        clock, outbox = self._clock, Outbox()
        runner = Runner(state=state, journal=journal, outbox=outbox, meter=self._metrics.meter)
        inbox = Inbox(clock=clock, take=runner.take, bands=Bands())
        market_data, drop_copy = self._ports.market_data(inbox), self._ports.drop_copy(inbox)
        inbox.read_marks_with(market_data.exact_mark)
        self._metrics.open(runner, inbox, journal, self._journal_file)
        timer = Timer(clock=clock, take=runner.take)
        skew = SkewGauge(orders=self._orders, clock=clock)
        executor = Executor(
            core=runner,
            calls=Calls(orders=self._orders, drop_copy=drop_copy, clock=clock),
            signals=LocalEffects(timer=timer, inbox=inbox, desk=self._desk, drop_copy=drop_copy),
            outbox=outbox,
            clock=clock,
            spawn=self._crew.spawn,
            meter=self._metrics.meter,
        )
        health = HealthTicker(
            clock=clock,
            ages=inbox,
            skew=skew,
            journal=journal,
            notifier=self._notifier,
            take=runner.take,
            headline=lambda: headline(runner.state),
            is_whole=lambda: runner.state.was_whole,
            zone=lambda: runner.state.policy.alerting.quiet_zone,
            deaf=deaf,
            budget=self._orders.budget,
        )
        self._crew.vital("broken core", runner.wait_broken())
        self._crew.vital("executor", executor.run())
        self._crew.vital("timer", timer.run())
        self._crew.vital("drop copy", drop_copy.run())
        self._crew.vital("market data", market_data.run())
        self._crew.vital("health", health.run())
        self._crew.helpful("clock skew", skew.run)
        spreads = SpreadSampler(clock=clock, symbols=inbox, quote=market_data.quote, take=runner.take)
        self._crew.helpful("spreads", spreads.run)
        return Parts(runner=runner, executor=executor, journal=journal, inbox=inbox, drop_copy=drop_copy)

    def _say_unrecovered(self, recovered: Recovered) -> None:
        now_ns = self._clock.now_ns()
        text = f"The journal could not be used, the guard starts from what the exchange says: {recovered.problem}."
        if recovered.state is not None:
            text = (
                f"Part of the journal could not be used: {recovered.problem}. The guard goes on from what stands"
                " before it and from what the exchange says; a latch that was set or lifted after that is not known:"
                " see `seawall status`."
            )
        self._desk.raise_alert(
            RaiseAlert(
                reason=Reason.DEGRADED,
                alert_id=f"degraded:journal_unusable::{now_ns}",
                severity=Severity.WARNING,
                topic="degraded",
                state="journal_unusable",
                symbol="",
                text=text,
            )
        )

    # ------------------------------------------------------------ while it runs

    def describing(self) -> Slices[dict[str, object]]:
        """Make the status that `seawall status` shows, slice by slice."""
        now_ns = self._clock.now_ns()
        described: dict[str, object] = {
            "version": VERSION,
            "process": os.getpid(),
            "venue": self._settings.venue.environment.value,
            "uptime_s": round((now_ns - self._started_ns) / 1e9, 1),
            "alerts": self._desk.figures,
            "settings": self._reloader.figures,
        }
        if self._parts is None:
            return {**described, "mode": "waiting_for_venue"}
        parts = self._parts
        state = parts.runner.state
        known = yield from describing(state, now_ns=now_ns)
        return {
            **described,
            **known,
            "freshness": describe_freshness(
                state,
                now_ns=now_ns,
                market=parts.inbox.facts(Feed.MARKET),
                account=parts.inbox.facts(Feed.ACCOUNT),
            ),
            "journal": {"records": parts.journal.records, "problem": parts.journal.problem},
            "counters": {
                "events": parts.runner.events_taken,
                "requests": parts.executor.carried,
                "stopped_before_wire": parts.executor.refused_before_wire,
                "marks_received": parts.inbox.marks_received,
                "marks_told": parts.inbox.marks_told,
            },
        }

    async def operate(self, who: str, request_id: str, request: OperatorRequest, *, via: str = "") -> dict[str, object]:
        """Carry out what an operator asks for over the local socket."""
        if self._parts is None:
            return {"error": "the guard does not know its account yet, so nothing was done; ask again in a moment"}
        desk = OperatorDesk(core=self._parts.runner, clock=self._clock, wait_durable=self._journal_file.wait_durable)
        return await desk.operate(who, request_id, request, via=via)

    async def reload(self, who: str, *, may_loosen: bool = False) -> dict[str, object]:
        """Read the settings anew and go on under them: all of them, or nothing changes."""
        return await self._reloader.reload(who, may_loosen=may_loosen)

    # ------------------------------------------------------------ stop

    async def settle(self, stop: StopSignals) -> None:
        """While everything still runs: let requests, the switch and the alerts come to their end."""
        self._notifier.stopping("stopping in good order", more_s=STOP_S)
        if self._parts is not None:
            self._parts.runner.take(StopAsked(at_ns=self._clock.now_ns()))
            settled = wait_first(self._parts.executor.exit_asked, stop.asked_again)
            await run_stage("settle", settled, deadline_s=SETTLE_S)
        await run_stage("deliver alerts", self._desk.wait_delivered(), deadline_s=DELIVER_S)

    async def close(self) -> None:
        """When nothing runs any more, in good order or not: journal to the disk, connections away."""
        await run_stage("close journal", asyncio.to_thread(self._journal_file.close), deadline_s=FLUSH_S)
        await run_stage("close traces", asyncio.to_thread(self._metrics.close), deadline_s=CLOSE_S)
        await run_stage("close connections", self._orders.close(), deadline_s=CLOSE_S)
        log.info("guard closed")


def _after_the_request(wake: Callable[[], None]) -> object:
    return asyncio.get_running_loop().call_later(JOURNAL_AFTER_S, wake)
