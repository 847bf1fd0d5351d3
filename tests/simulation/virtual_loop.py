"""An event loop whose time is made up: it jumps to the next timer the moment nobody has anything left to do.

Why: the shell is asyncio code and stays unchanged under simulation. With time under our hand an hour passes in
seconds and every run of a seed is the same run: there are no threads, no sockets and no clock of the machine in it.

Units: seconds on the loop's clock, which starts at 0; nanoseconds since 1970 UTC on the clocks made from it.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

EPOCH_NS = 1_782_864_000_000_000_000
"""Where virtual time starts: 2026-07-01T00:00Z, when every simulated contract is listed and none has expired."""
_RESOLUTION_S = 1e-6
_TURN_S = 1e-7
"""One turn of the loop takes at least this long, so a wait of less than time can express comes to its end too."""

T = TypeVar("T")


class Deadlock(Exception):
    """Every task waits and no timer is set: the run can never go on."""


class _NoSockets(selectors.BaseSelector):
    """Waits by moving the loop's clock. Registrations are kept, and never ready."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        self._advance = advance
        self._keys: dict[int, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        self._keys[number] = selectors.SelectorKey(fileobj, number, events, data)
        return self._keys[number]

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj if isinstance(fileobj, int) else fileobj.fileno())

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock("nothing is left to happen")
        self._advance(max(timeout, _TURN_S))
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop. `stall` makes the process seem to hang."""

    def __init__(self) -> None:
        self._now_s = 0.0
        self.turn_watchers: list[Callable[[], None]] = []
        """Called between two turns of the loop."""
        super().__init__(_NoSockets(self._advance))
        self._clock_resolution = _RESOLUTION_S

    def time(self) -> float:
        return self._now_s

    def _advance(self, seconds: float) -> None:
        self._now_s += seconds
        for watch in tuple(self.turn_watchers):
            watch()

    def stall(self, seconds: float) -> None:
        """Let time pass in the middle of a callback: everything due is late by so much."""
        self._now_s += seconds


class TrueTime:
    """The time that the exchange and the universe agree on."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now_ns(self) -> int:
        """Nanoseconds since 1970 UTC."""
        return EPOCH_NS + round(self._loop.time() * 1e9)

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC: the exchange's protocol clock."""
        return self.now_ns() // 1_000_000


class MachineClock:
    """The clock of one guard's machine, off by `offset_ns`; to a process it never goes back, like `SystemClock`."""

    def __init__(self, true_time: TrueTime) -> None:
        self._true_time = true_time
        self._process_offset_ns = 0
        self.offset_ns = 0
        self.set_at_ns = 0
        """True time at which the clock was last set."""

    def begin_process(self) -> None:
        """A process starts, and takes the wall clock as it is."""
        self._process_offset_ns = self.offset_ns

    def now_ns(self) -> int:
        """Follow the wall clock forward; tick on evenly while it is behind."""
        self._process_offset_ns = max(self._process_offset_ns, self.offset_ns)
        return self._true_time.now_ns() + self._process_offset_ns

    def move_past(self, ns: int) -> None:
        """Tick on from `ns` if the clock is behind it."""
        self._process_offset_ns = max(self._process_offset_ns, ns - self._true_time.now_ns())

    def set_off(self, offset_ns: int) -> None:
        """Set the clock wrong by so much."""
        self.offset_ns = offset_ns
        self.set_at_ns = self._true_time.now_ns()

    def is_just_set(self, within_s: float) -> bool:
        """Whether the clock was set a moment ago, so that durations measured with it mean nothing."""
        return self._true_time.now_ns() - self.set_at_ns < within_s * 1e9

    def wall_ns(self) -> int:
        """What this machine believes."""
        return self._true_time.now_ns() + self.offset_ns


def _arrive(passed: asyncio.Future[None]) -> None:
    if not passed.done():
        passed.set_result(None)


async def passing(seconds: float) -> None:
    """Let virtual time pass."""
    loop = asyncio.get_running_loop()
    passed: asyncio.Future[None] = loop.create_future()
    timer = loop.call_later(seconds, _arrive, passed)
    try:
        await passed
    finally:
        timer.cancel()


def run_virtually(work: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end on a loop of its own."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(work(loop))
    finally:
        try:
            loop.run_until_complete(_end_all())
        finally:
            asyncio.set_event_loop(None)
            loop.close()


async def _end_all() -> None:
    """Let nothing survive that a failed run left behind."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left)
