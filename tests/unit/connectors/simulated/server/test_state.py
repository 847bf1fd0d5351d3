"""The journal of inputs: whole lines, torn ends, other people's folders."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from connectors.simulated.engine.inputs import CancelAllAfter, PassTime
from connectors.simulated.server.state import JOURNAL_NAME, Record, StateError, StateJournal, TapeState

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
    with pytest.raises(StateError, match="state directory"):
        StateJournal(tmp_path / "file", SETTINGS)


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    """Something else of that name is not overwritten."""
    (tmp_path / JOURNAL_NAME).write_text("hello\n")
    with pytest.raises(StateError, match="not a journal"):
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
