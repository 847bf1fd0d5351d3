"""The alerts that are still to be delivered, on disk, so that a restart does not forget them.

One JSON line per change: {"put": alert} or {"ended": alert id}. Read once at the start, rewritten then, appended to
afterwards. A torn last line is left out: its alert comes again out of the journal.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from daemon.shell.alerts.message import Alert

ENDED_REMEMBERED = 2_000
"""So many delivered alerts are remembered by id across restarts."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change."""

    put: Alert | None = None
    ended: str | None = None


class OutboxFile:
    """Reads and appends; called from a worker thread, because disks may be slow."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[dict[str, Alert], list[str]]:
        """Return the alerts still to be delivered, and the ids of those that are done, oldest first.

        Raises:
            OSError: If the file is there and cannot be read.
        """
        pending: dict[str, Alert] = {}
        ended: dict[str, None] = {}
        for line in self._lines():
            if line.put is not None:
                pending[line.put.alert_id] = line.put
                ended.pop(line.put.alert_id, None)
            if line.ended is not None:
                pending.pop(line.ended, None)
                ended[line.ended] = None
        return pending, list(ended)[-ENDED_REMEMBERED:]

    def _lines(self) -> list[Line]:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return []
        lines = []
        for raw in content.split(b"\n"):
            try:
                lines.append(msgspec.json.decode(raw, type=Line))
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue  # torn by a crash, or empty: its alert comes again out of the journal
        return lines

    def rewrite(self, lines: Iterable[Line]) -> None:
        """Replace the file in one step.

        Raises:
            OSError: If the disk refuses.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        _append(fresh, lines)
        fresh.replace(self._path)

    def append(self, lines: Iterable[Line]) -> None:
        """Add changes and make them durable.

        Raises:
            OSError: If the disk refuses.
        """
        _append(self._path, lines)


def _append(path: Path, lines: Iterable[Line]) -> None:
    content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, content)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
