"""Set traces going, if the settings ask for them and the library is there. A guard without traces is a guard."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from config.model import Settings
from daemon.shell.clock import Clock
from daemon.shell.tracing.stories import Stories

log = structlog.get_logger("tracing")


def _nothing() -> None:
    return


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
