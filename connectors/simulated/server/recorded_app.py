"""The venue's application with everything that passes it recorded.

Why: the wrapper stands between the HTTP server and the venue, so it sees what really came and went,
faults included, and without a recording there is no wrapper to pay for.

Source: ASGI 3.0; RFC 6455, section 5.2, for the frames a session writes by the batch.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.simulated.server.recording import Recorder
from connectors.simulated.server.stream_protocol import EXTENSION, FrameWriter

_SIXTEEN_BITS, _SIXTY_FOUR_BITS = 126, 127


class RecordedApp:
    """The application, wrapped."""

    def __init__(self, app: ASGIApp, recorder: Recorder) -> None:
        self._app = app
        self._recorder = recorder
        self._links = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or connection."""
        kind = _HttpLink if scope["type"] == "http" else _SocketLink
        link = kind(self._recorder, next(self._links), scope)

        async def receive_noted() -> Message:
            message = await receive()
            link.came(message)
            return message

        async def send_noted(message: Message) -> None:
            link.went(message)
            await send(message)

        try:
            await self._app(link.scope, receive_noted, send_noted)
        finally:
            link.ended()


class _Answer:
    """An HTTP answer, to a request or to a hand-shake that was refused."""

    def __init__(self, recorder: Recorder, number: int) -> None:
        self._recorder = recorder
        self._number = number
        self._status: int | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()

    def take(self, message: Message) -> None:
        """Keep what an ASGI message adds to it."""
        if message["type"].endswith("response.start"):
            self._status, self._headers = message["status"], list(message.get("headers", ()))
        elif message["type"].endswith("response.body"):
            self._body += message.get("body", b"")

    def note(self) -> None:
        """Record it, also if it never came."""
        self._recorder.note("answer", self._number, status=self._status, headers=self._headers, text=self._body)


class _HttpLink:
    """One request and its answer."""

    def __init__(self, recorder: Recorder, number: int, scope: Scope) -> None:
        self.scope = scope
        self._recorder = recorder
        self._number = number
        self._body = bytearray()
        self._is_noted = False
        self._answer = _Answer(recorder, number)

    def came(self, message: Message) -> None:
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            self._note_request()

    def went(self, message: Message) -> None:
        self._answer.take(message)

    def ended(self) -> None:
        self._note_request()  # of which not all was read
        self._answer.note()

    def _note_request(self) -> None:
        if not self._is_noted:
            self._is_noted = True
            self._recorder.note(
                "request",
                self._number,
                verb=self.scope["method"],
                path=_path(self.scope),
                headers=self.scope["headers"],
                text=self._body,
            )


class _SocketLink:
    """One WebSocket connection."""

    def __init__(self, recorder: Recorder, number: int, scope: Scope) -> None:
        self._recorder = recorder
        self._number = number
        self._answer: _Answer | None = None
        self._is_closed = False
        recorder.note("open", number, path=_path(scope), headers=scope["headers"])
        extensions = dict(scope.get("extensions") or {})
        if EXTENSION in extensions:
            extensions[EXTENSION] = {"writer": _NotedWriter(extensions[EXTENSION]["writer"], recorder, number)}
        self.scope = {**scope, "extensions": extensions}

    def came(self, message: Message) -> None:
        if message["type"] == "websocket.receive":
            self._recorder.note("in", self._number, text=message.get("text") or message.get("bytes") or "")
        elif message["type"] == "websocket.disconnect":
            self._close(message.get("code"))

    def went(self, message: Message) -> None:
        if message["type"] == "websocket.send":
            self._recorder.note("out", self._number, text=message.get("text") or message.get("bytes") or "")
        elif message["type"] == "websocket.close":
            self._close(message.get("code"))
        elif message["type"].startswith("websocket.http.response"):
            self._answer = self._answer or _Answer(self._recorder, self._number)
            self._answer.take(message)

    def ended(self) -> None:
        if self._answer is not None:
            self._answer.note()
        else:
            self._close(None)

    def _close(self, code: int | None) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._recorder.note("close", self._number, code=code)


class _NotedWriter:
    """Writes whole frames, and records their texts."""

    def __init__(self, writer: FrameWriter, recorder: Recorder, number: int) -> None:
        self._writer = writer
        self._recorder = recorder
        self._number = number

    async def write_frames(self, frames: bytes) -> None:
        for text in texts_of(frames):
            self._recorder.note("out", self._number, text=text)
        await self._writer.write_frames(frames)

    def break_off(self, frames: bytes) -> None:
        self._writer.break_off(frames)


def texts_of(frames: bytes) -> Iterator[bytes]:
    """Yield the texts of whole unmasked frames that follow each other."""
    at = 0
    while at < len(frames):
        length, start = frames[at + 1], at + 2
        extra = {_SIXTEEN_BITS: 2, _SIXTY_FOUR_BITS: 8}.get(length, 0)
        if extra:
            length = int.from_bytes(frames[start : start + extra], "big")
        at = start + extra + length
        yield frames[at - length : at]


def _path(scope: Scope) -> str:
    path = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string", b"")
    return str((path + b"?" + query if query else path).decode("latin-1"))
