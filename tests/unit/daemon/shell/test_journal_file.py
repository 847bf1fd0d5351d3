"""The journal's way to the disk, and what happens when the disk refuses."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from daemon.core.events import TimerFired
from daemon.shell import journal_file
from daemon.shell.journal_file import JournalFile, remove_oldest, segment_path
from daemon.shell.records import NO_CHAIN, Checkpoint, encode_checkpoint, encode_event
from tests.segments import records_in


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try a refusing disk again soon."""
    monkeypatch.setattr(journal_file, "RETRY_AFTER_S", 0.005)


def bare(path: Path) -> bytes:
    """What a segment holds, without the chain that the writer hangs it on."""
    return re.sub(rb'\{("continues":"[0-9a-f]{32}",)?"chain":"[0-9a-f]{32}",', b"{", path.read_bytes())


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
    file.submit(b"{a}\n", segment=1)
    for number in range(100):
        file.submit(b"{%d}\n" % number)
    assert file.wait_durable(5)
    path = segment_path(tmp_path / "journal", 1)
    assert bare(path) == b"{a}\n" + b"".join(b"{%d}\n" % number for number in range(100))
    assert path.stat().st_mode & 0o777 == 0o600
    file.close()


def test_a_full_disk_is_said_and_made_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full for a while: submitting goes on, the problem is named, and then everything is written once."""
    refuses = a_refusing_disk(monkeypatch)
    file = JournalFile(tmp_path)
    file.start()
    file.submit(b"{a}\n", segment=1)
    file.submit(b"{b}\n")
    assert not file.wait_durable(0.05)
    assert "No space left" in str(file.problem)
    assert not file.wait_durable_if_well(3_600)
    records, lag_s = file.lag
    assert (records, lag_s > 0.04) == (2, True)
    refuses[0] = False
    assert file.wait_durable(5)
    assert file.problem is None
    assert file.lag == (0, 0.0)
    assert bare(segment_path(tmp_path, 1)) == b"{a}\n{b}\n"
    file.close()


def test_a_folder_that_cannot_be_made_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    """A file stands where the journal's folder should be."""
    (tmp_path / "journal").write_text("in the way")
    file = JournalFile(tmp_path / "journal")
    file.start()
    file.submit(b"{a}\n", segment=1)
    assert not file.wait_durable(0.05)
    assert file.problem is not None
    file.close()


def test_memory_is_bounded_and_a_fresh_segment_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk stays full for long: what waits is dropped rather than grown, and the next checkpoint starts clean."""
    refuses = a_refusing_disk(monkeypatch)
    monkeypatch.setattr(journal_file, "PENDING_LIMIT_BYTES", 1_000)
    file = JournalFile(tmp_path)
    file.start()
    file.submit(b"{old}\n", segment=1)
    for _ in range(20):
        file.submit(b"{" + b"x" * 97 + b"}\n")
    assert file.has_overflowed
    file.submit(b"{checkpoint}\n", segment=900)
    assert not file.has_overflowed
    refuses[0] = False
    assert file.wait_durable(5)
    assert bare(segment_path(tmp_path, 900)) == b"{checkpoint}\n"
    file.close()


def test_old_segments_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal does not fill the disk by itself."""
    monkeypatch.setattr(journal_file, "KEPT_SEGMENTS", 3)
    file = JournalFile(tmp_path)
    file.start()
    for number in range(1, 6):
        file.submit(b"{c}\n", segment=number)
    assert file.wait_durable(5)
    file.close()
    assert sorted(tmp_path.iterdir()) == [segment_path(tmp_path, number) for number in (3, 4, 5)]


def test_the_last_attempt_is_made_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk has room again just as the guard stops: what waited is written."""
    refuses = a_refusing_disk(monkeypatch)
    monkeypatch.setattr(journal_file, "RETRY_AFTER_S", 3_600)
    file = JournalFile(tmp_path)
    file.start()
    file.submit(b"{a}\n", segment=1)
    assert not file.wait_durable(0.05)
    refuses[0] = False
    file.close()
    assert bare(segment_path(tmp_path, 1)) == b"{a}\n"


def test_a_disk_that_refuses_to_the_end_does_not_hold_up_the_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk stays full: closing gives up after one attempt."""
    a_refusing_disk(monkeypatch)
    file = JournalFile(tmp_path)
    file.start()
    file.submit(b"{a}\n", segment=1)
    file.close()
    assert not file._thread.is_alive()


def test_the_thread_is_woken_when_told_and_once_for_a_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records of one decision ask for one waking, and are one group once it comes; the next decision asks again."""
    monkeypatch.setattr(journal_file, "WAKES_BY_ITSELF_S", 60.0)
    wakes: list[Callable[[], None]] = []
    file = JournalFile(tmp_path, wake_later=wakes.append)
    file.start()
    file.submit(b"{a}\n", segment=1)
    assert file.wait_durable(5)
    wakes.pop()()
    groups = file.groups_written
    file.submit(b"{b}\n")
    file.submit(b"{c}\n")
    assert len(wakes) == 1
    wakes.pop()()
    assert file.wait_durable(5)
    assert file.groups_written == groups + 1
    file.submit(b"{d}\n")
    assert len(wakes) == 1
    file.close()
    assert bare(segment_path(tmp_path, 1)) == b"{a}\n{b}\n{c}\n{d}\n"


def test_bytes_reach_the_disk_although_nobody_wakes_the_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop stands still and the waking never comes: the thread looks by itself."""
    monkeypatch.setattr(journal_file, "WAKES_BY_ITSELF_S", 0.01)
    file = JournalFile(tmp_path, wake_later=lambda _wake: None)
    file.start()
    file.submit(b"{a}\n", segment=1)
    path, until_s = segment_path(tmp_path, 1), time.monotonic() + 5
    while not (path.exists() and bare(path) == b"{a}\n"):
        assert time.monotonic() < until_s
    file.close()


