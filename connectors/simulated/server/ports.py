"""A loopback port and the HTTP server behind it.

Why: uvicorn is built to own its process: it takes the signals, and ends after pauses of its own. Here it
is one of several things in a process that ends when it is told to.

Units: seconds, bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from connectors.simulated.server.settings import HOST
from connectors.simulated.server.stream_protocol import StreamProtocol

_IDLE_S = 90  # the venue keeps idle connections about this long
_STOP_S = 2  # for open requests to end
_TICK_S = 0.1  # uvicorn's own: it renews the date header every tenth tick
_LOOK_S = 0.002
_MOST_FRAME_BYTES = 64 * 1024
_BACKLOG = 256


class PortInUse(Exception):
    """The port belongs to somebody else; the text says which."""


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals to whoever runs it, and ends without its fixed pauses."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    def stop(self) -> None:
        """End soon: no new connection, the open ones are told."""
        self.should_exit = True
        self._told.set()

    async def main_loop(self) -> None:
        """Tick as uvicorn does, but notice the end at once."""
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await self._told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close, and wait for whoever is still connected, but not for nobody."""
        for server in self.servers:
            server.close()
        for one in sockets or []:
            one.close()
        state = self.server_state
        for connection in tuple(state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(_STOP_S):
                while state.connections or state.tasks:  # noqa: ASYNC110 - uvicorn sets no event
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            for task in state.tasks:
                task.cancel()


def config_of(app: ASGIApp) -> uvicorn.Config:
    """Return how an application is served."""
    return uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",  # what goes wrong inside is logged where it is answered
        access_log=False,
        lifespan="off",
        ws=StreamProtocol,
        ws_max_size=_MOST_FRAME_BYTES,
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        server_header=False,
        date_header=True,
        timeout_keep_alive=_IDLE_S,
    )


def bound(port: int) -> socket.socket:
    """Return a socket that listens on a loopback port, 0 for a free one.

    Raises:
        PortInUse: If it cannot be had.
    """
    # With the protocol named, asyncio switches Nagle's delay off for each connection; it adds 40 ms else.
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((HOST, port))
        one.listen(_BACKLOG)
        one.setblocking(False)
    except OSError as error:
        one.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(f"port {port} on {HOST} is in use; give another one, or 0 for a free one") from error
        raise PortInUse(f"port {port} on {HOST} cannot be used: {error.strerror}") from error
    return one
