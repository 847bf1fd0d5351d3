"""The core's one timer."""

from __future__ import annotations

import asyncio

from daemon.core.events import Event, TimerFired
from daemon.shell.clock import SystemClock
from daemon.shell.timers import Timer


class Fired:
    """Collects events and says when one came."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.came = asyncio.Event()

    def take(self, event: Event) -> None:
        self.events.append(event)
        self.came.set()


async def test_a_time_that_has_come_fires_once() -> None:
    """The core asks for a time in the past: it is woken at once, and not again."""
    clock, fired = SystemClock(), Fired()
    timer = Timer(clock=clock, take=fired.take)
    timer.set_nowait(clock.now_ns() - 5)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(timer.run())
        async with asyncio.timeout(5):
            await fired.came.wait()
        fired.came.clear()
        timer.set_nowait(clock.now_ns() + 20_000_000)
        async with asyncio.timeout(5):
            await fired.came.wait()
        running.cancel()
    assert len(fired.events) == 2
    assert all(isinstance(event, TimerFired) for event in fired.events)


async def test_a_new_time_replaces_the_old() -> None:
    """A deadline far away is moved near while the timer already waits for the far one."""
    clock, fired = SystemClock(), Fired()
    timer = Timer(clock=clock, take=fired.take)
    timer.set_nowait(clock.now_ns() + 3_600_000_000_000)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(timer.run())
        await asyncio.sleep(0)
        wanted = clock.now_ns() + 10_000_000
        timer.set_nowait(wanted)
        async with asyncio.timeout(5):
            await fired.came.wait()
        running.cancel()
    assert fired.events[0].at_ns >= wanted


class SlowClock(SystemClock):
    """A clock that the loop's own timers run ahead of, as they do by some microseconds."""

    def __init__(self, behind_ns: int) -> None:
        super().__init__()
        self.behind_ns = behind_ns

    def now_ns(self) -> int:
        return super().now_ns() - self.behind_ns


async def test_it_never_fires_before_its_time() -> None:
    """The loop wakes the timer a little early by our clock: it waits on, for the core would find nothing due."""
    clock, fired = SlowClock(behind_ns=0), Fired()
    timer = Timer(clock=clock, take=fired.take)
    wanted = clock.now_ns() + 5_000_000
    timer.set_nowait(wanted)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(timer.run())
        await asyncio.sleep(0)
        clock.behind_ns = 20_000_000
        async with asyncio.timeout(5):
            await fired.came.wait()
        running.cancel()
    assert fired.events[0].at_ns >= wanted
