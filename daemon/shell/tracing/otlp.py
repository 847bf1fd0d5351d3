"""Stories as spans, sent by the OpenTelemetry library from a thread of its own. The only module that knows it.

    the event that led to it ──────────────────────────────────────> confirmed
      └ decided: until the request left    └ sent: until the answer     └ confirmed: until the proof

Why here and not on the way: spans are made when their story is over. The library keeps two thousand at most and drops
what is beyond; an endpoint that hangs costs spans, and never a decision. Failures are told once, by us, in one line.

Source: opentelemetry.io/docs/specs/otlp; trace/sdk.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Final

import requests
import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

from daemon.shell.tracing.stories import Story
from daemon.version import VERSION

MOST_WAITING: Final = 2_048
BATCH: Final = 256
EVERY_MS: Final = 1_000
ATTEMPT_S: Final = 5.0
CLOSE_S: Final = 2.0
GIVE_UP_S: Final = 0.2
_GOOD: Final = frozenset({"confirmed"})

log = structlog.get_logger("tracing")


class SpanSender:
    """Turns stories into spans and has them sent."""

    def __init__(self, endpoint: str, *, venue: str) -> None:
        """Start the library's thread.

        Args:
            endpoint: Where spans go, over OTLP/HTTP.
            venue: Which venue is guarded, as the settings call it.
        """
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # it would say every failure, with a traceback
        session = requests.Session()
        session.trust_env = False  # the settings say where spans go, and no proxy of the environment
        self._told = _Told(OTLPSpanExporter(endpoint=endpoint, timeout=ATTEMPT_S, session=session), endpoint)
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": "seawall", "service.version": VERSION, "seawall.venue": venue}),
            shutdown_on_exit=False,
        )
        processor = BatchSpanProcessor(
            self._told, max_queue_size=MOST_WAITING, max_export_batch_size=BATCH, schedule_delay_millis=EVERY_MS
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("seawall", VERSION)

    def tell(self, story: Story) -> None:
        """Leave a story to be sent; never waits."""
        root = self._tracer.start_span(
            f"{story.event} -> {story.command}",
            context=Context(),
            kind=SpanKind.INTERNAL,
            start_time=story.event_ns,
            attributes=_attributes(story),
        )
        if story.ending not in _GOOD:
            root.set_status(Status(StatusCode.ERROR, story.ending))
        context = set_span_in_context(root, Context())
        for name, begun_ns, ended_ns in _parts(story):
            kind = SpanKind.CLIENT if name == "sent" else SpanKind.INTERNAL
            part = self._tracer.start_span(name, context=context, kind=kind, start_time=begun_ns)
            part.end(end_time=ended_ns)
        root.end(end_time=story.ended_ns)

    def close(self) -> None:
        """Send what waits, for two seconds at most, then end the library's waits between attempts; blocks."""
        closing = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(CLOSE_S)
        self._told.give_up()
        closing.join(GIVE_UP_S)


def _parts(story: Story) -> list[tuple[str, int, int]]:
    """The spans below a story's own, as far as it came."""
    if not story.sent_ns:
        return [("decided", story.event_ns, max(story.decided_ns, story.ended_ns))]
    sent_ns = max(story.sent_ns, story.decided_ns)
    answered_ns = max(story.answered_ns, sent_ns)
    parts = [("decided", story.event_ns, sent_ns), ("sent", sent_ns, answered_ns)]
    if story.is_order and story.ending in {"confirmed", "not_there", "given_up"}:
        parts.append(("confirmed", answered_ns, max(story.ended_ns, answered_ns)))
    return parts


def _attributes(story: Story) -> dict[str, str | int]:
    found: dict[str, str | int] = {
        "seawall.command": story.command,
        "seawall.command_id": story.command_id,
        "seawall.event": story.event,
        "seawall.reason": story.reason,
        "seawall.symbol": story.symbol,
        "seawall.order": story.order,
        "seawall.outcome": story.outcome,
        "seawall.ending": story.ending,
        "seawall.ended_by": story.ended_by,
    }
    return {name: value for name, value in found.items() if value != ""}


class _Told(SpanExporter):
    """An exporter that says in one line when spans are not taken, and when they are again."""

    def __init__(self, exporter: SpanExporter, endpoint: str) -> None:
        self._exporter = exporter
        self._endpoint = endpoint
        self._is_failing = False
        self._is_over = False
        self._is_shut = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; say once when that begins to fail, and once when it works again."""
        if self._is_over:
            return SpanExportResult.FAILURE
        result = self._exporter.export(spans)
        is_failing = result is not SpanExportResult.SUCCESS
        if is_failing != self._is_failing and not self._is_over:
            say = log.warning if is_failing else log.info
            say("traces are not taken" if is_failing else "traces are taken again", endpoint=self._endpoint)
            self._is_failing = is_failing
        return result

    def give_up(self) -> None:
        """Send and say nothing any more: whoever would read it went on."""
        self._is_over = True
        self.shutdown()

    def shutdown(self) -> None:
        if not self._is_shut:
            self._is_shut = True
            self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)
