"""Lines of the journal."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from daemon.core.events import Event, MarkSeen, PositionSeen, Source, TimerFired
from daemon.shell.records import JournalCorrupt, Kind, decode_event, encode_event, read_records
from tests.fakes import START_NS, a_long

EVENTS: tuple[Event, ...] = (
    TimerFired(at_ns=START_NS),
    MarkSeen(at_ns=START_NS, symbol="X", price=Decimal("100.10000000000000001")),
    PositionSeen(at_ns=START_NS, position=a_long(), source=Source.STREAM),
)


def a_segment() -> list[bytes]:
    """Three records as lines."""
    return [encode_event(number, event) for number, event in enumerate(EVENTS, start=7)]


def test_what_is_read_is_what_was_written() -> None:
    """Events come back equal, prices to the last digit, in one valid JSON object a line."""
    records = list(read_records(b"".join(a_segment()), origin="here"))
    assert [record.seq for record in records] == [7, 8, 9]
    assert {record.kind for record in records} == {Kind.EVENT}
    assert tuple(decode_event(record) for record in records) == EVENTS
    assert msgspec.json.decode(a_segment()[1])["name"] == "MarkSeen"


def test_a_torn_tail_is_left_out() -> None:
    """P7: a crash in the middle of a write costs the unfinished record and no other, wherever it was cut."""
    whole, last = b"".join(a_segment()[:2]), a_segment()[2]
    for cut in range(len(last) - 1):
        assert len(list(read_records(whole + last[:cut], origin="here"))) == 2


@pytest.mark.parametrize("damage", [b"", b"\x00" * 40 + b"\n", b'{"crc":"00000000","seq":8}\n'])
def test_damage_in_the_middle_is_named_with_its_line(damage: bytes) -> None:
    """A good record behind a bad one is no torn tail: file and line are named."""
    first, _, third = a_segment()
    with pytest.raises(JournalCorrupt, match=r"here, line 2: "):
        list(read_records(first + damage + third, origin="here"))


def test_one_flipped_bit_is_found() -> None:
    """The checksum covers everything behind it."""
    first, second, third = a_segment()
    flipped = second.replace(b"100.1", b"100.2")
    with pytest.raises(JournalCorrupt, match="damaged"):
        list(read_records(first + flipped + third, origin="here"))


def test_an_event_of_another_build_is_refused_by_name() -> None:
    """A record that this build does not know must not be guessed at."""
    line = encode_event(1, EVENTS[0]).replace(b"TimerFired", b"TimerFoxed")
    record = msgspec.json.decode(
        b"{" + line[len(b'{"crc":"00000000",') :], type=type(next(read_records(a_segment()[0], origin="")))
    )
    with pytest.raises(msgspec.ValidationError, match="TimerFoxed"):
        decode_event(record)
