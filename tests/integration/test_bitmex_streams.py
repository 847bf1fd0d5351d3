"""The two streams against a scripted venue that breaks on cue."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from connectors.bitmex import BitmexDropCopy, BitmexMarketData
from connectors.errors import OutcomeUnknown, Rejected, Unavailable
from connectors.ports import Feed
from connectors.vocabulary import OrderStatus
from tests.integration.bitmex_fakes import FakeRealtime, Line, realtime, running, until
from tests.unit.connectors.bitmex.bitmex_builders import (
    CANCEL_REJECT_ROW,
    CREDENTIALS,
    EXECUTION_ROW,
    EXPIRED_TOKEN,
    INSTRUMENT_ROW,
    MARGIN_ROW,
    POSITION_ROW,
    SECRET,
    STOP_ROW,
    RememberingSink,
    change,
    partial,
    raw,
    some_settings,
)

ORDER_ID = str(STOP_ROW["orderID"])
ROWS: dict[str, Any] = {"order": [STOP_ROW], "position": [POSITION_ROW], "margin": [MARGIN_ROW]}


def a_drop_copy(fake: FakeRealtime, sink: RememberingSink, **changed: Any) -> BitmexDropCopy:
    """Return a drop copy of a scripted venue."""
    settings = some_settings(realtime_url=fake.url, **changed)
    return BitmexDropCopy(settings=settings, credentials=CREDENTIALS, sink=sink, jitter=lambda: 0.5)


def a_market(fake: FakeRealtime, sink: RememberingSink, *symbols: str, **changed: Any) -> BitmexMarketData:
    """Return market data of a scripted venue."""
    settings = some_settings(realtime_url=fake.url, **changed)
    return BitmexMarketData(settings=settings, sink=sink, jitter=lambda: 0.5, symbols=symbols)


async def whole_account(line: Line) -> None:
    """Sign in, send four partials, answer pings."""
    await line.account(**ROWS)
    await line.listen()


async def test_account_from_sign_in_to_live() -> None:
    """Snapshots come before LIVE, each table once, and the sign-in precedes the subscription."""
    sink = RememberingSink()
    async with realtime(whole_account) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: sink.of("live"))
    assert [name for name, _ in sink.log] == ["orders", "positions", "margin", "live"]
    (stops,), (positions,) = sink.of("orders"), sink.of("positions")
    assert stops[0].is_resting_stop
    assert positions[0].quantity == 100
    assert sink.of("live") == [Feed.ACCOUNT]
    assert sink.signs_of_life >= 6


async def test_nothing_is_believed_before_its_partial() -> None:
    """Changes that overtake their partial are dropped."""

    async def hasty(line: Line) -> None:
        await line.greet()
        await line.say(change("order", "insert", STOP_ROW), change("position", "update", POSITION_ROW))
        await line.say(change("execution", "insert", EXECUTION_ROW), change("margin", "update", MARGIN_ROW))
        for table in ("order", "position", "margin", "execution"):
            await line.say(partial(table))
        await line.listen()

    sink = RememberingSink()
    async with realtime(hasty) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: sink.of("live"))
    assert sink.log == [("orders", ()), ("positions", ()), ("live", Feed.ACCOUNT)]


async def test_life_of_a_stop_on_the_stream() -> None:
    """Insert, trigger, fill: whole rows each time; a late word about the finished order does not break the feed."""

    async def story(line: Line) -> None:
        await line.account(position=[POSITION_ROW])
        await line.say(
            change("order", "insert", STOP_ROW),
            change("order", "update", {"orderID": ORDER_ID, "triggered": "StopOrderTriggered"}),
            change("order", "update", {"orderID": ORDER_ID, "ordStatus": "Filled", "leavesQty": 0, "cumQty": 100}),
            change("order", "update", {"orderID": ORDER_ID, "avgPx": 47990.5}),
            change("execution", "insert", EXECUTION_ROW, EXECUTION_ROW),
            change("position", "update", {**_key(), "currentQty": 0, "isOpen": False}),
        )
        await line.listen()

    sink = RememberingSink()
    async with realtime(story) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: sink.of("position"))
    new, triggered, filled, late = sink.of("order")
    assert new.is_resting_stop
    assert (triggered.is_triggered, triggered.stop_price) == (True, new.stop_price)
    assert filled.status is late.status is OrderStatus.FILLED
    assert len(sink.of("execution")) == 1
    assert sink.of("position")[0].liquidation_price is None
    assert sink.of("lost") == []


def _key() -> dict[str, Any]:
    return {column: POSITION_ROW[column] for column in ("account", "symbol", "strategy")}


async def test_refused_cancel_on_the_stream_is_no_order_status() -> None:
    """A CancelReject row tells of the request; no order is reported rejected."""

    async def story(line: Line) -> None:
        await line.account(**ROWS)
        await line.say(change("execution", "insert", CANCEL_REJECT_ROW))
        await line.listen()

    sink = RememberingSink()
    async with realtime(story) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: sink.of("refused"))
    assert sink.of("refused") == [("", CANCEL_REJECT_ROW["orderID"], "Invalid orderID")]
    assert sink.of("order") == []


async def test_connection_lost_in_the_middle_of_an_update() -> None:
    """The feed is lost, comes back on a new connection, and starts from partials that replace what was known."""

    async def cut(line: Line) -> None:
        await line.account(**ROWS)
        await line.say(change("order", "insert", {**STOP_ROW, "orderID": "second"}))
        line.socket.transport.abort()

    async def empty(line: Line) -> None:
        await line.account()
        await line.listen()

    sink = RememberingSink()
    async with realtime(cut, empty) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: len(sink.of("live")) == 2)
    assert len(sink.of("lost")) == 1
    assert sink.of("orders")[-1] == ()
    assert fake.most_open_lines == 1


@pytest.mark.parametrize(
    "poison",
    [
        raw(EXPIRED_TOKEN),
        change("order", "update", {"orderID": "unknown", "leavesQty": 1}),
        change("position", "update", {"account": 273093, "symbol": "XBTUSD", "currentQty": 5}),
        change("position", "insert", {**POSITION_ROW, "symbol": "ETHUSD", "currentQty": 0.5}),
        b'{"table":"order"',
    ],
    ids=["419", "unknown row", "missing key", "unreadable row", "not JSON"],
)
async def test_what_cannot_be_trusted_costs_the_connection(poison: bytes) -> None:
    """P12: an ended subscription, a lost row, a row that cannot be read: lost by name, then a fresh picture."""

    async def story(line: Line) -> None:
        await line.account(**ROWS)
        await line.say(poison)
        await line.listen()

    sink = RememberingSink()
    async with realtime(story, whole_account) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: len(sink.of("live")) == 2)
    assert len(sink.of("lost")) == 1
    assert len(fake.lines) == 2


async def test_silent_socket_is_given_up() -> None:
    """A venue that stops talking is pinged, and given up when it does not answer."""

    async def mute(line: Line) -> None:
        await line.account(**ROWS)
        await line.socket.wait_closed()

    sink = RememberingSink()
    async with realtime(mute, whole_account) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: len(sink.of("live")) == 2)
    assert sink.of("lost") == ["silent: no answer to a ping"]


async def test_quiet_venue_that_answers_pings_stays() -> None:
    """A private feed without news lives on pongs."""
    sink = RememberingSink()
    async with realtime(whole_account) as fake:
        settled = sink.signs_of_life
        async with running(a_drop_copy(fake, sink, ping_after_s=0.03, pong_within_s=1.0).run()):
            await until(lambda: sink.signs_of_life >= settled + 12)
    assert sink.of("lost") == []
    assert len(fake.lines) == 1


async def test_refused_hand_shakes_are_tried_again() -> None:
    """A venue that is deploying refuses hand-shakes; nothing listens at all: both are tried again."""
    sink = RememberingSink()
    async with realtime(whole_account, refuse_with=[503, 502]) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: sink.of("live"))
    assert sink.of("lost") == ["hand-shake answered 503", "hand-shake answered 502"]


async def test_venue_that_is_not_there() -> None:
    """No host at all: lost by name, again and again, and stoppable."""
    async with realtime(whole_account) as fake:
        sink, drop_copy = RememberingSink(), None
        drop_copy = a_drop_copy(fake, sink)
    async with running(drop_copy.run()):
        await until(lambda: len(sink.of("lost")) >= 3)
    assert set(sink.of("lost")) == {"no connection: ConnectionRefusedError"}


async def test_banned_address_stays_away() -> None:
    """P8: a hand-shake refused with 403 is a ban; there is no second attempt for a long while."""
    sink = RememberingSink()
    async with realtime(whole_account, refuse_with=[403]) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: sink.of("lost"))
        with pytest.raises(TimeoutError):
            await until(lambda: fake.lines, within_s=0.3)
    assert "banned" in sink.of("lost")[0]


async def test_refused_sign_in_is_told() -> None:
    """A wrong key is named, without the key's signature, and not tried again at once."""

    async def story(line: Line) -> None:
        request = await line.hear()
        await line.say(raw({"status": 401, "error": "Invalid API Key.", "meta": {}, "request": request}))
        await line.socket.close()

    sink = RememberingSink()
    async with realtime(story) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: sink.of("lost"))
    assert sink.of("lost") == ["sign-in refused: Invalid API Key."]
    assert len(fake.lines) == 1


