"""The journal of inputs: whole lines, torn ends, other people's folders."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from connectors.simulated.engine.inputs import CancelAllAfter, PassTime
from connectors.simulated.server.state import (
    JOURNAL_NAME,
    SNAPSHOT_NAME,
    Record,
    StateError,
    StateJournal,
    TapeState,
)

SETTINGS = {"seed": "1"}
RECORDS = [
    Record(at_ms=1, input=PassTime(), step=0),
    Record(at_ms=2, tape=TapeState(is_playing=False)),
    Record(at_ms=3, input=CancelAllAfter(account=7, timeout_ms=100)),
]


def written(folder: Path) -> Path:
    """Write the records and return the file."""
    journal = StateJournal(folder, SETTINGS)
    for record in RECORDS:
        journal.append(record)
    journal.close()
    return folder / JOURNAL_NAME


def replayed(folder: Path) -> list[Record]:
    """Read the records back."""
    journal = StateJournal(folder, SETTINGS)
    try:
        return list(journal.replay())
    finally:
        journal.close()


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    """Inputs, steps and the operator's settings in order, in a file only the owner reads."""
    file = written(tmp_path / "state")
    assert replayed(tmp_path / "state") == RECORDS
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("torn", [1, 5, 30])
def test_a_torn_last_line_is_cut_off(tmp_path: Path, torn: int) -> None:
    """A killed process leaves half a line at most; what follows is written in its place."""
    file = written(tmp_path)
    file.write_bytes(file.read_bytes()[:-torn])
    journal = StateJournal(tmp_path, SETTINGS)
    assert list(journal.replay()) == RECORDS[:2]
    journal.append(RECORDS[2])
    journal.close()
    assert replayed(tmp_path) == RECORDS


def test_a_torn_header_starts_anew(tmp_path: Path) -> None:
    """Killed before the first line was whole, there is no state yet."""
    (tmp_path / JOURNAL_NAME).write_bytes(b'{"version":1,"sett')
    assert replayed(tmp_path) == []


def test_damage_in_the_middle_is_one_clear_line(tmp_path: Path) -> None:
    """A damaged journal is never played half."""
    file = written(tmp_path)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([lines[0], b"{oops\n", *lines[2:]]))
    with pytest.raises(StateError, match=r"line 2: damaged"):
        replayed(tmp_path)


def test_other_settings_are_refused(tmp_path: Path) -> None:
    """A state belongs to the seed it was made with."""
    written(tmp_path)
    with pytest.raises(StateError, match="written with seed 1, not 2"):
        StateJournal(tmp_path, {"seed": "2"})


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    """Two exchanges never write one journal."""
    journal = StateJournal(tmp_path, SETTINGS)
    with pytest.raises(StateError, match="in use by another exchange"):
        StateJournal(tmp_path, SETTINGS)
    journal.close()


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    """A path that is no folder is one clear line."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StateError, match="is a file; name a directory"):
        StateJournal(tmp_path / "file", SETTINGS)


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    """Something else of that name is not overwritten."""
    (tmp_path / JOURNAL_NAME).write_text("hello\n")
    with pytest.raises(StateError, match="not written by an exchange"):
        StateJournal(tmp_path, SETTINGS)


def test_cut_takes_back(tmp_path: Path) -> None:
    """An input that broke the engine is not in the way of the next start."""
    journal = StateJournal(tmp_path, SETTINGS)
    journal.append(RECORDS[0])
    before = journal.append(RECORDS[1])
    journal.cut(before)
    journal.append(RECORDS[2])
    journal.close()
    assert replayed(tmp_path) == [RECORDS[0], RECORDS[2]]


def test_a_full_disk_is_one_line_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even the header fits: the file and the system's reason are named."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StateError, match=r"inputs\.jsonl: cannot be used: No space left"):
        StateJournal(tmp_path / "state", SETTINGS)


def test_a_journal_of_the_version_before_is_refused(tmp_path: Path) -> None:
    """What an older version wrote is one clear line, not a guess."""
    (tmp_path / JOURNAL_NAME).write_bytes(b'{"version":1,"settings":{"seed":"1"}}\n')
    with pytest.raises(StateError, match="written by another version; move the folder away"):
        StateJournal(tmp_path, SETTINGS)


class Killed(BaseException):
    """The process ends here."""


STEPS = ("open", "fsync", "replace", "ftruncate", "pwrite")


def killed_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Have the process end at so many system calls from now, the call not made."""
    made = 0

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*args: Any, **named: Any) -> Any:
            nonlocal made
            made += 1
            if made > step:
                raise Killed
            return call(*args, **named)

        return counting

    for name in STEPS:
        monkeypatch.setattr(os, name, counted(getattr(os, name)))


