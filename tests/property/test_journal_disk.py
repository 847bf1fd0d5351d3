"""A disk that refuses and tears as it likes: what was said to be durable is there, and the chain is whole (P7)."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.events import TimerFired
from daemon.journal.segments import find
from daemon.journal.verify import verify
from daemon.shell import journal_file
from daemon.shell.journal_file import JournalFile, segments_in
from daemon.shell.records import encode_event
from tests.segments import records_in
from tests.unit.daemon.shell.test_journal_file import a_checkpoint

MOODS = st.lists(st.sampled_from(["well", "full", "torn", "unsynced"]), min_size=1, max_size=30)
ACTS = st.lists(st.sampled_from(["record", "record", "record", "segment", "wait"]), min_size=1, max_size=40)


class Disk:
    """Behaves at each write and sync as the next mood says, and is well when they are used up."""

    def __init__(self, moods: list[str]) -> None:
        self._moods = list(moods)
        self._write, self._sync = os.write, os.fdatasync

    def _next(self) -> str:
        return self._moods.pop(0) if self._moods else "well"

    def write(self, descriptor: int, content: memoryview) -> int:
        mood = self._next()
        if mood == "full":
            raise OSError(errno.ENOSPC, "No space left on device")
        if mood == "torn":
            self._write(descriptor, content[: max(1, len(content) // 2)])
            raise OSError(errno.EIO, "Input/output error")
        return self._write(descriptor, content)

    def fdatasync(self, descriptor: int) -> None:
        if self._next() == "unsynced":
            raise OSError(errno.EIO, "Input/output error")
        self._sync(descriptor)


@contextmanager
def a_moody_disk(moods: list[str], pending_bytes: int) -> Iterator[None]:
    """Put the journal on it."""
    disk = Disk(moods)
    with (
        patch.object(journal_file, "RETRY_AFTER_S", 0.0005),
        patch.object(journal_file, "PENDING_LIMIT_BYTES", pending_bytes),
        patch.object(journal_file.os, "write", disk.write),
        patch.object(journal_file.os, "fdatasync", disk.fdatasync),
    ):
        yield


def written(folder: Path) -> set[int]:
    """The numbers that can be read back."""
    numbers: set[int] = set()
    for _, path in segments_in(folder):
        numbers.update(record.seq for record in records_in(path.read_bytes(), origin=path.name))
    return numbers


@settings(max_examples=40, deadline=None)
@given(MOODS, ACTS, st.sampled_from([400, 10**6]))
def test_what_was_said_to_be_durable_is_there(moods: list[str], acts: list[str], pending_bytes: int) -> None:
    """Records, segments and waits in any order; afterwards one whole chain, with gaps only where all was dropped."""
    with tempfile.TemporaryDirectory() as name, a_moody_disk(moods, pending_bytes):
        folder = Path(name)
        file = JournalFile(folder)
        file.start()
        file.submit(a_checkpoint(1), segment=1)
        number, newest_checkpoint, dropped = 1, 1, False
        for act in acts:
            if act == "wait":
                if file.wait_durable(0.05):
                    assert newest_checkpoint in written(folder)
                    assert dropped or number in written(folder)
                continue
            number += 1
            if act == "segment" or file.has_overflowed:
                file.submit(a_checkpoint(number), segment=number)
                newest_checkpoint, dropped = number, False
            else:
                file.submit(encode_event(number, TimerFired(at_ns=number)))
                dropped = file.has_overflowed
        if file.has_overflowed:
            number += 1
            file.submit(a_checkpoint(number), segment=number)
        assert file.wait_durable(5)
        file.close()
        assert file.problem is None
        assert number in written(folder)
        found = verify(find(folder))
        assert found.damage == []
        assert all("the chain goes on" in note or "begins at record" in note for note in found.notes)
        if pending_bytes > 400:
            assert written(folder) == set(range(1, number + 1))
