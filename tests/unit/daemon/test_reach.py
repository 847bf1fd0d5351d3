"""Whether the two streams come up, asked before a position depends on it."""

from __future__ import annotations

from connectors.ports import DropCopy, Feed, FeedSink, MarketData
from daemon.core.events import FeedName
from daemon.reach import stream_problems
from tests.fakes import START_NS, FakeVenue


async def test_a_venue_in_order_has_no_problem() -> None:
    """Both streams are complete at once."""
    assert await stream_problems(FakeVenue()) == {}


class RefusedStream:
    """Lost before it was ever complete; the connector would go on trying."""

    def __init__(self, sink: FeedSink) -> None:
        self._sink = sink

    async def run(self) -> None:
        """Lose the stream twice, for two reasons."""
        self._sink.feed_lost(Feed.ACCOUNT, "hand-shake answered 404", received_ns=START_NS)
        self._sink.feed_lost(Feed.ACCOUNT, "no connection", received_ns=START_NS)


class HalfVenue(FakeVenue):
    """Prices are shown, the account is not."""

    def drop_copy(self, sink: FeedSink) -> DropCopy:
        return RefusedStream(sink)  # type: ignore[return-value]


async def test_the_first_reason_of_a_lost_stream_is_told() -> None:
    """A wrong address for real-time alone."""
    assert await stream_problems(HalfVenue()) == {FeedName.ACCOUNT: "hand-shake answered 404"}


class SilentStream:
    """Connects, and nothing ever comes."""

    async def run(self) -> None:
        """Say nothing."""


class SilentVenue(FakeVenue):
    """A proxy that swallows the stream of prices."""

    def market_data(self, sink: FeedSink) -> MarketData:
        return SilentStream()  # type: ignore[return-value]


async def test_a_silent_stream_is_given_up_in_time() -> None:
    """The check ends and says how long it waited."""
    assert await stream_problems(SilentVenue(), deadline_s=0.05) == {
        FeedName.MARKET: "it did not come up within 0.05 s"
    }
