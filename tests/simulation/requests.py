"""HTTP without sockets: the connector's own client at one end, the exchange's own door at the other.

Why: what is signed, sent, answered and mapped to an error is the real code on both sides; only the way between is ours,
and it can lose, delay and refuse. A request that has left travels on its own: it arrives even when its sender has given
up or died in the meantime.

Units: seconds of virtual time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from connectors.simulated.server.fates import Reply
from connectors.simulated.server.rest.arrivals import HttpRequest
from connectors.simulated.server.rest.door import Door
from tests.simulation.faults import Line, RequestFate
from tests.simulation.virtual_loop import passing

_OVERLOAD = {"error": {"message": "The system is currently overloaded. Please try again later.", "name": "HTTPError"}}
_BROKEN = {"error": {"message": "Internal Server Error", "name": "HTTPError"}}
_REFUSED = {"error": {"message": "Order could not be accepted", "name": "HTTPError"}}
_LONGEST_DELAY_S = 9.0
_NEVER_S = 1e6
_CARRIED_OUT = frozenset(
    {RequestFate.ANSWERED, RequestFate.REPLY_LOST, RequestFate.REPLY_SILENT, RequestFate.DELAYED, RequestFate.BROKEN}
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it left a guard."""

    guard: str
    verb: str
    path: str
    body: bytes
    at_s: float
    fate: RequestFate


class VirtualTransport(httpx.AsyncBaseTransport):
    """One guard's REST connection."""

    def __init__(
        self,
        *,
        guard: str,
        line: Line,
        door: Door,
        on_sent: Callable[[Sent], None],
        on_arrival: Callable[[str, bytes], Callable[[], None] | None],
    ) -> None:
        self._guard = guard
        self._line = line
        self._door = door
        self._on_sent = on_sent
        self._on_arrival = on_arrival

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry a request to the door and its answer back, or not."""
        loop = asyncio.get_running_loop()
        if self._line.is_cut:
            await passing(_NEVER_S)
        body = await request.aread()
        fate = self._line.fate(request.method)
        self._on_sent(Sent(self._guard, request.method, request.url.path, body, loop.time(), fate))
        if fate is RequestFate.UNREACHABLE:
            raise httpx.ConnectError("network is unreachable")
        answer: asyncio.Future[Reply] = loop.create_future()
        way_s = self._way_there_s(fate)
        if fate in _CARRIED_OUT:
            loop.call_later(way_s, self._reach_door, request, body, answer)
        return await self._way_back(fate, answer, way_s)

    def _way_there_s(self, fate: RequestFate) -> float:
        if fate is RequestFate.DELAYED:
            return self._line.random.uniform(0.5, _LONGEST_DELAY_S)
        return self._line.latency_s()

    async def _way_back(self, fate: RequestFate, answer: asyncio.Future[Reply], way_s: float) -> httpx.Response:
        match fate:
            case RequestFate.LOST | RequestFate.REPLY_SILENT:
                await passing(_NEVER_S)
            case RequestFate.REPLY_LOST:
                await answer
                raise httpx.ReadError("connection reset")
            case RequestFate.OVERLOADED | RequestFate.REFUSED:
                await passing(way_s + self._line.latency_s())
                status, error = (503, _OVERLOAD) if fate is RequestFate.OVERLOADED else (400, _REFUSED)
                return httpx.Response(status, content=json.dumps(error).encode())
            case RequestFate.BROKEN:
                await answer
                return httpx.Response(500, content=json.dumps(_BROKEN).encode())
            case _:
                pass
        reply = await answer
        await passing(self._line.latency_s())
        return httpx.Response(
            reply.status, headers={**reply.headers, "content-type": reply.content_type}, content=reply.body
        )

    def _reach_door(self, request: httpx.Request, body: bytes, answer: asyncio.Future[Reply]) -> None:
        compare = self._on_arrival(request.url.path, body)
        reply = _answer_of(self._door, request, body, self._guard)
        if compare is not None:
            compare()
        if not answer.done():
            answer.set_result(reply)


def _answer_of(door: Door, request: httpx.Request, body: bytes, guard: str) -> Reply:
    """Ask the door, which answers at once."""
    return door.reply(
        HttpRequest(
            verb=request.method,
            path=request.url.path,
            raw_path=request.url.raw_path.split(b"?")[0].decode(),
            query=request.url.query,
            fields={name.decode().lower(): value.decode("latin-1") for name, value in request.headers.raw},
            body=body,
            address=f"address of {guard}",
        )
    )
