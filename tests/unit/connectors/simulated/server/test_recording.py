"""The file of a recording: lines, bounds, a disk that refuses."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from connectors.simulated.server.recording import Line, NotRecorded, Recorder, read_recording
from connectors.simulated.server.redaction import Redaction


def recorder(path: Path) -> Recorder:
    """Begin a recording that hides nothing by value."""
    return Recorder(path, clock=lambda: 7, redaction=Redaction(tuple))


def test_what_was_noted_is_read(tmp_path: Path) -> None:
    """Fields come back, empty ones are not written, and only the owner reads the file."""
    one = recorder(tmp_path / "r.jsonl")
    one.note("request", 1, verb="GET", path="/x", headers=[(b"Host", b"h")], text=b"\xff")
    one.note("answer", 1, status=200)
    one.close()
    assert list(read_recording(tmp_path / "r.jsonl")) == [
        Line(at_ms=7, link=1, kind="request", verb="GET", path="/x", headers={"host": "h"}, text="\\xff"),
        Line(at_ms=7, link=1, kind="answer", status=200),
    ]
    assert (tmp_path / "r.jsonl").read_text().splitlines()[1] == '{"at_ms":7,"link":1,"kind":"answer","status":200}'
    assert (tmp_path / "r.jsonl").stat().st_mode & 0o777 == 0o600


def test_no_recording_is_written_over(tmp_path: Path) -> None:
    """A file that is there stays as it is: one clear line."""
    (tmp_path / "r.jsonl").write_text("mine")
    with pytest.raises(NotRecorded, match=r"r\.jsonl: is there already"):
        recorder(tmp_path / "r.jsonl")
    assert (tmp_path / "r.jsonl").read_text() == "mine"


def test_lines_are_written_by_the_batch(tmp_path: Path) -> None:
    """Memory stays bounded however much passes, and little passes without waiting for the disk."""
    one = recorder(tmp_path / "r.jsonl")
    one.note("out", 1, text="small")
    assert (tmp_path / "r.jsonl").stat().st_size == 0
    for _ in range(100):
        one.note("out", 1, text="x" * 1_000)
    assert (tmp_path / "r.jsonl").stat().st_size > 64_000
    one.flush()
    assert len(list(read_recording(tmp_path / "r.jsonl"))) == 101
    one.close()


def test_a_full_disk_stops_the_recording_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half a batch fits: the reason is said once and kept, what follows is not gathered, the file can be read."""
    one = recorder(tmp_path / "r.jsonl")
    write = os.write

    def fits_once(file: int, batch: bytes) -> int:
        monkeypatch.setattr(os, "write", refuse)
        return write(file, bytes(batch[:60]))

    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", fits_once)
    for _ in range(2):
        one.note("out", 1, text="x")
    one.flush()
    one.note("out", 1, text="later")
    one.flush()
    one.close()
    assert one.stopped_by == "No space left on device"
    assert "recording stopped" in capsys.readouterr().out
    assert [line.text for line in read_recording(tmp_path / "r.jsonl")] == ["x"]


def test_other_files_are_no_recording(tmp_path: Path) -> None:
    """A missing or foreign file is one clear line with its place."""
    with pytest.raises(NotRecorded, match="No such file"):
        list(read_recording(tmp_path / "none"))
    (tmp_path / "other").write_text("hello\n")
    with pytest.raises(NotRecorded, match="line 1: not a line of a recording"):
        list(read_recording(tmp_path / "other"))
