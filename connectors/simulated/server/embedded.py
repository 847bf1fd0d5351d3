"""The embedded exchange as a process or inside one: two loopback ports and the loops behind them.

Why: tests and the demo want `async with EmbeddedExchange(settings) as exchange`, the command wants
`serve` until a signal; both are the same thing. Nothing listens beyond
127.0.0.1.

Errors, each with one line for people: `PortInUse`, `StateError` (state directory),
`CandleFileError` and `TapeChoiceError` (what to play).
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.simulated.engine.contracts import CONTRACTS
from connectors.simulated.listing.opening import Catalogue, file_catalogue, venue_catalogue
from connectors.simulated.server.auth import ApiKey
from connectors.simulated.server.clock import Clock, system_clock
from connectors.simulated.server.control import Control
from connectors.simulated.server.json_text import dump
from connectors.simulated.server.lister import Lister
from connectors.simulated.server.player import Player, Steps, run_compaction, run_refresher, run_timers
from connectors.simulated.server.ports import PortInUse, Server, bound, config_of
from connectors.simulated.server.recorded_app import RecordedApp
from connectors.simulated.server.recording import Recorder, run_flushing
from connectors.simulated.server.redaction import Redaction
from connectors.simulated.server.rest.door import Door
from connectors.simulated.server.settings import HOST, ClockKind, ExchangeSettings, ListingChoice
from connectors.simulated.server.sockets import MULTIPLEXED_PATH, Switchboard
from connectors.simulated.server.state import StateError
from connectors.simulated.server.venue import Venue
from connectors.simulated.tape.candles import CandleFileError
from connectors.simulated.tape.recording import RecordingError
from connectors.simulated.tape.scenario_file import ScenarioTape
from connectors.simulated.tape.source import tape_named, tape_of_file, tape_of_recording

__all__ = ["EmbeddedExchange", "PortInUse", "serve"]

_EXPLAINED = (StateError, RecordingError, CandleFileError)


class EmbeddedExchange:
    """A running exchange on loopback.

    Attributes:
        venue: Everything behind the ports.
        player: The tape.
        http_url: Where `/api/v1` is, without it.
        ws_url: The real-time address.
        control_url: The control API.
        listening: The two sockets, while it runs.
        recorder: What records the venue's port, if anything does.
    """

    def __init__(self, settings: ExchangeSettings, *, tape: Steps | None = None, clock: Clock = system_clock) -> None:
        """Prepare an exchange; nothing runs and no port is taken before `async with`.

        Args:
            settings: What it is like.
            tape: Prices to play instead of those the settings name.
            clock: Real time, which protocol time follows unless the settings say otherwise.

        Raises:
            CandleFileError: If the candle file cannot be played.
            RecordingError: If the recorded market cannot be played.
            TapeChoiceError: If the settings name no tape.
            ListingError: If the file of instruments cannot be used.
        """
        self._catalogue = _catalogue_of(settings)
        self._tape = tape if tape is not None else _tape_of(settings, self._catalogue)
        if isinstance(self._tape, ScenarioTape) and self._tape.balances:
            own = self._tape.balances
            settings = replace(settings, accounts=max(settings.accounts, len(own)), account_balances=own)
        self.settings = settings
        self.venue = Venue(settings, clock)
        self.player: Player
        self.http_url = self.ws_url = self.control_url = ""
        self._tasks = asyncio.TaskGroup()
        self._loops: list[asyncio.Task[None]] = []
        self._servers: list[Server] = []
        self.listening: list[socket.socket] = []
        self.recorder: Recorder | None = None

    async def __aenter__(self) -> Self:
        """Open the state, take the ports, start to play.

        Raises:
            PortInUse: If a given port is taken.
            StateError: If the state directory cannot be used.
            NotRecorded: If the recording cannot be begun.
        """
        try:
            self.listening = [bound(self.settings.port), bound(self.settings.control_port)]
            self._open()
            script, paths = (self._tape.script, self._tape.paths) if isinstance(self._tape, ScenarioTape) else ((), {})
            self.player = Player(self.venue, self._tape, self._lister(), script=script)
            self.player.script.miss(paths)
        except BaseException:
            self._release()
            raise
        port, control_port = (one.getsockname()[1] for one in self.listening)
        self.http_url = f"http://{HOST}:{port}"
        self.ws_url = f"ws://{HOST}:{port}/realtime"
        self.control_url = f"http://{HOST}:{control_port}"
        await self._tasks.__aenter__()
        self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the loops, end the connections, close the journal."""
        for loop in self._loops:
            loop.cancel()
        for server in self._servers:
            server.stop()
        try:
            await self._tasks.__aexit__(kind, error, traceback)
        finally:
            self._release()

    @property
    def account(self) -> int:
        """The first account."""
        return self.venue.accounts[0]

    def key(self, account: int | None = None, *, name: str = "trading") -> ApiKey:
        """Return a key of an account (the first one unless told otherwise) by its name.

        Raises:
            KeyError: If there is no such account or key.
        """
        wanted = self.account if account is None else account
        for key in self.venue.keyring.of_account(wanted):
            if key.name == name:
                return key
        raise KeyError(f"account {wanted} has no {name} key")

    @property
    def request_count(self) -> int:
        """Requests on the venue's own port so far, hand-shakes included."""
        return sum(server.server_state.total_requests for server in self._servers[:1])

    def run_beside(self, loop: Coroutine[None, None, None]) -> None:
        """Run something until the exchange ends."""
        self._loops.append(self._tasks.create_task(loop, name="exchange loop"))

    def description(self) -> dict[str, object]:
        """Return what a client needs to know: addresses and keys (the object of `--json`)."""
        first = self.key()
        return {
            "http": self.http_url,
            "ws": self.ws_url,
            "control": self.control_url,
            "key": first.key_id,
            "secret": first.secret,
            "account": first.account,
            "accounts": [self._described(account) for account in self.venue.accounts],
        }

    def _described(self, account: int) -> dict[str, object]:
        first, *others = self.venue.keyring.of_account(account)
        return {
            "account": account,
            "key": first.key_id,
            "secret": first.secret,
            "other_keys": {one.name: {"key": one.key_id, "secret": one.secret} for one in others},
        }

    def _open(self) -> None:
        settings, venue = self.settings, self.venue
        if settings.record is not None:
            secrets = Redaction(lambda: frozenset(key.secret for key in venue.keyring.all()))
            self.recorder = Recorder(settings.record, clock=venue.wall, redaction=secrets)
        if settings.clock is ClockKind.TAPE:
            for first in islice(self._tape.steps(), 1):
                venue.clock.advance_to(first.tape_ms)
        venue.open(_fingerprint(settings, self._tape))

    def _lister(self) -> Lister | None:
        if self._catalogue is None:
            return None
        return Lister(
            self._catalogue,
            self.venue.exchange,
            seed=self.settings.seed,
            is_recorded=self.settings.market is not None,
            paths=self._tape.paths if isinstance(self._tape, ScenarioTape) else None,
        )

    def _start(self) -> None:
        door, switchboard = Door(self.venue, line_of=self._line_of), Switchboard(self.venue)
        control = Control(self.venue, self.player, _tape_description(self.settings))
        sockets = Starlette(
            routes=[
                WebSocketRoute("/realtime", switchboard.answer),
                WebSocketRoute("/realtimePlatform", switchboard.answer),
                WebSocketRoute(MULTIPLEXED_PATH, switchboard.answer),
                WebSocketRoute("/{path:path}", switchboard.answer_unknown),
            ]
        )

        async def venue_app(scope: Scope, receive: Receive, send: Send) -> None:
            await (door if scope["type"] == "http" else sockets)(scope, receive, send)

        public = venue_app if self.recorder is None else RecordedApp(venue_app, self.recorder)
        apps: tuple[ASGIApp, ASGIApp] = (public, control.app())
        for app, one in zip(apps, self.listening, strict=True):
            server = Server(config_of(app))
            self._servers.append(server)
            self._tasks.create_task(server.serve(sockets=[one]), name="exchange port")
        self._loops = [self._tasks.create_task(loop, name="exchange loop") for loop in self._loops_to_run()]

    def _loops_to_run(self) -> Iterator[Coroutine[None, None, None]]:
        yield self.player.run()
        if self.settings.clock is ClockKind.REAL:  # on the tape's clock all goes off with its steps
            yield run_refresher(self.venue)
            yield run_timers(self.venue)
        if self.settings.state_dir is not None:
            yield run_compaction(self.venue)
        if self.recorder is not None:
            yield run_flushing(self.recorder)

    def _line_of(self, peer: object) -> asyncio.Transport | None:
        """Return the connection of a peer of the venue's own port."""
        connections = self._servers[0].server_state.connections
        lines = (one.transport for one in connections if getattr(one, "client", None) == peer)
        return next(iter(lines), None)

    def _release(self) -> None:
        for one in self.listening:
            one.close()
        self.venue.close()
        if self.recorder is not None:
            self.recorder.close()
            self.recorder = None


