"""The demo from options to exit code: what ends it before it could be judged."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from daemon.demo import run
from daemon.demo.options import DemoOptions
from daemon.exit_codes import CommandFailed, ExitCode


def test_a_disk_that_fills_up_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No room for settings or logs of the run: the folder and the system's reason are named."""

    async def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(run, "set_up", full)
    with pytest.raises(CommandFailed, match="No space left") as failed:
        run.run_demo(DemoOptions(scenario="crash", report=tmp_path / "report.html", plain=True))
    assert failed.value.code is ExitCode.BAD_INPUT


def test_a_reader_that_went_away_is_no_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`seawall demo | head`: left to the command line, which ends quietly."""

    async def gone(*_: object) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    monkeypatch.setattr(run, "set_up", gone)
    with pytest.raises(BrokenPipeError):
        run.run_demo(DemoOptions(scenario="crash", report=tmp_path / "report.html", plain=True))
