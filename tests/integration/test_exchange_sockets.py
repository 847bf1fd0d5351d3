"""Sockets of the embedded exchange under friendly and hostile clients: streams, limits, endings, floods."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import pytest
import websockets

from connectors.simulated.server.embedded import EmbeddedExchange
from connectors.simulated.server.messages import Kind, Message
from connectors.simulated.server.settings import RateLimits
from tests.integration.exchange_client import START_MS, Feed, feed, prices, running, sign

DEADLINE_S = 10
POLL_S = 0.001
SHORT, MEDIUM = 125, 65_535


async def until(is_so: Callable[[], bool]) -> None:
    """Let the others run until something is so."""
    async with asyncio.timeout(DEADLINE_S):
        while not is_so():  # noqa: ASYNC110 - the server sets no event for it
            await asyncio.sleep(POLL_S)


@asynccontextmanager
async def line(exchange: EmbeddedExchange, path: str = "/realtime") -> AsyncIterator[sockets.socket]:
    """Open a WebSocket by hand: a client that keeps no rule it is not made to keep."""
    raw = sockets.create_connection(("127.0.0.1", int(exchange.http_url.rpartition(":")[2])))
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(
        raw,
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode(),
    )
    try:
        yield raw
    finally:
        raw.close()


def frame(payload: bytes, *, opcode: int = 1, fin: bool = True) -> bytes:
    """Return a client's frame, masked with zeros."""
    head = bytes([opcode | (0x80 if fin else 0)])
    if len(payload) <= SHORT:
        head += bytes([0x80 | len(payload)])
    elif len(payload) <= MEDIUM:
        head += struct.pack("!BH", 0x80 | 126, len(payload))
    else:
        head += struct.pack("!BQ", 0x80 | 127, len(payload))
    return head + bytes(4) + payload


async def everything_until_the_end(raw: sockets.socket) -> bytes:
    """Read until the server closes the connection."""
    loop = asyncio.get_running_loop()
    whole = b""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                piece = await loop.sock_recv(raw, 65_536)
            except ConnectionResetError:
                return whole
            if not piece:
                return whole
            whole += piece


async def send_without_end(raw: sockets.socket, data: bytes) -> None:
    """Send until the connection is gone."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(DEADLINE_S):
        while True:
            await loop.sock_sendall(raw, data)


async def is_well(exchange: EmbeddedExchange, watcher: Feed) -> bool:
    """Return whether another client still gets what it subscribed to, and an answer."""
    exchange.venue.submit(prices(START_MS + exchange.venue.clock() % 1_000_000, XBTUSD=59_000))
    exchange.venue.submit(prices(START_MS + exchange.venue.clock() % 1_000_000 + 1, XBTUSD=59_500))
    await watcher.table("instrument", "update")
    await watcher.say("ping")
    return bool(await watcher.until(lambda one: one == "pong"))


@pytest.mark.parametrize("path", ["/realtime", "/realtimePlatform"])
async def test_both_addresses_speak_the_same(path: str) -> None:
    """Platform topics have an address of their own, and the talk is the same."""
    async with running() as exchange:
        address = exchange.ws_url.removesuffix("/realtime") + path
        async with websockets.connect(f"{address}?subscribe=chat,announcement", proxy=None) as socket:
            one = Feed(socket)
            assert "info" in await one.next()
            for topic in ("chat", "announcement"):
                assert (await one.next())["subscribe"] == topic
                assert (await one.next())["table"] == topic


async def test_many_accounts_on_one_socket() -> None:
    """`/realtimemd`: two streams signed in by their topics, a fill of one account on its stream only."""
    async with running() as exchange:
        address = exchange.ws_url + "md"
        async with websockets.connect(address, proxy=None) as socket:
            one = Feed(socket)
            for number, account in enumerate(exchange.venue.accounts):
                headers = sign(exchange.key(account), "GET", "/realtime")
                topic = ":".join(["userAuth", *(headers[f"api-{name}"] for name in ("key", "expires", "signature"))])
                await one.say([1, number, topic])
                assert (await one.next())[3]["info"].startswith("Welcome")
                assert (await one.next())[3]["success"] is True
                await one.say([0, number, topic, {"op": "subscribe", "args": ["margin"]}])
                await one.next()
                partial = await one.next()
                assert (partial[1], partial[3]["filter"]) == (number, {"account": account})
            await one.say("ping")
            assert await one.next() == "pong"


async def test_connections_of_an_address_are_limited() -> None:
    """The hour's budget is counted down in the welcome; beyond it the hand-shake is a 429 that says how long."""
    limits = RateLimits(connections_per_hour=2, error_name="HTTPError")
    async with running(limits=limits, clock=lambda: START_MS) as exchange:
        for left in (1, 0):
            async with feed(exchange, greet=False) as one:
                assert (await one.next())["limit"] == {"remaining": left}
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with feed(exchange):
                pass
        reply = refused.value.response
        assert (reply.status_code, reply.headers["retry-after"]) == (429, "1800")
        error = {"message": "Rate limit exceeded, retry in 1800 seconds.", "name": "HTTPError"}
        assert json.loads(reply.body or b"")["error"] == error


