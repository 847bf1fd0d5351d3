"""`seawall replay`: the same events through the same code give the same commands (P9).

Each segment is played from its own checkpoint, so a journal whose beginning was removed is played as well. Then the
state at its end is compared with the checkpoint of the next: a segment that was begun for length has to hold that very
state, one that was begun by a start the same under the settings of that start.

What is no difference: commands of the last event that a crash cut off; an event that broke the core then and breaks it
now; numbers that are not there, behind which the state is not known.
"""

from __future__ import annotations

import argparse
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from daemon.core.commands import Command
from daemon.core.errors import InvariantBroken
from daemon.core.events import Event, Started
from daemon.core.state import GuardState, with_policy
from daemon.core.step import step
from daemon.exit_codes import ExitCode
from daemon.journal.segments import Segment, journal_of, reader_of
from daemon.journal.times import moment
from daemon.shell.journal import OpenCommands
from daemon.shell.records import (
    JournalCorrupt,
    Kind,
    Record,
    decode_checkpoint,
    decode_command,
    decode_event,
)
from daemon.shell.recover import state_of
from daemon.version import VERSION

_LONGEST_VALUE = 2_000
"""Of a command or a value, in characters: a picture of a thousand orders need not be shown whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """The first place where playing gives something else."""

    place: str
    """Segment and record."""
    written: str
    now: str
    after: str = ""
    """The event that led to it."""


@dataclass(kw_only=True, slots=True)
class Played:
    """What playing a journal gave."""

    segments: int = 0
    records: int = 0
    events: int = 0
    commands: int = 0
    checkpoints: int = 0
    """Those that were compared with the state of the segment before."""
    notes: list[str] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    """Segments of another build, which this one does not understand."""
    difference: Difference | None = None

    @property
    def code(self) -> ExitCode:
        """What came of it, the worst first."""
        if self.difference is not None:
            return ExitCode.DIFFERENT
        if self.damage:
            return ExitCode.DAMAGED
        return ExitCode.BAD_INPUT if self.unread or not self.records else ExitCode.OK


def command(options: argparse.Namespace) -> int:
    """Play a journal and say whether it gives the same again."""
    played = play(_counted(journal_of(options)))
    if options.as_json:
        document = {"is_same": played.code is ExitCode.OK, **msgspec.to_builtins(played)}
        sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
    else:
        sys.stdout.write("\n".join(in_words(played)) + "\n")
    return played.code


def _counted(segments: Sequence[Segment]) -> Iterator[Segment]:
    """Say at a terminal how far it is: ten megabytes take some ten seconds."""
    is_watched = sys.stderr.isatty()
    for number, segment in enumerate(segments, start=1):
        if is_watched:
            sys.stderr.write(f"\r{number} of {len(segments)} files ")
        yield segment
    if is_watched:
        sys.stderr.write("\r")


def play(segments: Iterable[Segment]) -> Played:
    """Play segments, which follow each other, up to the first difference."""
    player = _Player()
    try:
        for segment in segments:
            player.play(segment)
    except _Different as found:
        player.played.difference = found.difference
    return player.played


def in_words(played: Played) -> list[str]:
    """Return what playing gave, for people."""
    what = (
        f"{played.events} events and {played.commands} commands in {played.segments} segments,"
        f" {played.checkpoints} checkpoints compared"
    )
    lines = [f"note: {note}" for note in played.notes]
    lines += [f"DAMAGED: {damage}" for damage in played.damage]
    lines += [f"not played: {reason}" for reason in played.unread]
    if not played.records and not played.damage:
        return [*lines, "nothing to play: no whole record of a guard's journal is there"]
    if played.difference is None:
        verdict = "the same commands" if played.code is ExitCode.OK else "no difference in what could be played"
        return [*lines, f"{verdict}: {what}"]
    found = played.difference
    after = [f"  after    {found.after}"] if found.after else []
    shown = [f"DIFFERENT: {found.place}", *after, f"  written  {found.written}", f"  now      {found.now}"]
    return [*lines, *shown, f"played up to there: {what}"]


class _Different(Exception):
    """Playing gave something else."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(difference.place)
        self.difference = difference


