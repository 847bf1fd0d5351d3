"""What has been decided and waits to be carried: a bounded queue from the runner to the executor.

Why bounded: a queue that only grows means that carrying has stopped, and then the process has to end and start again
through recovery rather than guard in its imagination.
"""

from __future__ import annotations

import asyncio

from daemon.core.commands import Command

LIMIT = 50_000
"""Far above what the largest account asks for in one go: 1,000 positions with a band, a stop and an alert each."""


class OutboxOverflow(Exception):
    """Commands are no longer carried; the process has to end."""


class Outbox:
    """First in, first out."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Command] = asyncio.Queue(LIMIT)

    def put_nowait(self, command: Command) -> None:
        """Hand a command over.

        Raises:
            OutboxOverflow: If the executor has stopped taking.
        """
        try:
            self._queue.put_nowait(command)
        except asyncio.QueueFull:
            raise OutboxOverflow(f"{LIMIT} commands wait to be carried") from None

    async def wait_next(self) -> Command:
        """Wait for the next command."""
        return await self._queue.get()

    def __len__(self) -> int:
        return self._queue.qsize()
