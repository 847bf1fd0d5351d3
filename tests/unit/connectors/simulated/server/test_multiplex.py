"""Many sessions over one connection; no sockets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.simulated.server.multiplex import Multiplexer
from connectors.simulated.server.outbox import Outbox
from connectors.simulated.server.venue import Venue
from tests.integration.exchange_client import START_MS, prices
from tests.unit.connectors.simulated.server.talks import a_venue, key_of, signed

MESSAGE, OPEN, CLOSE = 0, 1, 2


class Line:
    """A multiplexed connection, and what it says."""

    def __init__(self, venue: Venue) -> None:
        self.outbox = Outbox(1_000_000)
        self.whole = Multiplexer(venue, outbox=self.outbox, address="127.0.0.1", key=None)
        venue.hub.add(self.whole)
        self.whole.open(connections_left=5)

    def say(self, *parts: object) -> None:
        """Send one array."""
        self.whole.take(json.dumps(parts))

    def taken(self) -> list[Any]:
        """Return what was said since the last time."""
        said = [piece.decode() for piece in _texts(b"".join(self.outbox._pieces))]
        self.outbox._pieces.clear()
        self.outbox._bytes = 0
        return [text if text == "pong" else json.loads(text) for text in said]


def _texts(raw: bytes) -> list[bytes]:
    texts, at = [], 0
    while at < len(raw):
        length, start = raw[at + 1], at + 2
        if length > 125:
            size = 2 if length == 126 else 8
            length, start = int.from_bytes(raw[start : start + size], "big"), start + size
        texts.append(raw[start : start + length])
        at = start + length
    return texts


async def test_each_stream_is_greeted_and_talks_by_itself() -> None:
    """Id and topic of the client come back with every message; frames of one stream stay in it."""
    venue = a_venue()
    line = Line(venue)
    assert line.taken() == []
    line.say(OPEN, "a", "public")
    line.say(OPEN, 7, "more")
    first, second = line.taken()
    assert first[:3] == [MESSAGE, "a", "public"]
    assert first[3]["info"] == "Welcome to the BitMEX Realtime API."
    assert second[:3] == [MESSAGE, 7, "more"]
    line.say(MESSAGE, "a", "public", {"op": "subscribe", "args": ["quote:XBTUSD"]})
    reply, partial = line.taken()
    assert reply[3] == {
        "success": True,
        "subscribe": "quote:XBTUSD",
        "request": {"op": "subscribe", "args": ["quote:XBTUSD"]},
    }
    assert (partial[:3], partial[3]["action"]) == ([MESSAGE, "a", "public"], "partial")
    venue.submit(prices(START_MS + 1_000, XBTUSD=59_000))
    assert [(one[1], one[3]["table"], one[3]["action"]) for one in line.taken()] == [("a", "quote", "insert")]


async def test_a_stream_for_each_account() -> None:
    """The topic signs in; each stream sees its own account only."""
    venue = a_venue()
    line = Line(venue)
    for number in (0, 1):
        parts = [str(one) for one in signed(key_of(venue, number))]
        line.say(OPEN, number, ":".join(["userAuth", *parts]))
        line.say(MESSAGE, number, "any", {"op": "subscribe", "args": "margin"})
    said = line.taken()
    replies = [one[3] for one in said if one[3].get("request", {}).get("op") == "authKeyExpires"]
    assert [one["success"] for one in replies] == [True, True]
    filters = [(one[1], one[3]["filter"]) for one in said if "table" in one[3]]
    assert filters == [(number, {"account": venue.accounts[number]}) for number in (0, 1)]


async def test_a_bad_signature_ends_its_stream_only() -> None:
    """The refusal, then the close of the stream; the others live."""
    line = Line(a_venue())
    line.say(OPEN, "good", "public")
    line.say(OPEN, "bad", "userAuth:nobody:4000000000:00")
    line.taken()
    line.say(MESSAGE, "bad", "public", {"op": "help"})
    line.say(MESSAGE, "good", "public", "ping")
    error, pong = line.taken()
    assert (error[1], error[3]["status"]) == ("bad", 400)
    assert pong == [MESSAGE, "good", "public", "pong"]


async def test_what_a_bad_signature_is_told() -> None:
    """401 in the stream, then type 2."""
    line = Line(a_venue())
    topic = "userAuth:nobody:4000000000:00"
    line.say(OPEN, "bad", topic)
    _, error, end = line.taken()
    assert (error[3]["status"], error[3]["error"]) == (401, "Invalid API Key.")
    assert end == [CLOSE, "bad", topic]


async def test_a_closed_stream_is_silent_and_can_be_opened_again() -> None:
    """Type 2 is answered in kind, and nothing of the stream comes after it."""
    venue = a_venue()
    line = Line(venue)
    line.say(OPEN, "a", "public")
    line.say(MESSAGE, "a", "public", {"op": "subscribe", "args": ["quote"]})
    line.say(CLOSE, "a", "public")
    assert line.taken()[-1] == [CLOSE, "a", "public"]
    venue.submit(prices(START_MS + 1_000, XBTUSD=59_000))
    assert line.taken() == []
    line.say(OPEN, "a", "public")
    assert line.taken()[0][3]["info"].startswith("Welcome")
    venue.hub.remove(line.whole)
    line.whole.close()
    assert venue.hub._readers == {}


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "{}",
        "[]",
        "[0]",
        '[0,"a"]',
        '[0,"gone","public",{}]',
        '[2,"gone","public"]',
        '[9,"a","public",{}]',
        '[1,{},"public"]',
        '[1,"a",5]',
        f'[1,"{"x" * 600}","public"]',
        "[" * 1_000,
    ],
)
async def test_what_belongs_to_no_stream_is_an_error(text: str) -> None:
    """Answered with status 400 and the id, if there was one; never a crash."""
    line = Line(a_venue())
    line.whole.take(text)
    (error,) = line.taken()
    assert (error[0], error[3]["status"]) == (MESSAGE, 400)


async def test_ping_of_the_whole_connection() -> None:
    """A bare text is answered with a bare text."""
    line = Line(a_venue())
    line.whole.take("ping")
    assert line.taken() == ["pong"]


async def test_streams_are_bounded() -> None:
    """So many, and the next is refused."""
    line = Line(a_venue())
    for number in range(201):
        line.say(OPEN, number, "public")
    *_, error = line.taken()
    assert (error[1], error[3]["status"]) == (200, 400)
    assert len(line.whole.readers()) == 200
