"""The journal's way to the disk, and what happens when the disk refuses."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.shell import journal_file
from daemon.shell.journal_file import JournalFile, segment_path


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try a refusing disk again soon."""
    monkeypatch.setattr(journal_file, "RETRY_AFTER_S", 0.005)


def a_refusing_disk(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Make every fdatasync fail with "disk full" while the list says so."""
    refuses = [True]
    real = os.fdatasync

    def fdatasync(descriptor: int) -> None:
        if refuses[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(journal_file.os, "fdatasync", fdatasync)
    return refuses


def test_groups_reach_the_file_in_order(tmp_path: Path) -> None:
    """What is submitted is what the segment holds, private to its owner."""
    file = JournalFile(tmp_path / "journal")
    file.start()
    file.submit(b"a\n", segment=1)
    for number in range(100):
        file.submit(b"%d\n" % number)
    assert file.wait_durable(5)
    path = segment_path(tmp_path / "journal", 1)
    assert path.read_bytes() == b"a\n" + b"".join(b"%d\n" % number for number in range(100))
    assert path.stat().st_mode & 0o777 == 0o600
    file.close()


def test_a_full_disk_is_said_and_made_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full for a while: submitting goes on, the problem is named, and then everything is written once."""
    refuses = a_refusing_disk(monkeypatch)
    file = JournalFile(tmp_path)
    file.start()
    file.submit(b"a\n", segment=1)
    file.submit(b"b\n")
    assert not file.wait_durable(0.05)
    assert "No space left" in str(file.problem)
    refuses[0] = False
    assert file.wait_durable(5)
    assert file.problem is None
    assert segment_path(tmp_path, 1).read_bytes() == b"a\nb\n"
    file.close()


def test_a_folder_that_cannot_be_made_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    """A file stands where the journal's folder should be."""
    (tmp_path / "journal").write_text("in the way")
    file = JournalFile(tmp_path / "journal")
    file.start()
    file.submit(b"a\n", segment=1)
    assert not file.wait_durable(0.05)
    assert file.problem is not None
    file.close()


def test_memory_is_bounded_and_a_fresh_segment_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk stays full for long: what waits is dropped rather than grown, and the next checkpoint starts clean."""
    refuses = a_refusing_disk(monkeypatch)
    monkeypatch.setattr(journal_file, "PENDING_LIMIT_BYTES", 1_000)
    file = JournalFile(tmp_path)
    file.start()
    file.submit(b"old\n", segment=1)
    for _ in range(20):
        file.submit(b"x" * 99 + b"\n")
    assert file.has_overflowed
    file.submit(b"checkpoint\n", segment=900)
    assert not file.has_overflowed
    refuses[0] = False
    assert file.wait_durable(5)
    assert segment_path(tmp_path, 900).read_bytes() == b"checkpoint\n"
    file.close()


def test_old_segments_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal does not fill the disk by itself."""
    monkeypatch.setattr(journal_file, "KEPT_SEGMENTS", 3)
    file = JournalFile(tmp_path)
    file.start()
    for number in range(1, 6):
        file.submit(b"c\n", segment=number)
    assert file.wait_durable(5)
    file.close()
    assert sorted(tmp_path.iterdir()) == [segment_path(tmp_path, number) for number in (3, 4, 5)]


def test_the_last_attempt_is_made_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk has room again just as the guard stops: what waited is written."""
    refuses = a_refusing_disk(monkeypatch)
    monkeypatch.setattr(journal_file, "RETRY_AFTER_S", 3_600)
    file = JournalFile(tmp_path)
    file.start()
    file.submit(b"a\n", segment=1)
    assert not file.wait_durable(0.05)
    refuses[0] = False
    file.close()
    assert segment_path(tmp_path, 1).read_bytes() == b"a\n"


def test_a_disk_that_refuses_to_the_end_does_not_hold_up_the_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk stays full: closing gives up after one attempt."""
    a_refusing_disk(monkeypatch)
    file = JournalFile(tmp_path)
    file.start()
    file.submit(b"a\n", segment=1)
    file.close()
    assert not file._thread.is_alive()


def test_the_thread_is_woken_when_told_and_once_for_a_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records of one decision ask for one waking, and are one group once it comes; the next decision asks again."""
    monkeypatch.setattr(journal_file, "WAKES_BY_ITSELF_S", 60.0)
    wakes: list[Callable[[], None]] = []
    file = JournalFile(tmp_path, wake_later=wakes.append)
    file.start()
    file.submit(b"a\n", segment=1)
    assert file.wait_durable(5)
    wakes.pop()()
    groups = file.groups_written
    file.submit(b"b\n")
    file.submit(b"c\n")
    assert len(wakes) == 1
    wakes.pop()()
    assert file.wait_durable(5)
    assert file.groups_written == groups + 1
    file.submit(b"d\n")
    assert len(wakes) == 1
    file.close()
    assert segment_path(tmp_path, 1).read_bytes() == b"a\nb\nc\nd\n"


def test_bytes_reach_the_disk_although_nobody_wakes_the_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop stands still and the waking never comes: the thread looks by itself."""
    monkeypatch.setattr(journal_file, "WAKES_BY_ITSELF_S", 0.01)
    file = JournalFile(tmp_path, wake_later=lambda _wake: None)
    file.start()
    file.submit(b"a\n", segment=1)
    path, until_s = segment_path(tmp_path, 1), time.monotonic() + 5
    while not (path.exists() and path.read_bytes() == b"a\n"):
        assert time.monotonic() < until_s
    file.close()
