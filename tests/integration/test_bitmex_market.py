"""The market stream against a scripted venue."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from connectors.bitmex import feed
from tests.integration.bitmex_clients import a_market
from tests.integration.bitmex_fakes import POLL_S, Line, realtime, running, until
from tests.unit.connectors.bitmex.bitmex_builders import (
    INSTRUMENT_ROW,
    INSURANCE_ROW,
    LIQUIDATION_ROW,
    RememberingSink,
    change,
    partial,
    raw,
)


def market(*frames: bytes) -> Any:
    """Return a conversation that sends the instrument partial and then these frames."""

    async def story(line: Line) -> None:
        await line.greet(signed_in=False)
        index = {"symbol": ".BXBT", "typ": "MRCXXX", "state": "Unlisted", "markPrice": 5}
        await line.say(partial("instrument", [INSTRUMENT_ROW, index]), *frames)
        await line.listen()

    return story


def mark(symbol: str, price: float) -> bytes:
    """Return a mark update."""
    return change("instrument", "update", {"symbol": symbol, "fairPrice": price, "markPrice": price})


async def test_marks_arrive_with_their_frames() -> None:
    """The partial gives figures and marks; each update gives a mark with the raw frame, exact on demand."""
    sink = RememberingSink()
    frame = b'{"table":"instrument","action":"update","data":[{"symbol":"XBTUSD","markPrice":97850.123456789012345}]}'
    async with realtime(market(frame)) as fake:
        data = a_market(fake, sink)
        async with running(data.run()):
            await until(lambda: len(sink.of("mark")) == 3)
    assert [name for name, _ in sink.log] == ["instrument", "mark", "mark", "live", "mark"]
    symbol, price, sent = sink.of("mark")[-1]
    assert (symbol, sent) == ("XBTUSD", frame)
    assert price == pytest.approx(97850.123456789)
    assert str(data.exact_mark(sent, "XBTUSD")) == "97850.123456789012345"
    first = sink.of("mark")[0]
    assert str(data.exact_mark(first[2], "XBTUSD")) == "97849.76"


async def test_figures_are_told_when_they_change() -> None:
    """A new funding rate is told once; a frame that repeats it is not news; its mark is."""
    funding = change("instrument", "update", {"symbol": "XBTUSD", "fundingRate": 0.0002, "markPrice": 1.5})
    closed = change("instrument", "update", {"symbol": "XBTUSD", "state": "Closed"})
    sink = RememberingSink()
    async with realtime(market(funding, funding, closed)) as fake, running(a_market(fake, sink).run()):
        await until(lambda: len(sink.of("instrument")) == 3)
    assert [str(told.funding_rate) for told in sink.of("instrument")] == ["0.00011", "0.0002", "0.0002"]
    assert [told.is_open for told in sink.of("instrument")] == [True, True, False]
    assert [price for _, price, _ in sink.of("mark")][-2:] == [1.5, 1.5]


async def test_unknown_symbol_casts_doubt_on_the_table() -> None:
    """A mark of a symbol the partial did not hold means that something was lost: the table is asked for anew."""

    async def story(line: Line) -> None:
        await line.greet(signed_in=False)
        await line.say(partial("instrument", [INSTRUMENT_ROW]), mark("NEWUSD", 1.0))
        await line.hear_op("subscribe")
        await line.say(mark("XBTUSD", 7.0), partial("instrument", [{**INSTRUMENT_ROW, "markPrice": 9.0}]))
        await line.listen()

    sink = RememberingSink()
    async with realtime(story) as fake, running(a_market(fake, sink).run()):
        await until(lambda: len(sink.of("doubted")) == 2)
    told = [price for symbol, price, _ in sink.of("mark")]
    assert (told[-1], 7.0 in told) == (9.0, False), "nothing counts before the fresh partial"
    assert [problem != "" for _, problem in sink.of("doubted")] == [True, False]
    assert sink.of("lost") == []


async def test_newly_listed_symbol_is_welcome() -> None:
    """An insert makes a symbol known."""
    listed = change("instrument", "insert", {**INSTRUMENT_ROW, "symbol": "NEWUSD", "markPrice": 1})
    sink = RememberingSink()
    async with realtime(market(listed, mark("NEWUSD", 2.0))) as fake, running(a_market(fake, sink).run()):
        await until(lambda: len(sink.of("mark")) == 4)
    assert sink.of("lost") == []


async def test_one_unreadable_contract_does_not_blind_the_others() -> None:
    """A listing that cannot be read is left out of the partial, loudly."""
    odd = {**INSTRUMENT_ROW, "symbol": "ODDUSD", "lotSize": 0.5}

    async def story(line: Line) -> None:
        await line.greet(signed_in=False)
        await line.say(partial("instrument", [odd, INSTRUMENT_ROW]))
        await line.listen()

    sink = RememberingSink()
    async with realtime(story) as fake, running(a_market(fake, sink).run()):
        await until(lambda: sink.of("live"))
    assert [told.symbol for told in sink.of("instrument")] == ["XBTUSD"]


async def test_delisted_symbol_does_not_blind_the_others() -> None:
    """P12: of two symbols one is refused; the other goes live."""

    async def story(line: Line) -> None:
        await line.say()
        asked = await line.hear()
        await line.say(raw({"status": 400, "error": "Unknown or expired symbol.", "request": asked}))
        for _ in range(2):
            (topic,) = (await line.hear())["args"]
            if topic == "instrument:XBTUSD":
                await line.say(partial("instrument", [INSTRUMENT_ROW], covered={"symbol": "XBTUSD"}))
            else:
                again = {"op": "subscribe", "args": topic}
                await line.say(raw({"status": 400, "error": "Unknown or expired symbol.", "request": again}))
        await line.listen()

    sink = RememberingSink()
    async with realtime(story) as fake, running(a_market(fake, sink, "XBTUSD", "GONE").run()):
        await until(lambda: sink.of("live"))
    assert sink.of("lost") == []


async def test_a_stream_that_answers_pings_and_tells_no_price_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """P6: pongs are no prices: told apart from data, and after a while another connection is tried."""
    monkeypatch.setattr(feed, "_MUTE_AFTER_S", 0.3)
    sink = RememberingSink()
    async with realtime(market(), market()) as fake:
        data = a_market(fake, sink)
        async with running(data.run()):
            await until(lambda: len(sink.of("live")) == 2)
    assert sink.of("lost")[0] == "mute: pings are answered, and no price is told"
    assert sink.pongs >= 1
    assert sink.connections == 2


async def test_what_the_crash_tells_is_no_price(monkeypatch: pytest.MonkeyPatch) -> None:
    """P6, P12: liquidations and the fund come all the while, no price does: neither is taken for one."""
    monkeypatch.setattr(feed, "_MUTE_AFTER_S", 0.3)

    async def story(line: Line) -> None:
        await line.greet(signed_in=False)
        await line.say(partial("instrument", [INSTRUMENT_ROW]), mark("XBTUSD", 7.0))
        await line.say(partial("liquidation", []), partial("insurance", [INSURANCE_ROW]))
        async with asyncio.TaskGroup() as tasks:
            crash = tasks.create_task(_tell_for_ever(line, change("liquidation", "insert", LIQUIDATION_ROW)))
            await line.listen()
            crash.cancel()

    sink = RememberingSink()
    async with realtime(story, story) as fake, running(a_market(fake, sink).run()):
        await until(lambda: sink.of("lost"))
        assert sink.of("lost")[0] == "mute: pings are answered, and no price is told"
        assert len(sink.of("liquidation")) > 10
        # The welcome, what the subscriptions are answered with, the partial, the mark, and that the feed is whole.
        assert sink.signs_of_life < 10


async def _tell_for_ever(line: Line, frame: bytes) -> None:
    with suppress(ConnectionClosed):
        while True:
            await line.say(frame)
            await asyncio.sleep(POLL_S)
