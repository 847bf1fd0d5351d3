"""The journal: every event before the core sees it, every command before it leaves (P7, P9).

Why: after a crash the guard must know what it had decided and what may be on its way; and every decision must be
explainable and repeatable. Records are appended in order to memory here, in the loop, and made durable in groups by
`journal_file` beside the path. A segment begins with a checkpoint, so recovery reads one file, however old the guard.

Credentials never get here: no event and no command has a field for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import get_args

import msgspec

from daemon.core.commands import Command, VenueCommand
from daemon.core.events import Event, Started
from daemon.shell.journal_file import JournalFile
from daemon.shell.records import Checkpoint, encode_checkpoint, encode_command, encode_event

SEGMENT_BYTES = 1024 * 1024
"""A segment with so many bytes behind its checkpoint is closed: a restart plays some five thousand events, for about a
second. At 4 MB it was five, and an armed switch counts down meanwhile."""
_CHECKPOINTS_APART = 2
"""Twice its checkpoint, for large accounts: writing states must not become most of the work."""

_VENUE_COMMANDS = get_args(VenueCommand)
_OUTCOMES = frozenset(kind for kind in get_args(Event) if "command_id" in kind.__dataclass_fields__)


class OpenCommands:
    """Which commands have left and have no outcome yet."""

    def __init__(self, command_ids: Iterable[int] = ()) -> None:
        self._ids = set(command_ids)

    def note_event(self, event: Event) -> None:
        """An outcome settles its command; a start has told the core of those that will never get one."""
        if isinstance(event, Started):
            self._ids.difference_update(event.unanswered)
        if type(event) in _OUTCOMES:
            self._ids.discard(event.command_id)  # type: ignore[union-attr]  # every kind in _OUTCOMES has the field

    def note_command(self, command: Command) -> None:
        """A command to the venue is open until its outcome comes."""
        if isinstance(command, _VENUE_COMMANDS):
            self._ids.add(command.command_id)

    @property
    def ids(self) -> tuple[int, ...]:
        """The open ones, oldest first."""
        return tuple(sorted(self._ids))


class Journal:
    """Numbers records, hands their bytes to the file, and starts segments."""

    def __init__(
        self,
        file: JournalFile,
        *,
        first_seq: int,
        unanswered: Iterable[int] = (),
        version: str,
        follow: Callable[[bytes], None] | None = None,
    ) -> None:
        self._file = file
        self._next_seq = first_seq
        self._open = OpenCommands(unanswered)
        self._version = version
        self._follow = follow
        """Hears of every record but checkpoints."""
        self._segment_bytes = 0
        self._longest_bytes = SEGMENT_BYTES

    @property
    def problem(self) -> str | None:
        """Why the journal is not in order, or None."""
        return self._file.problem

    @property
    def wants_checkpoint(self) -> bool:
        """Whether the next record should begin a new segment."""
        return self._segment_bytes >= self._longest_bytes or self._file.has_overflowed

    @property
    def records(self) -> int:
        """How many records were ever written: the number of the next one."""
        return self._next_seq

    def append_event(self, event: Event) -> None:
        """Record what happened, before the core sees it."""
        self._open.note_event(event)
        self._append(encode_event(self._next_seq, event))

    def append_commands(self, commands: Iterable[Command]) -> None:
        """Record what was decided, before it leaves."""
        for command in commands:
            self._open.note_command(command)
            self._append(encode_command(self._next_seq, command))

    def begin_segment(self, state: object) -> None:
        """Start a new file with everything that is needed to go on from here."""
        checkpoint = Checkpoint(
            state=msgspec.Raw(msgspec.json.encode(state)), unanswered=self._open.ids, version=self._version
        )
        line = encode_checkpoint(self._next_seq, checkpoint)
        self._file.submit(line, segment=self._next_seq)
        self._segment_bytes = 0
        self._longest_bytes = max(SEGMENT_BYTES, _CHECKPOINTS_APART * len(line))
        self._next_seq += 1

    def _append(self, line: bytes) -> None:
        self._file.submit(line)
        if self._follow is not None:
            self._follow(line)
        self._segment_bytes += len(line)
        self._next_seq += 1
