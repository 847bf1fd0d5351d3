"""Server-sent events: the answer that does not end, to one follower of the journal."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from daemon.shell.control.feed import Follower, Gone, RecordFeed, TooSlow

KEEP_ALIVE_S: Final = 10.0
"""A comment goes out this often, so that a dead line is found."""
SEND_WITHIN_S: Final = 5.0
"""A follower that takes nothing for this long is let go."""
_HEADERS: Final = [(b"content-type", b"text/event-stream; charset=utf-8")]


class EventStream(Response):
    """Goes on until the follower goes away or does not keep up."""

    def __init__(self, feed: RecordFeed, *, every: bool) -> None:
        super().__init__(media_type="text/event-stream")
        self._feed = feed
        self._every = every

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end."""
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        with self._feed.following(every=self._every) as follower:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(_wait_gone(receive, follower))
                try:
                    await _say(send, b": following\n\n")
                    await _follow(follower, send)
                except TimeoutError:
                    return  # it takes nothing: the connection ends with the answer unfinished
                finally:
                    watching.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _follow(follower: Follower, send: Send) -> None:
    while True:
        try:
            frames = await _next(follower)
        except TooSlow:
            await _say(send, b"event: dropped\ndata: {}\n\n")
            return
        except Gone:
            return
        await _say(send, frames)


async def _next(follower: Follower) -> bytes:
    try:
        async with asyncio.timeout(KEEP_ALIVE_S):
            return await follower.take()
    except TimeoutError:
        return b": alive\n\n"


async def _say(send: Send, words: bytes) -> None:
    async with asyncio.timeout(SEND_WITHIN_S):
        await send({"type": "http.response.body", "body": words, "more_body": True})


async def _wait_gone(receive: Receive, follower: Follower) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    follower.leave()
