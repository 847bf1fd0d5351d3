"""What people were told, as the control API says it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from config.policy import Tier
from daemon.core.operator_requests import AcknowledgeAsked, SilenceAsked
from daemon.shell.status_alerts import alerts_status
from tests.builders import SECOND, START_NS
from tests.unit.daemon.core.people.listener import Listener


def iso(after_s: int) -> str:
    """A time of the story, in ISO 8601 UTC."""
    return datetime.fromtimestamp((START_NS + after_s * SECOND) / 1e9, UTC).isoformat(timespec="milliseconds")


def test_times_are_iso_and_what_never_was_is_null() -> None:
    """The document of the API promises ISO 8601 in UTC for every time; a reader needs no other clock."""
    listener = Listener()
    listener.tier(Tier.WARN, "XBTUSD")
    listener.wait(10)
    listener.ask(SilenceAsked(seconds=600, comment="work", topic="rule", state="", symbol=""))
    before: Any = alerts_status(listener.state)
    listener.ask(AcknowledgeAsked(key="distance", comment="on it"))
    listener.wait(1)
    after: Any = alerts_status(listener.state)
    (told,) = before["alerts"]
    assert (told["since"], told["told"], told["acknowledged"]) == (iso(0), iso(4), None)
    assert told["facts"][0]["since"] == iso(0)
    assert told["for_s"] == 10.0
    assert after["alerts"][0]["acknowledged"] == iso(10)
    assert after["silences"][0]["until"] == iso(610)
    assert after["silences"][0]["left_s"] == 599.0
    assert b"_ns" not in msgspec.json.encode(after)
