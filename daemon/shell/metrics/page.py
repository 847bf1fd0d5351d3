"""The page of metrics: rendered when somebody asks, a little at a time, once for all who ask.

Why: rendering shares the loop with what protects. So a millisecond of it is followed by three of anything else, whoever
asks while it is made gets the same page, and for a second nobody makes it anew.

Units: seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from daemon.shell.metrics.rendering import MEDIA_TYPE, pieces
from daemon.shell.metrics.snapshot import Snapshot

WORK_S: Final = 0.001
"""At a time; one piece more may run over it."""
PAUSE_FACTOR: Final = 3
"""The pause that follows, in lengths of the work before it."""
FRESH_S: Final = 1.0


class Page:
    """One guard's metrics as text."""

    def __init__(self, take: Callable[[], Snapshot]) -> None:
        """Prepare.

        Args:
            take: Takes a snapshot; cheap, and in one go.
        """
        self._take = take
        self._text = b""
        self._fresh_until_s = 0.0
        self._turn = asyncio.Lock()
        self.rendered = 0
        self.media_type = MEDIA_TYPE

    async def text(self) -> bytes:
        """Return a page that is a second old at most, counted from when it was done."""
        async with self._turn:
            clock = asyncio.get_running_loop().time
            if clock() >= self._fresh_until_s:
                self._text = await self._render()
                self._fresh_until_s = clock() + FRESH_S
            return self._text

    async def _render(self) -> bytes:
        clock = asyncio.get_running_loop().time
        self.rendered += 1
        parts, begun_s = [], clock()
        for part in pieces(self._take()):
            parts.append(part)
            worked_s = clock() - begun_s
            if worked_s >= WORK_S:
                await asyncio.sleep(PAUSE_FACTOR * worked_s)
                begun_s = clock()
        return b"".join(parts)
