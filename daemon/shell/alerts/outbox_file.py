"""The alerts that are still to be delivered, on disk, so that a restart does not forget them.

One JSON line per change, in the order in which they happened:

    {"put": alert, "to": ["phone", "mail"]}   waits for these channels (without "to": for all, as older builds wrote)
    {"give": alert id, "by": "mail"}          waits for this one as well
    {"done": alert id, "by": "phone"}         this channel is done with it
    {"ended": alert id}                       all are
    {"held": [alerts], "by": "pager"}         what this channel has to renew

Read once at the start, rewritten then, appended to afterwards. A torn line is left out: its alert comes again out of
the journal.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from daemon.shell.alerts.message import Alert

ENDED_REMEMBERED = 2_000
"""So many delivered alerts are remembered by id across restarts."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change."""

    put: Alert | None = None
    to: tuple[str, ...] = ()
    give: str | None = None
    done: str | None = None
    by: str = ""
    ended: str | None = None
    held: tuple[Alert, ...] | None = None


@dataclass(kw_only=True, slots=True)
class Kept:
    """What the file remembers."""

    pending: dict[str, Alert] = field(default_factory=dict)
    to: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Where each pending alert was meant to go; empty: everywhere."""
    done: dict[str, set[str]] = field(default_factory=dict)
    """Which channels are done with a pending alert."""
    ended: dict[str, None] = field(default_factory=dict)
    """Ids of those that are done, oldest first."""
    held: dict[str, tuple[Alert, ...]] = field(default_factory=dict)

    def note(self, line: Line) -> None:
        """Apply one change."""
        if line.put is not None:
            self._put(line.put, line.to)
        if line.give in self.pending and self.to[line.give]:
            self.to[line.give] = tuple(dict.fromkeys((*self.to[line.give], line.by)))
        if line.done in self.pending:
            self.done[line.done].add(line.by)
        if line.ended is not None:
            self._forget(line.ended)
            self.ended[line.ended] = None
        if line.held is not None:
            self.held[line.by] = line.held

    def _put(self, alert: Alert, to: tuple[str, ...]) -> None:
        self.ended.pop(alert.alert_id, None)
        self.pending[alert.alert_id] = alert
        self.to[alert.alert_id] = to
        self.done[alert.alert_id] = set()

    def _forget(self, alert_id: str) -> None:
        for known in (self.pending, self.to, self.done):
            known.pop(alert_id, None)


class OutboxFile:
    """Reads and appends; called from a worker thread, because disks may be slow."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Kept:
        """Return what is still to be delivered, and what is done.

        Raises:
            OSError: If the file is there and cannot be read.
        """
        kept = Kept()
        for line in self._lines():
            kept.note(line)
        for alert_id in list(kept.ended)[:-ENDED_REMEMBERED]:
            del kept.ended[alert_id]
        return kept

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
            OSError: If the disk refuses; the old file stands, and nothing half written takes up what room there is.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        try:
            _append(fresh, lines)
            fresh.replace(self._path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise

    def append(self, lines: Iterable[Line]) -> None:
        """Add changes and make them durable.

        Raises:
            OSError: If the disk refuses; a part of a line may stand at the end, so rewrite before the next append.
        """
        _append(self._path, lines)


def _append(path: Path, lines: Iterable[Line]) -> None:
    rest = memoryview(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        while rest:  # a disk that fills up takes a part, and says so at the next write only
            rest = rest[os.write(descriptor, rest) :]
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
