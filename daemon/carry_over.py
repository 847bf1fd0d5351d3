"""A journal whose newest checkpoint this version does not understand: what people and rules decided is carried over.

Why: recovery never stays away for a journal; what it cannot read it leaves out and starts from the venue alone. A
lock-out, a pause, an acknowledgement or a day's budget would be forgotten by that. Here the checkpoint's fields are
read one by one, those that are understood go into a new journal, and the old one is set aside, whole.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, get_type_hints

import msgspec

from config.policy import Policy
from daemon.core.state import GuardState, decided_by_people_and_rules, initial_state
from daemon.shell.journal_file import segment_path, segments_in
from daemon.shell.records import (
    NO_CHAIN,
    Checkpoint,
    JournalCorrupt,
    SegmentReader,
    decode_checkpoint,
    encode_checkpoint,
    sealed,
)
from daemon.shell.recover import recover, state_of
from daemon.version import VERSION

KEPT_FIELDS: Final = (
    *("now_ns", "next_command_id", "latches", "margin_budgets", "day_books", "operator_ids"),
    *("pause", "people"),
)
"""What no question to the venue can bring back (see `decided_by_people_and_rules`)."""
_NUMBERS_APART: Final = 10_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class CarriedOver:
    """A journal that has to be made anew."""

    journal: Path
    line: bytes
    first_seq: int
    left_out: tuple[str, ...]
    """Fields that are not understood either."""

    @property
    def aside(self) -> Path:
        """Where the old one goes."""
        number = next(n for n in range(1, 10_000) if not self.journal.with_name(f"journal.before-{n}").exists())
        return self.journal.with_name(f"journal.before-{number}")

    @property
    def what(self) -> str:
        """In one line."""
        lost = f"; not understood and left out: {', '.join(self.left_out)}" if self.left_out else ""
        return (
            f"{self.journal}: latches, a pause, acknowledgements, silences, budgets and day's books "
            f"go into a new journal, the old one to {self.aside}{lost}"
        )

    def carry_out(self) -> None:
        """Set the old journal aside and begin the new one, which belongs to whom the old one belongs to."""
        owner = self.journal.stat()
        _ = self.journal.rename(self.aside)
        self.journal.mkdir(mode=0o700)
        path = segment_path(self.journal, self.first_seq)
        with path.open("xb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(self.line)
        for each in (path, self.journal):
            mine = each.stat()
            if (mine.st_uid, mine.st_gid) != (owner.st_uid, owner.st_gid):
                os.chown(each, owner.st_uid, owner.st_gid)


def carried_over(journal: Path, policy: Policy) -> CarriedOver | None:
    """Return what to do about a journal that recovery would leave out for its age; None where it reads it."""
    segments = segments_in(journal)
    if not segments or recover(journal, policy).state is not None:
        return None
    for first_seq, path in reversed(segments):
        document = _newest_checkpoint(path)
        if document is None:
            continue
        try:
            _ = state_of(document, policy)
        except msgspec.MsgspecError:
            return _carried(journal, document, policy, first_seq + _NUMBERS_APART)
        return None
    return None


def _newest_checkpoint(path: Path) -> msgspec.Raw | None:
    try:
        with path.open("rb") as file:
            record = next(iter(SegmentReader((line.rstrip(b"\n") for line in file), origin=str(path))), None)
        return None if record is None else decode_checkpoint(record).state
    except (OSError, JournalCorrupt, msgspec.MsgspecError):
        return None


def _carried(journal: Path, document: msgspec.Raw, policy: Policy, first_seq: int) -> CarriedOver | None:
    written = msgspec.json.decode(document, type=dict[str, msgspec.Raw])
    account = _read("account", written)
    if not isinstance(account, int):
        return None
    kept = {name: value for name in KEPT_FIELDS if (value := _read(name, written)) is not msgspec.UNSET}
    left_out = tuple(name for name in KEPT_FIELDS if name in written and name not in kept)
    state = decided_by_people_and_rules(_with(initial_state(account, policy), kept))
    checkpoint = Checkpoint(state=msgspec.Raw(msgspec.json.encode(state)), unanswered=(), version=VERSION)
    line, _ = sealed(encode_checkpoint(first_seq, checkpoint), NO_CHAIN.encode(), is_first=True)
    return CarriedOver(journal=journal, line=line, first_seq=first_seq, left_out=left_out)


def _read(name: str, written: dict[str, msgspec.Raw]) -> Any:  # noqa: ANN401 - a field of any type
    """The field; `UNSET` where it is not there or not understood (None is what a guard that is not paused writes)."""
    if name not in written:
        return msgspec.UNSET
    try:
        return msgspec.json.decode(written[name], type=get_type_hints(GuardState)[name])
    except msgspec.MsgspecError:
        return msgspec.UNSET


def _with(state: GuardState, kept: dict[str, Any]) -> GuardState:
    values = {each.name: getattr(state, each.name) for each in fields(GuardState)}
    return GuardState(**{**values, **kept})
