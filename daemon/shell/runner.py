"""The heart of the shell: journal, decide, journal, hand over. One event at a time, without waiting.

Why: everything the guard does follows from this one function, so it has to stay readable at a glance. It holds no
opinions: the core says what, the executor says how.
"""

from __future__ import annotations

import asyncio

from daemon.core.events import Event
from daemon.core.state import GuardState
from daemon.core.step import step
from daemon.shell.journal import Journal
from daemon.shell.metrics.meter import Meter
from daemon.shell.outbox import Outbox


class Runner:
    """Takes events in, in the order in which they come, from the loop's thread only."""

    def __init__(self, *, state: GuardState, journal: Journal, outbox: Outbox, meter: Meter | None = None) -> None:
        self._state = state
        self._journal = journal
        self._outbox = outbox
        self._meter = meter or Meter()
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.events_taken = 0

    @property
    def state(self) -> GuardState:
        """All that is known, as of the newest event."""
        return self._state

    def take(self, event: Event) -> None:
        """Record the event, decide, record the decision, hand it over.

        Raises:
            InvariantBroken: The core contradicts itself. `wait_broken` ends the process, whoever called this.
        """
        try:
            self._decide(event)
        except Exception as error:
            self._note_broken(error)
            raise

    def _decide(self, event: Event) -> None:
        self._journal.append_event(event)
        outcome = step(self._state, event)
        self._journal.append_commands(outcome.commands)
        before, self._state = self._state, outcome.state
        if self._journal.wants_checkpoint:
            self._journal.begin_segment(self._state)
        for command in outcome.commands:
            self._outbox.put_nowait(command)
        self.events_taken += 1
        self._meter.decided(event, before, outcome)

    async def wait_broken(self) -> None:
        """Wait for the day that should not come, and raise what broke. A vital task, so it ends the process.

        Raises:
            InvariantBroken: What `take` raised into a caller that may not have known what to do with it.
        """
        await self._broken

    def _note_broken(self, error: Exception) -> None:
        if not self._broken.done():
            self._broken.set_exception(error)
