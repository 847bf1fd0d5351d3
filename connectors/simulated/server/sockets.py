"""WebSockets of the real-time addresses: the hand-shake, and the two directions of an open one.

Why: a bad signature in the hand-shake is an HTTP 401 without a socket, a ban an HTML page; after
that one task reads and one writes, and whichever ends first ends the session. A reader that has
fallen behind is cut off, not waited for.

Source: www.bitmex.com/app/wsAPI.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Protocol

import structlog
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.auth import REALTIME_PATH, ApiKey
from connectors.simulated.server.hub import Connection
from connectors.simulated.server.json_text import dump
from connectors.simulated.server.limits import TokenBucket, Verdict
from connectors.simulated.server.multiplex import Multiplexer
from connectors.simulated.server.outbox import NO_CLOSE_FRAME, Outbox
from connectors.simulated.server.realtime import Session
from connectors.simulated.server.rest.door import BAN_HEADERS, BAN_PAGE, address_of, claim_of, error_body, over_limit
from connectors.simulated.server.stream_protocol import EXTENSION, FrameWriter
from connectors.simulated.server.venue import Venue

MULTIPLEXED_PATH = "/realtimemd"
_log = structlog.get_logger()
_CLOSE_S = 1.0  # for a client that still reads to take the close frame
_MS_PER_S = 1_000


class _Talk(Connection, Protocol):
    """What a connection speaks with: a session, or many behind one socket."""

    def open(self, *, connections_left: int, topics: Iterable[str] = ()) -> None:
        """Begin."""

    def take(self, text: str) -> None:
        """Answer a message."""

    def close(self) -> None:
        """End: the client has gone."""


class Switchboard:
    """Accepts the WebSocket connections of one venue."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._this_second: dict[str, TokenBucket] = {}

    async def answer(self, socket: WebSocket) -> None:
        """Serve one connection from hand-shake to end."""
        address = address_of(socket.client)
        now_ms = self._venue.wall()
        if self._venue.limits.is_banned(address, now_ms):
            page = Response(BAN_PAGE, status_code=403, media_type="text/html", headers=BAN_HEADERS)
            await socket.send_denial_response(page)
            return
        connections_left, wait_s = self._admitted(address, now_ms)
        if wait_s:
            name = self._venue.limits.error_name
            await _deny(socket, over_limit(Verdict(retry_after_s=wait_s), name=name), {"retry-after": str(wait_s)})
            return
        try:
            key = self._key_of(socket, address, now_ms)
        except Refused as refusal:
            await _deny(socket, refusal)
            return
        reply = self._venue.faults.handshake(account=None if key is None else key.account)
        if reply is not None:
            await socket.send_denial_response(
                Response(reply.body, reply.status, dict(reply.headers), reply.content_type)
            )
            return
        await socket.accept()
        outbox = Outbox(self._venue.settings.outbox_bytes)
        talk: _Talk
        if socket.url.path == MULTIPLEXED_PATH:
            talk = Multiplexer(self._venue, outbox=outbox, address=address, key=key)
        else:
            talk = Session(self._venue, outlet=outbox, address=address, key=key)
        try:
            await self._converse(socket, talk, outbox, connections_left)
        except* Exception:  # noqa: BLE001 - the edge: logged once here, and the client sees no traceback
            _log.exception("realtime session failed")

    async def answer_unknown(self, socket: WebSocket) -> None:
        """Refuse a hand-shake on a path that is none: a typo must not look like a ban."""
        await _deny(socket, Refused("Not Found", status=404, name="HTTPError"))

    def _admitted(self, address: str, now_ms: int) -> tuple[int, int]:
        """Return how many connections of this hour are left, and the seconds to wait for this one; mostly 0."""
        limits = self._venue.limits
        left = limits.admit_connection(address, now_ms)
        if left is None:
            return 0, limits.connection_wait_s(address, now_ms)
        return left, 0 if self._is_calm(address, now_ms) else 1

    def _is_calm(self, address: str, now_ms: int) -> bool:
        """Return whether an address may open one more connection in this second."""
        limits = self._venue.settings.limits
        if not (limits.is_on and limits.connections_per_second):
            return True
        fresh = TokenBucket(capacity=limits.connections_per_second, period_ms=_MS_PER_S, now_ms=now_ms)
        return self._this_second.setdefault(address, fresh).take(now_ms)

    def _key_of(self, socket: WebSocket, address: str, now_ms: int) -> ApiKey | None:
        claim = claim_of(socket.headers) or claim_of(socket.query_params)
        if claim is None:
            return None
        return self._venue.keyring.verify(
            claim,
            verb="GET",
            paths=[REALTIME_PATH],
            body=b"",
            now_ms=now_ms + self._venue.faults.clock_skew_ms(),
            address=address,
        )

    async def _converse(self, socket: WebSocket, talk: _Talk, outbox: Outbox, connections_left: int) -> None:
        self._venue.hub.add(talk)
        writer: FrameWriter = socket.scope["extensions"][EXTENSION]["writer"]
        try:
            talk.open(connections_left=connections_left, topics=_topics_of(socket.query_params))
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(_read(socket, talk, outbox), name="realtime reader")
                writing = tasks.create_task(_write(socket, writer, outbox), name="realtime writer")
                tasks.create_task(_end_together(reading, writing, outbox), name="realtime end")
        finally:
            self._venue.hub.remove(talk)
            talk.close()


async def _deny(socket: WebSocket, refusal: Refused, headers: Mapping[str, str] | None = None) -> None:
    """Answer a hand-shake with an HTTP error instead of a socket."""
    body = dump(error_body(refusal))
    reply = Response(body, status_code=refusal.status, headers=headers, media_type="application/json")
    await socket.send_denial_response(reply)


async def _read(socket: WebSocket, talk: _Talk, outbox: Outbox) -> None:
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            talk.take((message.get("bytes") or b"").decode(errors="replace") if text is None else text)
    finally:
        outbox.close()


async def _write(socket: WebSocket, writer: FrameWriter, outbox: Outbox) -> None:
    try:
        frames = b""
        while (piece := await outbox.take()) is not None:
            frames = piece
            await writer.write_frames(frames)
        if outbox.code is None or outbox.code == NO_CLOSE_FRAME:
            writer.break_off(frames if outbox.code is None else b"")
        else:
            await socket.close(outbox.code)
    except (WebSocketDisconnect, RuntimeError):
        return  # the client has gone; the reader ends as well


async def _end_together(reading: asyncio.Task[None], writing: asyncio.Task[None], outbox: Outbox) -> None:
    """End the reader when the writer has ended, and a writer stuck on a slow reader when it is given up."""
    await outbox.wait_closed()
    await asyncio.wait({writing}, timeout=_CLOSE_S)
    writing.cancel()
    reading.cancel()


def _topics_of(query: Mapping[str, str]) -> list[str]:
    return query.get("subscribe", "").split(",")
