"""The journal's way to the disk: a thread that appends in groups, beside the path of decisions.

Why: a decision must not wait for a disk, and a full or hanging disk must not stop protection. So the loop hands bytes
over and goes on; this thread hangs what has gathered on the chain (`records.sealed`), writes it and makes it durable
with one `fdatasync`. If the disk refuses, everything is kept in memory and tried again, and `problem` says so until it
worked. What is kept is bounded: when it grows beyond that, it is dropped and a fresh checkpoint is asked for, so the
next good disk starts a whole segment.

The folder is bounded too, by bytes and by number of segments: whenever a segment is begun, the oldest go. The two
newest always stay: recovery needs the newest whose checkpoint is whole.

Units: bytes, seconds.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from daemon.shell.records import NO_CHAIN, sealed

RETRY_AFTER_S = 1.0
HANGING_AFTER_S = 5.0
"""Bytes that have waited this long for the disk mean that the journal is not in order."""
WAKES_BY_ITSELF_S = 1.0
"""The thread looks this often, should nobody wake it: a loop that stands still must not keep bytes from the disk."""
PENDING_LIMIT_BYTES = 32 * 1024 * 1024
KEPT_BYTES = 1024 * 1024 * 1024
KEPT_SEGMENTS = 4_000
"""Every start begins a segment, so a service that restarts all night must not push out the days before."""
NEEDED_SEGMENTS: Final = 2
"""The newest, and the one before: should the newest be cut off in its checkpoint, recovery begins there."""
_SEGMENT_NAME = re.compile(r"journal-(\d{16})\.jsonl")
_STOP_WAIT_S = 5.0


Wake = Callable[[], None]


def _wake_at_once(wake: Wake) -> None:
    wake()


class _Chunk(NamedTuple):
    """One record to append; with `segment`, a new file of that number begins with it."""

    content: bytes
    segment: int | None
    since_s: float
    covers: int
    """How many submitted records are safe once this one is on disk: itself, and those that it stands in for."""


def segment_path(directory: Path, first_seq: int) -> Path:
    """Return the file of the segment that begins with record `first_seq`."""
    return directory / f"journal-{first_seq:016d}.jsonl"


def first_seq_of(path: Path) -> int | None:
    """Return the number that a segment's name says; None if the file is named otherwise."""
    match = _SEGMENT_NAME.fullmatch(path.name)
    return None if match is None else int(match.group(1))


def segments_in(directory: Path) -> list[tuple[int, Path]]:
    """Return number of the first record and file of every segment, oldest first; none if there is no folder."""
    try:
        named = [(first_seq_of(path), path) for path in directory.iterdir()]
    except FileNotFoundError:
        return []
    return sorted((first_seq, path) for first_seq, path in named if first_seq is not None)


