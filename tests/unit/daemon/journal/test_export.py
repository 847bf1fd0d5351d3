"""`seawall journal export --jsonl`: plain rows, bounded by time and kind."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from daemon.cli import main
from daemon.exit_codes import ExitCode
from daemon.journal.times import moment
from tests.fakes import SECOND_NS, START_NS
from tests.unit.daemon.journal.written import write_journal


def exported(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, object]]:
    """The rows."""
    assert main(["journal", "export", "--jsonl", str(folder), *options]) == ExitCode.OK
    return [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]


def test_every_record_is_a_row_with_its_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers without gaps; a command has the time of its event; a state is left out unless asked for."""
    write_journal(tmp_path)
    rows = exported(tmp_path, capsys)
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    stop = next(row for row in rows if row["name"] == "PlaceStop")
    assert stop["at"] == moment(START_NS + SECOND_NS)
    assert all("state" not in row["body"] for row in rows if row["kind"] == "checkpoint")  # type: ignore[operator]
    assert "state" in exported(tmp_path, capsys, "--kind", "checkpoint", "--states")[0]["body"]  # type: ignore[operator]


def test_bounds_of_time_and_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From, to and kind narrow it down."""
    write_journal(tmp_path)
    since = START_NS + 3 * SECOND_NS
    rows = exported(tmp_path, capsys, "--from", moment(since), "--to", moment(since + SECOND_NS), "--kind", "event")
    assert rows
    assert all(row["kind"] == "event" and since <= row["at_ns"] <= since + SECOND_NS for row in rows)  # type: ignore[operator]


def test_a_time_that_is_none_is_a_usage_error(tmp_path: Path) -> None:
    """One line, exit code 2."""
    write_journal(tmp_path)
    assert main(["journal", "export", "--jsonl", str(tmp_path), "--from", "yesterday"]) == ExitCode.USAGE


def test_damage_is_said_and_the_rest_follows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What stands before the damage and the other files are written; the exit code says that something lacks."""
    files = write_journal(tmp_path)
    lines = files[0].read_bytes().splitlines(keepends=True)
    lines[2] = b"~" + lines[2]
    files[0].write_bytes(b"".join(lines))
    assert main(["journal", "export", "--jsonl", str(tmp_path)]) == ExitCode.DAMAGED
    said = capsys.readouterr()
    assert files[0].name in said.err
    assert said.out.count("\n") > 10
