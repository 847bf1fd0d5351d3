"""What the wrapper around the venue's application sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.simulated.server.messages import Kind, Message
from connectors.simulated.server.recorded_app import RecordedApp, texts_of
from connectors.simulated.server.recording import Line, Recorder, read_recording
from connectors.simulated.server.redaction import Redaction
from connectors.simulated.server.stream_protocol import EXTENSION

HTTP = {"type": "http", "method": "POST", "path": "/o", "raw_path": b"/o", "query_string": b"a=1", "headers": []}


class Writer:
    """A connection that keeps what is written to it."""

    def __init__(self) -> None:
        self.written = b""

    async def write_frames(self, frames: bytes) -> None:
        self.written += frames

    def break_off(self, frames: bytes) -> None:
        self.written += frames


async def recorded(path: Path, app: Any, scope: Any, messages: list[dict[str, Any]]) -> list[Line]:
    """Run an application behind the wrapper, with these messages coming in; return what was recorded."""
    recorder = Recorder(path / "r.jsonl", clock=lambda: 0, redaction=Redaction(tuple))
    coming = iter(messages)

    async def receive() -> Any:
        return next(coming)

    async def send(_: Any) -> None:
        return

    try:
        await RecordedApp(app, recorder)(scope, receive, send)
    finally:
        recorder.close()
    return list(read_recording(path / "r.jsonl"))


async def test_a_request_is_there_before_its_answer(tmp_path: Path) -> None:
    """A request is recorded when it is whole, its answer when it has gone; both carry the same number."""

    async def app(_: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            pass
        await send({"type": "http.response.start", "status": 400, "headers": [(b"x", b"y")]})
        await send({"type": "http.response.body", "body": b"no", "more_body": True})
        await send({"type": "http.response.body", "body": b"pe"})

    parts = [{"body": b"on", "more_body": True}, {"body": b"e", "more_body": False}]
    assert await recorded(tmp_path, app, HTTP, parts) == [
        Line(at_ms=0, link=1, kind="request", verb="POST", path="/o?a=1", text="one"),
        Line(at_ms=0, link=1, kind="answer", status=400, headers={"x": "y"}, text="nope"),
    ]


async def test_an_answer_that_never_came(tmp_path: Path) -> None:
    """A handler that breaks, and a request that was not read to its end, still leave their lines."""

    async def app(*_: Any) -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        await recorded(tmp_path, app, HTTP, [])
    assert [line.kind for line in read_recording(tmp_path / "r.jsonl")] == ["request", "answer"]


async def test_a_connection_both_ways(tmp_path: Path) -> None:
    """Hand-shake, messages of the client, frames written by the batch or one by one, and the end."""
    writer = Writer()
    texts = [b"short", b"m" * 200, b"l" * 70_000]
    frames = b"".join(Message(kind=Kind.REPLY, payload=text).framed for text in texts)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        await scope["extensions"][EXTENSION]["writer"].write_frames(frames)
        await send({"type": "websocket.send", "text": "single"})
        await send({"type": "websocket.close", "code": 1008})
        await receive()

    scope = {"type": "websocket", "path": "/realtime", "headers": [], "extensions": {EXTENSION: {"writer": writer}}}
    coming = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": "ping"},
        {"type": "websocket.disconnect", "code": 1005},
    ]
    lines = await recorded(tmp_path, app, scope, coming)
    assert [(line.kind, line.text or line.code) for line in lines] == [
        ("open", None),
        ("in", "ping"),
        *(("out", text.decode()) for text in texts),
        ("out", "single"),
        ("close", 1008),
    ]
    assert writer.written == frames


async def test_a_refused_hand_shake_has_an_answer(tmp_path: Path) -> None:
    """A bad signature in the hand-shake is an HTTP answer in the recording, too."""

    async def app(_: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.http.response.start", "status": 401, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b"{}"})

    scope = {"type": "websocket", "path": "/realtime", "headers": [], "extensions": None}
    lines = await recorded(tmp_path, app, scope, [{"type": "websocket.connect"}])
    assert [(line.kind, line.status, line.text) for line in lines] == [("open", None, ""), ("answer", 401, "{}")]


def test_frames_are_told_apart() -> None:
    """All three forms of a frame's length, up to their edges."""
    texts = [b"x" * length for length in (0, 125, 126, 65_535, 65_536)]
    assert list(texts_of(b"".join(Message(kind=Kind.REPLY, payload=text).framed for text in texts))) == texts
