"""What is still to be written to one WebSocket client, with a bound.

Why: a reader that stops reading must cost a fixed amount of memory and then lose its connection,
never the exchange's.

Units: characters of text, which are bytes here (frames are ASCII).
"""

from __future__ import annotations

import asyncio
from collections import deque


class Outbox:
    """Texts in order; full means the reader is given up.

    Attributes:
        is_closed: Nothing more will be taken.
        is_overrun: Closed because the reader was too slow.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._texts: deque[str] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()
        self._ended = asyncio.Event()
        self.is_closed = False
        self.is_overrun = False

    def put(self, text: str) -> None:
        """Take a text, or close for good if the reader has fallen too far behind."""
        if self.is_closed:
            return
        if self._bytes + len(text) > self._most_bytes:
            self.give_up()
            return
        self._texts.append(text)
        self._bytes += len(text)
        self._changed.set()

    def backlog(self) -> int:
        """Return the bytes not yet handed out."""
        return self._bytes

    def give_up(self) -> None:
        """Drop everything: the reader is too slow."""
        self.is_overrun = True
        self._texts.clear()
        self._bytes = 0
        self.close()

    def close(self) -> None:
        """Take no more; what is there will still be handed out."""
        self.is_closed = True
        self._changed.set()
        self._ended.set()

    async def wait_closed(self) -> None:
        """Wait until nothing more is taken."""
        await self._ended.wait()

    async def take(self) -> str | None:
        """Return the next text, waiting for it; None when closed and empty."""
        while not self._texts:
            if self.is_closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        text = self._texts.popleft()
        self._bytes -= len(text)
        return text
