"""Traces are set going, or not, and a guard without them is a guard."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from config.metrics import TracingSettings
from config.model import Settings
from config.venue import Environment, venue_settings
from daemon.shell.tracing import opening
from daemon.shell.tracing.opening import missing_extra, open_traces
from tests.fakes import ManualClock

SETTINGS = Settings(venue=venue_settings(Environment.TESTNET))
ASKED = replace(SETTINGS, tracing=TracingSettings(endpoint="http://127.0.0.1:1/v1/traces"))


def test_nobody_asks_for_traces() -> None:
    """No endpoint: nobody follows decisions, and ending that takes no time."""
    tracer, close = open_traces(SETTINGS, ManualClock())
    assert tracer is None
    close()


def test_a_missing_extra_is_said_and_costs_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The packages are not installed: one line says what to install, and the guard opens without traces."""
    monkeypatch.setitem(sys.modules, "daemon.shell.tracing.otlp", None)
    with capture_logs() as logs:
        tracer, close = open_traces(ASKED, ManualClock())
    assert tracer is None
    close()
    assert [each["log_level"] for each in logs] == ["error"]
    assert "seawall[tracing]" in logs[0]["event"]


def test_the_check_sees_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """`seawall check` knows before the start does."""
    assert missing_extra() is None
    monkeypatch.setattr(opening, "find_spec", lambda _name: None)
    assert "seawall[tracing]" in str(missing_extra())
