"""From the journal back to a state: checkpoint, then every event behind it, through the ordinary `step` (P7).

Why: there is one way to change the guard's knowledge, so there is one way to rebuild it. A command without an outcome
is OUTCOME_UNKNOWN after a restart, whether or not its own record reached the disk: the replay finds the commands that
its events led to.

A journal that is missing, damaged or not understood is no reason to stay away. What stands before the damage is used:
latches, baselines and the day's count are worth more than nothing, and what came behind it is found at the venue, as
after a crash. If the newest checkpoint is damaged, the segment before leads to the same state. If nothing can be used,
the guard starts from the venue alone. Whatever was left out is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from config.policy import Policy
from daemon.core.commands import Notify
from daemon.core.events import Event
from daemon.core.state import GuardState, decided_by_people_and_rules, under_policy
from daemon.core.step import step
from daemon.shell.journal import OpenCommands
from daemon.shell.journal_file import segments_in
from daemon.shell.records import (
    JournalCorrupt,
    Kind,
    Record,
    SegmentReader,
    decode_checkpoint,
    decode_event,
)

FIRST_SEQ = 1
_NUMBERS_PER_SEGMENT = 10_000_000
"""More records than a segment can hold: the step to a number that was surely never used."""
_WELL_AFTER_NS = 60 * 10**9
"""A guard that ran this long was not broken by what it began with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovered:
    """What the journal gave back."""

    state: GuardState | None
    """None: start from the venue alone."""
    unanswered: tuple[int, ...] = ()
    """Ids of commands without an outcome."""
    next_seq: int = FIRST_SEQ
    alerts: tuple[tuple[int, Notify], ...] = ()
    """What people were told in the newest segment, and when: the outbox leaves out those that it knows."""
    problem: str | None = None
    """What of the journal could not be used and why, in one line; None when all could, or when there was none."""
    chain: str = ""
    """The running hash of the newest record that is whole; empty when there is none."""


def recover(directory: Path, policy: Policy | None = None) -> Recovered:
    """Rebuild the state from the newest segment that begins with a whole checkpoint.

    Args:
        directory: Of the journal.
        policy: Today's. It stands in where the checkpoint's own is not one of this build any more (a setting was
            renamed, or is checked more strictly): latches, ratchets and the day's count are worth more than that.
    """
    try:
        segments = segments_in(directory)
    except OSError as error:
        return Recovered(state=None, problem=f"{directory}: {error.strerror}")
    problem: str | None = None
    for first_seq, path in reversed(segments):
        found = _read(path)
        problem = problem or found.problem
        if found.records:
            newest = segments[-1][0]
            return _after(problem, newest, _replay_or_say_why(found.records, path, max(newest, first_seq), policy))
    return Recovered(state=None) if problem is None else _unusable(segments[-1][0], problem)


class EventBroke(Exception):
    """An event broke the core, in the process that ended and again in the replay. `kept` is what is used all the same.

    The event would do so a third time with the same knowledge, so the view of the venue is dropped. What people and
    rules decided is not the venue's to tell and stays: a lock-out must not end with a bug. But not if the guard broke
    right after its start: then that may be what breaks it, and starting again and again protects nobody.
    """

    def __init__(self, state: GuardState, event: Event) -> None:
        super().__init__(f"{type(event).__name__} at {event.at_ns}")
        was_well = bool(state.started_ns) and event.at_ns - state.started_ns > _WELL_AFTER_NS
        self.kept = decided_by_people_and_rules(state) if was_well else None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """The records of a segment up to its torn tail or its first damage."""

    records: list[Record]
    problem: str | None = None


def _read(path: Path) -> _Found:
    records: list[Record] = []
    try:
        content = path.read_bytes()
        for record in SegmentReader(content.split(b"\n"), origin=str(path)):
            records.append(record)  # noqa: PERF402 - what stands before the damage counts
    except (OSError, JournalCorrupt) as error:
        return _Found(records=records, problem=str(error))
    return _Found(records=records)


def _after(problem: str | None, newest: int, recovered: Recovered) -> Recovered:
    """Beside damage, new records get numbers beyond all that may be there."""
    if problem is None:
        return recovered
    next_seq = max(recovered.next_seq, newest + _NUMBERS_PER_SEGMENT)
    return replace(recovered, next_seq=next_seq, problem=recovered.problem or problem)


def _replay_or_say_why(records: list[Record], path: Path, highest: int, policy: Policy | None) -> Recovered:
    chain = records[-1].chain
    try:
        return replace(replay(records, policy), chain=chain)
    except EventBroke as broke:
        cause = broke.__cause__
        problem = f"{path}: an event broke the core ({type(cause).__name__}: {cause})"
        return replace(_unusable(highest, problem), chain=chain, state=broke.kept)
    except Exception as error:  # noqa: BLE001 - what broke the core once would again: never a reason to stay away
        problem = f"{path}: replaying it failed with {type(error).__name__}: {error}"
        return replace(_unusable(highest, problem), chain=chain)


def replay(records: list[Record], policy: Policy | None = None) -> Recovered:
    """Play the records of one segment, its checkpoint first; `policy` stands in for one that is not understood.

    Commands come from the replay, not from their records: a crash may have cut off the records of the last ones, and
    they may have left all the same.

    Raises:
        EventBroke: If an event breaks the core: it would again.
        msgspec.MsgspecError: If a record is not of this build.
    """
    checkpoint = decode_checkpoint(records[0])
    state = state_of(checkpoint.state, policy)
    unanswered = OpenCommands(checkpoint.unanswered)
    alerts: list[tuple[int, Notify]] = []
    for event in (decode_event(record) for record in records if record.kind is Kind.EVENT):
        unanswered.note_event(event)
        try:
            outcome = step(state, event)
        except Exception as error:
            raise EventBroke(state, event) from error
        state = outcome.state
        for command in outcome.commands:
            unanswered.note_command(command)
        alerts.extend((event.at_ns, command) for command in outcome.commands if isinstance(command, Notify))
    return Recovered(state=state, unanswered=unanswered.ids, next_seq=records[-1].seq + 1, alerts=tuple(alerts))


def state_of(document: msgspec.Raw, policy: Policy | None = None) -> GuardState:
    """Read a checkpoint's state; the one thing in it that is replaced anyway must not make it worthless.

    Raises:
        msgspec.MsgspecError: If it is not of this build.
    """
    try:
        return msgspec.json.decode(document, type=GuardState)
    except msgspec.ValidationError:
        fields = msgspec.json.decode(document, type=dict[str, msgspec.Raw])
        if policy is None or "policy" not in fields or not _is_foreign(fields["policy"]):
            raise
        fields["policy"] = msgspec.Raw(msgspec.json.encode(policy))
        return under_policy(msgspec.json.decode(msgspec.json.encode(fields), type=GuardState), policy)


def _is_foreign(policy: msgspec.Raw) -> bool:
    """Whether this build does not take a policy that was written down."""
    try:
        msgspec.json.decode(policy, type=Policy)
    except msgspec.ValidationError:
        return True
    return False


def _unusable(highest: int, problem: str) -> Recovered:
    """Start from the venue alone, in a segment numbered beyond everything that is there."""
    return Recovered(state=None, next_seq=highest + _NUMBERS_PER_SEGMENT, problem=problem)
