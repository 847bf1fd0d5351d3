"""Instrument rows at the venue's pace."""

from __future__ import annotations

import itertools

from connectors.simulated.engine.changes import Change
from connectors.simulated.server.pace import Pace
from tests.integration.exchange_client import START_MS, prices
from tests.unit.connectors.simulated.server.talks import a_session, a_venue, subscribe


def row(clock: str, mark: int, symbol: str = "XBTUSD", table: str = "instrument") -> Change:
    """Return a row at a time of one minute."""
    timestamp = f"2026-05-27T12:56:{clock}Z"
    return Change(table=table, account=None, row={"symbol": symbol, "markPrice": mark, "timestamp": timestamp})


def told(changes: object) -> list[tuple[object, object, object]]:
    """Return symbol, mark and second of each change."""
    assert isinstance(changes, list | tuple)
    return [(one.row["symbol"], one.row["markPrice"], str(one.row["timestamp"])[-7:-1]) for one in changes]


def test_without_a_period_every_step_is_told() -> None:
    """The default: nothing is touched."""
    changes = [row("40.100", 1), row("40.101", 2)]
    assert Pace(0).due(changes) is changes


def test_rows_of_half_a_second_become_one() -> None:
    """The last of each symbol, stamped with the half second that has passed; other tables are not held."""
    pace = Pace(500)
    quote = row("40.300", 0, table="quote")
    assert told(pace.due([row("40.100", 1), row("40.200", 2), quote, row("40.300", 9, "ETHUSD")])) == told([quote])
    assert told(pace.due([row("40.480", 3)])) == []
    assert told(pace.due([row("40.500", 4)])) == [("XBTUSD", 3, "40.500"), ("ETHUSD", 9, "40.500")]
    assert told(pace.due([row("42.730", 5)])) == [("XBTUSD", 4, "41.000")]


async def test_a_venue_at_the_venues_pace() -> None:
    """All stamps of updates are on the half second."""
    times = itertools.count(START_MS, 40)
    venue = a_venue(instrument_period_ms=500, clock=lambda: next(times))
    session, outlet = a_session(venue)
    subscribe(session, "instrument:XBTUSD")
    outlet.taken()
    for number in range(40):
        venue.submit(prices(START_MS + number, XBTUSD=59_000 + number))
    stamps = [frame["data"][0]["timestamp"] for frame in outlet.taken()]
    assert 3 <= len(stamps) < 40
    assert {stamp[-5:] for stamp in stamps} == {".000Z", ".500Z"}
