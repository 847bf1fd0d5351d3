"""Finding the exchanges of this user that are running."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from daemon.exchange import beacon


def test_a_running_exchange_is_found_and_an_ended_one_is_not(tmp_path: Path) -> None:
    """The file is there while the exchange is."""
    with beacon.lit("http://127.0.0.1:1", tmp_path):
        assert beacon.found(tmp_path) == ["http://127.0.0.1:1"]
    assert beacon.found(tmp_path) == []


def test_what_a_killed_exchange_left_behind_is_passed_over(tmp_path: Path) -> None:
    """Its process is gone, so its file goes too."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / str(ended.pid)).write_text("http://127.0.0.1:2")
    (tmp_path / "note").write_text("not of ours")
    assert beacon.found(tmp_path) == []
    assert [file.name for file in tmp_path.iterdir()] == ["note"]


def test_a_number_that_another_process_has_by_now_is_no_exchange(tmp_path: Path) -> None:
    """Numbers of processes come again; this one is running, and never was an exchange."""
    (tmp_path / str(os.getpid())).write_text("http://127.0.0.1:2")
    assert beacon.found(tmp_path) == []


def test_a_folder_that_cannot_be_used_hides_the_exchange(tmp_path: Path) -> None:
    """It runs all the same."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    with beacon.lit("http://127.0.0.1:3", blocked):
        assert beacon.found(blocked) == []


def test_there_may_be_no_folder_yet(tmp_path: Path) -> None:
    """Nobody has run one before."""
    assert beacon.found(tmp_path / "none") == []
    assert os.getpid() > 0
