"""The state directory: every input on disk before anyone can see its effect.

Why: the exchange of a demo may be killed at any moment and has to come back with the same orders,
positions, timers and tape position. The engine's state is a function of its inputs, so the journal
of inputs is the state. Each record is one `write` of one line, so a killed process leaves at most
one torn line at the end, which is cut off.

The file is for a session, not for months: at real time it grows by about 10 MB an hour, nearly all
of it prices, and an hour of it takes some six seconds to read back. It is never compacted.

Units: `at_ms` protocol time in milliseconds. Raises `StateError` with one line for people.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from connectors.simulated.engine.inputs import Input

JOURNAL_NAME = "inputs.jsonl"
_VERSION = 1
_PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700


class StateError(Exception):
    """The state directory cannot be used; the text says why and what to do."""


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


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    settings: dict[str, str]


class StateJournal:
    """The journal of one exchange, locked while it is open."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        """Open or create the journal.

        Args:
            folder: The state directory; created if it is missing.
            settings: What has to be the same each time, by name.

        Raises:
            StateError: If the folder cannot be used, is in use, or was written under other settings.
        """
        self._path = folder / JOURNAL_NAME
        self._settings = dict(settings)
        self._encoder = msgspec.json.Encoder()
        try:
            folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE_FILE)
        except OSError as error:
            raise StateError(f"state directory {folder}: {error.strerror}") from error
        try:
            self._lock()
            self._length = self._checked_header()
        except OSError as error:
            os.close(self._file)
            raise StateError(f"{self._path}: cannot be used: {error.strerror}") from error
        except BaseException:
            os.close(self._file)
            raise

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

    def close(self) -> None:
        """Close the file and give up the lock."""
        os.close(self._file)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StateError(f"state directory {self._path.parent}: in use by another exchange") from error

    def _checked_header(self) -> int:
        with self._path.open("rb") as lines:
            line = lines.readline()
        if not line.endswith(b"\n"):  # new, or killed while it was new
            return self._write_header()
        try:
            header = msgspec.json.decode(line, type=_Header)
        except msgspec.DecodeError as error:
            raise StateError(f"{self._path}: not a journal of an exchange") from error
        self._require_same(header)
        return len(line)

    def _write_header(self) -> int:
        os.ftruncate(self._file, 0)
        self._length = 0
        self._write(self._encoder.encode(_Header(version=_VERSION, settings=self._settings)) + b"\n")
        return self._length

    def _require_same(self, header: _Header) -> None:
        if header.version != _VERSION:
            raise StateError(f"{self._path}: written by another version; move the folder away to start anew")
        for name, value in self._settings.items():
            written = header.settings.get(name)
            if written != value:
                raise StateError(
                    f"{self._path}: written with {name} {written}, not {value}; use the same or another folder"
                )

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
