"""The core's one timer: `SetTimer` goes in, `TimerFired` comes out.

Why: the core knows no time but that of its events, so waking up must be an event too. A new time replaces the old.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from daemon.core.events import Event, TimerFired
from daemon.shell.clock import Clock

SHORTEST_WAIT_S = 0.001
"""A time that has passed already still lets the loop turn once: a core that asks for the past must not starve it."""


class Timer:
    """One alarm clock, run as a vital task."""

    def __init__(self, *, clock: Clock, take: Callable[[Event], None]) -> None:
        self._clock = clock
        self._take = take
        self._at_ns: int | None = None
        self._changed = asyncio.Event()

    def set_nowait(self, at_ns: int) -> None:
        """Replace the time at which to wake the core (nanoseconds since 1970 UTC)."""
        self._at_ns = at_ns
        self._changed.set()

    async def run(self) -> None:
        """Fire whenever the time set has come, until cancelled."""
        while True:
            await self._wait_due()
            self._at_ns = None
            self._take(TimerFired(at_ns=self._clock.now_ns()))

    async def _wait_due(self) -> None:
        while True:
            self._changed.clear()
            wait_s = self._wait_s()
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                if self._at_ns is not None and self._clock.now_ns() >= self._at_ns:
                    return

    def _wait_s(self) -> float | None:
        if self._at_ns is None:
            return None
        return max(SHORTEST_WAIT_S, (self._at_ns - self._clock.now_ns()) / 1e9)
