"""`seawall journal export --jsonl`: the records as plain JSON lines, for `jq` and the like.

Each line has number, time, kind, name and body. A command has the time of the event that led to it. The state of a
checkpoint is left out unless it is asked for: it is long, and everything in it came from the records before.
"""

from __future__ import annotations

import argparse
import sys

import msgspec

from daemon.exit_codes import CommandFailed, ExitCode
from daemon.journal.segments import at_ns_of, journal_of, reader_of
from daemon.journal.times import instant_ns, moment
from daemon.shell.records import JournalCorrupt, Kind, Record, decode_checkpoint


def command(options: argparse.Namespace) -> int:
    """Write the records to standard output; damage is said on standard error, and the next segment goes on."""
    since_ns, until_ns = _bound(options.since, 0), _bound(options.until, 1 << 63)
    kinds = set(options.kinds) or {kind.value for kind in Kind}
    code = ExitCode.OK
    for segment in journal_of(options):
        at_ns = 0
        try:
            for record in reader_of(segment):
                at_ns = at_ns_of(record) or at_ns
                if since_ns <= at_ns <= until_ns and record.kind.value in kinds:
                    sys.stdout.write(_line(record, at_ns, with_state=options.states))
        except JournalCorrupt as error:
            sys.stderr.write(f"seawall: {error}; the rest of this segment is left out\n")
            code = ExitCode.DAMAGED
    return code


def _bound(text: str | None, default_ns: int) -> int:
    if text is None:
        return default_ns
    at_ns = instant_ns(text)
    if at_ns is None:
        raise CommandFailed(f"{text!r} is no time: write it like 2026-11-22T12:03:04Z", ExitCode.USAGE)
    return at_ns


def _line(record: Record, at_ns: int, *, with_state: bool) -> str:
    body: object = record.body
    if record.kind is Kind.CHECKPOINT and not with_state:
        checkpoint = decode_checkpoint(record)
        body = {"version": checkpoint.version, "unanswered": checkpoint.unanswered}
    row = {
        "seq": record.seq,
        "at": moment(at_ns),
        "at_ns": at_ns,
        "kind": record.kind.value,
        "name": record.name,
        "body": body,
    }
    return msgspec.json.encode(row).decode() + "\n"
