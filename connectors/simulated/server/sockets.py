"""WebSockets of `/realtime`: the hand-shake, and the two directions of an open session.

Why: a bad signature in the hand-shake is an HTTP 401 without a socket, a ban an HTML page; after
that one task reads and one writes, and whichever ends first ends the session. A reader that has
fallen behind is cut off, not waited for.

Source: www.bitmex.com/app/wsAPI.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.auth import REALTIME_PATH, ApiKey
from connectors.simulated.server.json_text import dump
from connectors.simulated.server.realtime import Session
from connectors.simulated.server.rest.door import BAN_HEADERS, BAN_PAGE, address_of, claim_of, error_body
from connectors.simulated.server.venue import Venue

_NORMAL_CLOSURE = 1000
_POLICY_VIOLATION = 1008
_log = structlog.get_logger()
_CLOSE_S = 1.0  # for a client that still reads to take the close frame


class Switchboard:
    """Accepts the WebSocket connections of one venue."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    async def answer(self, socket: WebSocket) -> None:
        """Serve one connection from hand-shake to end."""
        address = address_of(socket.client)
        now_ms = self._venue.clock()
        if self._venue.limits.is_banned(address, now_ms):
            page = Response(BAN_PAGE, status_code=403, media_type="text/html", headers=BAN_HEADERS)
            await socket.send_denial_response(page)
            return
        try:
            connections_left = self._connections_left(address, now_ms)
            key = self._key_of(socket, now_ms)
        except Refused as refusal:
            await _deny(socket, refusal)
            return
        await socket.accept()
        session = Session(self._venue, address=address, key=key)
        try:
            await self._converse(socket, session, connections_left)
        except* Exception:  # noqa: BLE001 - the edge: logged once here, and the client sees no traceback
            _log.exception("realtime session failed")

    async def answer_unknown(self, socket: WebSocket) -> None:
        """Refuse a hand-shake on a path that is none: a typo must not look like a ban."""
        await _deny(socket, Refused("Not Found", status=404, name="HTTPError"))

    def _connections_left(self, address: str, now_ms: int) -> int:
        left = self._venue.limits.admit_connection(address, now_ms)
        if left is None:
            raise Refused("Rate limit exceeded, retry in 60 seconds.", status=429, name="RateLimitError")
        return left

    def _key_of(self, socket: WebSocket, now_ms: int) -> ApiKey | None:
        claim = claim_of(socket.headers) or claim_of(socket.query_params)
        if claim is None:
            return None
        return self._venue.keyring.verify(claim, verb="GET", paths=[REALTIME_PATH], body=b"", now_ms=now_ms)

    async def _converse(self, socket: WebSocket, session: Session, connections_left: int) -> None:
        self._venue.hub.add(session)
        try:
            session.open(connections_left=connections_left, topics=_topics_of(socket.query_params))
            async with asyncio.TaskGroup() as tasks:
                reader = tasks.create_task(_read(socket, session), name="realtime reader")
                writer = tasks.create_task(_write(socket, session), name="realtime writer")
                tasks.create_task(_end_together(reader, writer, session), name="realtime end")
        finally:
            self._venue.hub.remove(session)


async def _deny(socket: WebSocket, refusal: Refused) -> None:
    """Answer a hand-shake with an HTTP error instead of a socket."""
    body = dump(error_body(refusal))
    await socket.send_denial_response(Response(body, status_code=refusal.status, media_type="application/json"))


async def _read(socket: WebSocket, session: Session) -> None:
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            session.take((message.get("bytes") or b"").decode(errors="replace") if text is None else text)
    finally:
        session.outbox.close()


async def _write(socket: WebSocket, session: Session) -> None:
    try:
        while (text := await session.outbox.take()) is not None:
            await socket.send_text(text)
        code = _POLICY_VIOLATION if session.outbox.is_overrun else _NORMAL_CLOSURE
        await socket.close(code)
    except (WebSocketDisconnect, RuntimeError):
        return  # the client has gone; the reader ends as well


async def _end_together(reader: asyncio.Task[None], writer: asyncio.Task[None], session: Session) -> None:
    """End the reader when the writer has ended, and a writer stuck on a slow reader when it is given up."""
    await session.outbox.wait_closed()
    await asyncio.wait({writer}, timeout=_CLOSE_S)
    writer.cancel()
    reader.cancel()


def _topics_of(query: Mapping[str, str]) -> list[str]:
    return query.get("subscribe", "").split(",")
