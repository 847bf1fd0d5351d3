"""The answer to a feed of the dead man's switch."""

from __future__ import annotations

import pytest

from connectors.bitmex.protocol.numbers import MalformedRow
from connectors.bitmex.protocol.switch import switch_receipt
from connectors.errors import Rejected

NOW = "2024-04-09T09:01:56.560Z"


def test_armed_as_asked() -> None:
    """The real answer on record: cancelTime is now plus the time-out."""
    receipt = switch_receipt({"now": NOW, "cancelTime": "2024-04-09T09:01:56.660Z"}, timeout_ms=100)
    assert receipt.cancel_time_ns == receipt.now_ns + 100_000_000


def test_seconds_for_milliseconds_are_caught() -> None:
    """A timer a thousand times shorter than asked wipes the book at once: it is refused, with the figures."""
    with pytest.raises(Rejected, match="60000 ms, the venue armed 60 ms"):
        switch_receipt({"now": NOW, "cancelTime": "2024-04-09T09:01:56.620Z"}, timeout_ms=60_000)


def test_not_armed_is_caught() -> None:
    """An answer without a cancel time is no armed switch."""
    with pytest.raises(Rejected, match="no cancel time"):
        switch_receipt({"now": NOW, "cancelTime": None}, timeout_ms=60_000)


@pytest.mark.parametrize(
    "answer", [{}, {"cancelTime": None}, {"cancelTime": ""}, {"cancelTime": 0}, {"cancelTime": NOW}]
)
def test_every_way_to_say_disarmed(answer: dict[str, object]) -> None:
    """What the venue answers to 0 is not documented: absent, null, "" and 0 are all read as disarmed."""
    assert switch_receipt({"now": NOW, **answer}, timeout_ms=0).cancel_time_ns is None


def test_still_armed_after_disarming() -> None:
    """A cancel time in the future after a 0 is no disarmed switch."""
    with pytest.raises(Rejected, match="still names"):
        switch_receipt({"now": NOW, "cancelTime": "2024-04-09T09:02:56.560Z"}, timeout_ms=0)


@pytest.mark.parametrize("answer", [{}, {"now": "soon"}, {"now": 5}, {"now": NOW, "cancelTime": 12}])
def test_unreadable_answer(answer: dict[str, object]) -> None:
    """An answer without readable times is not believed either way."""
    with pytest.raises(MalformedRow):
        switch_receipt(answer, timeout_ms=60_000)
