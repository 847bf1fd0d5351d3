"""HTTP without sockets: the connector's own client at one end, the exchange's own door at the other.

Why: what is signed, sent, answered and mapped to an error is the real code on both sides; only the way between is ours,
and it can lose, delay, double, cut and refuse. A request that has left travels on its own: it arrives even when its
sender has given up or died in the meantime. What is set on the exchange's own fault board befalls it there.

Units: seconds of virtual time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpx

from connectors.simulated.server.fates import Ending, Reply
from connectors.simulated.server.rest.arrivals import HttpRequest
from connectors.simulated.server.rest.door import Door
from tests.simulation.answers import CANNED, page
from tests.simulation.faults import Line, RequestFate, Stroke
from tests.simulation.virtual_loop import passing

_NEVER_S = 1e6
_PATIENCE_S = 10.0
_MS_PER_S = 1_000.0
_NOT_CARRIED_OUT = frozenset({RequestFate.LOST, RequestFate.RESET, *CANNED}) - {RequestFate.BROKEN}
_CUT = frozenset({RequestFate.REPLY_TORN, RequestFate.REPLY_SHORT})
_TOLD_ELSEWHERE = frozenset({RequestFate.ANSWERED, RequestFate.DELAYED, RequestFate.ECHOED})
"""Whether these bit shows later."""
_OF_THE_VENUE = {
    Ending.LOST: RequestFate.REPLY_LOST,
    Ending.RESET: RequestFate.REPLY_LOST,
    Ending.TORN: RequestFate.REPLY_TORN,
    Ending.HANG: RequestFate.REPLY_SILENT,
    Ending.TWICE: RequestFate.ECHOED,
}
"""How an answer leaves that a fault of the exchange's own has struck."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it left a guard."""

    guard: str
    verb: str
    path: str
    body: bytes
    at_s: float
    fate: RequestFate


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the door said, and how it left."""

    reply: Reply
    ending: Ending = Ending.WHOLE
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Lying:
    """An answer that lies on a connection until somebody reads it."""

    reply: Reply
    fate: RequestFate
    on_read: Callable[[], None] | None = None


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
        self._under_way = 0
        self._ahead: deque[_Lying] = deque()
        """Answers that lie on the connection before the one of the next request."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry a request to the door and its answer back, or not."""
        if self._line.is_cut:
            await passing(_NEVER_S)
        body = await request.aread()
        stroke = self._line.stroke(request.method, request.url.path)
        loop = asyncio.get_running_loop()
        self._on_sent(Sent(self._guard, request.method, request.url.path, body, loop.time(), stroke.fate))
        if stroke.fate is RequestFate.UNREACHABLE:
            stroke.bite()
            raise httpx.ConnectError("network is unreachable")
        if self._under_way:  # it has to open another connection
            return await self._exchanged(request, body, stroke, deque())
        self._under_way += 1
        try:
            return await self._exchanged(request, body, stroke, self._ahead)
        except BaseException:
            self._ahead.clear()  # that connection is closed
            raise
        finally:
            self._under_way -= 1

    async def _exchanged(
        self, request: httpx.Request, body: bytes, stroke: Stroke, ahead: deque[_Lying]
    ) -> httpx.Response:
        patience_s = request.extensions.get("timeout", {}).get("read") or _PATIENCE_S
        try:
            async with asyncio.timeout(patience_s):
                reply, fate = await self._way(request, body, stroke)
        except TimeoutError:
            raise httpx.ReadTimeout("no answer in time") from None
        if fate in _CUT:
            ahead.clear()
        ahead.append(_Lying(reply, fate))
        if fate is RequestFate.ECHOED and len(ahead) == 1:
            ahead.append(_Lying(reply, fate, stroke.bite))
        read = ahead.popleft()
        query, status = request.url.query.decode(), read.reply.status
        self._line.statuses[status] += 1
        if read.on_read is None:  # an answer that comes once more tells nothing, of what is left of a budget neither
            self._line.told.answered(request.method, request.url.path, query, status, read.reply.headers)
        return _response(read, stroke, ahead)

    async def _way(self, request: httpx.Request, body: bytes, stroke: Stroke) -> tuple[Reply, RequestFate]:
        """Go there and back; return the answer and how the last of it comes."""
        fate, way_s = stroke.fate, self._line.latency_s()
        if fate in _NOT_CARRIED_OUT:
            stroke.bite()
            return await self._turned_back(fate, stroke, way_s), fate
        if fate is RequestFate.DELAYED:
            way_s = stroke.random.uniform(*stroke.late_s)
        loop = asyncio.get_running_loop()
        arrived: asyncio.Future[_Answer] = loop.create_future()
        loop.call_later(way_s, self._reach_door, request, body, stroke, arrived)
        return await self._way_back(await arrived, stroke)

    async def _turned_back(self, fate: RequestFate, stroke: Stroke, way_s: float) -> Reply:
        match fate:
            case RequestFate.LOST:
                await passing(_NEVER_S)
            case RequestFate.RESET:
                await passing(way_s)
                raise httpx.WriteError("connection reset")
            case _:
                await passing(way_s + self._line.latency_s())
        return CANNED[fate](stroke.random)

    async def _way_back(self, answer: _Answer, stroke: Stroke) -> tuple[Reply, RequestFate]:
        reply, fate = answer.reply, stroke.fate
        if fate is RequestFate.ANSWERED and answer.ending is not Ending.WHOLE:
            fate = _OF_THE_VENUE[answer.ending]
        is_done = reply.status == httpx.codes.OK
        if is_done and stroke.fate not in _TOLD_ELSEWHERE:
            stroke.bite()
        match fate:
            case RequestFate.REPLY_SILENT:
                await passing(_NEVER_S)
            case RequestFate.REPLY_LOST:
                raise httpx.ReadError("connection reset")
            case RequestFate.REPLY_LATE:
                await passing(stroke.random.uniform(*stroke.late_s))
            case RequestFate.OVERLOADED_DONE:
                reply = CANNED[RequestFate.OVERLOADED](stroke.random)
            case RequestFate.GATEWAY_DONE:
                reply = CANNED[RequestFate.GATEWAY](stroke.random)
            case RequestFate.BROKEN:
                reply = CANNED[RequestFate.BROKEN](stroke.random)
            case RequestFate.REPLY_GARBLED:
                reply = page(200)
            case _:
                pass
        await passing(self._line.latency_s() + answer.wait_s)
        return reply, fate

    def _reach_door(self, request: httpx.Request, body: bytes, stroke: Stroke, answer: asyncio.Future[_Answer]) -> None:
        compare = self._on_arrival(request.url.path, body)
        answered = self._ask(request, body)
        if compare is not None:
            compare()
        if stroke.fate is RequestFate.TWICE:
            again = self._ask(request, body)
            answered = stroke.random.choice((answered, again))
        if answer.done() and stroke.fate is RequestFate.DELAYED:
            stroke.bite()  # the sender had given up
        if not answer.done():
            answer.set_result(answered)

    def _ask(self, request: httpx.Request, body: bytes) -> _Answer:
        """Ask the door, which answers at once."""
        reply, fate = self._door.met(_arriving(request, body, self._guard))
        return _Answer(reply, fate.ending, (fate.wait_before_ms + fate.wait_after_ms) / _MS_PER_S)


