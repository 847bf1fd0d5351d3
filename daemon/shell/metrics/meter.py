"""What is counted beside the path of decisions: preallocated integers, and nothing that can wait or fail.

Why: a figure must never cost what it measures. Runner and executor say what they did after they did it; here it is
added up. Should that ever raise, it is said once, counting ends, and the guard goes on: what was counted is absent from
then on.

Times: nanoseconds since 1970 UTC where they come in, seconds in histograms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import structlog

from daemon.core.commands import Command, VenueCommand
from daemon.core.events import Event, HealthTicked
from daemon.core.state import GuardState
from daemon.core.step import Step
from daemon.shell.metrics.cover_watch import CoverWatch
from daemon.shell.metrics.histogram import Histogram, Reading
from daemon.shell.words import COMMANDS, EVENTS, READS, TRIGGERS, Errand, Outcome, Trigger, outcome_of

TICK_BOUNDS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0)
LAG_BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
REQUEST_BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

log = structlog.get_logger("metrics")


class Tracer(Protocol):
    """Follows each decision to its end, where that is asked for."""

    def decided(self, event: Event, outcome: Step) -> None:
        """A step was taken, and its commands were handed over."""

    def sent(self, command: VenueCommand, now_ns: int) -> None:
        """A request leaves."""

    def ended(self, command: VenueCommand, outcome: Event) -> None:
        """What became of it is known, or that nobody knows."""


class _Decided(NamedTuple):
    """A command on its way."""

    trigger: Trigger
    at_ns: int
    sent_ns: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """A copy of everything counted, which nothing changes any more."""

    events: dict[str, int]
    requests: dict[tuple[str, Outcome], int]
    request_times: dict[Errand, Reading]
    tick_to_command: dict[Trigger, Reading]
    loop_lag: Reading
    to_protection: Reading
    naked_s: float


class Meter:
    """Counts for one guard, in the loop's thread."""

    def __init__(self, tracer: Tracer | None = None) -> None:
        self._tracer = tracer
        self._is_counting = True
        self._cover = CoverWatch()
        self._events = dict.fromkeys(EVENTS, 0)
        self._requests = {(name, outcome): 0 for name in COMMANDS.values() for outcome in Outcome}
        self._request_times = {errand: Histogram(REQUEST_BOUNDS_S) for errand in Errand}
        self._tick_to_command = {trigger: Histogram(TICK_BOUNDS_S) for trigger in Trigger}
        self._loop_lag = Histogram(LAG_BOUNDS_S)
        self._open: dict[int, _Decided] = {}

    # ------------------------------------------------------------ told by runner and executor

    def decided(self, event: Event, before: GuardState, outcome: Step) -> None:
        """A step was taken, and its commands were handed over."""
        if self._is_counting:
            try:
                self._count_step(event, before, outcome)
            except Exception as error:  # noqa: BLE001 - what only counts must never end what protects
                self._give_up(error)

    def sent(self, command: VenueCommand, now_ns: int) -> None:
        """A request is handed to the connector."""
        if self._is_counting:
            try:
                self._count_sent(command, now_ns)
            except Exception as error:  # noqa: BLE001 - the same
                self._give_up(error)

    def ended(self, command: VenueCommand, outcome: Event) -> None:
        """A request came to its end, whatever that is."""
        if self._is_counting:
            try:
                self._count_end(command, outcome)
            except Exception as error:  # noqa: BLE001 - the same
                self._give_up(error)

    def _count_step(self, event: Event, before: GuardState, outcome: Step) -> None:
        self._events[type(event)] += 1
        if outcome.touched:
            self._cover.follow(before, outcome.state, outcome.touched)
        if outcome.commands:
            self._note_commands(event, outcome.commands)
        if type(event) is HealthTicked:
            self._loop_lag.observe(event.loop_lag_ns / 1e9)
        if self._tracer is not None:
            self._tracer.decided(event, outcome)

    def _note_commands(self, event: Event, commands: tuple[Command, ...]) -> None:
        decided = _Decided(TRIGGERS[type(event)], event.at_ns)
        for command in commands:
            if type(command) in COMMANDS:
                self._open[command.command_id] = decided  # type: ignore[union-attr]  # every venue command has one

    def _count_sent(self, command: VenueCommand, now_ns: int) -> None:
        decided = self._open.get(command.command_id)
        if decided is not None:
            self._tick_to_command[decided.trigger].observe(max(0, now_ns - decided.at_ns) / 1e9)
            self._open[command.command_id] = decided._replace(sent_ns=now_ns)
        if self._tracer is not None:
            self._tracer.sent(command, now_ns)

    def _count_end(self, command: VenueCommand, outcome: Event) -> None:
        self._requests[COMMANDS[type(command)], outcome_of(outcome)] += 1
        decided = self._open.pop(command.command_id, None)
        if decided is not None and decided.sent_ns:
            errand = Errand.READ if isinstance(command, READS) else Errand.WRITE
            self._request_times[errand].observe(max(0, outcome.at_ns - decided.sent_ns) / 1e9)
        if self._tracer is not None:
            self._tracer.ended(command, outcome)

    def _give_up(self, error: Exception) -> None:
        self._is_counting = False
        self._open.clear()
        log.error(
            "counting broke, and is off until a restart; the guard goes on", why=f"{type(error).__name__}: {error}"
        )

    # ------------------------------------------------------------ read by the page

    def read(self, now_ns: int) -> Counts | None:
        """Return what was counted so far; None if counting broke, since what stands still is not true."""
        if not self._is_counting:
            return None
        return Counts(
            events={EVENTS[kind]: count for kind, count in self._events.items()},
            requests=dict(self._requests),
            request_times={errand: each.read() for errand, each in self._request_times.items()},
            tick_to_command={trigger: each.read() for trigger, each in self._tick_to_command.items()},
            loop_lag=self._loop_lag.read(),
            to_protection=self._cover.to_protection.read(),
            naked_s=self._cover.naked_s(now_ns),
        )
