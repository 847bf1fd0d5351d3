"""The HTTP server's WebSocket protocol, with a way to write many messages at once.

Why: ASGI sends one message at a time, through two awaits, a dictionary and a system call each. A
feed of twenty thousand frames a second needs whole batches of frames that are already made. So each
connection offers a `FrameWriter` in its scope; hand-shake, reading, pings and closing stay as they
are.

Units: bytes. Source: ASGI 3.0, extensions; RFC 6455.
"""

from __future__ import annotations

from typing import Protocol

from starlette.websockets import WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

EXTENSION = "seawall.frames"
_GONE = 1006
_LINGER_S = 1.0  # for the peer to take what was written, and to answer the close


class FrameWriter(Protocol):
    """One open connection, as far as writing goes."""

    async def write_frames(self, frames: bytes) -> None:
        """Write whole frames; wait first while the peer takes nothing.

        Raises:
            WebSocketDisconnect: If the connection has gone or is closing.
        """

    def break_off(self, frames: bytes) -> None:
        """Write the first half of this and end the connection without a close frame."""


class StreamProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket connection that can also be written to by the batch."""

    async def run_asgi(self) -> None:
        """Run the application, with this connection in its scope."""
        extensions: dict[str, dict[object, object]] = self.scope["extensions"] or {}
        extensions[EXTENSION] = {"writer": self}
        await super().run_asgi()
        # A client that reads nothing would keep what is still to be written, and the socket, for ever.
        self.loop.call_later(_LINGER_S, self.transport.abort)

    async def write_frames(self, frames: bytes) -> None:
        """Write whole frames; wait first while the peer takes nothing."""
        await self.writable.wait()
        if self.close_sent or self.transport.is_closing():
            raise WebSocketDisconnect(_GONE)
        self.transport.write(frames)

    def break_off(self, frames: bytes) -> None:
        """Write the first half of this and end the connection without a close frame."""
        if not self.transport.is_closing():
            self.transport.write(frames[: len(frames) // 2])
            self.transport.close()