async def test_cancelled_feed_closes_its_socket() -> None:
    """Stopping a feed is not swallowed and leaves no connection behind."""
    sink = RememberingSink()
    async with realtime(whole_account) as fake:
        async with running(a_drop_copy(fake, sink).run()):
            await until(lambda: sink.of("live"))
        await until(lambda: fake.open_lines == 0)
    assert sink.of("lost") == []


# ---------------------------------------------------------------------- the dead man's switch


def switch_answer(asked_ms: int, armed_ms: int) -> bytes:
    """Return the venue's answer to a feed of the switch."""
    times = {"now": "2024-04-09T09:00:00.000Z", "cancelTime": f"2024-04-09T09:{armed_ms // 60000:02}:00.000Z"}
    return raw({**times, "request": {"op": "cancelAllAfter", "args": asked_ms}})


def feeding(*replies: bytes | None) -> Any:
    """Return a conversation that answers feeds of the switch in turn; None leaves one unanswered."""

    async def story(line: Line) -> None:
        await line.account()
        for reply in replies:
            request = await line.hear()
            assert request["op"] == "cancelAllAfter"
            if reply is not None:
                await line.say(reply)
        await line.listen()

    return story


async def test_switch_over_the_stream() -> None:
    """P6: the switch is fed over the stream and its answer checked."""
    sink = RememberingSink()
    async with realtime(feeding(switch_answer(60_000, 60_000))) as fake:
        drop_copy = a_drop_copy(fake, sink)
        async with running(drop_copy.run()):
            await until(lambda: sink.of("live"))
            receipt = await drop_copy.cancel_all_after(60_000)
    assert receipt.cancel_time_ns == receipt.now_ns + 60_000_000_000


