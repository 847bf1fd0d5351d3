"""The state directory: every input on disk before anyone can see its effect.

Why: the exchange of a demo may be killed at any moment and has to come back with the same orders,
positions, timers and tape position. The engine's state is a function of its inputs, so a snapshot
and the journal of inputs since are the state. Each record is one `write` of one line, so a killed
process leaves at most one torn line at the end, which is cut off.

`snapshot.json` is the state at the first line of `inputs.jsonl`, whose header names it by number (0:
there is none). To compact, a new snapshot is written beside the old one, synced, renamed over it,
and then the journal is cut back to a new header. Killed before the rename, the old pair is whole;
killed after it, the journal names an older snapshot (or nothing) and holds nothing that the new one
lacks. So neither the disk nor the start grows with time.

Units: `at_ms` protocol time in milliseconds, `_bytes` bytes. Raises `StateError` with one line for people.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from connectors.simulated.engine.inputs import Input
from connectors.simulated.server.snapshot_file import (
    PRIVATE_FILE,
    VERSION,
    Header,
    StateError,
    put_in_place,
    read_header,
    read_snapshot,
    write_beside,
)

__all__ = ["JOURNAL_NAME", "SNAPSHOT_NAME", "Record", "StateError", "StateJournal", "TapeState"]

JOURNAL_NAME = "inputs.jsonl"
SNAPSHOT_NAME = "snapshot.json"
_SHARE = 4  # a journal shorter than this part of its snapshot stays: writing costs more than reading
_PRIVATE_FOLDER = 0o700


class TapeState(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator set on the tape."""

    is_playing: bool
    factor: float = 1.0  # real time of each step is divided by this


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line: an input, or what the operator did to the tape.

    Attributes:
        at_ms: Protocol time it came with.
        input: The input.
        step: Index of the tape's step, for prices that came off the tape.
        tape: The operator's setting.
    """

    at_ms: int
    input: Input | None = None
    step: int | None = None
    tape: TapeState | None = None


class StateJournal:
    """The state directory of one exchange, locked while it is open."""

    def __init__(self, folder: Path, settings: Mapping[str, str], *, compact_bytes: int = 4 * 1024 * 1024) -> None:
        """Open or create the directory.

        Args:
            folder: The state directory; created if it is missing.
            settings: What has to be the same each time, by name.
            compact_bytes: Length from which the journal is outgrown.

        Raises:
            StateError: If the folder cannot be used, is in use, or was written under other settings.
        """
        self._path = folder / JOURNAL_NAME
        self._snapshot_path = folder / SNAPSHOT_NAME
        self._settings = dict(settings)
        self._compact_bytes = self._longest = compact_bytes
        self._encoder = msgspec.json.Encoder()
        self._document: bytes | None = None
        self._header = self._new_header(0)
        self._length = 0
        try:
            folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        except FileExistsError as error:
            raise StateError(f"state directory {folder}: is a file; name a directory, new or of before") from error
        except OSError as error:
            raise StateError(f"state directory {folder}: {error.strerror}") from error
        try:
            self._lock()
            self._open_snapshot()
            self._open_journal()
        except OSError as error:
            os.close(self._file)
            raise StateError(f"{self._path}: cannot be used: {error.strerror}") from error
        except BaseException:
            os.close(self._file)
            raise

    def take_snapshot(self) -> bytes | None:
        """Return the state that the journal goes on from, once; None if that is the beginning."""
        document, self._document = self._document, None
        return document

    def replay(self) -> Iterator[Record]:
        """Yield the records in order, then cut off a torn last line.

        Raises:
            StateError: If a line that is not the last one cannot be read.
        """
        decoder = msgspec.json.Decoder(Record)
        with self._path.open("rb") as lines:
            lines.seek(self._length)
            for number, line in enumerate(lines, start=2):
                record = _decoded(decoder, line)
                if record is None:
                    if lines.read(1):
                        raise StateError(f"{self._path}, line {number}: damaged; move the folder away to start anew")
                    break
                self._length += len(line)
                yield record
        os.ftruncate(self._file, self._length)

    def append(self, record: Record) -> int:
        """Write one record; return the length before it, for `cut`.

        Raises:
            StateError: If it could not be written; the file is as before then.
        """
        before = self._length
        try:
            self._write(self._encoder.encode(record) + b"\n")
        except OSError as error:
            self.cut(before)
            raise StateError(f"{self._path}: cannot be written: {error.strerror}") from error
        return before

    def cut(self, length: int) -> None:
        """Take back all records after this length."""
        os.ftruncate(self._file, length)
        self._length = length

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been written since the snapshot; known before the replay only."""
        return self._path.stat().st_size == self._length

    @property
    def is_outgrown(self) -> bool:
        """Whether a snapshot should take the place of the journal."""
        return self._length > self._longest

    def compact(self, document: bytes) -> bool:
        """Go on from a snapshot of the present state; return False if the disk had no room for it.

        Raises:
            StateError: If it is not known whether the snapshot is in its place; nothing may follow then.
        """
        header = self._new_header(self._header.number + 1)
        try:
            beside = write_beside(self._snapshot_path, header, document)
        except OSError:
            self._longest = self._length + self._compact_bytes  # tried again when that much more has come
            return False
        try:
            put_in_place(beside, self._snapshot_path)
            self._start_journal(header)
        except OSError as error:
            raise StateError(f"{self._path}: cannot be cut back: {error.strerror}") from error
        self._longest = self._bound(document)
        return True

    def close(self) -> None:
        """Close the file and give up the lock."""
        os.close(self._file)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StateError(f"state directory {self._path.parent}: in use by another exchange") from error

    def _open_snapshot(self) -> None:
        self._snapshot_path.with_name(f"{SNAPSHOT_NAME}.new").unlink(missing_ok=True)  # killed while writing it
        if self._snapshot_path.exists():
            self._header, self._document = read_snapshot(self._snapshot_path, self._settings)
            self._longest = self._bound(self._document)

    def _open_journal(self) -> None:
        with self._path.open("rb") as lines:
            line = lines.readline()
        if not line.endswith(b"\n"):  # new, or killed while its header was written
            self._start_journal(self._header)
            return
        number = read_header(self._path, line, self._settings).number
        if number > self._header.number:
            raise StateError(
                f"{self._path}: the snapshot it goes on from is missing; move the folder away to start anew"
            )
        if number < self._header.number:  # killed after the snapshot was in its place
            self._start_journal(self._header)
            return
        self._length = len(line)

    def _start_journal(self, header: Header) -> None:
        os.ftruncate(self._file, 0)
        self._header, self._length = header, 0
        self._write(self._encoder.encode(header) + b"\n")

    def _new_header(self, number: int) -> Header:
        return Header(version=VERSION, settings=self._settings, number=number)

    def _bound(self, document: bytes) -> int:
        return max(self._compact_bytes, len(document) // _SHARE)

    def _write(self, line: bytes) -> None:
        rest = memoryview(line)
        offset = self._length
        while rest:
            count = os.pwrite(self._file, rest, offset)
            rest = rest[count:]
            offset += count
        self._length = offset


def _decoded(decoder: msgspec.json.Decoder[Record], line: bytes) -> Record | None:
    if not line.endswith(b"\n"):
        return None
    try:
        return decoder.decode(line)
    except msgspec.DecodeError:
        return None