@pytest.mark.parametrize(("per_second", "opened"), [(2, 2), (0, 3)])
async def test_new_connections_a_second_are_a_switch(per_second: int, opened: int) -> None:
    """On, the third within a second is refused; off, as many as the hour allows."""
    limits = RateLimits(connections_per_second=per_second)
    async with running(limits=limits, clock=lambda: START_MS) as exchange:
        for _ in range(opened):
            async with feed(exchange):
                pass
        with pytest.raises(websockets.InvalidStatus) if per_second else nullcontext():
            async with feed(exchange):
                pass


@pytest.mark.parametrize("code", [1000, 1001, 1012, 4000])
async def test_a_session_is_closed_with_the_code_it_is_told(code: int) -> None:
    """What was queued comes first."""
    async with running() as exchange, feed(exchange) as one:
        await one.subscribe("funding")
        (session,) = exchange.venue.hub.sessions()
        session.release(Message(kind=Kind.DELTA, payload=b'{"table":"funding"}', table="funding"))
        session.hang_up(code)
        assert (await one.next())["table"] == "funding"
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await one.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code


async def test_a_connection_breaks_off_in_the_middle_of_a_frame() -> None:
    """No close frame, and what came last is half a message."""
    async with running() as exchange, line(exchange, "/realtime?subscribe=instrument") as raw:
        await until(lambda: len(exchange.venue.hub.sessions()) == 1)
        exchange.venue.hub.sessions()[0].hang_up(None)
        whole = await everything_until_the_end(raw)
        assert b'"info"' in whole
        assert not whole.endswith(b"]}")


async def test_a_connection_ends_without_a_close_frame() -> None:
    """1006 is what a client notes; every message before is whole."""
    async with running() as exchange, feed(exchange) as one:
        exchange.venue.hub.sessions()[0].hang_up(1006)
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            await one.next()
        assert closed.value.rcvd is None


