"""What is described for callers, made anew only as often as the loop can bear.

Why: describing a thousand positions takes a tenth of a second of the loop that also protects them. So after each time
it rests three times as long, and whoever asks meanwhile gets the same again: however many ask, it takes a quarter of
the loop at most. With a handful of positions that is a millisecond, and nobody sees anything old.

Units: seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from daemon.shell.control.counter import Answer

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
