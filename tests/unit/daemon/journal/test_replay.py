"""`seawall replay`: the same commands again, or the first that is another, with both sides (P9)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.policy import Policy, StopPolicy
from daemon.cli import main
from daemon.core.errors import InvariantBroken
from daemon.core.events import Event, Started, TimerFired
from daemon.core.state import GuardState, with_policy
from daemon.core.step import Step
from daemon.core.step import step as real_step
from daemon.exit_codes import ExitCode
from daemon.journal import replay as replay_module
from daemon.journal.replay import Played, play
from daemon.journal.segments import find
from daemon.shell.journal import Journal
from daemon.shell.journal_file import JournalFile, segment_path, segments_in
from daemon.shell.records import NO_CHAIN, sealed
from daemon.shell.recover import recover
from daemon.version import VERSION
from tests.fakes import START_NS
from tests.unit.daemon.journal.written import write_journal

EARLIER = Path(__file__).parents[1] / "shell" / "journal-of-an-earlier-build.jsonl"


def played(folder: Path) -> Played:
    """What playing gives."""
    return play(find(folder))


def rewritten(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Change the lines of a segment, and checksum and chain with them: as if it had been written like that."""
    from zlib import crc32

    from daemon.shell.records import _COVERED_FROM, _HEAD, _unsealed

    out, chain = [], NO_CHAIN.encode()
    for number, line in enumerate(path.read_bytes().splitlines()):
        covered = change(_unsealed(line)[_COVERED_FROM:])
        whole, chain = sealed(b'%b%08x",%b\n' % (_HEAD, crc32(covered), covered), chain, is_first=number == 0)
        out.append(whole)
    path.write_bytes(b"".join(out))


def test_the_same_code_decides_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """P9: every event and command of every segment, and every checkpoint is what the segment before leads to."""
    files = write_journal(tmp_path)
    found = played(tmp_path)
    assert (found.code, found.notes) == (ExitCode.OK, [])
    assert found.checkpoints == len(files) - 1
    assert found.commands > 10
    assert main(["replay", str(tmp_path)]) == ExitCode.OK
    assert "the same commands" in capsys.readouterr().out


def test_the_first_other_command_is_shown_with_both_sides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """P9: the stop that was written is not the one that this code places."""
    (only,) = write_journal(tmp_path, rotate_every=1000)
    rewritten(
        only, lambda line: line.replace(b'"stop_price":"', b'"stop_price":"1', 1) if b"PlaceStop" in line else line
    )
    assert main(["replay", str(tmp_path)]) == ExitCode.DIFFERENT
    shown = capsys.readouterr().out
    assert "first in PlaceStop.stop_price" in shown
    assert "written  PlaceStop" in shown
    assert "now      PlaceStop" in shown
    assert "after    record" in shown


def test_a_command_that_was_not_written_is_a_difference(tmp_path: Path) -> None:
    """P9: an event follows although a command of the one before is missing."""
    (only,) = write_journal(tmp_path, rotate_every=1000)
    rewritten(only, lambda line: line.replace(b'"kind":"command","name":"PlaceStop"', b'"kind":"event","name":"Odd"'))
    found = played(tmp_path)
    assert found.difference is not None
    assert found.difference.written.startswith("nothing")
    assert found.difference.now.startswith("PlaceStop")


def test_a_checkpoint_that_is_not_what_the_segment_before_leads_to(tmp_path: Path) -> None:
    """P9: a field of the state differs, and its place is named."""
    second = write_journal(tmp_path)[1]
    rewritten(second, lambda line: line.replace(b'"next_command_id":', b'"next_command_id":9', 1))
    found = played(tmp_path)
    assert found.difference is not None
    assert "state.next_command_id" in found.difference.place
    assert found.code is ExitCode.DIFFERENT


def test_a_crash_in_the_middle_of_a_decision_is_no_difference(tmp_path: Path) -> None:
    """P7: the commands of the last event did not reach the disk; the next start goes on from that event."""
    write_journal(tmp_path, rotate_every=1000)
    (path,) = [each for _, each in segments_in(tmp_path)]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:40])
    go_on(tmp_path, lambda state: state)
    found = played(tmp_path)
    assert (found.code, found.checkpoints) == (ExitCode.OK, 1)
    assert any("its end is cut off" in note for note in found.notes)


def test_a_start_under_other_settings_is_no_difference(tmp_path: Path) -> None:
    """The operator changed a setting and restarted: the checkpoint is the same knowledge under the new policy."""
    write_journal(tmp_path)
    go_on(tmp_path, lambda state: with_policy(state, Policy(stop=StopPolicy(buffer_percent=5))))  # type: ignore[arg-type]
    assert played(tmp_path).code is ExitCode.OK