HOSTILE: dict[str, bytes] = {
    "text that is no UTF-8": frame(b"\xff\xfe\x80"),
    "an unknown opcode": frame(b"x", opcode=5),
    "a continuation of nothing": frame(b"x", opcode=0),
    "a frame without a mask": b"\x81\x04ping",
    "a frame of four gigabytes": b"\x81\xff" + struct.pack("!Q", 4 << 30) + bytes(4),
    "a negative length": b"\x81\xff" + b"\xff" * 8 + bytes(4),
    "a frame beyond the limit": frame(b"x" * 70_000),
    "a ping that is too long": frame(b"x" * 126, opcode=9),
    "reserved bits": b"\xf1\x80" + bytes(4),
    "half a close": frame(b"\x03", opcode=8),
    "a fragmented message without end": frame(b"x" * 60_000, fin=False) + frame(b"x" * 60_000, opcode=0, fin=False),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_breaks_the_protocol_ends_the_connection_and_nothing_else(name: str) -> None:
    """The server closes, forgets the session, and another client notices nothing."""
    async with running() as exchange, feed(exchange) as watcher:
        await watcher.subscribe("instrument:XBTUSD")
        async with line(exchange, "/realtime?subscribe=instrument,orderBookL2") as raw:
            await until(lambda: exchange.venue.hub.listener_count() == 2)
            await asyncio.get_running_loop().sock_sendall(raw, HOSTILE[name])
            await everything_until_the_end(raw)
        await until(lambda: exchange.venue.hub.listener_count() == 1)
        assert await is_well(exchange, watcher)


ODD: dict[str, bytes] = {
    "binary": frame(b'{"op":"help"}', opcode=2),
    "binary that is no UTF-8": frame(b"\xff\xfe\x80", opcode=2),
    "a message in fragments": frame(b'{"op":', fin=False)
    + frame(b'"he', opcode=0, fin=False)
    + frame(b'lp"}', opcode=0),
    "a ping between fragments": frame(b'{"op":', fin=False) + frame(b"x", opcode=9) + frame(b'"help"}', opcode=0),
    "nothing": frame(b""),
    "a lone surrogate": frame(b'{"op":"\\ud800"}'),
    "deep nesting": frame(b'{"op":"subscribe","args":' + b"[" * 30_000 + b"]" * 30_000 + b"}"),
    "a number without end": frame(b'{"op":"cancelAllAfter","args":' + b"9" * 60_000 + b"}"),
    "a huge exponent": frame(b'{"op":"cancelAllAfter","args":1e999999999}'),
    "the same name twice": frame(b'{"op":"help","op":"subscribe","args":"chat"}'),
    "keys of every type": frame(b'{"op":["subscribe"],"args":{"a":1}}'),
    "a sign-in of objects": frame(b'{"op":"authKeyExpires","args":[{},[],null]}'),
}


@pytest.mark.parametrize("name", ODD)
async def test_what_is_odd_is_answered_and_the_socket_lives(name: str) -> None:
    """Whatever comes back, a ping after it is answered; at most a refused sign-in ends the session."""
    async with running() as exchange, line(exchange) as raw:
        await until(lambda: exchange.venue.hub.listener_count() == 1)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(raw, ODD[name] + frame(b"ping"))
        whole = b""
        async with asyncio.timeout(DEADLINE_S):
            while b"pong" not in whole and b'"status":401' not in whole:
                whole += await loop.sock_recv(raw, 65_536)
        assert exchange.venue.hub.listener_count() <= 1


async def test_a_flood_of_operations_stays_within_its_connection() -> None:
    """Thousands of requests without reading an answer: cut off in bounded memory, the watcher unharmed."""
    async with running(outbox_bytes=200_000) as exchange, feed(exchange) as watcher:
        await watcher.subscribe("instrument:XBTUSD")
        async with line(exchange) as raw:
            await until(lambda: exchange.venue.hub.listener_count() == 2)
            request = frame(json.dumps({"op": "subscribe", "args": ["nonsense"] * 200}).encode())
            with pytest.raises(ConnectionError):
                await send_without_end(raw, request * 100)
            await until(lambda: exchange.venue.hub.listener_count() == 1)
        assert await is_well(exchange, watcher)


async def test_a_client_that_never_reads_is_gone_with_all_it_held() -> None:
    """After it was cut off not even its socket stays open."""
    async with running(outbox_bytes=100_000) as exchange, line(exchange, "/realtime?subscribe=orderBookL2,instrument"):
        await until(lambda: exchange.venue.hub.listener_count() == 1)
        number = 0
        async with asyncio.timeout(DEADLINE_S):
            while exchange.venue.hub.listener_count():
                number += 1
                exchange.venue.submit(prices(START_MS + number, XBTUSD=59_000 + number % 2 * 100))
                await asyncio.sleep(0)
        await until(lambda: not exchange._servers[0].server_state.connections)
        hub = exchange.venue.hub
        assert (hub._readers, hub._books._published) == ({}, {})


async def test_thousands_of_subscriptions_leave_nothing_behind() -> None:
    """All topics of all symbols, over and over, on many sockets; afterwards the hub is as empty as before."""
    async with running() as exchange:
        symbols = exchange.venue.exchange.symbols()
        tables = ("instrument", "trade", "quote", "orderBookL2", "orderBookL2_25", "orderBook10", "tradeBin1m")
        topics = [f"{table}:{symbol}" for table in tables for symbol in symbols]
        for _ in range(5):
            async with feed(exchange) as one:
                for operation in ("subscribe", "unsubscribe", "subscribe"):
                    await one.say({"op": operation, "args": topics})
                    for _ in topics:
                        await one.until(lambda frame, operation=operation: operation in frame)
        await until(lambda: exchange.venue.hub.listener_count() == 0)
        hub = exchange.venue.hub
        assert (hub._readers, hub._books._published, hub.images._waiting) == ({}, {}, [])


async def test_two_hundred_sockets_at_once() -> None:
    """Each gets the same frames, and all are gone at the end."""
    async with running() as exchange, asyncio.timeout(30):
        raws: list[Any] = []
        loop = asyncio.get_running_loop()
        for _ in range(200):
            manager = line(exchange, "/realtime?subscribe=quote:XBTUSD")
            raws.append((manager, await manager.__aenter__()))
        await until(lambda: len(exchange.venue.hub._audience("quote", None, "XBTUSD")) == 200)
        exchange.venue.submit(prices(START_MS + 1_000, XBTUSD=59_123))
        for manager, raw in raws:
            whole = b""
            while b"59123.5" not in whole:
                whole += await loop.sock_recv(raw, 65_536)
            await manager.__aexit__(None, None, None)
        await until(lambda: exchange.venue.hub.listener_count() == 0)
