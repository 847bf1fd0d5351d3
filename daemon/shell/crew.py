"""The tasks of the daemon, by how much depends on them.

Why: a guard without its eyes or hands must not go on as if it had them, and must not die because nobody could read its
status page. So a *vital* part that ends, however it ends, ends the process, and the service manager starts it again
into the ordinary recovery. A *helpful* part is started again in place, a bounded number of times, and can never take a
vital one with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

MOST_RESTARTS = 20
"""In a row; see `WELL_AFTER_S`."""
WELL_AFTER_S = 300.0
"""A part that ran this long was well: its next failure is counted as the first."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0

log = structlog.get_logger("tasks")


class VitalPartEnded(Exception):
    """A part that must never end returned."""


class Crew:
    """Named tasks in the one TaskGroup of `daemon.app`."""

    def __init__(self, tasks: asyncio.TaskGroup, *, first_pause_s: float = FIRST_PAUSE_S) -> None:
        self._tasks = tasks
        self._first_pause_s = first_pause_s
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Start a task that may end well at any time; if it fails, the process ends."""
        task = self._tasks.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def vital(self, name: str, work: Awaitable[None]) -> None:
        """Start a part without which the guard is none."""
        _ = self.spawn(_never_ending(name, work), name)

    def helpful(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Start a part that the guard can do without for a while."""
        _ = self.spawn(self._restarted(name, work), name)

    def dismiss(self) -> None:
        """Cancel whatever still runs."""
        for task in tuple(self._running):
            task.cancel()

    async def _restarted(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        restart = 0
        while restart <= MOST_RESTARTS:
            started_s = loop.time()
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - whatever a helpful part dies of, no vital part dies with it
                log.error("a helpful part failed", part=name, why=f"{type(error).__name__}: {error}", restart=restart)  # noqa: TRY400 - one line
            else:
                log.error("a helpful part ended", part=name, restart=restart)
            restart = 0 if loop.time() - started_s > WELL_AFTER_S else restart
            await asyncio.sleep(min(LONGEST_PAUSE_S, self._first_pause_s * 2.0**restart))
            restart += 1
        log.critical("a helpful part was given up", part=name, restarts=MOST_RESTARTS)


async def _never_ending(name: str, work: Awaitable[None]) -> None:
    await work
    raise VitalPartEnded(f"{name} ended, and the guard cannot be without it")
