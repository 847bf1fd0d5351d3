"""What the guard knew at a moment: its state, rebuilt from the journal as a restart does."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from daemon.core.commands import (
    ClearBand,
    FeedSwitch,
    ReadPicture,
    SetBand,
    SetTimer,
)
from daemon.core.errors import InvariantBroken
from daemon.core.events import (
    ExecutionSeen,
    FeedLive,
    FeedLost,
    OperatorAsked,
    OrderSeen,
    PolicyChanged,
    PositionSeen,
    RequestAnswered,
    RequestMisconfigured,
    RequestNotSent,
    RequestRefused,
    RequestUnanswered,
    Started,
    StopAsked,
)
from daemon.core.state import GuardState
from daemon.core.step import step
from daemon.journal.segments import Segment, at_ns_of, reader_of
from daemon.journal.trail import Entry, entry_of, entry_of_event, folded
from daemon.journal.words import event_words
from daemon.shell.records import JournalCorrupt, Kind, Record, decode_checkpoint, decode_command, decode_event
from daemon.shell.recover import state_of

SHOWN_BEFORE: Final = 10
SHOWN_AFTER: Final = 5
SOUGHT_AFTER_NS: Final = 3_600 * 10**9
"""What comes later than this is no consequence, and a long quiet journal is not read to its end for it."""
_ROUTINE: Final = (SetTimer, SetBand, ClearBand, ReadPicture, FeedSwitch)
_WORTH_TELLING: Final = (
    Started,
    StopAsked,
    FeedLive,
    FeedLost,
    PositionSeen,
    OrderSeen,
    ExecutionSeen,
    OperatorAsked,
    PolicyChanged,
    RequestAnswered,
    RequestRefused,
    RequestNotSent,
    RequestUnanswered,
    RequestMisconfigured,
)


@dataclass(kw_only=True, slots=True)
class Known:
    """What was known at one moment, and what happened around it."""

    state: GuardState | None = None
    seq: int = 0
    """Of the newest event in it."""
    at_ns: int = 0
    """When that happened."""
    problem: str = ""
    """Why the state cannot be told, or only that of earlier."""
    before: deque[Entry] = field(default_factory=lambda: deque(maxlen=SHOWN_BEFORE))
    after: list[Entry] = field(default_factory=list)
    is_complete: bool = False
    """Nothing more is sought behind."""


def known_at_record(segment: Segment, seq: int) -> Known:
    """Return what was known once the event with this number was taken in."""
    known = Known()
    _walk(known, segment, last_seq=seq, last_ns=1 << 63, most_after=0)
    return known


def known_at_time(segments: Sequence[Segment], at_ns: int) -> Known:
    """Return what was known at a time. Nothing was if the journal begins later."""
    known = Known()
    for segment in segments[_index_of(segments, at_ns) :]:
        _walk(known, segment, last_seq=1 << 63, last_ns=at_ns)
        if known.is_complete or known.problem:
            break
    return known


def _index_of(segments: Sequence[Segment], at_ns: int) -> int:
    """The newest segment that begins no later than that time."""
    for index in range(len(segments) - 1, 0, -1):
        first = _first_of(segments[index])
        if first is not None and 0 < at_ns_of(first) <= at_ns:
            return index
    return 0


def _walk(known: Known, segment: Segment, *, last_seq: int, last_ns: int, most_after: int = SHOWN_AFTER) -> None:
    """Play a segment up to a bound, and gather what is worth telling on both sides of it."""
    at_ns, is_past = known.at_ns, known.at_ns > 0 and bool(known.after)
    try:
        for record in reader_of(segment):
            at_ns = at_ns_of(record) or at_ns
            is_past = is_past or record.seq > last_seq or (record.kind is not Kind.CHECKPOINT and at_ns > last_ns)
            if not is_past:
                _play(known, record, at_ns)
            if is_past and (len(known.after) >= most_after or at_ns > last_ns + SOUGHT_AFTER_NS):
                known.is_complete = True
                return
            _tell(known, record, at_ns, is_past=is_past)
    except (JournalCorrupt, msgspec.MsgspecError, InvariantBroken) as error:
        known.problem = f"{segment.name}: {error}"


def _play(known: Known, record: Record, at_ns: int) -> None:
    if record.kind is Kind.CHECKPOINT:
        known.state, known.seq, known.at_ns = state_of(decode_checkpoint(record).state), record.seq, at_ns
    elif record.kind is Kind.EVENT and known.state is not None:
        known.state = step(known.state, decode_event(record)).state
        known.seq, known.at_ns = record.seq, at_ns


def _tell(known: Known, record: Record, at_ns: int, *, is_past: bool) -> None:
    entry = _entry(record, at_ns)
    if entry is None:
        return
    shown = known.after if is_past else known.before
    one = folded(shown[-1], entry) if shown else None
    if one is not None:
        shown[-1] = one
    else:
        shown.append(entry)


def _entry(record: Record, at_ns: int) -> Entry | None:
    match record.kind:
        case Kind.COMMAND:
            command = decode_command(record)
            return None if isinstance(command, _ROUTINE) else entry_of(record.seq, at_ns, command)
        case Kind.EVENT:
            event = decode_event(record)
            if not isinstance(event, _WORTH_TELLING):
                return None
            words = event_words(event)
            return entry_of_event(record.seq, event, words) if words else None
        case Kind.CHECKPOINT:
            return None


def _first_of(segment: Segment) -> Record | None:
    try:
        return next(iter(reader_of(segment)), None)
    except JournalCorrupt:
        return None
