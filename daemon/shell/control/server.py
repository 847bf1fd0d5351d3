"""Serves the control API on a Unix socket, or on TCP for those who show a token.

Why so narrow: it shares the process with what protects. A connection serves one request and lives for five seconds at
most, whatever it does; there are at most 64, the next ones hear 503, and beyond 128 nothing; a request head may have
8 KiB, a body 4 KiB. A few may follow the events for longer (`feed.py`), and are dropped when they do not keep up.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from config.control import Right
from daemon.shell.control.application import application
from daemon.shell.control.counter import Counter
from daemon.shell.control.rights import Caller, Tokens, peer_of
from daemon.shell.local_socket import bound_socket, clear_stale, remove_own

MOST_CONNECTIONS: Final = 64
MOST_AT_ALL: Final = 2 * MOST_CONNECTIONS
"""Beyond that a connection is dropped unheard: each costs a descriptor, and the guard needs its own."""
MOST_READERS: Final = MOST_CONNECTIONS * 3 // 4
"""The other places are for those who may operate: a crowd of bots must not keep out a person who wants to flatten."""
MOST_HELD: Final = 8
"""Connections that outlive the deadline."""
DEADLINE_S: Final = 5.0
"""From connecting to the last byte of the answer."""
CROWDED_FOR_S: Final = 2.0
"""After a connection found no place: whoever called may have been turned away, so nobody's silence is counted."""
HEAD_LIMIT_BYTES: Final = 8 * 1024

log = structlog.get_logger("control")


class ControlApi:
    """Serves one guard's callers, as a helpful task."""

    def __init__(
        self, path: Path, counter: Counter, *, group: str | None = None, group_may: Right = Right.READ
    ) -> None:
        """Prepare; nothing is bound yet.

        Args:
            path: Where.
            counter: Answers.
            group: Members of it may connect as well.
            group_may: What they may do.
        """
        self._path = path
        self._group = group
        caller_of = partial(_by_the_kernel, group_may=group_may)
        self._server = _Served(counter, caller_of)

    @property
    def problem(self) -> str:
        """Why nobody can call; empty while they can."""
        return self._server.problem

    def deaf(self) -> str:
        """Why a bot that calls may not be heard, or empty: nobody listens, or others take every place."""
        return self._server.deaf()

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            OSError: If the socket cannot be made, or another process listens there.
        """
        with self._server.noting(str(self._path)):
            clear_stale(self._path)
            with bound_socket(self._path, group=self._group) as listener:
                inode = self._path.lstat().st_ino
                try:
                    await self._server.serve(listener)
                finally:
                    remove_own(self._path, inode)


class TcpApi:
    """Serves the same on TCP, as a helpful task: to those who show a token."""

    def __init__(self, address: tuple[str, int], counter: Counter, tokens: Tokens) -> None:
        """Prepare; nothing is bound yet."""
        self._address = address
        self._server = _Served(counter, lambda _connection: tokens.caller)
        self.port = 0
        """Where it listens, once it does."""

    @property
    def problem(self) -> str:
        """Why nobody can call; empty while they can."""
        return self._server.problem

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            OSError: If the address cannot be had.
        """
        host, port = self._address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with self._server.noting(f"{host}:{port}"), socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.setblocking(False)
            self.port = listener.getsockname()[1]
            await self._server.serve(listener)


ShownBy = Callable[[str], Caller | None]
"""The caller, by what its authorization header says."""
CallerOf = Callable[[socket.socket], ShownBy]


def _by_the_kernel(connection: socket.socket, *, group_may: Right) -> ShownBy:
    caller = peer_of(connection, group_may=group_may)
    return lambda _authorization: caller


