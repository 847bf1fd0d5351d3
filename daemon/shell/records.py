"""What one line of the journal looks like, and how it is read back.

A line is one JSON object:

    {"chain":"<32 hex>","crc":"1b2c3d4e","seq":17,"kind":"event","name":"MarkSeen","body":{...}}

`crc` is the CRC-32 of everything behind its comma, so a line can be checked without being understood; `seq` counts
without gaps through all segments. `kind` is "checkpoint" (the whole state, first line of every segment), "event" or
"command". Decimals are written as text, so nothing is rounded.

`chain` is the running hash: BLAKE2b-128 of the chain of the record before and of this record's line as it is without a
chain. A checkpoint's line begins with `continues`, the chain that it goes on from, so segments hang together too. The
loop makes the line, the writing thread seals it (`journal_file.py`): the hash costs a decision nothing. Lines of the
builds before the chain begin with `crc`; they are read, and nothing can be said about their order across files.

Pure: bytes in, values out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from typing import Any, Final, get_args
from zlib import crc32

import msgspec

from daemon.core.commands import Command
from daemon.core.events import Event

_EVENTS: dict[str, type] = {kind.__name__: kind for kind in get_args(Event)}
_COMMANDS: dict[str, type] = {kind.__name__: kind for kind in get_args(Command)}
_HEAD = b'{"crc":"'
_COVERED_FROM = len(_HEAD) + 8 + len(b'",')
_CONTINUES = b'{"continues":"'
_CHAIN = b'{"chain":"'
_CHAIN_BYTES = 16
_CHAIN_DIGITS = 2 * _CHAIN_BYTES
NO_CHAIN: Final = "0" * _CHAIN_DIGITS
"""What the first record ever written continues."""


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
    chain: str = ""
    """The running hash up to here; empty in a journal of the builds before it."""
    continues: str = ""
    """The running hash before this record; checkpoints alone write it down."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """The first record of a segment: all that is needed to go on from here."""

    state: msgspec.Raw
    unanswered: tuple[int, ...]
    """Ids of commands that left before this point and have no outcome yet."""
    version: str


def _middles(kind: Kind, of: Iterable[type]) -> dict[type, bytes]:
    """What stands between number and body, by what is written: made once, not for every record."""
    return {each: b'"kind":"%b","name":"%b","body":' % (kind.value.encode(), each.__name__.encode()) for each in of}


_MIDDLES = {
    **_middles(Kind.EVENT, _EVENTS.values()),
    **_middles(Kind.COMMAND, _COMMANDS.values()),
    **_middles(Kind.CHECKPOINT, (Checkpoint,)),
}


class JournalCorrupt(Exception):
    """A record in the middle of a journal cannot be trusted. Names file, line and what is wrong."""

    def __init__(self, origin: str, line: int, problem: str) -> None:
        super().__init__(f"{origin}, line {line}: {problem}")


def encode_event(seq: int, event: Event) -> bytes:
    """Return the journal line of an event."""
    return _line(seq, event)


def encode_command(seq: int, command: Command) -> bytes:
    """Return the journal line of a command."""
    return _line(seq, command)


def encode_checkpoint(seq: int, checkpoint: Checkpoint) -> bytes:
    """Return the journal line of a checkpoint."""
    return _line(seq, checkpoint)


def _line(seq: int, body: object) -> bytes:
    covered = b'"seq":%d,%b%b}' % (seq, _MIDDLES[type(body)], msgspec.json.encode(body))
    return b'%b%08x",%b\n' % (_HEAD, crc32(covered), covered)


def sealed(line: bytes, previous: bytes, *, is_first: bool = False) -> tuple[bytes, bytes]:
    """Hang one record on the chain.

    Args:
        line: As it was encoded, line end included.
        previous: The chain of the record before, hexadecimal.
        is_first: Whether it begins a segment: then the line names what it continues.

    Returns:
        The line as it is written, and its chain.
    """
    chain = _chain_of(previous, line)
    if is_first:
        return b'%s%b","chain":"%b",%b' % (_CONTINUES, previous, chain, line[1:]), chain
    return b'%s%b",%b' % (_CHAIN, chain, line[1:]), chain


def _chain_of(previous: bytes, line: bytes) -> bytes:
    digest = blake2b(previous, digest_size=_CHAIN_BYTES)
    digest.update(line)
    return digest.hexdigest().encode()


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


class SegmentReader:
    """Reads one segment line by line, and checks checksum, number and chain of each record.

    A process that is killed, or a machine that loses power, leaves an unfinished last group; bad lines with nothing
    good behind them are that, and are left out. A bad line *followed* by a good one is damage. Memory is that of one
    line, however long the segment.
    """

    def __init__(self, lines: Iterable[bytes], *, origin: str) -> None:
        """Prepare reading.

        Args:
            lines: Without their line ends.
            origin: How to name the segment in errors.
        """
        self._lines = lines
        self._origin = origin
        self.last: Record | None = None
        """The newest record that was whole."""
        self.torn_bytes = 0
        """Length of what was left out at the end."""

    def __iter__(self) -> Iterator[Record]:
        """Yield the records.

        Raises:
            JournalCorrupt: If a record in the middle is damaged, missing, changed or of elsewhere.
        """
        lines = enumerate(self._lines, start=1)
        for number, line in lines:
            record = decode_line(line)
            if record is None:
                self._leave_out_tail(number, len(line), lines)
                return
            self._require_next(number, record, line)
            self.last = record
            yield record

    def _leave_out_tail(self, number: int, length: int, rest: Iterable[tuple[int, bytes]]) -> None:
        self.torn_bytes = length
        for _, line in rest:
            if decode_line(line) is not None:
                raise JournalCorrupt(self._origin, number, f"{self._awaited} is damaged, and good ones follow it")
            self.torn_bytes += len(line)

    @property
    def _awaited(self) -> str:
        return "the record" if self.last is None else f"record {self.last.seq + 1}"

    def _require_next(self, number: int, record: Record, line: bytes) -> None:
        before = self.last
        if before is not None and record.seq != before.seq + 1:
            raise JournalCorrupt(self._origin, number, f"record {before.seq + 1} is missing, {record.seq} follows")
        previous = record.continues if before is None else before.chain
        if before is not None and (record.chain == "") != (before.chain == ""):
            raise JournalCorrupt(self._origin, number, f"record {record.seq} has lost the chain, or should have none")
        if previous and record.chain and _chain_of(previous.encode(), _unsealed(line) + b"\n").decode() != record.chain:
            raise JournalCorrupt(
                self._origin,
                number,
                f"record {record.seq} does not continue the one before it: changed, or from elsewhere",
            )


def _unsealed(line: bytes) -> bytes:
    """The line as it is without a chain."""
    if line.startswith(_CONTINUES):
        line = b"{" + line[len(_CONTINUES) + _CHAIN_DIGITS + len(b'",') :]
    if line.startswith(_CHAIN):
        line = b"{" + line[len(_CHAIN) + _CHAIN_DIGITS + len(b'",') :]
    return line


def decode_line(line: bytes) -> Record | None:
    """Read one line; None when it is not whole."""
    bare = _unsealed(line)
    covered = bare[_COVERED_FROM:]
    if not covered or bare[:_COVERED_FROM] != b'%s%08x",' % (_HEAD, crc32(covered)):
        return None
    try:
        return msgspec.json.decode(line, type=Record)
    except (msgspec.MsgspecError, UnicodeDecodeError):  # in what the checksum does not cover: the chain
        return None
