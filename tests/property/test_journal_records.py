"""Whatever happens to a segment's bytes, reading it never lies (P7)."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from daemon.core.events import Event, FeedLost, FeedName, MarkSeen, RequestRefused, TimerFired
from daemon.shell.records import JournalCorrupt, decode_event, encode_event
from tests.segments import records_in

TEXTS = st.text(max_size=40)
PRICES = st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("1e-12"), max_value=Decimal("1e15"))
TIMES = st.integers(min_value=0, max_value=2**63 - 1)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(TimerFired, at_ns=TIMES),
    st.builds(MarkSeen, at_ns=TIMES, symbol=TEXTS, price=PRICES),
    st.builds(FeedLost, at_ns=TIMES, feed=st.sampled_from(FeedName), reason=TEXTS),
    st.builds(RequestRefused, at_ns=TIMES, command_id=TIMES, reason=TEXTS, is_duplicate=st.booleans()),
)
SEGMENTS = st.lists(EVENTS, min_size=1, max_size=12)


def written(events: list[Event], first_seq: int = 1) -> bytes:
    """A segment of these events."""
    return b"".join(encode_event(number, event) for number, event in enumerate(events, start=first_seq))


def read(content: bytes) -> list[Event]:
    """The events of a segment."""
    return [decode_event(record) for record in records_in(content, origin="here")]


@given(SEGMENTS)
def test_every_event_comes_back_equal(events: list[Event]) -> None:
    """Texts with line ends and quotes, prices with many digits, the largest times."""
    assert read(written(events)) == events


@given(SEGMENTS, st.data())
def test_a_cut_anywhere_leaves_a_prefix(events: list[Event], data: st.DataObject) -> None:
    """Killed at any byte: what is read is the beginning of what was written, and only the last record may lack."""
    content = written(events)
    cut = data.draw(st.integers(min_value=0, max_value=len(content)))
    found = read(content[:cut])
    assert found == events[: len(found)]
    assert len(found) >= content[:cut].count(b"\n")


@given(SEGMENTS, st.data())
def test_a_changed_byte_is_never_read_as_something_else(events: list[Event], data: st.DataObject) -> None:
    """Any byte is changed: the reader stops before it or names the damage; it never gives another event."""
    content = bytearray(written(events))
    place = data.draw(st.integers(min_value=0, max_value=len(content) - 1))
    content[place] ^= data.draw(st.integers(min_value=1, max_value=255))
    try:
        found = read(bytes(content))
    except JournalCorrupt:
        return
    assert found == events[: len(found)]


@given(SEGMENTS, st.binary(max_size=200))
def test_rubbish_behind_the_end_is_a_torn_tail(events: list[Event], rubbish: bytes) -> None:
    """A power cut leaves anything behind the last durable record: it is left out."""
    assert read(written(events) + rubbish) == events


@given(SEGMENTS, st.data())
def test_a_missing_record_is_noticed(events: list[Event], data: st.DataObject) -> None:
    """A whole line is taken out of the middle: the gap in the numbers is named."""
    lines = written(events).splitlines(keepends=True)
    place = data.draw(st.integers(min_value=0, max_value=len(lines) - 1))
    del lines[place]
    try:
        found = read(b"".join(lines))
    except JournalCorrupt:
        assert 0 < place < len(events) - 1
    else:
        assert found in (events[1:] if place == 0 else events[:place], events[:place])
