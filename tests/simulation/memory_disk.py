"""The journal's disk, in memory: what has reached it survives a kill, what was only handed over does not.

Why: `JournalFile` writes from a thread, which has no place in a deterministic run. This stands in for it, keeps the
same promises (`submit` never blocks, `problem` tells), and can lose, tear or refuse what a real disk can.

Units: bytes; seconds on the loop's clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from daemon.shell.journal_file import HANGING_AFTER_S, segment_path
from daemon.shell.records import NO_CHAIN, sealed


@dataclass(slots=True)
class _Line:
    content: bytes
    segment: int
    at_s: float
    chain: bytes = b""
    """Empty once it is torn: the next record hangs on the one before."""


@dataclass(slots=True)
class MemoryDisk:
    """Everything one guard ever submitted, over all its lives."""

    now_s: Callable[[], float]
    refusal: str | None = None
    """Why the disk refuses, as long as it does."""
    has_overflowed: bool = False
    room_bytes: int | None = None
    """So many bytes may wait for a disk that takes nothing; None for any number."""
    hung_since_s: float | None = None
    """Since when nothing submitted becomes durable."""
    is_frozen: bool = False
    """The process is dead: what it still says does not get here."""
    submitted: int = 0
    on_submit: Callable[[], None] = lambda: None
    _lines: list[_Line] = field(default_factory=list)
    _segment: int = 0
    _waiting_bytes: int = 0

    @property
    def problem(self) -> str | None:
        """What `JournalFile.problem` would say."""
        since_s = self.hung_since_s
        is_hanging = since_s is not None and self._waiting_bytes and self.now_s() - since_s > HANGING_AFTER_S
        if is_hanging and self.refusal is None:
            return f"the disk has not taken the journal for more than {HANGING_AFTER_S:g} s"
        return self.refusal

    @problem.setter
    def problem(self, refusal: str | None) -> None:
        self.refusal = refusal

    def hang(self, *, room_bytes: int | None = None) -> None:
        """From now on nothing becomes durable; what waits is lost with the process, and overflows at `room_bytes`."""
        self.hung_since_s, self.room_bytes, self._waiting_bytes = self.now_s(), room_bytes, 0

    @property
    def is_waiting(self) -> bool:
        """Whether something was submitted that the disk does not take."""
        return self.hung_since_s is not None and (self._waiting_bytes > 0 or self.has_overflowed)

    def go_on(self) -> None:
        """Everything that waits becomes durable at once."""
        self.hung_since_s, self.room_bytes, self._waiting_bytes = None, None, 0

    def lose_waiting(self) -> int:
        """The process is dead: forget what waited for a disk that took nothing; count it."""
        since_s = self.hung_since_s
        if since_s is None:
            return 0
        kept = [line for line in self._lines if line.at_s < since_s]
        lost, self._lines = len(self._lines) - len(kept), kept
        self.go_on()
        self.has_overflowed = False
        return lost

    def submit(self, content: bytes, *, segment: int | None = None) -> None:
        """Take one record (see `JournalFile.submit`)."""
        if self.is_frozen or self._overflows(content, segment):
            return
        if segment is not None:
            self._segment = segment
            self._lines = [line for line in self._lines if line.segment != segment]
        before = next((line.chain for line in reversed(self._lines) if line.chain), NO_CHAIN.encode())
        whole, chain = sealed(content, before, is_first=segment is not None)
        self._lines.append(_Line(whole, self._segment, self.now_s(), chain))
        self.submitted += 1
        self.on_submit()

    def _overflows(self, content: bytes, segment: int | None) -> bool:
        """Keep what is bounded bounded: beyond its room everything is dropped until a new segment begins."""
        since_s = self.hung_since_s
        if segment is not None and self.has_overflowed:
            if since_s is not None:
                self._lines = [line for line in self._lines if line.at_s < since_s]
            self._waiting_bytes, self.has_overflowed = 0, False
        if since_s is None:
            return self.has_overflowed  # the disk takes records again, but there is no gap inside a segment
        if self.room_bytes is not None and self._waiting_bytes + len(content) > self.room_bytes and segment is None:
            self.has_overflowed = True
        self._waiting_bytes += 0 if self.has_overflowed else len(content)
        return self.has_overflowed

    def cut(self, lost_bytes: int) -> int:
        """Take so many bytes off the end of what was written, wherever that falls; count the records that suffer."""
        suffered = 0
        while lost_bytes > 0 and self._lines:
            last = self._lines.pop()
            suffered += 1
            if len(last.content) > lost_bytes:
                self._lines.append(_Line(last.content[:-lost_bytes], last.segment, last.at_s))
            lost_bytes -= len(last.content)
        return suffered

    def lose_newest(self, within_s: float, *, torn_bytes: int = 0) -> int:
        """Forget what was submitted in the last `within_s`, but a torn beginning of its first record; count it."""
        limit_s = self.now_s() - within_s
        kept = [line for line in self._lines if line.at_s < limit_s]
        lost = self._lines[len(kept) :]
        if lost and torn_bytes:
            first = lost[0]
            kept.append(_Line(first.content[: min(torn_bytes, len(first.content) - 1)], first.segment, first.at_s))
        self._lines = kept
        return len(lost)

    def newest(self) -> bytes:
        """Return the newest record."""
        return self._lines[-1].content

    def newest_s(self) -> float:
        """Return when the newest record was handed over; 0 when there is none."""
        return self._lines[-1].at_s if self._lines else 0.0

    def wipe(self) -> None:
        """Lose everything."""
        self._lines.clear()

    def write_out(self, directory: Path) -> None:
        """Write what is there as segment files, the way `recover` wants to find them."""
        directory.mkdir(parents=True, exist_ok=True)
        for number, content in self.segments().items():
            segment_path(directory, number).write_bytes(content)

    def segments(self) -> dict[int, bytes]:
        """What is there, by number of the segment's first record."""
        numbers = dict.fromkeys(line.segment for line in self._lines)
        return {number: b"".join(line.content for line in self._lines if line.segment == number) for number in numbers}