class _Served:
    """One listener's server, and what is known of how it fares."""

    def __init__(self, counter: Counter, caller_of: CallerOf) -> None:
        self._counter = counter
        self._caller_of = caller_of
        self.problem = "it is starting"
        self._crowded_s = -CROWDED_FOR_S
        self.held = 0
        self.readers = 0

    def deaf(self) -> str:
        if not self.problem and asyncio.get_running_loop().time() < self._crowded_s + CROWDED_FOR_S:
            return (
                f"more than {MOST_CONNECTIONS} connections at a time take every place: some program does not close its"
            )
        return self.problem

    def note_crowd(self) -> None:
        """Remember that a connection found no place."""
        self._crowded_s = asyncio.get_running_loop().time()

    @contextlib.contextmanager
    def noting(self, where: str) -> Iterator[None]:
        """Remember why it ended."""
        try:
            yield
        except OSError as error:
            self.problem = f"{where}: {error.strerror or error}"
            raise
        finally:
            self.problem = self.problem or "it ended"

    async def serve(self, listener: socket.socket) -> None:
        """Serve until cancelled."""
        config = uvicorn.Config(
            application(self._counter),
            http=partial(_OneRequest, self, self._caller_of),  # type: ignore[arg-type]  # it is only called
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",  # nonsense that a caller sends is answered, and must not fill the log
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS,
            h11_max_incomplete_event_size=HEAD_LIMIT_BYTES,
            backlog=MOST_CONNECTIONS,
            headers=[("connection", "close"), ("cache-control", "no-store")],
        )
        server = _Server(config, self._note_up)
        try:
            await server.serve(sockets=[listener])
        finally:
            self.problem = "it ended"
            server.close_now()

    def _note_up(self) -> None:
        self.problem = ""


class _OneRequest(H11Protocol):
    """A connection that is over after its deadline, whatever came of it: a slow one must not hold a place for ever."""

    def __init__(self, served: _Served, caller_of: CallerOf, *args: Any, **more: Any) -> None:  # noqa: ANN401 - the parent's
        super().__init__(*args, **more)
        self._served = served
        self._caller_of = caller_of
        self._expiry: asyncio.TimerHandle | None = None
        self._is_held = False
        self._is_reader = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the parent has it
        super().connection_made(transport)
        if len(self.connections) >= MOST_CONNECTIONS:
            self._served.note_crowd()
        try:
            self.caller: ShownBy = self._caller_of(transport.get_extra_info("socket"))
        except OSError:
            transport.abort()  # nobody is there any more
            return
        if len(self.connections) > MOST_AT_ALL:
            transport.abort()
            return
        if not self._has_place():
            self._served.note_crowd()
            transport.abort()
            return
        self.app_state = {**self.app_state, "connection": self}
        self._expiry = self.loop.call_later(DEADLINE_S, transport.abort)

    def _has_place(self) -> bool:
        """Count one who by the kernel's word may only read; False where those take their share already."""
        caller = self.caller("")
        self._is_reader = caller is not None and not caller.may(Right.OPERATE)
        self._served.readers += self._is_reader
        return not self._is_reader or self._served.readers <= MOST_READERS

    def hold(self) -> bool:
        """Let this connection outlive its deadline, if not too many do."""
        if self._served.held >= MOST_HELD:
            return False
        self._end_deadline()
        if not self._is_held:
            self._is_held = True
            self._served.held += 1
        return True

    def _end_deadline(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_deadline()
        if self._is_held:
            self._is_held = False
            self._served.held -= 1
        self._served.readers -= self._is_reader
        self._is_reader = False
        super().connection_lost(exc)


class _Server(uvicorn.Server):
    """Leaves signals to the guard, says when it is up, and goes at once when it is told to."""

    def __init__(self, config: uvicorn.Config, note_up: Callable[[], None]) -> None:
        super().__init__(config)
        self._note_up = note_up

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: Any = None) -> None:  # noqa: ANN401 - as the parent has it
        await super().startup(sockets)
        self._note_up()

    def close_now(self) -> None:
        """Let go of the listener and of every connection, without waiting."""
        for listener in getattr(self, "servers", []):
            listener.close()
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
