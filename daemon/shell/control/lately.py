"""What is described for callers, made anew only as often as the loop can bear.

Why: describing a thousand positions takes some hundredths of a second of the loop that also protects them. So it is
made a slice at a time, after each time it rests three times as long, and whoever asks meanwhile gets the same again:
however many ask, it takes a quarter of the loop at most. The longest slice takes five milliseconds, or forty where a
thousand positions share one cross account. With a handful of positions the whole is a millisecond, and nobody sees
anything old.

Units: seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from daemon.shell.control.counter import Answer
from daemon.shell.slices import Slices, in_turns

REST_FACTOR: Final = 3


class Lately:
    """One description, shared by all who ask."""

    def __init__(
        self,
        make: Callable[[], Answer],
        *,
        clock: Callable[[], float] = time.monotonic,
        work: Callable[[], float] = time.thread_time,
    ) -> None:
        """Prepare.

        Args:
            make: Describes; runs on the loop.
            clock: Says how old a description is.
            work: Says how long this thread has worked: what others take of the processor is not its cost.
        """
        self._make = make
        self._clock = clock
        self._work = work
        self._made: Answer = {}
        self._fresh_until_s = float("-inf")

    def __call__(self) -> Answer:
        """Return a description; nobody may change it."""
        if self._clock() >= self._fresh_until_s:
            begun_s = self._work()
            self._made = self._make()
            self._fresh_until_s = self._clock() + REST_FACTOR * (self._work() - begun_s)
        return self._made


class LatelyInTurns:
    """The same for what is made in slices; who asks while it is made waits for it with the others."""

    def __init__(
        self,
        make: Callable[[], Slices[Answer]],
        *,
        clock: Callable[[], float] = time.monotonic,
        work: Callable[[], float] = time.thread_time,
    ) -> None:
        """Prepare; the arguments are those of `Lately`."""
        self._make = make
        self._clock = clock
        self._work = work
        self._made: Answer = {}
        self._fresh_until_s = float("-inf")
        self._one = asyncio.Lock()

    async def __call__(self) -> Answer:
        """Return a description; nobody may change it."""
        async with self._one:
            if self._clock() >= self._fresh_until_s:
                self._made, cost_s = await in_turns(self._make(), work=self._work)
                self._fresh_until_s = self._clock() + REST_FACTOR * cost_s
            return self._made
