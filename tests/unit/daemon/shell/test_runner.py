"""The heart of the shell: journal, decide, journal, hand over."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.policy import Policy
from daemon.core.commands import Command, RaiseAlert
from daemon.core.errors import InvariantBroken
from daemon.core.events import TimerFired
from daemon.core.state import initial_state
from daemon.core.step import step
from daemon.shell import journal_file as journal_file_module
from daemon.shell import outbox as outbox_module
from daemon.shell import runner as runner_module
from daemon.shell.journal import Journal
from daemon.shell.journal_file import JournalFile, segments_in
from daemon.shell.outbox import Outbox, OutboxOverflow
from daemon.shell.records import Kind, decode_command, decode_event
from daemon.shell.recover import recover
from daemon.shell.runner import Runner
from tests.fakes import ACCOUNT, START_NS
from tests.lives import a_life
from tests.segments import records_in


def a_runner(folder: Path) -> tuple[Runner, Outbox, JournalFile]:
    """A runner over a real journal."""
    file, outbox = JournalFile(folder), Outbox()
    file.start()
    state = initial_state(ACCOUNT, Policy())
    journal = Journal(file, first_seq=1, version="test")
    journal.begin_segment(state)
    return Runner(state=state, journal=journal, outbox=outbox), outbox, file


def play(runner: Runner) -> None:
    """Let the runner take a life's events."""
    for event, _, _ in a_life().history:
        runner.take(event)


async def test_every_event_and_command_is_journalled_and_replays_to_the_same(tmp_path: Path) -> None:
    """P9: the journal holds events and commands in the order of decision; replayed, they give the same commands."""
    runner, outbox, file = a_runner(tmp_path)
    for event, _, _ in a_life().history:
        runner.take(event)
    file.close()
    ((_, path),) = segments_in(tmp_path)
    state, pending = initial_state(ACCOUNT, Policy()), []
    for record in list(records_in(path.read_bytes(), origin=""))[1:]:
        if record.kind is Kind.EVENT:
            assert not pending
            outcome = step(state, decode_event(record))
            state, pending = outcome.state, list(outcome.commands)
        else:
            assert decode_command(record) == pending.pop(0)
    assert state == runner.state
    assert recover(tmp_path).state == runner.state
    assert len(outbox) == sum(len(commands) for _, _, commands in a_life().history)


class RecordingFile(JournalFile):
    """Notes when something is given to the journal."""

    def __init__(self, folder: Path, notes: list[str]) -> None:
        super().__init__(folder)
        self._notes = notes

    def submit(self, content: bytes, *, segment: int | None = None) -> None:
        self._notes.append(
            "checkpoint" if segment is not None else content.split(b'"kind":"')[1].split(b'"')[0].decode()
        )


class RecordingOutbox(Outbox):
    """Notes when a command is handed over."""

    def __init__(self, notes: list[str]) -> None:
        super().__init__()
        self._notes = notes

    def put_nowait(self, command: Command) -> None:
        self._notes.append("handed over")


async def test_nothing_is_handed_over_before_all_of_the_decision_is_journalled(tmp_path: Path) -> None:
    """P7, P9: event, then its commands, then the hand-over; a kill in between leaves nothing sent and unrecorded."""
    notes: list[str] = []
    state = initial_state(ACCOUNT, Policy())
    journal = Journal(RecordingFile(tmp_path, notes), first_seq=1, version="test")
    runner = Runner(state=state, journal=journal, outbox=RecordingOutbox(notes))
    for event, _, commands in a_life().history:
        notes.clear()
        runner.take(event)
        assert notes == ["event", *["command"] * len(commands), *["handed over"] * len(commands)]


async def test_a_broken_invariant_ends_the_process_whoever_caused_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event is on record, the caller hears it, and so does the vital part that waits for it."""
    runner, outbox, file = a_runner(tmp_path)

    def broken(*_: object) -> object:
        raise InvariantBroken("two and two are five")

    monkeypatch.setattr(runner_module, "step", broken)
    with pytest.raises(InvariantBroken):
        runner.take(TimerFired(at_ns=START_NS))
    with pytest.raises(InvariantBroken):
        await runner.wait_broken()
    assert len(outbox) == 0
    file.close()
    ((_, path),) = segments_in(tmp_path)
    assert [record.name for record in records_in(path.read_bytes(), origin="")] == ["Checkpoint", "TimerFired"]


async def test_commands_that_nobody_carries_end_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outbox is bounded: a guard that only imagines to act must not go on."""
    monkeypatch.setattr(outbox_module, "LIMIT", 1)
    runner, _, file = a_runner(tmp_path)
    with pytest.raises(OutboxOverflow):
        play(runner)
    with pytest.raises(OutboxOverflow):
        await runner.wait_broken()
    file.close()


async def test_a_full_disk_stops_no_protection(tmp_path: Path) -> None:
    """The journal cannot be written at all: the position is covered all the same, and the problem is named."""
    (tmp_path / "journal").write_text("in the way")
    runner, outbox, file = a_runner(tmp_path / "journal")
    for event, _, _ in a_life().history:
        runner.take(event)
    assert not file.wait_durable(0.1)
    assert file.problem is not None
    names = [type(await outbox.wait_next()).__name__ for _ in range(len(outbox))]
    assert "PlaceStop" in names
    assert RaiseAlert.__name__ in names
    file.close()


async def test_after_a_full_disk_the_journal_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P7: more waited for the disk than memory may hold and was dropped; the next record is a checkpoint of all."""
    monkeypatch.setattr(journal_file_module, "PENDING_LIMIT_BYTES", 4_000)
    obstacle = tmp_path / "journal"
    obstacle.write_text("in the way")
    runner, _, file = a_runner(obstacle)
    play(runner)
    obstacle.unlink()
    monkeypatch.setattr(journal_file_module, "PENDING_LIMIT_BYTES", 4_000_000)
    runner.take(TimerFired(at_ns=runner.state.now_ns + 1))
    runner.take(TimerFired(at_ns=runner.state.now_ns + 1))
    file.close()
    assert recover(obstacle).state == runner.state
