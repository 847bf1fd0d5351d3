"""A segment of the journal read whole, for tests that look at what was written."""

from __future__ import annotations

from collections.abc import Iterator

from daemon.shell.records import Record, SegmentReader


def records_in(content: bytes, *, origin: str = "") -> Iterator[Record]:
    """Yield the records of one segment up to a torn tail.

    Args:
        content: The whole segment.
        origin: How to name it in errors.

    Raises:
        JournalCorrupt: If a record in the middle is damaged or missing.
    """
    return iter(SegmentReader(content.split(b"\n"), origin=origin))
