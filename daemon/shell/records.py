"""What one line of the journal looks like, and how it is read back.

A line is one JSON object:

    {"crc":"1b2c3d4e","seq":17,"kind":"event","name":"MarkSeen","body":{...}}

`crc` is the CRC-32 of everything behind its comma, so a line can be checked without being understood; `seq` counts
without gaps through all segments. `kind` is "checkpoint" (the whole state, first line of every segment), "event" or
"command". Decimals are written as text, so nothing is rounded.

Pure: bytes in, values out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, get_args
from zlib import crc32

import msgspec

from daemon.core.commands import Command
from daemon.core.events import Event

_EVENTS: dict[str, type] = {kind.__name__: kind for kind in get_args(Event)}
_COMMANDS: dict[str, type] = {kind.__name__: kind for kind in get_args(Command)}
_HEAD = b'{"crc":"'
_COVERED_FROM = len(_HEAD) + 8 + len(b'",')


class Kind(Enum):
    """What a record holds."""

    CHECKPOINT = "checkpoint"
    EVENT = "event"
    COMMAND = "command"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One record, its body still unread."""

    seq: int
    kind: Kind
    name: str
    body: msgspec.Raw


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """The first record of a segment: all that is needed to go on from here."""

    state: msgspec.Raw
    unanswered: tuple[int, ...]
    """Ids of commands that left before this point and have no outcome yet."""
    version: str


class JournalCorrupt(Exception):
    """A record in the middle of a journal cannot be trusted. Names file, line and what is wrong."""

    def __init__(self, origin: str, line: int, problem: str) -> None:
        super().__init__(f"{origin}, line {line}: {problem}")


def encode_event(seq: int, event: Event) -> bytes:
    """Return the journal line of an event."""
    return _line(seq, Kind.EVENT, event)


def encode_command(seq: int, command: Command) -> bytes:
    """Return the journal line of a command."""
    return _line(seq, Kind.COMMAND, command)


def encode_checkpoint(seq: int, checkpoint: Checkpoint) -> bytes:
    """Return the journal line of a checkpoint."""
    return _line(seq, Kind.CHECKPOINT, checkpoint)


def _line(seq: int, kind: Kind, body: object) -> bytes:
    covered = b'"seq":%d,"kind":"%s","name":"%s","body":%s}' % (
        seq,
        kind.value.encode(),
        type(body).__name__.encode(),
        msgspec.json.encode(body),
    )
    return b'%s%08x",%s\n' % (_HEAD, crc32(covered), covered)


def decode_event(record: Record) -> Event:
    """Read the body of an event record.

    Raises:
        msgspec.ValidationError: If this build does not know the event, or not in this shape.
    """
    event: Event = msgspec.json.decode(record.body, type=_known(_EVENTS, record.name))
    return event


def decode_command(record: Record) -> Command:
    """Read the body of a command record.

    Raises:
        msgspec.ValidationError: If this build does not know the command, or not in this shape.
    """
    command: Command = msgspec.json.decode(record.body, type=_known(_COMMANDS, record.name))
    return command


def decode_checkpoint(record: Record) -> Checkpoint:
    """Read the body of a checkpoint record."""
    return msgspec.json.decode(record.body, type=Checkpoint)


def _known(kinds: dict[str, type], name: str) -> type[Any]:
    if name not in kinds:
        raise msgspec.ValidationError(f"this build knows no record called {name}")
    return kinds[name]


def read_records(content: bytes, *, origin: str) -> Iterator[Record]:
    """Yield the records of one segment up to a torn tail.

    A process that is killed, or a machine that loses power, leaves an unfinished last group; bad lines with nothing
    good behind them are that, and are left out. A bad line *followed* by a good one is damage.

    Args:
        content: The whole segment.
        origin: How to name it in errors.

    Raises:
        JournalCorrupt: If a record in the middle is damaged or missing.
    """
    lines = content.split(b"\n")
    expected: int | None = None
    for number, line in enumerate(lines, start=1):
        record = _decode_line(line)
        if record is None:
            if any(_decode_line(later) is not None for later in lines[number:]):
                raise JournalCorrupt(origin, number, "the record is damaged, and good ones follow it")
            return
        if expected is not None and record.seq != expected:
            raise JournalCorrupt(origin, number, f"record {expected} is missing, {record.seq} follows")
        expected = record.seq + 1
        yield record


def _decode_line(line: bytes) -> Record | None:
    """Read one line; None when it is not whole."""
    covered = line[_COVERED_FROM:]
    if not covered or line[:_COVERED_FROM] != b'%s%08x",' % (_HEAD, crc32(covered)):
        return None
    return msgspec.json.decode(b"{" + covered, type=Record)
