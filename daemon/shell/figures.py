"""At the start: read the contracts' figures over REST, because the market stream may let one wait for them.

Why: without tick and margins of its contract no stop can be placed, and they come with the first partial of the market
stream. The venue prepares that one every few seconds, and an outage keeps it away for longer; requests may work all the
while. A position found at the start must not stand bare for it. Once the stream is live it alone speaks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from connectors.errors import VenueError
from connectors.ports import Feed, OrderEntry
from daemon.core.events import Event, InstrumentSeen
from daemon.shell.clock import Clock

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 10.0

log = structlog.get_logger("figures")


class Liveness(Protocol):
    """Says whether a stream is complete."""

    def is_live(self, feed: Feed, /) -> bool:
        """Whether the feed is complete on its present connection."""


class FigureReader:
    """Asks until the figures are there or the market stream has told them."""

    def __init__(
        self,
        *,
        orders: OrderEntry,
        clock: Clock,
        feeds: Liveness,
        take: Callable[[Event], None],
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._orders = orders
        self._clock = clock
        self._feeds = feeds
        self._take = take
        self._pause_s = first_pause_s

    async def run(self) -> None:
        """Tell every contract once. Ends well as soon as nothing is left to do."""
        while not self._feeds.is_live(Feed.MARKET):
            try:
                found = await self._orders.instruments()
            except VenueError as error:
                log.info("contract figures not read", why=error.reason)
            else:
                if not self._feeds.is_live(Feed.MARKET):
                    for instrument in found:
                        self._take(InstrumentSeen(at_ns=self._clock.now_ns(), instrument=instrument))
                return
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(LONGEST_PAUSE_S, 2 * self._pause_s)