async def test_switch_armed_for_something_else() -> None:
    """P6: an answer that names another time-out is refused, not believed."""
    sink = RememberingSink()
    async with realtime(feeding(switch_answer(120_000, 60_000))) as fake:
        drop_copy = a_drop_copy(fake, sink)
        async with running(drop_copy.run()):
            await until(lambda: sink.of("live"))
            with pytest.raises(Rejected, match="armed 60000 ms"):
                await drop_copy.cancel_all_after(120_000)


async def test_switch_without_a_stream() -> None:
    """While the stream is down nothing is sent, and that is known."""
    sink = RememberingSink()
    async with realtime(whole_account) as fake:
        with pytest.raises(Unavailable, match="not live"):
            await a_drop_copy(fake, sink).cancel_all_after(60_000)


async def test_switch_unanswered_then_disarmed() -> None:
    """P5: a feed without an answer is unknown; a late answer to it is not taken for the answer to the next."""
    late = switch_answer(60_000, 60_000)
    disarmed = raw({"now": "2024-04-09T09:00:00.000Z", "request": {"op": "cancelAllAfter", "args": 0}})

    async def story(line: Line) -> None:
        await line.account()
        await line.hear()
        await line.hear()
        await line.say(late, disarmed)
        await line.listen()

    sink = RememberingSink()
    async with realtime(story) as fake:
        drop_copy = a_drop_copy(fake, sink, request_timeout_s=0.1)
        async with running(drop_copy.run()):
            await until(lambda: sink.of("live"))
            with pytest.raises(OutcomeUnknown, match="no answer"):
                await drop_copy.cancel_all_after(60_000)
            assert (await drop_copy.cancel_all_after(0)).cancel_time_ns is None