def a_checkpoint(seq: int) -> bytes:
    """A checkpoint of nothing."""
    return encode_checkpoint(seq, Checkpoint(state=msgspec.Raw(b"{}"), unanswered=(), version="test"))


def test_the_writer_hangs_records_on_one_chain_through_all_segments(tmp_path: Path) -> None:
    """P9: each record's chain follows from the one before, and a segment's first names the chain that it goes on."""
    file = JournalFile(tmp_path)
    file.start()
    file.submit(a_checkpoint(1), segment=1)
    file.submit(encode_event(2, TimerFired(at_ns=1)))
    file.submit(a_checkpoint(3), segment=3)
    file.close()
    first = list(records_in(segment_path(tmp_path, 1).read_bytes(), origin="1"))
    (second,) = records_in(segment_path(tmp_path, 3).read_bytes(), origin="3")
    assert first[0].continues == NO_CHAIN
    assert second.continues == first[-1].chain
    assert len({record.chain for record in (*first, second)}) == 3
    again = JournalFile(tmp_path)
    again.start(second.chain)
    again.submit(a_checkpoint(4), segment=4)
    again.close()
    (third,) = records_in(segment_path(tmp_path, 4).read_bytes(), origin="4")
    assert third.continues == second.chain


def test_a_group_that_is_tried_again_has_the_same_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk refuses once: what is written in the end is one unbroken chain."""
    refuses = a_refusing_disk(monkeypatch)
    file = JournalFile(tmp_path)
    file.start()
    file.submit(a_checkpoint(1), segment=1)
    file.submit(encode_event(2, TimerFired(at_ns=1)))
    assert not file.wait_durable(0.05)
    refuses[0] = False
    file.submit(encode_event(3, TimerFired(at_ns=2)))
    assert file.wait_durable(5)
    file.close()
    assert [record.seq for record in records_in(segment_path(tmp_path, 1).read_bytes(), origin="")] == [1, 2, 3]


def test_waiting_for_the_disk_ends_although_there_is_always_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P7: events pour in without a pause; an operator's request that is on disk is acknowledged all the same."""
    real, file = os.fdatasync, JournalFile(tmp_path)

    def fdatasync(descriptor: int) -> None:
        file.submit(b"{more}\n")
        real(descriptor)

    monkeypatch.setattr(journal_file.os, "fdatasync", fdatasync)
    file.start()
    file.submit(b"{a}\n", segment=1)
    assert file.wait_durable(5)
    monkeypatch.setattr(journal_file.os, "fdatasync", real)
    file.close()


def test_what_was_dropped_is_not_durable_before_the_checkpoint_that_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P7: the operator's record was dropped for want of memory: acknowledged when the next checkpoint is on disk."""
    refuses = a_refusing_disk(monkeypatch)
    monkeypatch.setattr(journal_file, "PENDING_LIMIT_BYTES", 60)
    file = JournalFile(tmp_path)
    file.start()
    file.submit(b"{a}\n", segment=1)
    assert not file.wait_durable(0.02)
    file.submit(b"{" + b"x" * 80 + b"}\n")
    file.submit(b"{small}\n")
    assert file.has_overflowed
    assert not file.wait_durable(0.02)
    file.submit(b"{checkpoint}\n", segment=900)
    assert not file.wait_durable(0.02)
    refuses[0] = False
    assert file.wait_durable(5)
    assert bare(segment_path(tmp_path, 900)) == b"{checkpoint}\n"
    file.close()
    assert not any(b"small" in path.read_bytes() for path in tmp_path.iterdir())


def test_the_folder_is_bounded_by_bytes_and_two_segments_stay(tmp_path: Path) -> None:
    """However small the bound, what recovery needs is there: the newest segment and the one before."""
    for number in range(1, 6):
        segment_path(tmp_path, number).write_bytes(b"x" * 100)
    assert remove_oldest(tmp_path, kept_bytes=350, kept_segments=100) == [
        segment_path(tmp_path, 2),
        segment_path(tmp_path, 1),
    ]
    remove_oldest(tmp_path, kept_bytes=0, kept_segments=0)
    assert sorted(tmp_path.iterdir()) == [segment_path(tmp_path, 4), segment_path(tmp_path, 5)]


def test_a_segment_that_cannot_be_removed_stops_nothing(tmp_path: Path) -> None:
    """A folder of that name stands in the way: the journal is written all the same."""
    segment_path(tmp_path, 1).mkdir()
    file = JournalFile(tmp_path, kept_bytes=0)
    file.start()
    for number in (2, 3, 4):
        file.submit(b"{c}\n", segment=number)
    assert file.wait_durable(5)
    assert file.problem is None
    file.close()
