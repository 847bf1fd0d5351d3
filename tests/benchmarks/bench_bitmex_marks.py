"""What one mark update of BitMEX costs: decoded, checked against what is known, handed to the sink.

Prints microseconds a frame (the best of several runs) for a real frame of the usual size, beside plain `json.loads` of
the same bytes in the same run: the ratio travels between machines, the microseconds do not.
"""

from __future__ import annotations

import asyncio
import json
import timeit
from collections.abc import Callable

from connectors.bitmex.feed import FeedConnection
from connectors.bitmex.market_data import _InstrumentReader
from connectors.bitmex.protocol import marks
from connectors.bitmex.protocol.session import Session, SessionTimes
from connectors.ports import Feed
from tests.unit.connectors.bitmex.bitmex_builders import INSTRUMENT_ROW, RememberingSink, partial, some_settings

FRAME = (
    b'{"table":"instrument","action":"update","data":[{"symbol":"DOTUSDT","openValue":538432500000,"fairPrice":1.2669,'
    b'"markPrice":1.2669,"timestamp":"2026-05-27T12:56:40.500Z"}]}'
)
ROUNDS, RUNS = 20_000, 9
TIMES = SessionTimes(ping_after_s=5.0, pong_within_s=5.0)


class CountingSink(RememberingSink):
    """A sink whose hot path does next to nothing."""

    def mark_price(self, symbol: str, price: float, frame: bytes, *, received_ns: int) -> None:
        """Take a mark."""


def best_us(action: Callable[[], object]) -> float:
    """Return the cost of one call, in microseconds."""
    return min(timeit.repeat(action, number=ROUNDS, repeat=RUNS)) / ROUNDS * 1e6


def live_reader() -> tuple[FeedConnection, _InstrumentReader, Session]:
    """Return a feed whose session is live and knows the symbol."""
    sink = CountingSink()
    reader = _InstrumentReader(sink, ())
    feed = FeedConnection(settings=some_settings(), feed=Feed.MARKET, sink=sink, reader=reader, jitter=lambda: 0.5)
    session = reader.new_session(TIMES)
    session.opened(0.0)
    session.receive(partial("instrument", [{**INSTRUMENT_ROW, "symbol": "DOTUSDT"}]), 0.0)
    for event in session.events():
        reader.take(event, received_ns=0)
    session.frames_to_send()
    return feed, reader, session


async def measure() -> None:
    """Print the figures."""
    feed, reader, session = live_reader()
    plain = best_us(lambda: json.loads(FRAME))
    figures = {
        "json.loads, decode only": plain,
        "decode": best_us(lambda: marks.mark_rows(FRAME)),
        "decode and dispatch": best_us(lambda: reader.read(session, FRAME, now_s=1.0, received_ns=1)),
        "the same with clocks, sign of life and flush check": best_us(lambda: feed._take_frame(session, FRAME)),
        "exact decode of one mark (off the path)": best_us(lambda: marks.exact_mark(FRAME, "DOTUSDT")),
    }
    for what, cost_us in figures.items():
        print(f"{what}: {cost_us:.2f} us a frame of {len(FRAME)} bytes, {cost_us / plain:.2f} of json")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(measure())