Watch = Callable[[EmbeddedExchange], Coroutine[None, None, None]]


async def serve(
    settings: ExchangeSettings, *, announce: Callable[[EmbeddedExchange], None], watch: Watch | None = None
) -> int:
    """Run an exchange until SIGTERM or SIGINT; return the number of requests it has answered.

    Args:
        settings: What it is like.
        announce: Called once, when the ports answer.
        watch: Runs beside it and is cancelled at the end.

    Raises:
        PortInUse: And the other errors of `EmbeddedExchange`; `StateError` also when the journal
            cannot be written any more, `RecordingError` when a line of the market cannot be read.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with EmbeddedExchange(settings) as exchange:
            announce(exchange)
            if watch is not None:
                exchange.run_beside(watch(exchange))
            await stop.wait()
    except BaseExceptionGroup as group:
        broken = group.subgroup(_EXPLAINED)  # a full disk, say, or a damaged line, found by one of the loops
        if broken is None:
            raise
        raise _first_of(broken) from group
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return exchange.request_count


def _catalogue_of(settings: ExchangeSettings) -> Catalogue | None:
    """Return what is listed besides the tape's own contracts."""
    if settings.instruments is not None:
        return file_catalogue(settings.instruments)
    return venue_catalogue() if settings.listing is ListingChoice.VENUE else None


