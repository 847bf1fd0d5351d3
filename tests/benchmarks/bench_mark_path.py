"""The usual frame: a mark that stays in its band, from the bytes of the frame to "nothing to do".

This is what market data costs all day long: decode, look at the clocks, compare with the band. Compared with decoding
alone (`json`, untyped `msgspec`) and with the same comparison written by hand over untyped rows.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal

import msgspec

from connectors.bitmex.feed import FeedConnection
from connectors.bitmex.market_data import _InstrumentReader
from connectors.bitmex.protocol import marks
from connectors.bitmex.protocol.session import Session, SessionTimes
from connectors.ports import Feed
from daemon.core.commands import SetBand
from daemon.core.events import Event
from daemon.shell.bands import Bands
from daemon.shell.clock import SystemClock
from daemon.shell.inbox import Inbox
from tests.benchmarks.measure import Action, median_costs, print_costs
from tests.unit.connectors.bitmex.bitmex_builders import INSTRUMENT_ROW, partial, some_settings

SYMBOL = "DOTUSDT"
MARK = (
    b'{"table":"instrument","action":"update","data":[{"symbol":"DOTUSDT","openValue":538432500000,"fairPrice":1.2669,'
    b'"markPrice":1.2669,"timestamp":"2026-05-27T12:56:40.500Z"}]}'
)
QUOTE = (
    b'{"table":"instrument","action":"update","data":[{"symbol":"DOTUSDT","bidPrice":1.2668,"midPrice":1.26685,'
    b'"askPrice":1.2669,"impactBidPrice":1.2661,"impactMidPrice":1.2667,"impactAskPrice":1.2673,'
    b'"totalVolume":1873240001,"volume":1200345,"volume24h":20034520,"homeNotional24h":15812304,'
    b'"timestamp":"2026-05-27T12:56:40.500Z"}]}'
)
TIMES = SessionTimes(ping_after_s=5.0, pong_within_s=5.0)
Band = tuple[float, float]


def live_path(symbols: int) -> tuple[FeedConnection, _InstrumentReader, Session, list[Event]]:
    """Return the real path from socket to band, live, with a band for each of so many symbols."""
    events: list[Event] = []
    inbox = Inbox(clock=SystemClock(), take=events.append, bands=Bands())
    inbox.read_marks_with(marks.exact_mark)
    reader = _InstrumentReader(inbox, ())
    feed = FeedConnection(settings=some_settings(), feed=Feed.MARKET, sink=inbox, reader=reader, jitter=lambda: 0.5)
    feed._steady_s = asyncio.get_running_loop().time  # as `run` does
    session = reader.new_session(TIMES)
    session.opened(0.0)
    names = [SYMBOL, *(f"S{number}USDT" for number in range(1, symbols))]
    rows = [{**INSTRUMENT_ROW, "symbol": name, "markPrice": 1.2669} for name in names]
    feed._take_frame(session, partial("instrument", rows))
    for name in names:
        inbox.set_band(SetBand(symbol=name, low=Decimal("1.1"), high=Decimal("1.5")))
    session.frames_to_send()
    feed._take_frame(session, MARK)
    events.clear()
    return feed, reader, session, events


def by_hand(decode: Callable[[bytes], dict[str, list[dict[str, object]]]]) -> Action:
    """Return the comparison as one would write it over untyped rows."""
    bands: dict[str, Band] = {SYMBOL: (1.1, 1.5)}
    told: list[object] = []

    def take() -> None:
        frame = decode(MARK)
        if frame.get("table") != "instrument":
            return
        for row in frame["data"]:
            mark = row.get("markPrice")
            band = bands.get(str(row["symbol"]))
            if band is not None and isinstance(mark, float) and not band[0] < mark < band[1]:
                told.append(mark)

    return take


async def measure() -> None:
    """Print the table."""
    one, reader, session, told = live_path(1)
    many, _, many_session, many_told = live_path(1_000)
    untyped = msgspec.json.Decoder().decode
    costs = median_costs(
        {
            "json.loads, decode only": lambda: json.loads(MARK),
            "json, by hand": by_hand(json.loads),
            "msgspec untyped, decode only": lambda: untyped(MARK),
            "msgspec untyped, by hand": by_hand(untyped),
            "ours: decode": lambda: marks.mark_rows(MARK),
            "ours: decode, compare": lambda: reader.read(session, MARK, now_s=1.0, received_ns=1),
            "ours: all (clocks, sign of life too)": lambda: one._take_frame(session, MARK),
            "ours: all, 1,000 symbols banded": lambda: many._take_frame(many_session, MARK),
            "ours: all, a frame without a mark": lambda: one._take_frame(session, QUOTE),
            "ours: exact decode, outside only": lambda: marks.exact_mark(MARK, SYMBOL),
        }
    )
    title = f"mark path, CPU us a frame ({len(MARK)} B; without a mark {len(QUOTE)} B), told to the core:"
    print_costs(f"{title} {len(told) + len(many_told)}", costs, floor="msgspec untyped, by hand")


if __name__ == "__main__":
    asyncio.run(measure())