def recovered(folder: Path) -> tuple[bytes | None, list[Record]]:
    """Return what the next start finds."""
    journal = StateJournal(folder, SETTINGS)
    try:
        return journal.take_snapshot(), list(journal.replay())
    finally:
        journal.close()


OLD, NEW = (b"old", RECORDS), (b"new", [])


@pytest.mark.parametrize("step", range(12))
def test_killed_while_compacting_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """At every system call of a compaction: the old pair, or the new snapshot with nothing behind it."""
    journal = StateJournal(tmp_path, SETTINGS)
    assert journal.compact(b"old")
    for record in RECORDS:
        journal.append(record)
    with monkeypatch.context() as patch:
        killed_at(patch, step)
        with suppress(Killed):
            journal.compact(b"new")
    journal.close()
    assert recovered(tmp_path) in (OLD, NEW)
    assert recovered(tmp_path) in (OLD, NEW)
    assert sorted(one.name for one in tmp_path.iterdir()) == [JOURNAL_NAME, SNAPSHOT_NAME]


def test_a_journal_cut_at_any_byte_is_a_beginning_of_it(tmp_path: Path) -> None:
    """However much of the journal reached the disk, what is there is played and can be gone on from."""
    journal = StateJournal(tmp_path, SETTINGS)
    journal.compact(b"old")
    for record in RECORDS:
        journal.append(record)
    journal.close()
    whole = (tmp_path / JOURNAL_NAME).read_bytes()
    for length in range(len(whole)):
        (tmp_path / JOURNAL_NAME).write_bytes(whole[:length])
        document, records = recovered(tmp_path)
        assert document == b"old"
        assert records == RECORDS[: whole[:length].count(b"\n") - 1 if b"\n" in whole[:length] else 0]


def test_a_snapshot_cut_short_is_refused(tmp_path: Path) -> None:
    """A snapshot is whole or it is not one: half a state is never played on from."""
    journal = StateJournal(tmp_path, SETTINGS)
    journal.compact(b"old")
    journal.close()
    whole = (tmp_path / SNAPSHOT_NAME).read_bytes()
    for length in range(len(whole)):
        (tmp_path / SNAPSHOT_NAME).write_bytes(whole[:length])
        with pytest.raises(StateError, match=r"snapshot\.json: not "):
            StateJournal(tmp_path, SETTINGS)


def test_a_journal_without_its_snapshot_is_refused(tmp_path: Path) -> None:
    """The journal alone is not the state any more."""
    journal = StateJournal(tmp_path, SETTINGS)
    journal.compact(b"old")
    journal.close()
    (tmp_path / SNAPSHOT_NAME).unlink()
    with pytest.raises(StateError, match="the snapshot it goes on from is missing"):
        StateJournal(tmp_path, SETTINGS)


@pytest.mark.parametrize(("document", "least"), [(b"x", 1_000), (b"x" * 8_000, 2_000)])
def test_outgrown_by_length(tmp_path: Path, document: bytes, least: int) -> None:
    """A journal is outgrown at the length given, or at a quarter of a long snapshot."""
    journal = StateJournal(tmp_path, SETTINGS, compact_bytes=1_000)
    journal.compact(document)
    while not journal.is_outgrown:
        assert (tmp_path / JOURNAL_NAME).stat().st_size <= least
        journal.append(RECORDS[0])
    assert (tmp_path / JOURNAL_NAME).stat().st_size > least
    journal.close()


def test_a_disk_without_room_for_a_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old pair goes on, the rest of the new file is gone, and it is tried again later."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    journal = StateJournal(tmp_path, SETTINGS, compact_bytes=0)
    journal.append(RECORDS[0])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert not journal.compact(b"new")
    assert not journal.is_outgrown
    journal.append(RECORDS[1])
    assert journal.is_outgrown
    journal.close()
    assert recovered(tmp_path) == (None, RECORDS[:2])
    assert [one.name for one in tmp_path.iterdir()] == [JOURNAL_NAME]


def test_not_known_whether_the_snapshot_is_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails in between must end the exchange: what followed could be lost."""

    def broken(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    journal = StateJournal(tmp_path, SETTINGS)
    monkeypatch.setattr(os, "ftruncate", broken)
    with pytest.raises(StateError, match="cannot be cut back"):
        journal.compact(b"new")
    journal.close()
