"""Contract figures at the start: from requests, for as long as the market stream has not told them."""

from __future__ import annotations

import asyncio

from connectors.errors import Unavailable
from connectors.ports import Feed
from connectors.vocabulary import Instrument
from daemon.core.events import Event, InstrumentSeen
from daemon.shell.figures import FigureReader
from tests.fakes import FakeOrderEntry, FakeVenue, ManualClock, an_instrument


class Entry(FakeOrderEntry):
    """Requests that fail as often as told, and may take until the stream is live."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__(FakeVenue())
        self.failures = failures
        self.asked = 0
        self.live: set[Feed] = set()
        self.goes_live_meanwhile = False

    def is_live(self, feed: Feed) -> bool:
        return feed in self.live

    async def instruments(self) -> tuple[Instrument, ...]:
        self.asked += 1
        if self.asked <= self.failures:
            raise Unavailable("overload")
        if self.goes_live_meanwhile:
            self.live.add(Feed.MARKET)
        return await super().instruments()


async def told(entry: Entry) -> list[Event]:
    """Everything that the reader takes in until it ends."""
    taken: list[Event] = []
    reader = FigureReader(orders=entry, clock=ManualClock(), feeds=entry, take=taken.append, first_pause_s=0.0)
    async with asyncio.timeout(5):
        await reader.run()
    return taken


async def test_figures_are_read_before_the_stream_tells_them() -> None:
    """P2: a request answers, the stream does not yet: the core knows the contract."""
    (event,) = await told(Entry())
    assert isinstance(event, InstrumentSeen)
    assert event.instrument == an_instrument()


async def test_a_request_that_fails_is_tried_again() -> None:
    """P2: two refusals for overload, then the figures."""
    entry = Entry(failures=2)
    assert len(await told(entry)) == 1
    assert entry.asked == 3


async def test_nothing_is_asked_of_a_live_stream() -> None:
    """P8: the stream was first: no request is spent."""
    entry = Entry()
    entry.live.add(Feed.MARKET)
    assert await told(entry) == []
    assert entry.asked == 0


async def test_what_was_read_while_the_stream_came_up_is_dropped() -> None:
    """The stream's figures are newer than those that a request brought meanwhile."""
    entry = Entry()
    entry.goes_live_meanwhile = True
    assert await told(entry) == []
