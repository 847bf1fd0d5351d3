"""Set traces going, if the settings ask for them and the library is there. A guard without traces is a guard."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Final

import structlog

from config.model import Settings
from daemon.shell.clock import Clock
from daemon.shell.tracing.stories import Stories

log = structlog.get_logger("tracing")


_PACKAGE: Final = "opentelemetry.exporter"
"""Of the extra; the part that others do not bring along."""


def _nothing() -> None:
    return


def missing_extra() -> str | None:
    """Return why there can be no traces here, or None."""
    try:
        is_there = find_spec(_PACKAGE) is not None
    except ModuleNotFoundError:
        is_there = False
    return None if is_there else "OpenTelemetry is not installed: pip install 'seawall[tracing]'"


def open_traces(settings: Settings, clock: Clock) -> tuple[Stories | None, Callable[[], None]]:
    """Return who follows decisions, if anybody does, and what sends the rest and ends it (blocks for two seconds)."""
    endpoint = settings.tracing.endpoint
    if endpoint is None:
        return None, _nothing
    try:
        from daemon.shell.tracing.otlp import SpanSender  # noqa: PLC0415 - an extra, and large
    except ImportError as error:
        log.error("no traces: pip install 'seawall[tracing]'", missing=error.name)  # noqa: TRY400 - one line says it
        return None, _nothing
    sender = SpanSender(endpoint, venue=settings.venue.environment.value)
    return Stories(now_ns=clock.now_ns, tell=sender.tell), sender.close
