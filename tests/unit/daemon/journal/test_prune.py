"""`seawall journal prune`: what goes, and what never does."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from daemon.cli import main
from daemon.exit_codes import ExitCode
from daemon.journal.segments import find
from daemon.journal.verify import verify
from daemon.shell.recover import recover
from tests.unit.daemon.journal.written import write_journal


def prune(folder: Path, *options: str) -> int:
    """Run the command."""
    return main(["journal", "prune", str(folder), *options])


def test_the_oldest_go_and_recovery_is_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """P7: whatever is asked for, a restart finds what it needs."""
    files = write_journal(tmp_path)
    before = recover(tmp_path)
    assert prune(tmp_path, "--keep", "3") == ExitCode.OK
    assert sorted(tmp_path.iterdir()) == files[-3:]
    assert prune(tmp_path, "--keep", "0") == ExitCode.OK
    assert sorted(tmp_path.iterdir()) == files[-2:]
    assert recover(tmp_path) == before
    assert verify(find(tmp_path)).damage == []
    assert "removed" in capsys.readouterr().out


def test_a_dry_run_removes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what would go."""
    files = write_journal(tmp_path)
    assert prune(tmp_path, "--keep", "2", "--dry-run", "--json") == ExitCode.OK
    assert sorted(tmp_path.iterdir()) == files
    assert files[0].name in capsys.readouterr().out


def test_a_file_that_a_restart_falls_back_to_stays(tmp_path: Path) -> None:
    """P7: the newest two are torn in their checkpoints: the newest whole one and the one before it stay."""
    files = write_journal(tmp_path)
    for torn in files[-2:]:
        torn.write_bytes(torn.read_bytes()[:50])
    before = recover(tmp_path)
    assert before.state is not None
    prune(tmp_path, "--keep", "0")
    assert sorted(tmp_path.iterdir()) == files[-4:]
    assert recover(tmp_path) == before


def test_by_size_and_by_age(tmp_path: Path) -> None:
    """Bytes count from the newest; a file is old when the next one began before that time."""
    files = write_journal(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    prune(tmp_path / "one", "--keep", "100KB")
    kept = sorted((tmp_path / "one").iterdir())
    assert 2 <= len(kept) <= len(files)
    assert sum(path.stat().st_size for path in kept[1:]) <= 100 * 1024
    prune(tmp_path / "two", "--keep", "1h")  # the life was years ago
    assert len(list((tmp_path / "two").iterdir())) == 2


@pytest.mark.parametrize("words", ["", "x", "-1", "5TB", "1.5GB"])
def test_a_wish_that_cannot_be_meant_is_refused(tmp_path: Path, words: str) -> None:
    """Nothing is removed by a slip."""
    with pytest.raises(SystemExit) as ended:
        prune(tmp_path, f"--keep={words}")
    assert ended.value.code == ExitCode.USAGE


def test_one_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pruning is of a folder."""
    (first, *_) = write_journal(tmp_path)
    assert prune(first, "--keep", "0") == ExitCode.BAD_INPUT
    assert "name the folder" in capsys.readouterr().err
    assert first.exists()
