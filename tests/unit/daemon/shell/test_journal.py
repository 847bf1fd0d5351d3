"""The journal: order, numbers, segments, and what is open."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from daemon.core.commands import ReadPicture
from daemon.core.events import MarkSeen, RequestNotSent, TimerFired
from daemon.core.reasons import Reason
from daemon.shell import journal as journal_module
from daemon.shell.journal import Journal, OpenCommands
from daemon.shell.journal_file import JournalFile, segments_in
from daemon.shell.records import Kind, Record, decode_checkpoint
from tests.fakes import START_NS
from tests.lives import a_life
from tests.segments import records_in


def written(folder: Path) -> list[list[Record]]:
    """The records of each segment."""
    return [list(records_in(path.read_bytes(), origin=str(path))) for _, path in segments_in(folder)]


def a_journal(folder: Path, **options: object) -> tuple[Journal, JournalFile]:
    """A journal that is being written."""
    file = JournalFile(folder)
    file.start()
    return Journal(file, first_seq=1, version="test", **options), file  # type: ignore[arg-type]


def test_records_stand_in_order_events_before_their_commands(tmp_path: Path) -> None:
    """P9: the checkpoint, then each event followed by what it led to, numbered without gaps."""
    journal, file = a_journal(tmp_path)
    life = a_life()
    journal.begin_segment(life.history[0][1])
    for event, _, commands in life.history:
        journal.append_event(event)
        journal.append_commands(commands)
    file.close()
    (records,) = written(tmp_path)
    expected = [Kind.CHECKPOINT]
    for _, _, commands in life.history:
        expected += [Kind.EVENT] + [Kind.COMMAND] * len(commands)
    assert [record.kind for record in records] == expected
    assert [record.seq for record in records] == list(range(1, len(expected) + 1))
    assert journal.records == len(expected) + 1


def test_a_long_segment_asks_for_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment has an end, so recovery reads one short file; the next begins with what was open."""
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 300)
    journal, file = a_journal(tmp_path, unanswered=(4,))
    state = a_life().state
    journal.begin_segment(state)
    journal.append_commands([ReadPicture(command_id=7, reason=Reason.RECONCILE)])
    while not journal.wants_checkpoint:
        journal.append_event(TimerFired(at_ns=START_NS))
    journal.begin_segment(state)
    assert not journal.wants_checkpoint
    file.close()
    first, second = written(tmp_path)
    assert decode_checkpoint(second[0]).unanswered == (4, 7)
    assert second[0].seq == first[-1].seq + 1


def test_a_command_is_open_until_its_outcome() -> None:
    """What has left and was not answered is what a restart has to ask about."""
    open_commands = OpenCommands([3])
    open_commands.note_command(ReadPicture(command_id=5, reason=Reason.RECONCILE))
    open_commands.note_event(RequestNotSent(at_ns=0, command_id=3, reason="", retry_after_ns=0))
    open_commands.note_event(MarkSeen(at_ns=0, symbol="X", price=Decimal(1)))
    assert open_commands.ids == (5,)


def test_a_large_account_does_not_write_states_all_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint is longer than a segment should be: the next comes after twice its length in records."""
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 300)
    journal, file = a_journal(tmp_path)
    journal.begin_segment({"much": "x" * 10_000})
    taken = 0
    while not journal.wants_checkpoint:
        journal.append_event(TimerFired(at_ns=START_NS))
        taken += 1
    file.close()
    assert taken > 20_000 / 200
