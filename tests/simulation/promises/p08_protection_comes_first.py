"""P8: the guard never sends into an empty bucket or a ban that it was told of, nor reads from what protection needs.

Judged by the answers that really reached it: what it was told, and when. What a bot took in between it cannot know.

Units: seconds of virtual time, requests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from daemon.core.commands import Command, RaiseAlert
from daemon.core.events import Event, Started
from tests.simulation.promises.ground import Answered, Ground, GuardFacts, Promise
from tests.simulation.requests import Sent

STORM: Final = 200
"""More commands than this from one guard within a second of virtual time are an endless loop."""
BAN_S: Final = 5.0
"""The shortest stay away from a venue that banned the address; the guard's own is longer."""
ROUNDING: Final = 2.0
"""Tokens that the venue's rounding to whole ones, and the answer's way, may explain."""
READS: Final = frozenset({"/api/v1/position", "/api/v1/user/margin"})
"""Reads that protect nothing. (A list of orders may be a question about one of ours.)"""
UNSIGNED: Final = "/api/v1"


class StormError(Exception):
    """A guard asks for the same thing without end; time would not go on."""


@dataclass(slots=True)
class _Told:
    """What one guard was told of its budget."""

    barred_s: float = -inf
    """Until when the venue asked it to stay away."""
    banned_s: float = -inf
    left: float = inf
    """Requests left, as last told, less those sent since."""
    per_s: float = 0.0
    at_s: float = 0.0
    second: int = 0
    asked: int = 0
    """Commands for the exchange within that second."""


class ProtectionComesFirst(Promise):
    """Follows what each guard was told, and what it sends after that."""

    name = "P8"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._told: dict[str, _Told] = {}

    def _of(self, facts: GuardFacts) -> _Told:
        return self._told.setdefault(facts.guard.name, _Told())

    def on_answer(self, facts: GuardFacts, answer: Answered) -> None:
        """Learn what it was told."""
        told = self._of(facts)
        if answer.status == 403 and "html" in answer.headers.get("content-type", ""):
            told.banned_s = self._now_s + BAN_S
        if answer.path == UNSIGNED:
            return
        if answer.status == 429:
            told.barred_s = max(told.barred_s, self._now_s + _number(answer.headers, "retry-after", 1.0))
        left = _number(answer.headers, "x-ratelimit-remaining", inf)
        if left < inf:
            limit = _number(answer.headers, "x-ratelimit-limit", 120.0)
            told.left, told.per_s, told.at_s = left, limit / 60, self._now_s

    def on_sent(self, facts: GuardFacts | None, sent: Sent, body: Mapping[str, object]) -> None:
        """A request leaves: may it?"""
        if facts is None:
            return
        told, what = self._of(facts), f"{facts.guard.name} sends {sent.verb} {sent.path}"
        if self._now_s < told.banned_s:
            self._broken(f"{what} into a ban it was told of")
        if sent.path == UNSIGNED:
            return
        self.checked += told.left < inf
        if self._now_s < told.barred_s - 0.01:
            self._broken(f"{what} although the venue asked it to stay away {told.barred_s - self._now_s:.1f} s longer")
        told.left = told.left + (self._now_s - told.at_s) * told.per_s - 1
        told.at_s = self._now_s
        reserve = facts.guard.ports.venue_settings.protective_reserve
        if sent.verb == "GET" and sent.path in READS and told.left + ROUNDING < reserve:
            self._broken(f"{what} with {told.left:.1f} requests left, of which {reserve} are kept for protection")

    def on_event(self, facts: GuardFacts, event: Event) -> None:
        """A new process was told nothing."""
        if isinstance(event, Started):
            self._told[facts.guard.name] = _Told()

    def on_commands(self, facts: GuardFacts, commands: Sequence[Command]) -> None:
        """Commands come at a pace.

        Raises:
            StormError: If they do not: time would stand still.
        """
        told, second = self._of(facts), int(self._now_s)
        if second != told.second:
            told.second, told.asked = second, 0
        told.asked += sum(
            not isinstance(command, RaiseAlert) and hasattr(command, "command_id") for command in commands
        )
        if told.asked > STORM:
            raise StormError(f"P8: {facts.guard.name} asked for {STORM} things within a second")


def _number(headers: Mapping[str, str], name: str, otherwise: float) -> float:
    try:
        return float(headers[name])
    except (KeyError, ValueError):
        return otherwise
