"""The door for scrapers: one path, no rights, and nobody who hangs in it holds up others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from daemon.shell.metrics import listener as listener_module
from daemon.shell.metrics.listener import MetricsListener
from daemon.shell.metrics.page import Page
from tests.unit.daemon.shell.metrics.pages import a_guard, snapshot_of

DEADLINE_S = 10.0
HOST = "Host: localhost:9464\r\n"


@asynccontextmanager
async def listening(host: str = "127.0.0.1") -> AsyncIterator[MetricsListener]:
    """A listener on a free port."""
    snapshot = snapshot_of(a_guard("XBTUSDT").state)
    listener = MetricsListener(host, 0, Page(lambda: snapshot))
    running = asyncio.ensure_future(listener.run())
    try:
        async with asyncio.timeout(DEADLINE_S):
            await listener.up.wait()
        yield listener
    finally:
        running.cancel()
        await asyncio.wait([running])


async def say(port: int, request: str) -> tuple[int, str, bytes]:
    """Send a request; status, head and body of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request.encode("latin-1"))
        async with asyncio.timeout(DEADLINE_S):
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        await ended(writer)
    return (int(head.split()[1]) if head else 0), head.decode(), body


async def test_a_scraper_gets_the_page() -> None:
    """GET is answered with the text format and its length, HEAD with the same and no body."""
    async with listening() as listener:
        status, head, body = await say(listener.port, f"GET /metrics HTTP/1.1\r\n{HOST}\r\n")
        assert status == 200
        assert "Content-Type: text/plain; version=0.0.4; charset=utf-8" in head
        assert f"Content-Length: {len(body)}" in head
        assert b'seawall_mode{mode="guarding"}' in body
        assert (await say(listener.port, f"HEAD /metrics?x=1 HTTP/1.1\r\n{HOST}\r\n"))[::2] == (200, b"")


@pytest.mark.parametrize(
    ("request_line", "host", "status"),
    [
        ("GET / HTTP/1.1", "127.0.0.1:9464", 404),
        ("GET /v1/state HTTP/1.1", "127.0.0.1", 404),
        ("POST /metrics HTTP/1.1", "[::1]:9464", 405),
        ("nonsense", "127.0.0.1", 400),
        ("GET /metrics SPDY/3", "127.0.0.1", 400),
        ("GET /metrics HTTP/1.1", "rebound.example", 403),
        ("GET /metrics HTTP/1.1", "10.0.0.7:9464", 403),
        ("GET /metrics HTTP/1.1", "127.0.0.2:1", 200),
    ],
)
async def test_everything_else_is_refused(request_line: str, host: str, status: int) -> None:
    """Other paths, methods, nonsense, and a browser that was led here under a foreign name."""
    async with listening() as listener:
        assert (await say(listener.port, f"{request_line}\r\nHost: {host}\r\n\r\n"))[0] == status


async def test_a_head_without_end_is_dropped() -> None:
    """More than eight kilobytes of head: the connection is closed without a word."""
    async with listening() as listener:
        assert (await say(listener.port, "GET /metrics HTTP/1.1\r\n" + "X: y\r\n" * 5_000))[0] == 0


async def test_scrapers_that_hang_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """P10: all places are taken by scrapers that say nothing: one more hears busy; after the deadline all is free."""
    monkeypatch.setattr(listener_module, "MOST_CONNECTIONS", 2)
    monkeypatch.setattr(listener_module, "DEADLINE_S", 0.2)
    async with listening() as listener:
        hanging = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(2)]
        status, _, body = await say(listener.port, f"GET /metrics HTTP/1.1\r\n{HOST}\r\n")
        assert (status, body) == (503, b"busy: too many connections are open\n")
        async with asyncio.timeout(DEADLINE_S):
            for reader, writer in hanging:
                assert await reader.read() == b""
                await ended(writer)
        assert (await say(listener.port, f"GET /metrics HTTP/1.1\r\n{HOST}\r\n"))[0] == 200


async def test_a_scraper_that_reads_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """P10: it asks and never reads the answer: its connection is cut at the deadline, with what waits for it."""
    monkeypatch.setattr(listener_module, "DEADLINE_S", 0.2)
    monkeypatch.setattr(Page, "text", _huge)
    async with listening() as listener:
        _reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, limit=1)
        writer.write(f"GET /metrics HTTP/1.1\r\n{HOST}\r\n".encode())
        was_open = False
        for _ in range(1_000):
            if was_open and not listener._open:
                break
            was_open = was_open or bool(listener._open)
            await asyncio.sleep(0.01)
        assert was_open
        assert not listener._open
        await ended(writer)


async def ended(writer: asyncio.StreamWriter) -> None:
    """Let go of a connection."""
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


async def _huge(_page: Page) -> bytes:
    return b"x" * 64 * 1024 * 1024
