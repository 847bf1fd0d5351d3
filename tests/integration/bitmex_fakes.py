"""A small scripted venue: a WebSocket that says what a test tells it, and an HTTP server that answers in turn.

Why: the embedded exchange plays a venue that works. This one breaks on cue.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from tests.unit.connectors.bitmex.bitmex_builders import SIGNED_IN, WELCOME, partial, raw

Conversation = Callable[["Line"], Awaitable[None]]
POLL_S = 0.002


async def until(condition: Callable[[], object], *, within_s: float = 5.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 -- a test asks many things, few of which could set an event
            await asyncio.sleep(POLL_S)


@dataclass
class Line:
    """One connection of a client, seen from the venue."""

    socket: ServerConnection
    number: int

    async def say(self, *frames: bytes) -> None:
        """Send frames."""
        for frame in frames:
            await self.socket.send(frame, text=True)

    async def hear(self) -> Any:
        """Return the next message of the client that is no ping; pings are answered."""
        async for message in self.socket:
            if message == "ping":
                await self.say(b"pong")
            else:
                return msgspec.json.decode(message)
        raise ConnectionError("the client went away")

    async def hear_op(self, operation: str) -> Any:
        """Return the next message that asks for this operation; others are passed over."""
        while True:
            message = await self.hear()
            if message.get("op") == operation:
                return message

    async def listen(self) -> None:
        """Answer pings until the client goes away."""
        async for message in self.socket:
            if message == "ping":
                await self.say(b"pong")

    async def greet(self, *, signed_in: bool = True) -> None:
        """Welcome the client and, on a private line, sign it in."""
        await self.say(raw(WELCOME))
        if signed_in:
            await self.hear()
            await self.say(raw(SIGNED_IN))
        await self.hear()

    async def account(self, **rows: list[dict[str, Any]]) -> None:
        """Go through the opening of a private line and send its four partials."""
        await self.greet()
        for table in ("order", "position", "margin", "execution"):
            await self.say(partial(table, rows.get(table, [])))


@dataclass
class FakeRealtime:
    """A WebSocket server: the nth connection gets the nth conversation, the last one from then on."""

    conversations: list[Conversation]
    refuse_with: list[int] = field(default_factory=list)
    """Statuses to refuse the first hand-shakes with, before any conversation."""
    redirect_to: str = ""
    """Where to send every hand-shake instead."""
    lines: list[Line] = field(default_factory=list)
    open_lines: int = 0
    most_open_lines: int = 0
    server: Server | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self.server is not None
        port = next(iter(self.server.sockets)).getsockname()[1]
        return f"ws://127.0.0.1:{port}/realtime"

    async def converse(self, socket: ServerConnection) -> None:
        """Play a connection through."""
        line = Line(socket, len(self.lines))
        self.lines.append(line)
        self.open_lines += 1
        self.most_open_lines = max(self.most_open_lines, self.open_lines)
        try:
            await self.conversations[min(line.number, len(self.conversations) - 1)](line)
        except ConnectionError:
            pass
        finally:
            self.open_lines -= 1

    def refuse(self, connection: ServerConnection, _request: Request) -> Response | None:
        """Refuse the hand-shake as long as the script says so."""
        if self.redirect_to:
            answer = connection.respond(HTTPStatus.FOUND, "")
            answer.headers["Location"] = self.redirect_to
            return answer
        if not self.refuse_with:
            return None
        return connection.respond(HTTPStatus(self.refuse_with.pop(0)), "<html>refused</html>")


@asynccontextmanager
async def realtime(*conversations: Conversation, refuse_with: list[int] | None = None) -> AsyncIterator[FakeRealtime]:
    """Run a scripted WebSocket server on loopback."""
    fake = FakeRealtime(list(conversations), refuse_with=refuse_with or [])
    async with serve(fake.converse, "127.0.0.1", 0, process_request=fake.refuse, close_timeout=0.2) as fake.server:
        yield fake


@dataclass(frozen=True)
class Asked:
    """One HTTP request as it arrived."""

    verb: str
    target: str
    headers: dict[str, str]
    body: bytes
    at_s: float


@dataclass(frozen=True)
class Reply:
    """One HTTP answer; a status of 0 closes the connection without one, -1 never answers."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class FakeRest:
    """An HTTP server that gives the replies in turn, the last one for ever."""

    replies: list[Reply]
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0
    server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self.server is not None
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        self.connections += 1
        self.open_connections += 1
        try:
            while await self._answer_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self.open_connections -= 1

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
        verb, target, _ = head[0].split(" ")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        reply = self.replies[min(len(self.asked), len(self.replies) - 1)]
        self.asked.append(Asked(verb, target, headers, body, time.monotonic()))
        if reply.status == 0:
            return False
        if reply.status == -1:
            await reader.read()
            return False
        lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}", f"content-length: {len(reply.body)}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + reply.body)
        await writer.drain()
        return True


@asynccontextmanager
async def rest(*replies: Reply) -> AsyncIterator[FakeRest]:
    """Run a scripted HTTP server on loopback."""
    fake = FakeRest(list(replies) or [Reply()])
    fake.server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    async with fake.server:
        yield fake
        await until(lambda: fake.open_connections == 0)


@asynccontextmanager
async def running(*coroutines: Any) -> AsyncIterator[None]:
    """Run feeds beside a test and stop them at its end."""
    async with asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(coroutine) for coroutine in coroutines]
        yield
        for task in started:
            task.cancel()
