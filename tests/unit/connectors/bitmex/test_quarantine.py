"""Frames that could not be understood: counted, blanked, and told once a minute."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from connectors.bitmex.protocol.frames import Unread
from connectors.bitmex.quarantine import LOGGED_EVERY_NS, SAMPLE_LENGTH, SAMPLES_KEPT, Quarantine, shape_of

SIGNED_IN = b'{"success":true,"request":{"op":"authKeyExpires","args":["LAqUlngMIQkIUjXMUreyu3qn",1518064236,"c79"]'


def test_kinds_are_counted_and_the_newest_kept() -> None:
    """However many there are, what is kept is bounded."""
    quarantine = Quarantine("account")
    for number in range(1000):
        quarantine.put(Unread.NOT_JSON, b"<" * (number + 1), "odd", received_ns=number)
    quarantine.put(Unread.ROW, b"{}", "odd", received_ns=1000)
    assert quarantine.counts == {Unread.NOT_JSON: 1000, Unread.ROW: 1}
    assert quarantine.total == 1001
    assert len(quarantine.samples) == SAMPLES_KEPT
    assert [sample.length for sample in quarantine.samples][-3:] == [999, 1000, 2]
    assert max(len(sample.shape) for sample in quarantine.samples) == SAMPLE_LENGTH


def test_each_kind_is_logged_once_a_minute_with_how_many_there_were() -> None:
    """A flood of one kind does not hide the first of another."""
    quarantine, minute = Quarantine("market"), LOGGED_EVERY_NS
    with capture_logs() as lines:
        for at_ns in (5, 6, 7, minute + 4, minute + 5):
            quarantine.put(Unread.NOT_JSON, b"<", "a frame is not JSON", received_ns=at_ns)
        quarantine.put(Unread.ROW, b"{}", "side is neither Buy nor Sell", received_ns=8)
    assert [(line["kind"], line["since_last"]) for line in lines] == [("not_json", 1), ("not_json", 4), ("row", 1)]
    assert {line["stream"] for line in lines} == {"market"}


def test_a_clock_that_jumps_back_does_not_silence_the_log() -> None:
    """A wall clock may be set: the next frame is told."""
    quarantine = Quarantine("market")
    with capture_logs() as lines:
        for at_ns in (10 * LOGGED_EVERY_NS, 5):
            quarantine.put(Unread.NOT_JSON, b"<", "odd", received_ns=at_ns)
    assert len(lines) == 2


@pytest.mark.parametrize("secret", ["LAqUlngMIQkIUjXMUreyu3qn", "1518064236", "c79"])
def test_no_value_survives(secret: str) -> None:
    """A sign-in that was cut holds a key and a signature: neither is kept, in any form."""
    quarantine = Quarantine("account")
    with capture_logs() as lines:
        quarantine.put(Unread.NOT_JSON, SIGNED_IN, "a frame is not JSON", received_ns=1)
    assert secret not in repr(quarantine.samples)
    assert secret not in repr(lines)
    assert '"request":{"op":"' in quarantine.samples[0].shape


def test_a_shape_is_one_line_of_plain_text() -> None:
    """Control signs, bytes that are no text, and other scripts cannot reach a terminal."""
    assert shape_of(b'{"table":"order"\x1b[2J\n\xff\xc3\xa9') == '{"table":"order"?[9a????'
