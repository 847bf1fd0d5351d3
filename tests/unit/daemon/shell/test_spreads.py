"""The slow round that samples bid and ask."""

from __future__ import annotations

from decimal import Decimal

from connectors.ports import Feed
from connectors.vocabulary import Quote
from daemon.core.events import Event, SpreadSeen
from daemon.shell.spreads import EVERY_NS, MOST_A_TICK, SpreadSampler
from tests.fakes import SECOND_NS, ManualClock


class Round:
    """A sampler with its surroundings."""

    def __init__(self, *symbols: str) -> None:
        self.clock = ManualClock()
        self.symbols = list(symbols)
        self.is_up = True
        self.quotes = {symbol: Quote(symbol=symbol, bid=Decimal(1), ask=Decimal(2)) for symbol in symbols}
        self.events: list[Event] = []
        self.sampler = SpreadSampler(clock=self.clock, symbols=self, quote=self.quotes.get, take=self.events.append)

    def watched_symbols(self) -> list[str]:
        """The symbols with a band."""
        return self.symbols

    def is_live(self, feed: Feed, /) -> bool:
        """Only the market stream matters."""
        return self.is_up and feed is Feed.MARKET

    def told(self, seconds: int = 1) -> list[str]:
        """Let seconds pass and return the symbols told in them."""
        self.events.clear()
        for _ in range(seconds):
            self.clock.advance_s(1)
            self.sampler.tick()
        return [event.quote.symbol for event in self.events if isinstance(event, SpreadSeen)]


def test_each_symbol_is_told_once_in_ten_seconds() -> None:
    """At once when it begins to matter, then on the round."""
    round_ = Round("A")
    assert round_.told() == ["A"]
    assert round_.told(9) == []
    assert round_.told() == ["A"]
    round_.symbols.append("B")
    round_.quotes["B"] = Quote(symbol="B", bid=None, ask=Decimal(3))
    assert round_.told() == ["B"]


def test_nothing_is_told_while_the_stream_is_away() -> None:
    """What it said last may be old."""
    round_ = Round("A")
    round_.is_up = False
    assert round_.told(30) == []
    round_.is_up = True
    assert round_.told() == ["A"]


def test_a_symbol_without_quote_is_passed_over() -> None:
    """The stream has not said anything of it yet."""
    round_ = Round("A")
    round_.quotes.clear()
    assert round_.told(30) == []


def test_many_symbols_are_spread_over_the_round() -> None:
    """A thousand positions: no tick tells more than its share, none is left out, none is told twice."""
    round_ = Round(*(f"S{number}" for number in range(1000)))
    assert len(round_.told()) == MOST_A_TICK
    assert len(round_.told(EVERY_NS // SECOND_NS - 2)) == 1000 - MOST_A_TICK


def test_a_symbol_that_comes_back_is_told_at_once() -> None:
    """Flat and open again: its last sample belongs to the past."""
    round_ = Round("A")
    round_.told()
    round_.symbols.clear()
    round_.told()
    round_.symbols.append("A")
    assert round_.told() == ["A"]
