"""From the journal back to a state: checkpoint, then every event behind it, through the ordinary `step` (P7).

Why: there is one way to change the guard's knowledge, so there is one way to rebuild it. A command without an outcome
is OUTCOME_UNKNOWN after a restart, whether or not its own record reached the disk: the replay finds the commands that
its events led to. A journal that is missing, damaged or not understood is no reason to stay away: the guard then starts
from the venue alone, and says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from config.policy import Policy
from daemon.core.commands import RaiseAlert
from daemon.core.state import GuardState, under_policy
from daemon.core.step import step
from daemon.shell.journal import OpenCommands
from daemon.shell.journal_file import segments_in
from daemon.shell.records import (
    JournalCorrupt,
    Kind,
    Record,
    decode_checkpoint,
    decode_event,
    read_records,
)

FIRST_SEQ = 1
_NUMBERS_PER_SEGMENT = 10_000_000
"""More records than a segment can hold: the step to a number that was surely never used."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovered:
    """What the journal gave back."""

    state: GuardState | None
    """None: start from the venue alone."""
    unanswered: tuple[int, ...] = ()
    """Ids of commands without an outcome."""
    next_seq: int = FIRST_SEQ
    alerts: tuple[tuple[int, RaiseAlert], ...] = ()
    """Alerts of the newest segment and when each was raised: the outbox leaves out those that it knows."""
    problem: str | None = None
    """Why the journal could not be used, in one line; None when it could, or when there was none."""


def recover(directory: Path, policy: Policy | None = None) -> Recovered:
    """Rebuild the state from the newest segment that begins with a whole checkpoint.

    Args:
        directory: Of the journal.
        policy: Today's. It stands in where the checkpoint's own is not one of this build any more (a setting was
            renamed, or is checked more strictly): latches, ratchets and the day's count are worth more than that.
    """
    highest = FIRST_SEQ
    try:
        segments = segments_in(directory)
    except OSError as error:
        return _unusable(highest, f"{directory}: {error.strerror}")
    for first_seq, path in reversed(segments):
        highest = max(highest, first_seq)
        try:
            records = list(read_records(path.read_bytes(), origin=str(path)))
        except (OSError, JournalCorrupt) as error:
            return _unusable(highest, str(error))
        if records:
            return _replay_or_say_why(records, path, highest, policy)
    return Recovered(state=None)


def _replay_or_say_why(records: list[Record], path: Path, highest: int, policy: Policy | None) -> Recovered:
    try:
        return replay(records, policy)
    except Exception as error:  # noqa: BLE001 - what broke the core once would again: never a reason to stay away
        return _unusable(highest, f"{path}: replaying it failed with {type(error).__name__}: {error}")


def replay(records: list[Record], policy: Policy | None = None) -> Recovered:
    """Play the records of one segment, its checkpoint first; `policy` stands in for one that is not understood.

    Commands come from the replay, not from their records: a crash may have cut off the records of the last ones, and
    they may have left all the same.

    Raises:
        InvariantBroken: If an event breaks the core: it would again, so nothing of this journal is used.
        msgspec.MsgspecError: If a record is not of this build.
    """
    checkpoint = decode_checkpoint(records[0])
    state = _state_of(checkpoint.state, policy)
    unanswered = OpenCommands(checkpoint.unanswered)
    alerts: list[tuple[int, RaiseAlert]] = []
    for event in (decode_event(record) for record in records if record.kind is Kind.EVENT):
        unanswered.note_event(event)
        outcome = step(state, event)
        state = outcome.state
        for command in outcome.commands:
            unanswered.note_command(command)
        alerts.extend((event.at_ns, command) for command in outcome.commands if isinstance(command, RaiseAlert))
    return Recovered(state=state, unanswered=unanswered.ids, next_seq=records[-1].seq + 1, alerts=tuple(alerts))


def _state_of(document: msgspec.Raw, policy: Policy | None) -> GuardState:
    """Read a checkpoint's state; the one thing in it that is replaced anyway must not make it worthless."""
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
