"""Do the two streams come up? Opens each, waits until it is complete or lost for the first time, and closes it again.

Why: `seawall check` must find a wrong real-time address, or a proxy that lets requests through and streams not, before
a position depends on it. It asks the ports that the guard itself uses, so what works here works there.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol

from connectors.ports import DropCopy, FeedSink, MarketData
from daemon.core.events import Event, FeedLive, FeedLost, FeedName
from daemon.shell.bands import Bands
from daemon.shell.clock import SystemClock
from daemon.shell.inbox import Inbox

DEADLINE_S = 10.0


class Streams(Protocol):
    """Where the two streams of a venue come from."""

    def market_data(self, sink: FeedSink) -> MarketData:
        """Return the stream of prices."""

    def drop_copy(self, sink: FeedSink) -> DropCopy:
        """Return the stream of the account."""


async def stream_problems(
    streams: Streams, *, deadline_s: float = DEADLINE_S, feeds: tuple[FeedName, ...] = tuple(FeedName)
) -> dict[FeedName, str]:
    """Return what is wrong with each stream that did not come up; empty when all did that were asked for."""
    words = _FirstWords(len(feeds))
    inbox = Inbox(clock=SystemClock(), take=words.take, bands=Bands())
    parts = {
        feed: streams.market_data(inbox) if feed is FeedName.MARKET else streams.drop_copy(inbox) for feed in feeds
    }
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(part.run(), name=feed.value) for feed, part in parts.items()]
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                await words.complete.wait()
        for each in running:
            each.cancel()
    silence = f"it did not come up within {deadline_s:g} s"
    return {feed: words.lost.get(feed, silence) for feed in feeds if feed not in words.live}


class _FirstWords:
    """Listens for one thing of each stream: whether it is complete, or why not."""

    def __init__(self, awaited: int) -> None:
        self._awaited = awaited
        self.live: set[FeedName] = set()
        self.lost: dict[FeedName, str] = {}
        self.complete = asyncio.Event()

    def take(self, event: Event) -> None:
        """Take what the inbox makes of the news."""
        match event:
            case FeedLive(feed=feed):
                self.live.add(feed)
            case FeedLost(feed=feed, reason=reason):
                self.lost.setdefault(feed, reason)
            case _:
                return
        if len(self.live | self.lost.keys()) == self._awaited:
            self.complete.set()
