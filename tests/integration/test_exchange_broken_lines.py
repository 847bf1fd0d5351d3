"""Connections that break, stall or carry nonsense: answers lost on the way, and hostile peers, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from connectors.simulated.server.embedded import EmbeddedExchange
from connectors.simulated.server.fates import Arrival, Ending, Fate
from connectors.simulated.server.rest import arrivals
from tests.integration.exchange_client import DEADLINE_S, Rest, running, sign

ORDER = json.dumps({"symbol": "XBTUSD", "orderQty": 100, "price": 50_000}).encode()


class Line:
    """One raw connection to an exchange."""

    def __init__(self, exchange: EmbeddedExchange, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._key = exchange.key()
        self._reader = reader
        self._writer = writer

    async def exactly(self, length: int) -> bytes:
        """Return so many bytes."""
        async with asyncio.timeout(DEADLINE_S):
            return await self._reader.readexactly(length)

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)

    def place(self) -> None:
        """Send a signed order."""
        self.write(head("POST", "/api/v1/order", len(ORDER), sign(self._key, "POST", "/api/v1/order", ORDER)) + ORDER)

    async def rest(self) -> bytes:
        """Return all there is until the exchange closes."""
        async with asyncio.timeout(DEADLINE_S):
            return await self._reader.read()

    async def until(self, mark: bytes) -> bytes:
        """Return what comes up to a mark."""
        async with asyncio.timeout(DEADLINE_S):
            return await self._reader.readuntil(mark)

    async def close(self) -> None:
        """Leave."""
        self._writer.close()


def head(verb: str, path: str, length: int, fields: dict[str, str] | None = None) -> bytes:
    """Return the head of a request."""
    lines = [f"{verb} {path} HTTP/1.1", "host: exchange", "content-type: application/json", f"content-length: {length}"]
    lines += [f"{name}: {value}" for name, value in (fields or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode()


@asynccontextmanager
async def line(exchange: EmbeddedExchange) -> AsyncIterator[Line]:
    """Open a raw connection."""
    where = urlsplit(exchange.http_url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    one = Line(exchange, reader, writer)
    try:
        yield one
    finally:
        await one.close()


class Ends:
    """Every order's answer ends in one way; everything else is as usual."""

    def __init__(self, ending: Ending) -> None:
        self._ending = ending

    def fate(self, arrival: Arrival) -> Fate | None:
        """Return how the answer to an order leaves."""
        return Fate(ending=self._ending) if arrival.operation == "Order.new" else None

    def clock_skew_ms(self) -> int:
        """Return nothing: the clocks agree."""
        return 0


async def orders(exchange: EmbeddedExchange) -> list[Any]:
    """Return the account's orders, asked for on another connection."""
    async with Rest(exchange) as rest:
        found: list[Any] = await rest.ask("GET", "/order")
        return found


@pytest.mark.parametrize("ending", [Ending.LOST, Ending.RESET])
async def test_an_answer_is_lost_and_the_order_stands(ending: Ending) -> None:
    """The connection closes, or is reset, without a byte; the order was carried out."""
    async with running() as exchange, line(exchange) as one:
        exchange.venue.faults = Ends(ending)
        one.place()
        if ending is Ending.LOST:
            assert await one.rest() == b""
        else:
            with pytest.raises(ConnectionResetError):
                await one.rest()
        assert len(await orders(exchange)) == 1


async def test_an_answer_is_torn() -> None:
    """The head promises more than comes."""
    async with running() as exchange, line(exchange) as one:
        exchange.venue.faults = Ends(Ending.TORN)
        one.place()
        top, _, body = (await one.rest()).partition(b"\r\n\r\n")
        promised = int(top.split(b"content-length: ")[1].split(b"\r\n")[0])
        assert top.startswith(b"HTTP/1.1 200")
        assert 0 < len(body) < promised
        assert len(await orders(exchange)) == 1


async def test_an_answer_comes_twice() -> None:
    """The whole answer, and once more what nobody asked for."""
    async with running() as exchange, line(exchange) as one:
        exchange.venue.faults = Ends(Ending.TWICE)
        one.place()
        for _ in range(2):
            top = await one.until(b"\r\n\r\n")
            assert top.startswith(b"HTTP/1.1 200")
            row = json.loads(await one.until(b"}"))
            assert row["orderQty"] == 100
        assert len(await orders(exchange)) == 1


async def test_an_answer_never_comes_and_the_exchange_goes_on() -> None:
    """Nothing is said on that connection, others are served, and the exchange can still end."""
    async with running() as exchange, line(exchange) as one:
        exchange.venue.faults = Ends(Ending.HANG)
        one.place()
        async with asyncio.timeout(DEADLINE_S):
            while not await orders(exchange):
                pass  # each turn is a request of its own
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await one.rest()


async def test_a_body_larger_than_allowed_is_not_read_to_its_end() -> None:
    """413 and the connection closes, long before ten gigabytes have come."""
    async with running() as exchange, line(exchange) as one:
        one.write(head("POST", "/api/v1/order", 10**10) + b"x" * 100_000)
        assert (await one.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 413")
        assert await orders(exchange) == []


async def test_a_body_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A promise without bytes, and one byte at a time: 408 when the patience is over."""
    monkeypatch.setattr(arrivals, "_SLOWEST_BODY_S", 0.05)
    async with running() as exchange, line(exchange) as one:
        one.write(head("POST", "/api/v1/order", 1_000) + b"{")
        assert (await one.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 408")
        assert await orders(exchange) == []


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /api/v1 HTTP/1.1\r\nhost: x\r\n" + b"x: " + b"y" * 300_000 + b"\r\n\r\n",
        b"GET /api/v1 HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 40_000 + b"\r\n",
        b"GET " + b"/" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /api/v1/order HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        b"POST /api/v1/order HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZZ\r\n",
        b"GET /api/v1 HTTZ/1.1\r\n\r\n",
        b"\r\n" * 1_000 + b"\x00" * 1_000,
    ],
    ids=["tls", "long-header", "many-headers", "long-path", "two-lengths", "bad-chunk", "bad-protocol", "noise"],
)
async def test_bytes_that_are_no_request_end_their_own_connection_only(nonsense: bytes) -> None:
    """TLS, floods of headers, contradictions and noise: 400 or nothing, and the next client is served."""
    async with running() as exchange:
        async with line(exchange) as one:
            one.write(nonsense)
            answer = await one.until(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 4")
        async with Rest(exchange) as rest:
            assert (await rest.plain("GET", "/stats")).status_code == 200


async def test_requests_sent_at_once_are_answered_in_their_order() -> None:
    """Pipelining: three requests in one packet, three answers, one after the other."""
    async with running() as exchange, line(exchange) as one:
        one.write(b"".join(head("GET", path, 0) for path in ("/api/v1", "/api/v1/nothing", "/api/v1/stats")))
        statuses = []
        for _ in range(3):
            top = await one.until(b"\r\n\r\n")
            statuses.append(int(top.split()[1]))
            length = int(top.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await one.exactly(length)
        assert statuses == [200, 404, 200]


async def test_clients_that_leave_in_the_middle_leave_nothing_behind() -> None:
    """A hundred connections that break off within the head or the body; the next order is placed once."""
    async with running() as exchange:
        for number in range(100):
            async with line(exchange) as one:
                one.write(head("POST", "/api/v1/order", 1_000)[: 40 + number * 2] if number % 2 else b"POST /api")
        async with line(exchange) as one:
            one.place()
            assert (await one.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert len(await orders(exchange)) == 1
