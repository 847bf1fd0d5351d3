"""What `seawall explain` was asked: an id, a time, a symbol, or a record's number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from daemon.journal.segments import Segment, at_ns_of, lines_of, reader_of
from daemon.journal.times import NS_PER_S, instant_ns, time_of_day_ns
from daemon.shell.records import JournalCorrupt

_DAY_NS = 86_400 * NS_PER_S


@dataclass(frozen=True, kw_only=True, slots=True)
class AboutTime:
    """What was known, and what happened around then."""

    at_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AboutSymbol:
    """The last thing decided about it."""

    symbol: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AboutName:
    """An order by either of its ids, or an alert; a whole number may be a record's."""

    name: str


Question = AboutTime | AboutSymbol | AboutName


def question_of(text: str, segments: Sequence[Segment]) -> Question:
    """Read what was asked. A time of day is the last such time in the journal."""
    at_ns = instant_ns(text)
    if at_ns is not None:
        return AboutTime(at_ns=at_ns)
    of_day_ns = time_of_day_ns(text)
    if of_day_ns is not None:
        return AboutTime(at_ns=_last_time(of_day_ns, newest_ns(segments)))
    symbol = next((each for each in (text, text.upper()) if _is_symbol(each, segments)), "")
    return AboutSymbol(symbol=symbol) if symbol else AboutName(name=text)


def newest_ns(segments: Sequence[Segment]) -> int:
    """When the newest event of the journal happened."""
    for segment in reversed(segments):
        newest = 0
        try:
            for record in reader_of(segment):
                newest = max(newest, at_ns_of(record))
        except JournalCorrupt:
            pass  # what stands before the damage counts
        if newest:
            return newest
    return 0


def oldest_ns(segments: Sequence[Segment]) -> int:
    """When the oldest event that is still in the journal happened."""
    for segment in segments:
        try:
            for record in reader_of(segment):
                if at_ns := at_ns_of(record):
                    return at_ns
        except JournalCorrupt:
            continue  # the next file may be whole
    return 0


def _last_time(of_day_ns: int, newest: int) -> int:
    at_ns = newest - newest % _DAY_NS + of_day_ns
    return at_ns if at_ns <= newest or at_ns < _DAY_NS else at_ns - _DAY_NS


def _is_symbol(text: str, segments: Sequence[Segment]) -> bool:
    """Whether the journal names a contract like that."""
    needle = b'"symbol":' + msgspec.json.encode(text)
    return any(needle in line for segment in reversed(segments) for line in lines_of(segment.path))