def _tape_of(settings: ExchangeSettings, catalogue: Catalogue | None) -> Steps:
    if settings.market is not None:
        listed = (*CONTRACTS, *(catalogue.table.contracts if catalogue else ()))
        return tape_of_recording(settings.market, {one.symbol: one for one in listed}, speed=settings.speed)
    if settings.candles is None:
        return tape_named(settings.scenario, seed=settings.seed, speed=settings.speed)
    return tape_of_file(
        settings.candles,
        seed=settings.seed,
        since=settings.since,
        until=settings.until,
        speed=settings.speed,
        pick_day=settings.pick_day,
    )


def _tape_description(settings: ExchangeSettings) -> dict[str, object]:
    file = settings.candles or settings.market
    return {
        "scenario": settings.scenario if file is None else None,
        "candles": None if settings.candles is None else settings.candles.name,
        "market": None if settings.market is None else settings.market.name,
    }


def _fingerprint(settings: ExchangeSettings, tape: Steps) -> dict[str, str]:
    """Return the settings a state directory belongs to: what the engine and the tape are made from."""
    file = settings.candles or settings.market
    return {
        "seed": str(settings.seed),
        "listing": settings.listing.value if settings.instruments is None else _known_by(settings.instruments),
        "accounts": str(settings.accounts),
        "balances": dump(dict(settings.balances)).decode(),
        "tape": settings.scenario if file is None else _known_by(file),
        "range": f"{settings.since or ''}..{settings.until or ''}{' violent day' if settings.pick_day else ''}",
        "scenario": tape.digest if isinstance(tape, ScenarioTape) else "built in",
        "speed": settings.speed or "its own",  # it decides how fine the steps are
        "switches": repr(settings.switches),
        "clock": settings.clock.value,
    }


def _known_by(file: Path) -> str:
    """Return what tells a file from another one, and from itself with more or fewer lines, without reading it."""
    return f"{file.name} of {file.stat().st_size} bytes"


def _first_of(errors: BaseExceptionGroup[Exception]) -> Exception:
    first = errors.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first
