"""`seawall journal verify`: whole, torn, damaged, moved, missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from daemon.cli import main
from daemon.core.events import TimerFired
from daemon.exit_codes import ExitCode
from daemon.journal.segments import find
from daemon.journal.verify import Findings, verify
from daemon.shell.journal_file import JournalFile, segment_path
from daemon.shell.records import NO_CHAIN, SegmentReader, encode_event, sealed
from tests.unit.daemon.journal.written import write_journal
from tests.unit.daemon.shell.test_journal_file import a_checkpoint

EARLIER = Path(__file__).parents[1] / "shell" / "journal-of-an-earlier-build.jsonl"


def checked(folder: Path) -> Findings:
    """What verify finds."""
    return verify(find(folder))


def test_a_whole_journal_is_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """P9: segments that follow each other, and the chain's head for whoever keeps it elsewhere."""
    files = write_journal(tmp_path / "journal")
    assert len(files) > 2
    found = checked(tmp_path)
    assert (found.damage, found.notes, found.segments) == ([], [], len(files))
    assert found.chained == found.records
    assert main(["journal", "verify", str(tmp_path)]) == ExitCode.OK
    assert f"chain head {found.head}" in capsys.readouterr().out


def test_a_torn_tail_is_no_damage(tmp_path: Path) -> None:
    """P7: a crash cut off the last record of the newest file: said, and well."""
    newest = write_journal(tmp_path)[-1]
    newest.write_bytes(newest.read_bytes()[:-7])
    found = checked(tmp_path)
    assert found.damage == []
    assert "unfinished" in found.notes[0]


def test_a_removed_file_in_the_middle_is_named_by_its_numbers(tmp_path: Path) -> None:
    """Somebody took a file away: the chain shows that its records were written."""
    files = write_journal(tmp_path)
    gone = [record.seq for record in SegmentReader(files[1].read_bytes().split(b"\n"), origin="")]
    files[1].unlink()
    (damage,) = checked(tmp_path).damage
    assert f"records {gone[0]} to {gone[-1]} are missing" in damage
    assert files[2].name in damage


def test_an_older_file_that_was_shortened_at_a_record_is_found(tmp_path: Path) -> None:
    """The last record of an older file was cut off cleanly: the next file continues another chain."""
    files = write_journal(tmp_path)
    files[0].write_bytes(b"".join(files[0].read_bytes().splitlines(keepends=True)[:-1]))
    (damage,) = checked(tmp_path).damage
    assert "are missing" in damage


def test_the_oldest_file_may_be_gone(tmp_path: Path) -> None:
    """A pruned journal is whole from where it begins."""
    files = write_journal(tmp_path)
    files[0].unlink()
    found = checked(tmp_path)
    assert found.damage == []
    assert "what was before it is not here" in found.notes[0]


def test_numbers_that_were_never_written_are_a_note(tmp_path: Path) -> None:
    """The disk refused for long and records were dropped: the chain goes on, so nobody took them away."""
    file = JournalFile(tmp_path)
    file.start()
    file.submit(a_checkpoint(1), segment=1)
    file.submit(encode_event(2, TimerFired(at_ns=1)))
    file.submit(a_checkpoint(50), segment=50)
    file.close()
    found = checked(tmp_path)
    assert found.damage == []
    assert "the numbers 3 to 49 are not there: the chain goes on" in found.notes[0]


def test_a_file_of_another_journal_is_found(tmp_path: Path) -> None:
    """A segment with the right numbers from elsewhere: it does not continue what stands before it."""
    files = write_journal(tmp_path / "one")
    swapped = files[1].read_bytes()
    lines = swapped.splitlines(keepends=True)
    lines[0] = lines[0].replace(b'{"continues":"', b'{"continues":"0000', 1)
    files[1].write_bytes(b"".join(lines))
    found = checked(tmp_path / "one")
    assert files[1].name in found.damage[0]


def test_a_journal_of_the_build_before_is_without_a_chain(tmp_path: Path) -> None:
    """P7: it loads and verifies, and the page says what could not be checked."""
    segment_path(tmp_path, 57).write_bytes(EARLIER.read_bytes())
    found = checked(tmp_path)
    assert found.damage == []
    assert any("without a chain" in note for note in found.notes)
    assert found.head == ""


@pytest.mark.parametrize("content", [b"", b"\x00" * 5000, b"hello"])
def test_a_file_without_a_record_is_said(tmp_path: Path, content: bytes) -> None:
    """An empty file, zeros after a power cut, or something else."""
    segment_path(tmp_path, 1).write_bytes(content)
    found = checked(tmp_path)
    assert found.records == 0
    assert found.notes


@pytest.mark.parametrize("command", [["journal", "verify"], ["journal", "export", "--jsonl"], ["replay"]])
def test_no_journal_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    """A wrong path and an empty folder: one line that says so."""
    assert main([*command, str(tmp_path / "nowhere")]) == ExitCode.BAD_INPUT
    assert "no such file or folder" in capsys.readouterr().err
    assert main([*command, str(tmp_path)]) == ExitCode.BAD_INPUT
    assert "no journal is here" in capsys.readouterr().err


def test_damage_has_its_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A script learns it without reading."""
    files = write_journal(tmp_path)
    content = bytearray(files[0].read_bytes())
    content[len(content) // 2] ^= 1
    files[0].write_bytes(content)
    assert main(["journal", "verify", str(tmp_path)]) == ExitCode.DAMAGED
    assert f"DAMAGED: {files[0].name}, line " in capsys.readouterr().out
    assert main(["journal", "verify", "--json", str(tmp_path)]) == ExitCode.DAMAGED
    assert '"is_whole":false' in capsys.readouterr().out


def test_a_chain_that_begins_with_an_upgrade_is_whole_and_one_that_ends_is_not(tmp_path: Path) -> None:
    """The build before wrote without a chain and this one goes on with one; stripping a chain off is damage."""
    files = write_journal(tmp_path)
    bare = re.compile(rb'\{("continues":"\w+",)?"chain":"\w+",')
    oldest = files[0].read_bytes()
    files[0].write_bytes(bare.sub(b"{", oldest))
    lines = files[1].read_bytes().splitlines()
    written, chain = [], NO_CHAIN.encode()
    for number, line in enumerate(lines):
        whole, chain = sealed(bare.sub(b"{", line) + b"\n", chain, is_first=number == 0)
        written.append(whole)
    files[1].write_bytes(b"".join(written))
    for file in files[2:]:
        file.unlink()
    found = checked(tmp_path)
    assert found.damage == []
    assert 0 < found.chained < found.records
    files[0].write_bytes(oldest)
    files[1].write_bytes(bare.sub(b"{", files[1].read_bytes()))
    (damage,) = checked(tmp_path).damage
    assert "has no chain" in damage
