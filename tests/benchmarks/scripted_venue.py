"""A scripted venue for timing: one frame goes out, and the clock runs until the order it causes has arrived.

Run as a process of its own, so that every guard is measured by the same clock from outside. It speaks as much of
BitMEX's protocol as a guard needs to come up; HTTP is read by hand, because the arrival of the last byte counts.

    python -m tests.benchmarks.scripted_venue STORY ROUNDS

Writes its addresses as one JSON line, waits for a guard, plays, and writes the times as another (microseconds).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import uvloop
from websockets.asyncio.server import ServerConnection, serve

from tests.benchmarks.scripted_http import Http
from tests.unit.connectors.bitmex.bitmex_builders import (
    INSTRUMENT_ROW,
    MARGIN_ROW,
    POSITION_ROW,
    SIGNED_IN,
    STOP_ROW,
    WELCOME,
    change,
    partial,
    raw,
)

QUIET_S = 1.5
"""After the guard has come up: its first reads end meanwhile."""
BETWEEN_S = 0.05
WITNESS_GAP_S = 0.4
"""The guard leaves a pause between two reads of the account."""
KEY = {"id": "key", "permissions": ["order"], "cidr": "0.0.0.0/0", "enabled": True, "userId": 273093}
ENTRY, LIQUIDATION, THROUGH = 50_000, 45_500.5, 45_700.0


@dataclass
class Venue:
    """What is open, who listens, and what has arrived when."""

    symbols: list[str]
    refuses: bool = False
    connections: int = 0
    market: ServerConnection | None = None
    account: ServerConnection | None = None
    is_up: asyncio.Event = field(default_factory=asyncio.Event)
    positions: dict[str, dict[str, Any]] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    first_ns: int = 0
    order_ns: int = 0
    ordered: asyncio.Event = field(default_factory=asyncio.Event)

    def count_connection(self) -> None:
        """A guard opened an HTTP connection."""
        self.connections += 1

    def ask(self, verb: str, target: str, body: bytes) -> tuple[int, Any]:
        """Answer a request; of each round the first one and the first order are timed."""
        self.first_ns = self.first_ns or time.perf_counter_ns()
        if verb == "GET":
            return 200, self._read(target)
        sent = json.loads(body)
        if "timeout" in sent:
            return 200, {"now": "2026-01-01T00:00:00.000Z", "cancelTime": 0}
        if verb == "POST":
            self.order_ns = self.order_ns or time.perf_counter_ns()
            self.ordered.set()
        if self.refuses and sent.get("ordType") == "Stop":
            return 400, {"error": {"message": "Duplicate protection", "name": "HTTPError"}}
        row = {**STOP_ROW, **sent, "orderID": f"o-{len(self.orders)}", "leavesQty": sent.get("orderQty", 0)}
        row |= {"ordStatus": "New"} if sent.get("ordType") == "Stop" else {"ordStatus": "Filled", "leavesQty": 0}
        self.orders[row["orderID"]] = row
        return 200, row

    def _read(self, target: str) -> Any:
        path, _, query = target.partition("?")
        rows: dict[str, list[dict[str, Any]]] = {
            "/api/v1/order": [row for row in self.orders.values() if row["ordStatus"] == "New" or "open" not in query],
            "/api/v1/position": list(self.positions.values()),
            "/api/v1/user/margin": [MARGIN_ROW],
            "/api/v1/apiKey": [KEY],
        }
        return rows.get(path, {"name": "venue", "timestamp": time.time_ns() // 1_000_000})

    async def listen(self, socket: ServerConnection) -> None:
        """Greet a stream, give it its tables, and remember it."""
        await socket.send(raw(WELCOME), text=True)
        async for message in socket:
            if message == "ping":
                await socket.send("pong")
                continue
            asked = json.loads(message)
            if asked["op"] == "authKeyExpires":
                await socket.send(raw(SIGNED_IN), text=True)
            elif asked["op"] == "cancelAllAfter":
                answer = {"now": "2026-01-01T00:00:00.000Z", "cancelTime": 0, "request": asked}
                await socket.send(raw(answer), text=True)
            else:
                await self._give_tables(socket, asked["args"])

    async def _give_tables(self, socket: ServerConnection, topics: list[str]) -> None:
        rows: dict[str, list[dict[str, Any]]] = {"margin": [MARGIN_ROW]}
        rows["instrument"] = [{**INSTRUMENT_ROW, "symbol": symbol, "markPrice": ENTRY} for symbol in self.symbols]
        for topic in topics:
            await socket.send(partial(topic, rows.get(topic, [])), text=True)
        if "instrument" in topics:
            self.market = socket
        else:
            self.account = socket
        self.is_up.set()

    async def time_order(self, socket: ServerConnection | None, frame: bytes) -> tuple[float, float]:
        """Send a frame and return the microseconds to the first request and to the order."""
        assert socket is not None
        self.first_ns = self.order_ns = 0
        self.ordered.clear()
        started_ns = time.perf_counter_ns()
        await socket.send(frame, text=True)
        async with asyncio.timeout(10):
            await self.ordered.wait()
        return (self.first_ns - started_ns) / 1e3, (self.order_ns - started_ns) / 1e3

    async def open_position(self, symbol: str) -> tuple[float, float]:
        """A bot opens a position: time the guard's stop, then let it rest."""
        row = {**POSITION_ROW, "symbol": symbol, "avgEntryPrice": ENTRY, "liquidationPrice": LIQUIDATION}
        self.positions[symbol] = row
        times = await self.time_order(self.account, change("position", "insert", row))
        assert self.account is not None
        if not self.refuses:
            newest = list(self.orders.values())[-1]
            await self.account.send(change("order", "insert", newest), text=True)
        return times


async def marks(venue: Venue, symbol: str) -> tuple[float, float]:
    """A mark leaves the band of a bare guard."""
    await asyncio.sleep(BETWEEN_S)
    return await venue.time_order(
        venue.market, change("instrument", "update", {"symbol": symbol, "markPrice": THROUGH})
    )


async def opens(venue: Venue, symbol: str) -> tuple[float, float]:
    """A position opens."""
    await asyncio.sleep(BETWEEN_S)
    return await venue.open_position(symbol)


async def crosses(venue: Venue, symbol: str) -> tuple[float, float]:
    """A position whose stop the venue refused: the mark passes the trigger, and the guard has to reduce it."""
    venue.refuses = True
    await venue.open_position(symbol)
    await asyncio.sleep(WITNESS_GAP_S)
    return await marks(venue, symbol)


STORIES: dict[str, Callable[[Venue, str], Awaitable[tuple[float, float]]]] = {
    "marks": marks,
    "opens": opens,
    "crosses": crosses,
}


async def main(story: str, rounds: int) -> None:
    """Serve one guard, play one story."""
    venue = Venue([f"S{number}USD" for number in range(rounds)])
    loop = asyncio.get_running_loop()
    http = await loop.create_server(lambda: Http(venue.ask, venue.count_connection), "127.0.0.1", 0)
    async with serve(venue.listen, "127.0.0.1", 0, compression=None, ping_interval=None) as streams:
        ports = [next(iter(server.sockets)).getsockname()[1] for server in (http, streams)]
        _say({"http": f"http://127.0.0.1:{ports[0]}", "ws": f"ws://127.0.0.1:{ports[1]}/realtime"})
        await venue.is_up.wait()
        await asyncio.sleep(QUIET_S)
        times = [await STORIES[story](venue, symbol) for symbol in venue.symbols]
        _say({"times": times, "connections": venue.connections})


def _say(words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))