def _arriving(request: httpx.Request, body: bytes, guard: str) -> HttpRequest:
    return HttpRequest(
        verb=request.method,
        path=request.url.path,
        raw_path=request.url.raw_path.split(b"?")[0].decode(),
        query=request.url.query,
        fields={name.decode().lower(): value.decode("latin-1") for name, value in request.headers.raw},
        body=body,
        address=f"address of {guard}",
    )


def _response(lying: _Lying, stroke: Stroke, ahead: deque[_Lying]) -> httpx.Response:
    reply = lying.reply
    if lying.on_read is not None:
        lying.on_read()
    cut = stroke.random.randrange(max(1, len(reply.body))) if lying.fate in _CUT else None
    return httpx.Response(
        reply.status,
        headers={**reply.headers, "content-type": reply.content_type},
        stream=_Body(reply.body, cut, lying.fate is RequestFate.REPLY_TORN, ahead),
        extensions={"network_stream": _Connection(ahead)},
    )


class _Connection:
    """The connection below, which whoever does not trust it may close."""

    def __init__(self, ahead: deque[_Lying]) -> None:
        self._ahead = ahead

    async def aclose(self) -> None:
        """What lay on it is gone."""
        self._ahead.clear()


class _Body(httpx.AsyncByteStream):
    """A body as it comes, cut where it is cut."""

    def __init__(self, content: bytes, cut: int | None, is_torn: bool, ahead: deque[_Lying]) -> None:
        self._content = content if cut is None else content[:cut]
        self._is_torn = is_torn
        self._ahead = ahead
        self._is_read = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield what came, and break where it breaks."""
        yield self._content
        if self._is_torn:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")
        self._is_read = True

    async def aclose(self) -> None:
        """A connection is kept only after a body that was read to its end."""
        if not self._is_read:
            self._ahead.clear()
