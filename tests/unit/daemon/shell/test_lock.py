"""One guard per state folder."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from daemon.shell.lock import AlreadyRunning, StateFolderUnusable, hold_state_folder


def test_a_second_instance_is_told_who_is_first(tmp_path: Path) -> None:
    """Another guard holds the folder: the message names its process and the folder."""
    with hold_state_folder(tmp_path), pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"):
        hold_state_folder(tmp_path).__enter__()


def test_the_lock_ends_with_its_holder(tmp_path: Path) -> None:
    """A left-over lock file means nothing once its process is gone."""
    with hold_state_folder(tmp_path):
        pass
    with hold_state_folder(tmp_path) as folder:
        assert folder == tmp_path


def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """The journal is nobody else's business."""
    with hold_state_folder(tmp_path / "deep" / "state") as folder:
        assert folder.stat().st_mode & 0o777 == 0o700


def test_an_unusable_folder_is_named(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "state").write_text("")
    with pytest.raises(StateFolderUnusable, match="state"), hold_state_folder(tmp_path / "state"):
        pass


def test_a_full_disk_does_not_keep_a_guard_from_guarding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock holds without the process number in it."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with hold_state_folder(tmp_path), pytest.raises(AlreadyRunning, match="process unknown"):
            hold_state_folder(tmp_path).__enter__()
