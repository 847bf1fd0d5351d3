"""`seawall journal prune`: removes old segments. What a restart needs is never among them.

A restart reads the newest segment whose checkpoint is whole; that one, the one before it and everything newer stay,
whatever is asked for. A daemon may run meanwhile: it writes to the newest and removes old ones itself in the same way.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from daemon.exit_codes import CommandFailed, ExitCode
from daemon.journal.keeping import BYTES, SECONDS, Keep
from daemon.journal.segments import Segment, at_ns_of, find, folder_of, reader_of
from daemon.journal.times import NS_PER_S
from daemon.shell.clock import SystemClock
from daemon.shell.journal_file import sync_directory
from daemon.shell.records import JournalCorrupt, Record


def command(options: argparse.Namespace) -> int:
    """Remove what need not stay, and say what went."""
    folder = folder_of(options)
    segments = find(folder)
    doomed = expendable(segments, options.keep, now_ns=SystemClock().wall_ns())
    removed_bytes = sum(_size(segment.path) for segment in doomed)
    if not options.is_dry_run:
        _remove(folder, doomed)
    if options.as_json:
        row = {
            "removed": [segment.name for segment in doomed],
            "bytes": removed_bytes,
            "is_dry_run": options.is_dry_run,
        }
        sys.stdout.write(msgspec.json.encode(row).decode() + "\n")
    else:
        verb = "would remove" if options.is_dry_run else "removed"
        sys.stdout.write(
            f"{verb} {len(doomed)} segments ({removed_bytes / 1024**2:.1f} MB), {len(segments) - len(doomed)} stay\n"
        )
    return ExitCode.OK


def expendable(segments: Sequence[Segment], wish: Keep, *, now_ns: int) -> list[Segment]:
    """Return the oldest segments that neither the wish nor a restart keeps."""
    if wish.unit in BYTES:
        wanted = _beyond(segments, wish.amount * BYTES[wish.unit])
    elif wish.unit in SECONDS:
        wanted = _older(segments, now_ns - wish.amount * SECONDS[wish.unit] * NS_PER_S)
    else:
        wanted = max(0, len(segments) - wish.amount)
    return list(segments[: min(wanted, _needed_from(segments))])


def _needed_from(segments: Sequence[Segment]) -> int:
    """Index of the oldest segment that must stay: the one before the newest that a restart can begin with."""
    for index in range(len(segments) - 1, -1, -1):
        if _first_of(segments[index]) is not None:
            return max(0, index - 1)
    return 0


def _beyond(segments: Sequence[Segment], most_bytes: int) -> int:
    total = 0
    for index in range(len(segments) - 1, -1, -1):
        total += _size(segments[index].path)
        if total > most_bytes:
            return index + 1
    return 0


def _older(segments: Sequence[Segment], since_ns: int) -> int:
    """A segment is older when the next one began before that time."""
    count = 0
    for after in segments[1:]:
        first = _first_of(after)
        if first is None or at_ns_of(first) >= since_ns:
            break
        count += 1
    return count


def _first_of(segment: Segment) -> Record | None:
    try:
        return next(iter(reader_of(segment)), None)
    except JournalCorrupt:
        return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _remove(folder: Path, doomed: Sequence[Segment]) -> None:
    """Oldest first, so that whatever stops it leaves a journal without holes."""
    try:
        for segment in doomed:
            segment.path.unlink(missing_ok=True)
        sync_directory(folder)
    except OSError as error:
        raise CommandFailed(f"{folder}: {error.strerror}: {error.filename}", ExitCode.BAD_INPUT) from error