def test_other_settings_without_a_start_are_a_difference(tmp_path: Path) -> None:
    """P9: settings never change while the daemon runs: somebody rewrote the checkpoint, chain and all."""
    write_journal(tmp_path)
    other = Policy(stop=StopPolicy(buffer_percent=Decimal(5)))
    go_on(tmp_path, lambda state: with_policy(state, other), TimerFired(at_ns=START_NS * 2))
    found = played(tmp_path)
    assert found.code is ExitCode.DIFFERENT
    assert found.difference is not None
    assert "other settings, and no start follows" in found.difference.place


def test_where_no_record_is_nothing_was_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """P12: an empty file, or one of something else (the embedded exchange's inputs), proves nothing."""
    other = tmp_path / "inputs.jsonl"
    for content in (b"", b'{"at_ms":1}\n' * 3):
        other.write_bytes(content)
        for words in (["replay"], ["journal", "verify"]):
            assert main([*words, str(other)]) == ExitCode.BAD_INPUT
            assert "no whole record of a guard's journal is there" in capsys.readouterr().out


def go_on(folder: Path, start: Callable[[GuardState], GuardState], first: Event | None = None) -> None:
    """Start a guard on the journal and let it write a little."""
    recovered = recover(folder)
    assert recovered.state is not None
    state = start(recovered.state)
    file = JournalFile(folder)
    file.start(recovered.chain)
    journal = Journal(file, first_seq=recovered.next_seq, unanswered=recovered.unanswered, version=VERSION)
    journal.begin_segment(state)
    event = first or Started(at_ns=state.now_ns + 1, account=state.account, unanswered=recovered.unanswered)
    journal.append_event(event)
    journal.append_commands(real_step(state, event).commands)
    file.close()


def test_an_event_that_broke_the_core_breaks_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last event ended the process: playing it ends there too, which is the same."""
    (only,) = write_journal(tmp_path, rotate_every=1000)
    lines = only.read_bytes().splitlines(keepends=True)
    events = [number for number, line in enumerate(lines) if b'"kind":"event"' in line]
    only.write_bytes(b"".join(lines[: events[-1] + 1]))
    last = msgspec.json.decode(lines[events[-1]])["body"]["at_ns"]
    breaks(monkeypatch, lambda event: event.at_ns == last and type(event).__name__ == "PositionSeen")
    found = played(tmp_path)
    assert found.code is ExitCode.OK
    assert "broke the core" in found.notes[0]


def test_an_event_that_breaks_only_now_is_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The core went on then and would not today."""
    write_journal(tmp_path, rotate_every=1000)
    breaks(monkeypatch, lambda event: event.at_ns > START_NS + 3 * 10**9)
    found = played(tmp_path)
    assert found.difference is not None
    assert "two and two" in found.difference.now


def breaks(monkeypatch: pytest.MonkeyPatch, when: Callable[[Event], bool]) -> None:
    """Let the core break at an event."""

    def step(state: GuardState, event: Event) -> Step:
        if when(event):
            raise InvariantBroken("two and two are five")
        return real_step(state, event)

    monkeypatch.setattr(replay_module, "step", step)


def test_a_gap_is_a_note_and_playing_goes_on_behind_it(tmp_path: Path) -> None:
    """A file is missing: each of the others is played from its own checkpoint."""
    files = write_journal(tmp_path)
    files[1].unlink()
    found = played(tmp_path)
    assert found.code is ExitCode.OK
    assert "are not there" in found.notes[0]


def test_damage_ends_a_segment_and_not_the_journal(tmp_path: Path) -> None:
    """A flipped bit in the first file: the others are played, and the exit code says damage."""
    files = write_journal(tmp_path)
    content = bytearray(files[0].read_bytes())
    content[-300] ^= 1
    files[0].write_bytes(content)
    found = played(tmp_path)
    assert (found.code, found.segments) == (ExitCode.DAMAGED, len(files))
    assert files[0].name in found.damage[0]


def test_a_journal_of_another_build_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """P9: a checkpoint that this build does not understand is no difference and no damage."""
    (only,) = write_journal(tmp_path, rotate_every=1000)
    rewritten(only, lambda line: line.replace(b'"mode":"starting"', b'"mode":"dreaming"', 1))
    assert main(["replay", str(tmp_path)]) == ExitCode.BAD_INPUT
    assert "this build does not understand it" in capsys.readouterr().out


def test_a_journal_of_the_build_before_is_played(tmp_path: Path) -> None:
    """P7: without a chain, from before the rules: it is played up to where today's code says something else."""
    segment_path(tmp_path, 57).write_bytes(EARLIER.read_bytes())
    found: Any = played(tmp_path)
    assert found.events > 0
    assert found.unread == []
    assert found.damage == []
