"""A journal as the daemon writes it, of the short life in `tests/lives.py`, cut into segments on request."""

from __future__ import annotations

from pathlib import Path

from daemon.core.commands import PlaceStop
from daemon.core.state import GuardState, initial_state
from daemon.core.step import step
from daemon.shell.journal import Journal
from daemon.shell.journal_file import JournalFile, segments_in
from daemon.version import VERSION
from tests.lives import Life, a_life


def write_journal(folder: Path, life: Life | None = None, *, rotate_every: int = 10) -> list[Path]:
    """Write a whole life, a new segment every so many events; return the files, oldest first."""
    life = life or a_life()
    first = life.history[0][1]
    state: GuardState = initial_state(first.account, first.policy)
    file = JournalFile(folder)
    file.start()
    journal = Journal(file, first_seq=1, version=VERSION)
    journal.begin_segment(state)
    for number, (event, _, _) in enumerate(life.history, start=1):
        journal.append_event(event)
        outcome = step(state, event)
        journal.append_commands(outcome.commands)
        state = outcome.state
        if number % rotate_every == 0:
            journal.begin_segment(state)
    file.close()
    return [path for _, path in segments_in(folder)]


def the_stop(life: Life | None = None) -> PlaceStop:
    """The first stop of that life."""
    life = life or a_life()
    return next(each for _, _, commands in life.history for each in commands if isinstance(each, PlaceStop))
