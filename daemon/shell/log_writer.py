"""Log lines on their way out, by a thread of their own.

Why: standard output is often a pipe, and a reader that hangs (a stopped `less`, a full disk behind a log shipper) fills
it; the next write would then stand still, and with it the guard. So the loop only puts a line into a bounded queue.
What finds no room there, or no reader at all, is lost, counted, and told in one line as soon as lines go out again: a
log that nobody takes must not stop protection.

Units: seconds; bytes.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque

PENDING_LIMIT_BYTES = 4 * 1024 * 1024
LAST_WORDS_S = 1.0
"""At the end of the process a reader has this long to take what is left."""


class LogWriter:
    """A text stream for log lines that never blocks and never raises."""

    def __init__(self, descriptor: int, *, limit_bytes: int = PENDING_LIMIT_BYTES) -> None:
        """Write to a file descriptor, which stays the caller's."""
        self._descriptor = descriptor
        self._limit_bytes = limit_bytes
        self._pending: deque[bytes] = deque()
        self._pending_bytes = 0
        self._wake = threading.Condition()
        self._is_writing = False
        self._is_closing = False
        self._lost_unsaid = 0
        self.lines_lost = 0
        threading.Thread(target=self._run, name="log writer", daemon=True).start()

    # ------------------------------------------------------------ called by whoever logs

    def write(self, text: str) -> int:
        """Take text for writing, or count it as lost if too much waits already."""
        content = text.encode(errors="replace")
        with self._wake:
            if self._pending_bytes + len(content) > self._limit_bytes:
                self._lose(content)
            else:
                self._pending.append(content)
                self._pending_bytes += len(content)
                self._wake.notify_all()
        return len(text)

    def flush(self) -> None:
        """Do nothing: lines leave by themselves, and nobody waits for them."""

    def close(self, *, timeout_s: float = LAST_WORDS_S) -> None:
        """Give the reader a last chance, then leave the rest."""
        with self._wake:
            self._wake.wait_for(lambda: not self._pending and not self._is_writing, timeout_s)
            self._is_closing = True
            self._wake.notify_all()

    # ------------------------------------------------------------ the thread

    def _run(self) -> None:
        while group := self._next_group():
            is_written = self._try_write(group)
            with self._wake:
                self._is_writing = False
                if not is_written:
                    self._lose(group)
                self._wake.notify_all()

    def _next_group(self) -> bytes:
        """Wait for lines and take all that are there; empty when it is time to end."""
        with self._wake:
            self._wake.wait_for(lambda: self._pending or self._is_closing)
            group = b"".join(self._pending)
            self._pending.clear()
            self._pending_bytes = 0
            self._is_writing = bool(group)
            return group

    def _try_write(self, group: bytes) -> bool:
        """Write a group, and behind it, once it went out, how many lines did not."""
        try:
            _write_all(self._descriptor, group)
            _write_all(self._descriptor, self._confession())
        except OSError:  # nobody reads any more, or the disk behind it is full: a later line may fare better
            return False
        return True

    def _confession(self) -> bytes:
        with self._wake:
            lost, self._lost_unsaid = self._lost_unsaid, 0
        if not lost:
            return b""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = {"timestamp": moment, "level": "error", "event": "log lines lost: nobody took them", "lost": lost}
        return json.dumps(line).encode() + b"\n"

    def _lose(self, content: bytes) -> None:
        lines = content.count(b"\n")
        self.lines_lost += lines
        self._lost_unsaid += lines


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
