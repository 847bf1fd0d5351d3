"""What is still to be written to one WebSocket client, with a bound.

Why: a reader that stops reading must cost a fixed amount of memory and then lose its connection,
never the exchange's. What has gathered leaves in one piece, so that a busy feed costs one write for
many frames.

Units: bytes as on the socket, frame headers included.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from connectors.simulated.server.messages import Message

NORMAL_CLOSURE = 1000
POLICY_VIOLATION = 1008
NO_CLOSE_FRAME = 1006  # never sent: what a client notes when a connection just ends
_PIECE_BYTES = 256 * 1024  # about what one write hands over


class Outlet(Protocol):
    """Where a session's messages go: an outbox, or a stream of a multiplexed connection."""

    def put(self, message: Message) -> None:
        """Take a message."""

    def close(self, code: int | None = NORMAL_CLOSURE) -> None:
        """Take no more; None breaks the connection off in the middle of a frame."""

    def backlog(self) -> int:
        """Return the bytes not yet handed out."""

    def give_up(self) -> None:
        """Drop everything: the reader is too slow."""


class Outbox:
    """Messages in order; full means the reader is given up.

    Attributes:
        is_closed: Nothing more will be taken.
        code: Close code for the client, None for a connection that breaks off.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._pieces: deque[bytes] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()
        self._ended = asyncio.Event()
        self.is_closed = False
        self.code: int | None = NORMAL_CLOSURE

    def put(self, message: Message) -> None:
        """Take a message, or close for good if the reader has fallen too far behind."""
        if self.is_closed:
            return
        framed = message.framed
        if self._bytes + len(framed) > self._most_bytes:
            self.give_up()
            return
        self._pieces.append(framed)
        self._bytes += len(framed)
        self._changed.set()

    def backlog(self) -> int:
        """Return the bytes not yet handed out."""
        return self._bytes

    def give_up(self) -> None:
        """Drop everything: the reader is too slow."""
        self._pieces.clear()
        self._bytes = 0
        self.close(POLICY_VIOLATION)

    def close(self, code: int | None = NORMAL_CLOSURE) -> None:
        """Take no more; what is there will still be handed out."""
        if not self.is_closed:
            self.is_closed = True
            self.code = code
        self._changed.set()
        self._ended.set()

    async def wait_closed(self) -> None:
        """Wait until nothing more is taken."""
        await self._ended.wait()

    async def take(self) -> bytes | None:
        """Return whole messages in one piece, waiting for the first; None when closed and empty."""
        while not self._pieces:
            if self.is_closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._gathered()

    def _gathered(self) -> bytes:
        if self._bytes <= _PIECE_BYTES:
            whole = b"".join(self._pieces)
            self._pieces.clear()
        else:
            some, length = [], 0
            while self._pieces and length < _PIECE_BYTES:
                some.append(self._pieces.popleft())
                length += len(some[-1])
            whole = b"".join(some)
        self._bytes -= len(whole)
        return whole