async def test_stream_lost_while_the_switch_waits() -> None:
    """P5: the connection broke between feed and answer: unknown, and said at once."""

    async def story(line: Line) -> None:
        await line.account()
        await line.hear()
        line.socket.transport.abort()

    sink = RememberingSink()
    async with realtime(story, whole_account) as fake:
        drop_copy = a_drop_copy(fake, sink, request_timeout_s=30.0)
        async with running(drop_copy.run()):
            await until(lambda: sink.of("live"))
            with pytest.raises(OutcomeUnknown, match="lost before the answer"):
                await drop_copy.cancel_all_after(60_000)


@pytest.mark.parametrize(("status", "kind"), [(429, Unavailable), (503, Unavailable), (401, Rejected), (400, Rejected)])
async def test_switch_refused(status: int, kind: type[Exception]) -> None:
    """A refusal of the switch is the caller's, and does not cost the connection."""
    request = {"op": "cancelAllAfter", "args": 60_000}
    refusal = raw({"status": status, "error": "no", "meta": {"retryAfter": 2}, "request": request})
    sink = RememberingSink()
    async with realtime(feeding(refusal)) as fake:
        drop_copy = a_drop_copy(fake, sink)
        async with running(drop_copy.run()):
            await until(lambda: sink.of("live"))
            with pytest.raises(kind):
                await drop_copy.cancel_all_after(60_000)
    assert sink.of("lost") == []


async def test_feeds_of_the_switch_keep_their_order() -> None:
    """A 0 called after a feed is sent after that feed's answer: a late feed would arm the switch again."""
    disarmed = raw({"now": "2024-04-09T09:00:00.000Z", "request": {"op": "cancelAllAfter", "args": 0}})
    sink = RememberingSink()
    async with realtime(feeding(switch_answer(60_000, 60_000), disarmed)) as fake:
        drop_copy = a_drop_copy(fake, sink)
        async with running(drop_copy.run()):
            await until(lambda: sink.of("live"))
            async with asyncio.TaskGroup() as tasks:
                armed = tasks.create_task(drop_copy.cancel_all_after(60_000))
                off = tasks.create_task(drop_copy.cancel_all_after(0))
    assert armed.result().cancel_time_ns is not None
    assert off.result().cancel_time_ns is None


# ---------------------------------------------------------------------- market data


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


async def test_unknown_symbol_costs_the_connection() -> None:
    """A mark of a symbol the partial did not hold means that something was lost."""
    sink = RememberingSink()
    async with realtime(market(mark("NEWUSD", 1.0)), market()) as fake, running(a_market(fake, sink).run()):
        await until(lambda: len(sink.of("live")) == 2)
    assert [symbol for symbol, _, _ in sink.of("mark")].count("NEWUSD") == 0


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


async def test_no_secret_leaves_by_log_or_report(caplog: pytest.LogCaptureFixture) -> None:
    """P11: with every logger at DEBUG, neither secret nor signature is written while signing in, failing, echoing."""
    caplog.set_level(logging.DEBUG)

    async def story(line: Line) -> None:
        request = await line.hear()
        await line.say(raw({"success": True, "request": request}))
        await line.say(raw({"status": 401, "error": "Signature not valid. " + request["args"][2], "request": request}))
        await line.listen()

    sink = RememberingSink()
    signatures: list[str] = []

    async def recorded(line: Line) -> None:
        original = line.hear

        async def hear() -> Any:
            request = await original()
            signatures.append(request["args"][2])
            return request

        line.hear = hear  # type: ignore[method-assign]
        await story(line)

    async with realtime(recorded) as fake:
        drop_copy = a_drop_copy(fake, sink)
        async with running(drop_copy.run()):
            await until(lambda: sink.of("lost"))
    client_lines = [record.getMessage() for record in caplog.records if not record.name.startswith("websockets.server")]
    written = "\n".join([*client_lines, repr(sink.log), repr(drop_copy), repr(vars(drop_copy))])
    assert signatures
    assert SECRET not in written
    assert signatures[0] not in written
