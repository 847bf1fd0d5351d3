"""P11: the key's secret, plain or encoded, stands in no log entry, alert, journal or status of a guard.

Logs are looked at before the product's own redaction gets to see them: that is the last line of defence, and nothing
may rely on it.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, MutableMapping, Sequence
from math import ceil
from typing import Any, Final
from urllib.parse import quote

import structlog

from daemon.core.commands import Command, RaiseAlert
from tests.simulation.promises.ground import Ground, GuardFacts, Promise

STATUS_EVERY_S: Final = 20.0
_SURE: Final = 12
"""Characters of an encoding that are enough to be sure."""


def encodings(secret: str) -> frozenset[str]:
    """Return the ways in which a secret might be written."""
    raw = secret.encode()
    return frozenset({secret, quote(secret, safe=""), raw.hex(), raw.hex().upper(), *_base64(raw)})


def _base64(raw: bytes) -> Iterator[str]:
    """The part of every base64 text around the secret that does not depend on what stands before and after it."""
    for before in range(3):
        text = b64encode(b"\0" * before + raw + b"\0" * 3).decode()
        kept = text[ceil(before * 4 / 3) : (before + len(raw)) * 4 // 3]
        if len(kept) >= _SURE:
            yield kept
            yield kept.replace("+", "-").replace("/", "_")


class NoSecretLeaves(Promise):
    """Looks for planted secrets in everything that is written."""

    name = "P11"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._looked_s = 0.0
        self._needles: frozenset[str] = frozenset()

    def plant(self, secret: str) -> None:
        """From now on look for this."""
        self._needles |= encodings(secret)

    def _look(self, where: str, text: str) -> None:
        self.checked += 1
        if any(needle in text for needle in self._needles):
            self._broken(f"a secret stands in {where}")

    def take_log(self, _logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Look at one entry of the log, as it is before redaction; the last processor of a simulation.

        Raises:
            structlog.DropEvent: Always: nothing is printed.
        """
        error = entry.get("exc_info")
        self._look("the log", f"{dict(entry)!r} {error!r}" if error else repr(dict(entry)))
        self._ground.counts["log entries"] += 1
        raise structlog.DropEvent

    def on_commands(self, facts: GuardFacts, commands: Sequence[Command]) -> None:
        """Look at what people are told."""
        for command in commands:
            if isinstance(command, RaiseAlert):
                self._look(f"the alert {command.topic} {command.state}", f"{command.text} {command.facts!r}")

    def on_second(self, *, is_strict: bool) -> None:
        """Look at the status, now and then."""
        if not is_strict and self._now_s - self._looked_s < STATUS_EVERY_S:
            return
        self._looked_s = self._now_s
        for facts in self._ground.guards.values():
            for name, shown in facts.guard.shown().items():
                self._look(name, json.dumps(shown, default=str))

    def at_end(self, facts: GuardFacts) -> None:
        """Look through its journal."""
        for number, content in facts.guard.disk.segments().items():
            self._look(f"segment {number} of the journal", content.decode("latin-1"))
