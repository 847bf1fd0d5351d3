"""The journal's way to the disk: a thread that appends in groups, beside the path of decisions.

Why: a decision must not wait for a disk, and a full or hanging disk must not stop protection. So the loop hands bytes
over and goes on; this thread writes what has gathered and makes it durable with one `fdatasync`. If the disk refuses,
everything is kept in memory and tried again, and `problem` says so until it worked. What is kept is bounded: when it
grows beyond that, it is dropped and a fresh checkpoint is asked for, so the next good disk starts a whole segment.

Units: bytes, seconds.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

RETRY_AFTER_S = 1.0
HANGING_AFTER_S = 5.0
"""Bytes that have waited this long for the disk mean that the journal is not in order."""
WAKES_BY_ITSELF_S = 1.0
"""The thread looks this often, should nobody wake it: a loop that stands still must not keep bytes from the disk."""
PENDING_LIMIT_BYTES = 32 * 1024 * 1024
KEPT_SEGMENTS = 256
_SEGMENT_NAME = re.compile(r"journal-(\d{16})\.jsonl")
_STOP_WAIT_S = 5.0


Wake = Callable[[], None]


def _wake_at_once(wake: Wake) -> None:
    wake()


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Bytes to append; with `segment`, a new file of that number begins with them."""

    content: bytes
    segment: int | None
    since_s: float


def segment_path(directory: Path, first_seq: int) -> Path:
    """Return the file of the segment that begins with record `first_seq`."""
    return directory / f"journal-{first_seq:016d}.jsonl"


def segments_in(directory: Path) -> list[tuple[int, Path]]:
    """Return number of the first record and file of every segment, oldest first; none if there is no folder."""
    try:
        named = [(_SEGMENT_NAME.fullmatch(path.name), path) for path in directory.iterdir()]
    except FileNotFoundError:
        return []
    return sorted((int(match.group(1)), path) for match, path in named if match is not None)


class JournalFile:
    """Appends to segment files from a thread of its own."""

    def __init__(self, directory: Path, *, wake_later: Callable[[Wake], object] = _wake_at_once) -> None:
        """Prepare a journal in a folder; nothing is written yet.

        Args:
            directory: Where the segments are.
            wake_later: Calls what it is given, in the loop's thread and soon. A thread that is woken at once takes the
                interpreter from the request that the bytes are about; a few milliseconds later it writes one group.
        """
        self._directory = directory
        self._wake_later = wake_later
        self._is_wake_due = False
        self._pending: deque[_Chunk] = deque()
        self._pending_bytes = 0
        self._wake = threading.Condition()
        self._problem: str | None = None
        self._descriptor: int | None = None
        self._good_length = 0
        self._is_closing = False
        self._writing_since_s: float | None = None
        self.has_overflowed = False
        self.groups_written = 0
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    # ------------------------------------------------------------ called from the loop

    def start(self) -> None:
        """Begin writing."""
        self._thread.start()

    def submit(self, content: bytes, *, segment: int | None = None) -> None:
        """Take bytes for the current segment, or with `segment` as the beginning of a new one. Never blocks on disk."""
        with self._wake:
            if segment is not None and self.has_overflowed:
                self._forget_pending()
                self.has_overflowed = False
            if self._pending_bytes + len(content) > PENDING_LIMIT_BYTES and segment is None:
                self.has_overflowed = True
                return
            self._pending.append(_Chunk(content, segment, time.monotonic()))
            self._pending_bytes += len(content)
        if not self._is_wake_due:
            self._is_wake_due = True
            self._wake_later(self._wake_thread)

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
        """Block until everything submitted so far is on disk; False if it was not within `timeout_s`."""
        with self._wake:
            self._wake.notify_all()
            return self._wake.wait_for(lambda: not self._pending and self._writing_since_s is None, timeout_s)

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
                self._note_written()
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
        content = b"".join(chunk.content for chunk in group)
        os.ftruncate(self._descriptor, self._good_length)
        _write_all(self._descriptor, content)
        os.fdatasync(self._descriptor)
        self._good_length += len(content)

    def _open_segment(self, first_seq: int) -> None:
        path = segment_path(self._directory, first_seq)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = descriptor
        self._good_length = 0
        sync_directory(self._directory)
        self._remove_oldest()

    def _remove_oldest(self) -> None:
        for _, old in segments_in(self._directory)[:-KEPT_SEGMENTS]:
            old.unlink(missing_ok=True)

    def _put_back(self, group: list[_Chunk], problem: str) -> None:
        with self._wake:
            self._problem = problem
            self._writing_since_s = None
            if self._is_closing:
                self._forget_pending()  # the last attempt failed: what is not on disk is lost, the venue knows the rest
            else:
                self._pending.extendleft(reversed(group))

    def _note_written(self) -> None:
        with self._wake:
            self._problem = None
            self._writing_since_s = None
            self._pending_bytes = sum(len(chunk.content) for chunk in self._pending)
            self.groups_written += 1
            self._wake.notify_all()


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
