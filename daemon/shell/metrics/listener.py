"""A small HTTP server for scrapers: `GET /metrics`, nothing else, and nobody can hold it up.

Why its own: a scraper has no rights and needs none, so it gets a door behind which there is nothing but numbers. A
connection serves one request and lives for ten seconds at most, whatever it does; there are at most sixteen.

Beyond loopback it listens only where the settings say so twice (`config/metrics.py`). On loopback a request must name
this machine, so that a page in somebody's browser cannot read it under a name of its own.

Source: RFC 9112; prometheus.io/docs/instrumenting/exposition_formats.
"""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Final

import structlog

from daemon.shell.metrics.page import Page

MOST_CONNECTIONS: Final = 16
DEADLINE_S: Final = 10.0
BUSY_DEADLINE_S: Final = 1.0
"""For those beyond: time to say so. Beyond twice as many nothing is said."""
HEAD_LIMIT_BYTES: Final = 8 * 1024
PATH: Final = "/metrics"
_WORDS: Final = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}

log = structlog.get_logger("metrics")


class Refused(Exception):
    """A request that is not answered with the page: status and words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class MetricsListener:
    """Serves one guard's page over TCP, as a helpful task."""

    def __init__(self, host: str, port: int, page: Page) -> None:
        """Prepare; nothing is bound yet.

        Args:
            host: An address of this machine.
            port: 0 takes any that is free.
            page: What is served.
        """
        self._host = host
        self._port = port
        self._page = page
        self._open: set[asyncio.StreamWriter] = set()
        self.up = asyncio.Event()
        self.port = 0
        """Where it listens; 0 while it does not."""

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            OSError: If the address cannot be used.
        """
        server = await asyncio.start_server(
            self._serve, self._host, self._port, limit=HEAD_LIMIT_BYTES, backlog=MOST_CONNECTIONS
        )
        try:
            self.port = server.sockets[0].getsockname()[1]
            self.up.set()
            log.info("metrics are served", address=self._host, port=self.port)
            await server.serve_forever()
        finally:
            self.port = 0
            server.close()
            for writer in self._open:
                writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        is_busy = len(self._open) > MOST_CONNECTIONS
        try:
            async with asyncio.timeout(BUSY_DEADLINE_S if is_busy else DEADLINE_S):
                if len(self._open) > 2 * MOST_CONNECTIONS:
                    return
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_BUSY if is_busy else await self._reply(head))
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the one who asked went away, hangs, or asked nonsense: nothing to tell anybody
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _reply(self, head: bytes) -> bytes:
        try:
            method = _method_of(head, is_local=self._is_local)
        except Refused as refused:
            return _answer(refused.status, f"{refused}\n".encode())
        return _answer(200, await self._page.text(), self._page.media_type, with_body=method == "GET")

    @property
    def _is_local(self) -> bool:
        return ipaddress.ip_address(self._host).is_loopback


def _method_of(head: bytes, *, is_local: bool) -> str:
    """Return the method of a request for the page.

    Raises:
        Refused: If it asks for anything else.
    """
    request, *fields = head.decode("latin-1").split("\r\n")
    words = request.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise Refused(400, "not a request that this server knows")
    hosts = [value.strip() for name, _, value in (each.partition(":") for each in fields) if name.lower() == "host"]
    if is_local and not all(_is_here(host) for host in hosts):
        raise Refused(403, "ask for this machine by its address, or as localhost")
    if words[1].partition("?")[0] != PATH:
        raise Refused(404, f"there is nothing but {PATH}")
    if words[0] not in {"GET", "HEAD"}:
        raise Refused(405, "GET or HEAD")
    return words[0]


def _is_here(host: str) -> bool:
    """Whether a Host field names this machine in a way that no name server can forge."""
    name = host[1 : host.index("]")] if host.startswith("[") and "]" in host else host.partition(":")[0]
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _answer(status: int, body: bytes, media: str = "text/plain; charset=utf-8", *, with_body: bool = True) -> bytes:
    head = (
        f"HTTP/1.1 {status} {_WORDS[status]}\r\nContent-Type: {media}\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (body if with_body else b"")


_BUSY: Final = _answer(503, b"busy: too many connections are open\n")
