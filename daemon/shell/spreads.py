"""Samples of bid and ask for the symbols that matter, told to the core on a slow round.

Why: a stop has to cross the spread, and one that lies nearer to liquidation than the spread protects nothing. The book
moves far more often than a decision is due, so the market stream only remembers the newest bid and ask, and this asks
it: by the clock, not by arriving marks, since a mark that stands still while the book moves is worth seeing too. The
round is spread over its ticks, so a thousand positions do not hold up the loop at once.

Units: nanoseconds, seconds where a name ends in `_s`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from connectors.ports import Feed
from connectors.vocabulary import Quote
from daemon.core.events import Event, SpreadSeen
from daemon.shell.clock import Clock

TICK_S: Final = 1.0
EVERY_NS: Final = 10_000_000_000
MOST_A_TICK: Final = 120
"""A thousand symbols take their ten seconds; with more, each comes less often."""


class WatchedSymbols(Protocol):
    """Who knows which symbols matter, and whether the stream of their prices is whole."""

    def watched_symbols(self) -> Iterable[str]:
        """Return the symbols with a band in force."""

    def is_live(self, feed: Feed, /) -> bool:
        """Whether the feed is complete on its present connection."""


class SpreadSampler:
    """The slow round."""

    def __init__(
        self,
        *,
        clock: Clock,
        symbols: WatchedSymbols,
        quote: Callable[[str], Quote | None],
        take: Callable[[Event], None],
    ) -> None:
        self._clock = clock
        self._symbols = symbols
        self._quote = quote
        self._take = take
        self._told_ns: dict[str, int] = {}

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            self.tick()

    def tick(self) -> None:
        """Tell the symbols whose turn it is. While the stream is away nothing is told: what it said may be old."""
        if not self._symbols.is_live(Feed.MARKET):
            return
        now_ns = self._clock.now_ns()
        watched = set(self._symbols.watched_symbols())
        self._told_ns = {symbol: at_ns for symbol, at_ns in self._told_ns.items() if symbol in watched}
        due = [symbol for symbol in watched if now_ns - self._told_ns.get(symbol, 0) >= EVERY_NS]
        due.sort(key=lambda symbol: (self._told_ns.get(symbol, 0), symbol))
        for symbol in due[:MOST_A_TICK]:
            self._told_ns[symbol] = now_ns
            quote = self._quote(symbol)
            if quote is not None:
                self._take(SpreadSeen(at_ns=self._clock.now_ns(), quote=quote))
