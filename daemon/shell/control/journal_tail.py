"""The newest records of the journal on disk, read from the end and never more than a few megabytes of it.

It blocks, so the caller asks from a thread. What is torn or of another build is left out: this is for reading, and
`seawall journal verify` says whether a journal is whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from daemon.shell.control.feed import is_noise
from daemon.shell.journal_file import segments_in
from daemon.shell.records import Record

MOST_BYTES: Final = 4 * 1024 * 1024
"""Of all segments together."""
_NEWEST_SEGMENTS: Final = 4


def tail(folder: Path, last: int, *, every: bool) -> list[dict[str, Any]]:
    """Return the newest records, oldest first.

    Args:
        folder: Of the journal.
        last: So many at most.
        every: Marks, ticks and checkpoints too.
    """
    found: list[Record] = []
    left = MOST_BYTES
    for _, path in reversed(segments_in(folder)[-_NEWEST_SEGMENTS:]):
        content = _end_of(path, left)
        left -= len(content)
        for record in _records(content):
            if every or not is_noise(record.name):
                found.append(record)
            if len(found) >= last:
                return [_plain(each) for each in reversed(found)]
        if left <= 0:
            break
    return [_plain(each) for each in reversed(found)]


def _end_of(path: Path, most: int) -> bytes:
    """The last bytes of a file; empty if it is gone meanwhile, since old segments go."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - most))
            return file.read(most)
    except FileNotFoundError:
        return b""


def _records(content: bytes) -> list[Record]:
    """Newest first; what is no whole record is left out, as the cut-off beginning is."""
    records = []
    for line in reversed(content.split(b"\n")):
        try:
            records.append(msgspec.json.decode(line, type=Record))
        except msgspec.MsgspecError:
            continue
    return records


def _plain(record: Record) -> dict[str, Any]:
    body = {} if record.name == "Checkpoint" else msgspec.json.decode(record.body)
    return {"seq": record.seq, "kind": record.kind.value, "name": record.name, "body": body}
