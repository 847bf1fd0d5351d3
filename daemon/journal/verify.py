"""`seawall journal verify`: is every record there, unchanged, and in its place?

Inside a segment the checksum, the number and the chain of each record tell; between segments the chain that a
checkpoint continues. An unfinished end is what a crash leaves and no damage. Numbers that were left out although the
chain goes on were never written (a disk that refused for long, or a start beside damage); that is a note. What cannot
be seen: records taken off the very end, since nothing follows them. Whoever fears that keeps the head elsewhere.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from daemon.exit_codes import ExitCode
from daemon.journal.segments import Segment, at_ns_of, journal_of, reader_of
from daemon.journal.times import moment
from daemon.shell.records import NO_CHAIN, JournalCorrupt, Kind, Record


@dataclass(kw_only=True, slots=True)
class Findings:
    """What was found, over all segments."""

    segments: int = 0
    records: int = 0
    first_ns: int = 0
    last_ns: int = 0
    chained: int = 0
    """Records with a chain."""
    head: str = ""
    """The chain of the newest record."""
    damage: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def code(self) -> ExitCode:
        """What came of it. Where no record is, nothing can be called whole."""
        if self.damage:
            return ExitCode.DAMAGED
        return ExitCode.OK if self.records else ExitCode.BAD_INPUT


def command(options: argparse.Namespace) -> int:
    """Check a journal and say what was found."""
    findings = verify(journal_of(options))
    if options.as_json:
        document = {"is_whole": findings.code is ExitCode.OK, **msgspec.to_builtins(findings)}
        sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
    else:
        sys.stdout.write("\n".join(in_words(findings)) + "\n")
    return findings.code


def verify(segments: Sequence[Segment]) -> Findings:
    """Check segments, which follow each other."""
    walk = _Walk()
    for segment in segments:
        walk.check(segment)
    return walk.findings


def in_words(findings: Findings) -> list[str]:
    """Return the findings for people."""
    lines = [f"note: {note}" for note in findings.notes] + [f"DAMAGED: {damage}" for damage in findings.damage]
    span = f", {moment(findings.first_ns)} to {moment(findings.last_ns)}" if findings.records else ""
    what = f"{findings.records} records in {findings.segments} segments{span}"
    if findings.damage:
        return [*lines, f"damaged in {len(findings.damage)} places; read so far: {what}"]
    if not findings.records:
        return [*lines, "nothing to verify: no whole record of a guard's journal is there"]
    return [*lines, f"whole: {what}", *([f"chain head {findings.head}"] if findings.head else [])]


class _Walk:
    """From segment to segment."""

    def __init__(self) -> None:
        self.findings = Findings()
        self._before: Record | None = None
        """The newest whole record of the segments before."""
        self._is_before_damaged = False

    def check(self, segment: Segment) -> None:
        """Check one segment, and how it hangs on the ones before."""
        found, reader = self.findings, reader_of(segment)
        damaged_before = len(found.damage)
        found.segments += 1
        first: Record | None = None
        try:
            for record in reader:
                if first is None:
                    first = record
                    self._check_first(segment, record)
                elif record.kind is Kind.CHECKPOINT:
                    self._damage(segment, f"record {record.seq} is a checkpoint in the middle")
                self._count(record)
        except JournalCorrupt as error:
            found.damage.append(str(error))
        if reader.torn_bytes:
            found.notes.append(f"{segment.name}: {_torn(reader.torn_bytes, reader.last)}")
        elif first is None and len(found.damage) == damaged_before:
            self._note_empty(segment)
        if reader.last is not None:
            found.last_ns = _last_ns(reader.last, found.last_ns)
            self._before, self._is_before_damaged = reader.last, len(found.damage) > damaged_before
        elif len(found.damage) > damaged_before:
            self._is_before_damaged = True

    def _note_empty(self, segment: Segment) -> None:
        if segment.path.exists():
            self.findings.notes.append(f"{segment.name}: is empty")
        else:  # the daemon, or a prune, took it away while we read
            self.findings.segments -= 1

    def _count(self, record: Record) -> None:
        found = self.findings
        found.records += 1
        if record.chain:
            found.chained += 1
            found.head = record.chain
        at_ns = at_ns_of(record) if record.kind is not Kind.COMMAND else 0
        found.first_ns = found.first_ns or at_ns
        found.last_ns = max(found.last_ns, at_ns)

    def _check_first(self, segment: Segment, record: Record) -> None:
        if record.kind is not Kind.CHECKPOINT:
            self._damage(segment, f"begins with record {record.seq}, which is no checkpoint: its beginning is missing")
        elif segment.first_seq is not None and record.seq != segment.first_seq:
            self._damage(segment, f"begins with record {record.seq}, and its name says {segment.first_seq}")
        before = self._before
        if before is None:
            self._note_beginning(segment, record)
        elif record.seq <= before.seq:
            self._damage(segment, f"begins with record {record.seq}, although record {before.seq} stands before it")
        elif before.chain and not record.chain:
            self._damage(segment, f"record {record.seq} has no chain, although record {before.seq} before it has one")
        elif record.chain and record.continues != (before.chain or NO_CHAIN):
            self._check_link(segment, record, before)
        elif record.seq != before.seq + 1:
            self._note_gap(segment, before.seq + 1, record)

    def _check_link(self, segment: Segment, record: Record, before: Record) -> None:
        """A chain that does not go on. Beside damage it need not: what it goes on from cannot be read any more."""
        if self._is_before_damaged:
            return
        if record.seq > before.seq + 1:
            self._damage(segment, f"records {before.seq + 1} to {record.seq - 1} are missing")
        else:
            self._damage(segment, f"does not continue record {before.seq}: one of the two is from elsewhere")

    def _note_beginning(self, segment: Segment, record: Record) -> None:
        if self.findings.segments > 1 and record.chain and record.continues != NO_CHAIN and not self._is_before_damaged:
            self._damage(segment, f"the records before {record.seq} are missing: no file before it holds a whole one")
        if record.seq > 1 and self.findings.segments == 1:
            self.findings.notes.append(f"{segment.name}: begins at record {record.seq}; what was before it is not here")
        if not record.chain:
            words = "without a chain (written by an earlier build): checksums and numbers alone were checked"
            self.findings.notes.append(f"{segment.name}: {words}")

    def _note_gap(self, segment: Segment, first_seq: int, record: Record) -> None:
        cause = (
            "the chain goes on, so they were never written" if record.chain else "without a chain nobody can say why"
        )
        self.findings.notes.append(
            f"{segment.name}: the numbers {first_seq} to {record.seq - 1} are not there: {cause}"
        )

    def _damage(self, segment: Segment, problem: str) -> None:
        self.findings.damage.append(f"{segment.name}: {problem}")


def _torn(torn_bytes: int, last: Record | None) -> str:
    behind = "at its beginning" if last is None else f"behind record {last.seq}"
    return f"{torn_bytes} unfinished bytes {behind}: a process ended there, or writes just now"


def _last_ns(last: Record, so_far_ns: int) -> int:
    return max(so_far_ns, at_ns_of(last))