class JournalFile:
    """Appends to segment files from a thread of its own."""

    def __init__(
        self, directory: Path, *, kept_bytes: int = KEPT_BYTES, wake_later: Callable[[Wake], object] = _wake_at_once
    ) -> None:
        """Prepare a journal in a folder; nothing is written yet.

        Args:
            directory: Where the segments are.
            kept_bytes: How much of the past stays there.
            wake_later: Calls what it is given, in the loop's thread and soon. A thread that is woken at once takes the
                interpreter from the request that the bytes are about; a few milliseconds later it writes one group.
        """
        self._directory = directory
        self._kept_bytes = kept_bytes
        self._wake_later = wake_later
        self._is_wake_due = False
        self._pending: deque[_Chunk] = deque()
        self._pending_bytes = 0
        self._wake = threading.Condition()
        self._problem: str | None = None
        self._submitted = 0
        self._durable = 0
        self._dropped = 0
        self._descriptor: int | None = None
        self._good_length = 0
        self._chain = NO_CHAIN.encode()
        self._is_closing = False
        self._writing_since_s: float | None = None
        self.has_overflowed = False
        self.groups_written = 0
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    # ------------------------------------------------------------ called from the loop

    def start(self, chain: str = "") -> None:
        """Begin writing, on from the chain of the newest record that is there; empty: from the beginning."""
        self._chain = (chain or NO_CHAIN).encode()
        self._thread.start()

    def submit(self, content: bytes, *, segment: int | None = None) -> None:
        """Take a record for the current segment, or with `segment` as the first of a new one. Never blocks on disk."""
        with self._wake:
            self._submitted += 1
            if segment is not None and self.has_overflowed:
                self._forget_pending()
                self.has_overflowed = False
            is_too_much = self.has_overflowed or self._pending_bytes + len(content) > PENDING_LIMIT_BYTES
            if is_too_much and segment is None:  # and so is the next one, small as it may be: no gap inside a segment
                self.has_overflowed = True
                self._dropped += 1
                return
            covers = 1
            if segment is not None:  # a checkpoint holds what the records before it led to, those dropped among them
                covers, self._dropped = covers + self._dropped, 0
            self._pending.append(_Chunk(content, segment, time.monotonic(), covers))
            self._pending_bytes += len(content)
        if not self._is_wake_due:
            self._is_wake_due = True
            self._wake_later(self._wake_thread)

    @property
    def lag(self) -> tuple[int, float]:
        """How many records are not on disk yet, and for how many seconds the oldest of them has waited."""
        with self._wake:
            waiting = [since for since in (self._writing_since_s, self._oldest_s()) if since is not None]
            records = max(0, self._submitted - self._durable)
        return records, max(0.0, time.monotonic() - min(waiting)) if waiting else 0.0

    @property
    def problem(self) -> str | None:
        """Why the journal is behind, in words; None while all is well."""
        with self._wake:
            if self._problem is not None:
                return self._problem
            waiting = [since for since in (self._writing_since_s, self._oldest_s()) if since is not None]
        if waiting and time.monotonic() - min(waiting) > HANGING_AFTER_S:
            return f"the disk has not taken the journal for more than {HANGING_AFTER_S:g} s"
        return None

    def wait_durable(self, timeout_s: float) -> bool:
        """Block until everything submitted so far is on disk; False if it was not within `timeout_s`.

        What is submitted meanwhile is not waited for: under load there is always more.
        """
        with self._wake:
            self._wake.notify_all()
            awaited = self._submitted
            return self._wake.wait_for(lambda: self._durable >= awaited, timeout_s)

    def wait_durable_if_well(self, timeout_s: float) -> bool:
        """The same, but without waiting for a disk that is known to refuse."""
        return self.problem is None and self.wait_durable(timeout_s)

    def close(self) -> None:
        """Write what can be written and end the thread."""
        with self._wake:
            self._is_closing = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(_STOP_WAIT_S)

    def _wake_thread(self) -> None:
        self._is_wake_due = False
        with self._wake:
            self._wake.notify_all()

    def _oldest_s(self) -> float | None:
        return self._pending[0].since_s if self._pending else None

    def _forget_pending(self) -> None:
        self._dropped += sum(chunk.covers for chunk in self._pending)
        self._pending.clear()
        self._pending_bytes = 0

    # ------------------------------------------------------------ the thread

    def _run(self) -> None:
        while group := self._next_group():
            try:
                self._write(group)
            except OSError as error:
                self._put_back(group, f"{error.strerror or error} ({self._directory})")
            else:
                self._note_written(group)
        if self._descriptor is not None:
            os.close(self._descriptor)

    def _next_group(self) -> list[_Chunk]:
        """Wait for chunks and take those that belong in one file; empty when it is time to end."""
        with self._wake:
            if self._problem is not None and not self._is_closing:
                self._wake.wait_for(lambda: self._is_closing, RETRY_AFTER_S)
            while not self._wake.wait_for(lambda: self._pending or self._is_closing, WAKES_BY_ITSELF_S):
                pass
            group: list[_Chunk] = []
            while self._pending and (not group or self._pending[0].segment is None):
                group.append(self._pending.popleft())
            self._writing_since_s = group[0].since_s if group else None
            return group

    def _write(self, group: list[_Chunk]) -> None:
        if group[0].segment is not None:
            self._open_segment(group[0].segment)
        if self._descriptor is None:
            raise OSError("no journal segment is open")
        content, chain = self._sealed(group)
        os.ftruncate(self._descriptor, self._good_length)
        _write_all(self._descriptor, content)
        os.fdatasync(self._descriptor)
        self._good_length += len(content)
        self._chain = chain
        if group[0].segment is not None:
            remove_oldest(self._directory, kept_bytes=self._kept_bytes, kept_segments=KEPT_SEGMENTS)

    def _sealed(self, group: list[_Chunk]) -> tuple[bytes, bytes]:
        """Return the bytes of a group and the chain behind it; a group that is tried again gives the same."""
        lines, chain = [], self._chain
        for chunk in group:
            line, chain = sealed(chunk.content, chain, is_first=chunk.segment is not None)
            lines.append(line)
        return b"".join(lines), chain

    def _open_segment(self, first_seq: int) -> None:
        path = segment_path(self._directory, first_seq)
        if not self._directory.is_dir():
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            sync_directory(self._directory.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = descriptor
        self._good_length = 0
        sync_directory(self._directory)

    def _put_back(self, group: list[_Chunk], problem: str) -> None:
        with self._wake:
            self._problem = problem
            self._writing_since_s = None
            if self._is_closing:
                self._forget_pending()  # the last attempt failed: what is not on disk is lost, the venue knows the rest
            else:
                self._pending.extendleft(reversed(group))

    def _note_written(self, group: list[_Chunk]) -> None:
        with self._wake:
            self._durable += sum(chunk.covers for chunk in group)
            self._problem = None
            self._writing_since_s = None
            self._pending_bytes = sum(len(chunk.content) for chunk in self._pending)
            self.groups_written += 1
            self._wake.notify_all()


def remove_oldest(directory: Path, *, kept_bytes: int, kept_segments: int) -> list[Path]:
    """Remove the oldest segments until the rest is within both bounds; the newest two stay in any case.

    Nothing is raised: a journal that cannot be shortened is still written, and the next segment tries again.

    Returns:
        What was removed.
    """
    removed, total_bytes = [], 0
    for kept, (_, path) in enumerate(reversed(segments_in(directory)), start=1):
        with suppress(OSError):
            total_bytes += path.stat().st_size
        if kept > NEEDED_SEGMENTS and (kept > kept_segments or total_bytes > kept_bytes):
            with suppress(OSError):
                path.unlink()
                removed.append(path)
    return removed


def sync_directory(directory: Path) -> None:
    """Make a new or renamed file name durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
