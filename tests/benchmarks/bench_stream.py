"""The real-time wire: frames a second to one reader and to two hundred, against the plain way to send them.

The server runs in a process of its own and the reader is lean: it reads big pieces from a raw socket and counts frame
headers, nothing else. So the figures are the server's. The floor, in the same run and over the same kind of socket: the
same server software (uvicorn with websockets) sending one ready text the usual way, one ASGI message for each frame,
with nothing behind it. Two things are measured:

- the wire alone: rows that are already there become frames and go to one reader and to many;
- the whole exchange: prices move as fast as it can move them, everything from the engine on included.

The column of processor time is the server's for each frame sent; on a busy machine it says more than frames a second.
"""

from __future__ import annotations

import asyncio
import resource
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from connectors.simulated.engine.changes import Change
from connectors.simulated.server.clock import iso
from connectors.simulated.server.hub import Hub
from tests.benchmarks.bench_start import cpu_s
from tests.benchmarks.measure import print_table
from tests.integration.exchange_client import START_MS, StillTape, prices, running

MEASURED_S = 4.0
MANY = 200
LAG_BYTES = 256 * 1024
"""What a reader may be behind before the source waits for it, as the player of a tape does."""
HAND_SHAKE = (
    "GET /realtime?subscribe={topics} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
QUOTE = {
    "timestamp": iso(START_MS),
    "symbol": "XBTUSD",
    "bidSize": 100_000,
    "bidPrice": 60_000,
    "askPrice": 60_001,
    "askSize": 100_000,
}


class Counter:
    """Counts the frames of one socket by their headers."""

    def __init__(self, port: int, topics: str) -> None:
        self.raw = socket.create_connection(("127.0.0.1", port))
        self.raw.sendall(HAND_SHAKE.format(topics=topics).encode())
        self.frames = 0
        self.size = 0
        self._rest = bytearray()
        while b"\r\n\r\n" not in self._rest:
            self._rest += self.raw.recv(65_536)
        del self._rest[: self._rest.index(b"\r\n\r\n") + 4]

    def read(self) -> bool:
        """Take what is there; return False at the end."""
        piece = self.raw.recv(1 << 20)
        self.size += len(piece)
        rest = self._rest
        rest += piece
        at, end = 0, len(rest)
        while at + 10 <= end:
            length = rest[at + 1]
            if length == 126:
                after = at + 4 + (rest[at + 2] << 8 | rest[at + 3])
            elif length == 127:
                after = at + 10 + int.from_bytes(rest[at + 2 : at + 10], "big")
            else:
                after = at + 2 + length
            if after > end:
                break
            at = after
            self.frames += 1
        del rest[:at]
        return bool(piece)


def counted(port: int, topics: str, readers: int) -> tuple[float, float]:
    """Return frames and megabytes a second that so many readers get together."""
    counters = [Counter(port, topics) for _ in range(readers)]
    with selectors.DefaultSelector() as ready:
        for counter in counters:
            ready.register(counter.raw, selectors.EVENT_READ, counter)
        before = (0, 0, 0.0)
        until_s = time.perf_counter() + MEASURED_S
        while (now_s := time.perf_counter()) < until_s:
            if not before[2] and now_s > until_s - MEASURED_S * 0.75:
                before = (sum(one.frames for one in counters), sum(one.size for one in counters), now_s)
            for key, _ in ready.select(0.1):
                key.data.read()
    took_s = now_s - before[2]
    frames, size = (sum(one.frames for one in counters) - before[0], sum(one.size for one in counters) - before[1])
    for counter in counters:
        counter.raw.close()
    return frames / took_s, size / took_s / 1e6


async def plain() -> None:
    """Serve the same frame again and again, the usual way."""
    text = '{"table":"quote","action":"insert","data":[{"timestamp":"' + iso(START_MS) + '","symbol":"XBTUSD",'
    text += '"bidSize":100000,"bidPrice":60000,"askPrice":60001,"askSize":100000}]}'

    async def pour(one: WebSocket) -> None:
        await one.accept()
        while True:
            for _ in range(16):
                await one.send_text(text)
            await asyncio.sleep(0)

    app = Starlette(routes=[WebSocketRoute("/realtime", pour)])
    listening = socket.create_server(("127.0.0.1", 0))
    announce(listening.getsockname()[1])
    config = uvicorn.Config(
        app, log_level="critical", lifespan="off", ws="websockets-sansio", ws_per_message_deflate=False
    )
    await uvicorn.Server(config).serve(sockets=[listening])


async def wire() -> None:
    """Serve quotes out of thin air: the hub and everything behind it, without engine."""
    async with running(StillTape(1), heartbeat_ms=1_000_000) as exchange:
        announce(int(exchange.http_url.rpartition(":")[2]))
        hub = exchange.venue.hub
        change = Change(table="quote", account=None, row=dict(QUOTE))
        while True:
            for _ in range(16):
                (frame,) = hub._mirror.frames([change])
                hub._hand_out(frame)
            await asyncio.sleep(0)
            await caught_up(hub)


async def whole() -> None:
    """Serve a market that moves as fast as it can."""
    async with running(StillTape(1), heartbeat_ms=1_000_000) as exchange:
        announce(int(exchange.http_url.rpartition(":")[2]))
        number = 0
        while True:
            number += 1
            moved = {
                "XBTUSD": 59_000 + number % 2 * 10,
                "ETHUSD": 2_300 + number % 2,
                "XBTUSDT": 59_000 + number % 2 * 10,
            }
            exchange.venue.submit(prices(START_MS + number * 1_000, **moved))
            await asyncio.sleep(0)
            await caught_up(exchange.venue.hub)


async def caught_up(hub: Hub) -> None:
    """Wait for the slowest reader."""
    while hub.backlog() > LAG_BYTES:  # noqa: ASYNC110 - a reader sets no event
        await asyncio.sleep(0.0005)


SERVERS = {"plain": plain, "wire": wire, "whole": whole}


def announce(port: int) -> None:
    """Tell the parent where to connect."""
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


@contextmanager
def served(name: str) -> Iterator[tuple[int, int]]:
    """Run one of the servers; yield its port and process id."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_stream", name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), process.pid
        finally:
            process.kill()


def measured(name: str, topics: str, readers: int) -> tuple[float, float, float]:
    """Return frames and megabytes a second, and the server's processor time for a frame in microseconds."""
    with served(name) as (port, pid):
        before_s = cpu_s(pid)
        rate, megabytes = counted(port, topics, readers)
        return rate, megabytes, (cpu_s(pid) - before_s) / (rate * MEASURED_S) * 1e6


def main() -> None:
    """Print the table."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4_096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    rows = [
        ("floor: one ASGI message a frame", *measured("plain", "quote", 1)),
        ("wire, one reader", *measured("wire", "quote", 1)),
        (f"floor, {MANY} readers", *measured("plain", "quote", MANY)),
        (f"wire, {MANY} readers", *measured("wire", "quote", MANY)),
        ("exchange: instrument", *measured("whole", "instrument", 1)),
        ("exchange: instrument,trade,quote", *measured("whole", "instrument,trade,quote", 1)),
        ("exchange: with orderBookL2_25", *measured("whole", "instrument,trade,quote,orderBookL2_25", 1)),
    ]
    floor = rows[0][1]
    title = "frames to lean readers, in other processes than the server"
    columns = ["", "frames/s", "MB/s", "server us/frame", "ratio to floor"]
    print_table(title, columns, [(*row, row[1] / floor) for row in rows])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        uvloop.run(SERVERS[sys.argv[1]]())
    else:
        main()