class _Player:
    """From segment to segment, with what the one before led to."""

    def __init__(self) -> None:
        self.played = Played()
        self._state: GuardState | None = None
        """At the end of what was played; None when it is not known."""
        self._open = OpenCommands()
        self._next_seq = 0
        self._last_event: tuple[int, Event] | None = None
        self._waiting: deque[Command] = deque()
        """Commands that the last event leads to and that are not written yet."""
        self._broken = ""
        self._resettled = ""
        """Where other settings came in, until the start that brought them is seen."""

    def play(self, segment: Segment) -> None:
        """Play one segment."""
        reader = reader_of(segment)
        try:
            for record in reader:
                self._take(segment, record)
        except JournalCorrupt as error:
            self._state = None
            self.played.damage.append(str(error))
        except msgspec.MsgspecError as error:
            self._state = None
            self.played.unread.append(f"{segment.name}: this build does not understand it: {error}")
        self.played.segments += 1
        self._end(segment)

    def _end(self, segment: Segment) -> None:
        if self._waiting and self._state is not None:
            self.played.notes.append(
                f"{segment.name}: its end is cut off: {len(self._waiting)} commands of the last event are not written"
            )
        self._waiting.clear()
        if self._broken:
            self.played.notes.append(f"{segment.name}: the last event broke the core, then and now: {self._broken}")
            self._state, self._broken = None, ""

    def _take(self, segment: Segment, record: Record) -> None:
        self.played.records += 1
        match record.kind:
            case Kind.CHECKPOINT:
                self._begin(segment, record)
            case Kind.EVENT:
                self._take_event(segment, record)
            case Kind.COMMAND:
                self._take_command(segment, record)
        self._next_seq = record.seq + 1

    def _begin(self, segment: Segment, record: Record) -> None:
        """Take a checkpoint's state, after comparing it with what the segment before led to."""
        checkpoint = decode_checkpoint(record)
        state = state_of(checkpoint.state)
        if checkpoint.version != VERSION:
            self._note_once(f"written by version {checkpoint.version}, played by version {VERSION}")
        if self._state is not None and record.seq == self._next_seq and state.account == self._state.account:
            self._compare(segment, record, with_policy(self._state, state.policy), state, checkpoint.unanswered)
        elif self._next_seq and record.seq != self._next_seq:
            missing = f"the numbers {self._next_seq} to {record.seq - 1} are not there"
            self.played.notes.append(f"{segment.name}: {missing}: its state is taken as it is")
        is_resettled = self._state is not None and state.policy != self._state.policy
        self._resettled = f"{segment.name}, record {record.seq}" if is_resettled else ""
        self._state, self._open = state, OpenCommands(checkpoint.unanswered)
        self._last_event = None

    def _compare(
        self, segment: Segment, record: Record, led_to: GuardState, written: GuardState, unanswered: tuple[int, ...]
    ) -> None:
        self.played.checkpoints += 1
        for name, now, then in (("state", led_to, written), ("unanswered", self._open.ids, unanswered)):
            if now != then:
                place, was, comes = next(_differences(name, msgspec.to_builtins(then), msgspec.to_builtins(now)))
                raise _Different(
                    Difference(
                        place=f"{segment.name}, record {record.seq}: the checkpoint is not the state that the"
                        f" segment before leads to, first in {place}",
                        written=_short(was),
                        now=_short(comes),
                    )
                )

    def _take_event(self, segment: Segment, record: Record) -> None:
        if self._waiting:
            self._differ(segment, record, written=f"nothing: record {record.seq} is the event {record.name}")
        if self._state is None:
            return
        event = decode_event(record)
        self._require_start(event)
        if self._broken:
            raise _Different(
                Difference(
                    place=f"{segment.name}, record {record.seq}: the core went on behind an event that breaks it now",
                    written=record.name,
                    now=self._broken,
                )
            )
        self._last_event = record.seq, event
        self.played.events += 1
        self._open.note_event(event)
        try:
            outcome = step(self._state, event)
        except InvariantBroken as error:
            self._broken = str(error)
            return
        self._state = outcome.state
        self._waiting.extend(outcome.commands)
        for each in outcome.commands:
            self._open.note_command(each)

    def _require_start(self, event: Event) -> None:
        """Settings change with a start and never while the daemon runs."""
        if self._resettled and not isinstance(event, Started):
            raise _Different(
                Difference(
                    place=f"{self._resettled}: the checkpoint has other settings, and no start follows it",
                    written=type(event).__name__,
                    now="Started",
                )
            )
        self._resettled = ""

    def _take_command(self, segment: Segment, record: Record) -> None:
        if self._state is None:
            return
        written = decode_command(record)
        if not self._waiting or self._waiting[0] != written:
            self._differ(segment, record, written=_words(written))
        self._waiting.popleft()
        self.played.commands += 1

    def _differ(self, segment: Segment, record: Record, *, written: str) -> None:
        after = ""
        if self._last_event is not None:
            seq, event = self._last_event
            after = f"record {seq}, {moment(event.at_ns)}: {_words(event)}"
        where = f", first in {self._where(record)}" if record.kind is Kind.COMMAND else ""
        raise _Different(
            Difference(
                place=f"{segment.name}, record {record.seq}{where}",
                after=after,
                written=written,
                now=_words(self._waiting[0]) if self._waiting else "nothing",
            )
        )

    def _where(self, record: Record) -> str:
        """The first field in which a written command is another than the one that comes now."""
        if not self._waiting or type(self._waiting[0]).__name__ != record.name:
            return "the kind of command"
        written, now = msgspec.to_builtins(decode_command(record)), msgspec.to_builtins(self._waiting[0])
        return next((place for place, _, _ in _differences(record.name, written, now)), record.name)

    def _note_once(self, note: str) -> None:
        if note not in self.played.notes:
            self.played.notes.append(note)


def _words(value: Event | Command) -> str:
    return _short(f"{type(value).__name__} {msgspec.json.encode(value).decode()}")


def _short(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _differences(place: str, written: object, now: object) -> Iterator[tuple[str, object, object]]:
    """Yield where two plain values differ, as a path with both sides."""
    if isinstance(written, dict) and isinstance(now, dict):
        for name in [*written, *(each for each in now if each not in written)]:
            if written.get(name) != now.get(name):
                yield from _differences(f"{place}.{name}", written.get(name), now.get(name))
    if written != now:
        yield place, written, now
