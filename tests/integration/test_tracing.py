"""Traces of the whole daemon on a fake venue, taken by a receiver on loopback; and nothing of it where it is off."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from config.metrics import TracingSettings
from daemon.shell.tracing import otlp
from tests.fakes import FakeVenue, a_long
from tests.integration.test_app import DEADLINE_S, a_running_guard, is_stop, wait_request


class Collector:
    """Takes spans over OTLP/HTTP."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.came = asyncio.Event()
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        request = ExportTraceServiceRequest.FromString(await reader.readexactly(length))
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans
        self.came.set()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async def wait_for(self, name: str) -> Span:
        """Wait for the span of a name."""
        async with asyncio.timeout(DEADLINE_S):
            while not (found := [span for span in self.spans if span.name == name]):
                self.came.clear()
                await self.came.wait()
        return found[0]


@asynccontextmanager
async def a_collector() -> AsyncIterator[Collector]:
    """Run a collector on a free port."""
    collector = Collector()
    server = await asyncio.start_server(collector.answer, "127.0.0.1", 0)
    collector.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/traces"
    async with server:
        yield collector


async def test_a_stop_is_traced_from_event_to_confirmation(tmp_path: Path) -> None:
    """A position is found and covered: one trace, whose parts follow each other from the event to the proof."""
    venue = FakeVenue(positions=[a_long()])
    async with a_collector() as collector:
        async with a_running_guard(tmp_path, venue, tracing=TracingSettings(endpoint=collector.url)):
            await wait_request(venue, is_stop)
        root = next(span for span in collector.spans if span.name.endswith("-> place_stop"))
    parts = sorted(
        (span for span in collector.spans if span.parent_span_id == root.span_id),
        key=lambda span: span.start_time_unix_nano,
    )
    assert [span.name for span in parts] == ["decided", "sent", "confirmed"]
    assert {span.trace_id for span in parts} == {root.trace_id}
    assert parts[0].start_time_unix_nano == root.start_time_unix_nano
    for before, after in pairwise(parts):
        assert before.end_time_unix_nano == after.start_time_unix_nano
    assert parts[-1].end_time_unix_nano == root.end_time_unix_nano
    facts = {each.key: each.value.string_value for each in root.attributes}
    assert facts["seawall.symbol"] == "XBTUSD"
    assert facts["seawall.ending"] == "confirmed"


async def test_nobody_takes_traces_and_the_guard_guards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P10: the endpoint refuses every connection: the stop is placed all the same, and the guard ends in good order."""
    monkeypatch.setattr(otlp, "CLOSE_S", 0.2)
    venue = FakeVenue(positions=[a_long()])
    async with a_running_guard(tmp_path, venue, tracing=TracingSettings(endpoint="http://127.0.0.1:1/v1/traces")):
        assert await wait_request(venue, is_stop)
    left = [thread.name for thread in threading.enumerate() if "traces" in thread.name or "Otel" in thread.name]
    assert left == [], "a thread of the library goes on trying after the guard ended"


def test_nothing_is_loaded_that_nobody_asked_for() -> None:
    """The daemon without `[tracing]` and `[metrics]` loads neither library."""
    program = (
        "import sys, daemon.app;"
        "extras = {'opentelemetry', 'prometheus_client', 'requests'};"
        "sys.exit(any(name.split('.')[0] in extras for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
