"""The control API: HTTP on a Unix socket, through which bots show that they live and read the halt flag.

    POST /v1/bots/NAME/heartbeat      200 heard, 404 no such bot, 409 heard by its orders only, 503 still opening
    GET  /v1/bots                     how each bot stands
    GET  /v1/halt[?symbol=][&bot=]    whether to stop adding exposure, and why; always 200
    GET  /v1/health                   200 while it guards, 503 while it does not, with the same words

Why so narrow: it shares the process with what protects. A connection serves one request and lives for five seconds at
most, whatever it does; there are at most 64, the next ones hear 503, and beyond 128 nothing; a request head may have
8 KiB, and a body is refused beyond 4 KiB and never read. Nothing here listens on a network; who may connect is the
socket's mode.

Imported only where the settings ask for it: starlette and uvicorn take memory and time to load.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from daemon.core.events import HeardBy
from daemon.shell.bot_desk import BotDesk, NotAsked, NotYet, UnknownBot
from daemon.shell.local_socket import bound_socket, clear_stale, remove_own

MOST_CONNECTIONS: Final = 64
MOST_AT_ALL: Final = 2 * MOST_CONNECTIONS
"""Beyond that a connection is dropped unheard: each costs a descriptor, and the guard needs its own."""
DEADLINE_S: Final = 5.0
"""From connecting to the last byte of the answer."""
CROWDED_FOR_S: Final = 2.0
"""After a connection found no place: whoever called may have been turned away, so nobody's silence is counted."""
HEAD_LIMIT_BYTES: Final = 8 * 1024
BODY_LIMIT_BYTES: Final = 4 * 1024
COMMAND_HEADER: Final = "x-seawall-command"
"""`seawall heartbeat` says so, for the journal."""

log = structlog.get_logger("control")


class ControlApi:
    """Serves one guard's bots, as a helpful task."""

    def __init__(self, path: Path, desk: BotDesk, *, group: str | None = None) -> None:
        """Prepare; nothing is bound yet.

        Args:
            path: Where.
            desk: Answers.
            group: Members of it may connect as well.
        """
        self._path = path
        self._desk = desk
        self._group = group
        self.problem = "it is starting"
        """Why nobody can call; empty while they can."""
        self._crowded_s = -CROWDED_FOR_S

    def deaf(self) -> str:
        """Why a bot that calls may not be heard, or empty: nobody listens, or others take every place."""
        if not self.problem and asyncio.get_running_loop().time() < self._crowded_s + CROWDED_FOR_S:
            return (
                f"more than {MOST_CONNECTIONS} connections at a time take every place: some program does not close its"
            )
        return self.problem

    def _note_crowd(self) -> None:
        self._crowded_s = asyncio.get_running_loop().time()

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            OSError: If the socket cannot be made, or another process listens there.
        """
        try:
            clear_stale(self._path)
            with bound_socket(self._path, group=self._group) as listener:
                inode = self._path.lstat().st_ino
                try:
                    await self._serve(listener)
                finally:
                    remove_own(self._path, inode)
        except OSError as error:
            self.problem = f"{self._path}: {error.strerror or error}"
            raise
        finally:
            self.problem = self.problem or "it ended"

    async def _serve(self, listener: Any) -> None:  # noqa: ANN401 - a bound socket
        config = uvicorn.Config(
            self.application(),
            http=partial(_OneRequest, self._note_crowd),  # type: ignore[arg-type]  # it is only called
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

    # ------------------------------------------------------------ routes

    def application(self) -> Starlette:
        """Return the routes, for the server and for tests."""
        routes = [
            Route("/v1/bots/{name}/heartbeat", _guarded(self._heartbeat), methods=["POST"]),
            Route("/v1/bots", _guarded(self._bots), methods=["GET"]),
            Route("/v1/halt", _guarded(self._halt), methods=["GET"]),
            Route("/v1/health", _guarded(self._health), methods=["GET"]),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: _in_words, Exception: _failed})

    async def _heartbeat(self, request: Request) -> Response:
        how = HeardBy.COMMAND if COMMAND_HEADER in request.headers else HeardBy.CALL
        try:
            return _answer(self._desk.hear(request.path_params["name"], how))
        except UnknownBot as error:
            return _error(404, str(error))
        except NotAsked as error:
            return _error(409, str(error))
        except NotYet as error:
            return _error(503, str(error), {"retry-after": "1"})

    async def _bots(self, _request: Request) -> Response:
        return _answer({"bots": self._desk.describe_bots()})

    async def _halt(self, request: Request) -> Response:
        symbol, bot = (request.query_params.get(name) or None for name in ("symbol", "bot"))
        try:
            return _answer(self._desk.describe_halt(symbol=symbol, bot=bot))
        except UnknownBot as error:
            return _error(404, str(error))

    async def _health(self, _request: Request) -> Response:
        is_guarding, described = self._desk.describe_health()
        return _answer(described, status=200 if is_guarding else 503)


def _guarded(route: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Refuse what is too large before anything is done; no route reads a body."""

    async def answer(request: Request) -> Response:
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 18 or int(length) > BODY_LIMIT_BYTES:
            return _error(413, f"a body of more than {BODY_LIMIT_BYTES} bytes is not taken; none is needed")
        return await route(request)

    return answer


def _answer(described: dict[str, object], *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = msgspec.json.encode(described) + b"\n"
    return Response(body, status_code=status, media_type="application/json", headers=headers)


def _error(status: int, words: str, headers: dict[str, str] | None = None) -> Response:
    return _answer({"error": words}, status=status, headers=headers)


async def _in_words(_request: Request, error: Exception) -> Response:
    """Answer what no route takes: an unknown path, or a wrong method."""
    if not isinstance(error, HTTPException):
        raise error
    known = "POST /v1/bots/NAME/heartbeat, GET /v1/bots, /v1/halt, /v1/health"
    headers = None if error.headers is None else dict(error.headers)
    return _error(error.status_code, f"{error.detail}; known: {known}", headers)


async def _failed(request: Request, error: Exception) -> Response:
    """Say what broke while answering; the guard itself goes on, or ends by its own invariants."""
    log.error("a question to the control API broke", path=request.url.path, why=f"{type(error).__name__}: {error}")
    return _error(500, "the guard could not answer; take it for halted")


class _OneRequest(H11Protocol):
    """A connection that is over after its deadline, whatever came of it: a slow one must not hold a place for ever."""

    def __init__(self, note_crowd: Callable[[], None], *args: Any, **more: Any) -> None:  # noqa: ANN401 - the parent's
        super().__init__(*args, **more)
        self._note_crowd = note_crowd
        self._expiry: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the parent has it
        super().connection_made(transport)
        if len(self.connections) >= MOST_CONNECTIONS:
            self._note_crowd()
        if len(self.connections) > MOST_AT_ALL:
            transport.abort()
            return
        self._expiry = self.loop.call_later(DEADLINE_S, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
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
