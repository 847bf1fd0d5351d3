"""The journal's disk, in memory: what has reached it survives a kill, what was only handed over does not.

Why: `JournalFile` writes from a thread, which has no place in a deterministic run. This stands in for it, keeps the
same promises (`submit` never blocks, `problem` tells), and can lose, tear or refuse what a real disk can.

Units: bytes; seconds on the loop's clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from daemon.shell.journal_file import segment_path


@dataclass(slots=True)
class _Line:
    content: bytes
    segment: int
    at_s: float


@dataclass(slots=True)
class MemoryDisk:
    """Everything one guard ever submitted, over all its lives."""

    now_s: Callable[[], float]
    problem: str | None = None
    has_overflowed: bool = False
    is_frozen: bool = False
    """The process is dead: what it still says does not get here."""
    submitted: int = 0
    on_submit: Callable[[], None] = lambda: None
    _lines: list[_Line] = field(default_factory=list)
    _segment: int = 0

    def submit(self, content: bytes, *, segment: int | None = None) -> None:
        """Take one record (see `JournalFile.submit`)."""
        if self.is_frozen:
            return
        if segment is not None:
            self._segment = segment
            self._lines = [line for line in self._lines if line.segment != segment]
        self._lines.append(_Line(content, self._segment, self.now_s()))
        self.submitted += 1
        self.on_submit()

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
