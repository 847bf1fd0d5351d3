"""WebSocket of the embedded exchange, as a client sees it."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
from itertools import count
from typing import Any
from urllib.parse import urlencode

import pytest
import websockets

from connectors.simulated.server.embedded import EmbeddedExchange
from connectors.simulated.server.settings import RateLimits
from connectors.simulated.server.tables import TABLES
from tests.integration.exchange_client import START_MS, Feed, Rest, feed, prices, running, sign

STOP = {"symbol": "XBTUSD", "side": "Sell", "orderQty": 100, "stopPx": 50_000, "execInst": "MarkPrice,ReduceOnly"}
PRIVATE = sorted(name for name, table in TABLES.items() if table.is_private)
PUBLIC = sorted(name for name, table in TABLES.items() if not table.is_private)


async def test_welcome_help_and_ping() -> None:
    """The first frame greets and says how many connections are left; ping and help are plain texts."""
    async with running(limits=RateLimits()) as exchange, feed(exchange, greet=False) as one:
        welcome = await one.next()
        assert welcome["info"] == "Welcome to the BitMEX Realtime API."
        assert welcome["limit"]["remaining"] == 719
        assert {"version", "timestamp", "docs", "heartbeatEnabled"} <= set(welcome)
        await one.say("ping")
        assert await one.next() == "pong"
        await one.say("help")
        assert "order" in (await one.next())["subscriptionSubjects"]["authenticationRequired"]
        await one.say({"op": "help"})
        assert "trade" in (await one.next())["subscriptionSubjects"]["public"]


async def test_every_public_topic_has_a_partial() -> None:
    """A success reply for the topic, then a partial with keys, types, attributes and filter."""
    async with running() as exchange, feed(exchange) as one:
        for topic in PUBLIC:
            await one.say({"op": "subscribe", "args": topic})
            reply = await one.until(lambda frame: "subscribe" in frame)
            assert reply == {"success": True, "subscribe": topic, "request": {"op": "subscribe", "args": topic}}
            partial = await one.next()
            assert {"table", "action", "keys", "types", "foreignKeys", "attributes", "filter", "data"} == set(partial)
            assert (partial["table"], partial["action"], partial["filter"]) == (topic, "partial", {})


async def test_every_private_topic_has_a_partial() -> None:
    """Signed in, each account table comes with the account in its filter, empty or not."""
    async with running() as exchange, feed(exchange, key=exchange.key()) as one:
        await one.say({"op": "subscribe", "args": PRIVATE})
        for topic in PRIVATE:
            assert (await one.next())["subscribe"] == topic
            partial = await one.next()
            assert (partial["table"], partial["filter"]) == (topic, {"account": exchange.account})
            assert all(row["account"] == exchange.account for row in partial["data"])


async def test_private_topics_without_a_sign_in() -> None:
    """A 401 with the list of locked tables; the socket stays open and public data flows."""
    async with running() as exchange, feed(exchange) as one:
        await one.say({"op": "subscribe", "args": ["order", "instrument:XBTUSD"]})
        error = await one.next()
        assert error["status"] == 401
        assert error["error"].startswith("User requested an account-locked subscription")
        assert "position" in error["meta"]["notes"]
        assert (await one.next())["subscribe"] == "instrument:XBTUSD"


async def sign_in_by_message(exchange: EmbeddedExchange, one: Feed) -> None:
    """Sign in with `authKeyExpires` and check the echo."""
    reply = await one.sign_in(exchange.key())
    assert reply["success"] is True
    assert reply["request"]["args"][0] == exchange.key().key_id


@pytest.mark.parametrize("way", ["message", "headers", "query"])
async def test_three_ways_to_sign_in(way: str) -> None:
    """By operation, by headers of the hand-shake, or in the address."""
    async with running() as exchange:
        key = exchange.key() if way == "headers" else None
        query = f"?{urlencode(sign(exchange.key(), 'GET', '/realtime'))}&subscribe=margin" if way == "query" else ""
        async with feed(exchange, key=key, query=query) as one:
            if way == "message":
                await sign_in_by_message(exchange, one)
            if way != "query":
                await one.say({"op": "subscribe", "args": "margin"})
            rows = await one.table("margin", "partial")
            assert {row["account"] for row in rows} == {exchange.account}


async def test_bad_sign_in_by_message_is_told_and_ends() -> None:
    """The refusal echoes the request, then the venue closes."""
    async with running() as exchange, feed(exchange) as one:
        await one.say({"op": "authKeyExpires", "args": [exchange.key().key_id, 4_000_000_000, "00"]})
        error = await one.next()
        assert (error["status"], error["error"]) == (401, "Signature not valid.")
        assert error["request"]["op"] == "authKeyExpires"
        async with asyncio.timeout(5):
            await one.socket.wait_closed()


async def test_an_unknown_path_is_not_found() -> None:
    """A typo in the address is a 404, not the 403 that a ban would be."""
    async with running() as exchange:
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with websockets.connect(exchange.ws_url + "typo", proxy=None):
                pass
        assert refused.value.response.status_code == 404


async def test_bad_sign_in_by_hand_shake_gets_no_socket() -> None:
    """A wrong signature in headers or address is an HTTP 401."""
    async with running() as exchange:
        for address, headers in (
            (exchange.ws_url, {**sign(exchange.key(), "GET", "/realtime"), "api-signature": "00"}),
            (f"{exchange.ws_url}?api-key=nobody&api-expires=4000000000&api-signature=0", {}),
        ):
            with pytest.raises(websockets.InvalidStatus) as refused:
                async with websockets.connect(address, additional_headers=headers, proxy=None):
                    pass
            assert refused.value.response.status_code == 401
            assert "error" in json.loads(refused.value.response.body)


BAD_MESSAGES: list[tuple[Any, int, str]] = [
    ({"op": "subscribe", "args": "orderBook"}, 400, "Unknown table: orderBook."),
    ({"op": "subscribe", "args": "trade:NOPE"}, 400, "Unknown or expired symbol"),
    ({"op": "subscribe"}, 400, "Invalid or missing args"),
    ({"op": "subscribe", "args": [1]}, 400, "Invalid or missing args"),
    ({"op": "subscribe", "args": []}, 400, "Invalid or missing args"),
    ({"op": "unsubscribe", "args": "trade"}, 400, "You are not subscribed"),
    ({"op": "authKeyExpires", "args": []}, 400, "Missing API key."),
    ({"op": "authKeyExpires"}, 400, "Missing API key."),
    ({"op": "cancelAllAfter", "args": 1_000}, 401, "Authorization Required"),
    ({"op": "cancelAllAfter", "args": "soon"}, 400, "Invalid timeout"),
    ({"op": "cancelAllAfter", "args": "9" * 5_000}, 400, "Invalid timeout"),
    ('{"op":"dance","args":1e999999999}', 400, "Unrecognized request"),
    ({"op": "dance"}, 400, "Unrecognized request. See the docs or send 'help' for more details. Please see"),
    ({"op": "authKey", "args": ["a", 1, "b"]}, 400, "authKey is no longer supported"),
    ("what?", 400, "Unrecognized request"),
    ("[" * 50_000, 400, "Unrecognized request"),
    ([], 400, "Unrecognized request"),
]


async def test_errors_are_frames_and_the_socket_lives() -> None:
    """Each bad message is answered with status, error, meta and the request, on one and the same socket."""
    async with running() as exchange, feed(exchange) as one:
        for message, status, text in BAD_MESSAGES:
            await one.say(message)
            error = await one.next()
            assert error["status"] == status
            assert error["error"].startswith(text)
            assert set(error) == {"status", "error", "meta", "request"}
        await one.say("ping")
        assert await one.next() == "pong"


async def test_twice_subscribed_is_an_error_that_does_no_harm() -> None:
    """`order:*` is the whole table, so it is the same subscription as `order`."""
    async with running() as exchange, feed(exchange, key=exchange.key()) as one:
        await one.subscribe("order")
        await one.say({"op": "subscribe", "args": "order:*"})
        error = await one.next()
        assert error["error"].startswith("You are already subscribed to this topic: order:*")
        async with Rest(exchange) as rest:
            await rest.ask("POST", "/order", **STOP)
        assert (await one.table("order", "insert"))[0]["stopPx"] == 50_000


async def test_orders_arrive_whole_then_by_changes_and_only_to_their_account() -> None:
    """Insert, update, cancel on the stream; the other account's stream stays silent."""
    async with running() as exchange, Rest(exchange) as rest:
        other = exchange.key(exchange.venue.accounts[1])
        async with feed(exchange, key=exchange.key()) as mine, feed(exchange, key=other) as theirs:
            await mine.subscribe("order", "execution")
            await theirs.subscribe("order", "execution")
            order_id = (await rest.ask("POST", "/order", clOrdID="mine", **STOP))["orderID"]
            (born,) = await mine.table("order", "insert")
            assert (born["orderID"], born["ordStatus"], born["workingIndicator"]) == (order_id, "New", False)
            await rest.ask("PUT", "/order", orderID=order_id, stopPx=51_000)
            (moved,) = await mine.table("order", "update")
            assert (moved["stopPx"], moved["clOrdID"], moved["symbol"]) == (51_000, "mine", "XBTUSD")
            assert "side" not in moved
            await rest.ask("DELETE", "/order", orderID=order_id)
            (gone,) = await mine.table("order", "update")
            assert (gone["ordStatus"], gone["leavesQty"], gone["workingIndicator"]) == ("Canceled", 0, False)
            await theirs.say("ping")
            assert await theirs.next() == "pong"


async def test_an_index_is_a_trade_nobody_made() -> None:
    """`trade:.BXBT` prints with size 0 about once a second, also while the tape stands still; no book breaks."""
    hurried = count(START_MS, 250)  # milliseconds; each look at the clock is a quarter of a second later
    async with running(heartbeat_ms=20, clock=hurried.__next__) as exchange, feed(exchange) as one:
        await one.subscribe("orderBookL2:.BXBT", "trade:.BXBT")
        (row,) = await one.table("trade", "insert")
        assert (row["symbol"], row["size"], row["trdType"]) == (".BXBT", 0, "Referential")


async def test_a_market_order_shows_its_price_at_once() -> None:
    """Clients turn `price` of the first row into a number; each execution has one, too."""
    async with running() as exchange, feed(exchange, key=exchange.key()) as one, Rest(exchange) as rest:
        await one.subscribe("order", "execution")
        await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=100)
        (placed,) = await one.table("order", "insert")
        assert (placed["price"], placed["avgPx"], placed["ordStatus"]) == (60_000.5, None, "New")
        rows = await one.table("execution", "insert")
        assert all(row["price"] == 60_000.5 for row in rows)


async def test_symbol_filters() -> None:
    """Two filters of one table give two partials and both kinds of rows; others stay out."""
    async with running() as exchange, feed(exchange) as one:
        await one.say({"op": "subscribe", "args": ["instrument:XBTUSD", "instrument:ETHUSD"]})
        first = await one.until(lambda frame: frame.get("action") == "partial")
        assert first["filter"] == {"symbol": "XBTUSD"}
        assert [row["symbol"] for row in first["data"]] == ["XBTUSD"]
        await one.table("instrument", "partial")
        exchange.venue.submit(prices(START_MS + 1_000, XBTUSD=59_000, ETHUSD=2_300, XBTUSDT=59_000))
        symbols = {row["symbol"] for _ in range(2) for row in await one.table("instrument", "update")}
        assert symbols == {"XBTUSD", "ETHUSD"}


async def test_groups_of_instruments() -> None:
    """`instrument:CONTRACTS` has no indices, `instrument:INDICES` nothing else."""
    async with running() as exchange, feed(exchange) as one:
        await one.say({"op": "subscribe", "args": ["instrument:CONTRACTS", "instrument:INDICES"]})
        contracts = await one.table("instrument", "partial")
        assert {row["symbol"] for row in contracts} == {"XBTUSD", "XBTUSDT", "ETHUSD", "XBTH27"}
        indices = await one.table("instrument", "partial")
        assert indices
        assert all(row["symbol"].startswith(".") for row in indices)


async def test_subscriptions_in_the_address() -> None:
    """`?subscribe=` takes a list of topics with filters."""
    async with running() as exchange, feed(exchange, query="?subscribe=instrument:XBTUSD,trade:ETHUSD") as one:
        assert (await one.next())["subscribe"] == "instrument:XBTUSD"
        await one.table("instrument", "partial")
        await one.table("trade", "partial")


async def test_unsubscribe_ends_the_frames() -> None:
    """After the reply no more frames of the topic come."""
    async with running() as exchange, feed(exchange) as one:
        await one.subscribe("instrument:XBTUSD", "quote:XBTUSD")
        await one.say({"op": "unsubscribe", "args": ["instrument:XBTUSD"]})
        await one.until(lambda frame: frame.get("unsubscribe") == "instrument:XBTUSD")
        exchange.venue.submit(prices(START_MS + 1_000, XBTUSD=59_000))
        frame = await one.next()
        assert frame["table"] == "quote"


async def test_books_follow_the_price() -> None:
    """A client that applies the frames of `orderBookL2_25` holds the book that REST shows."""
    async with running() as exchange, Rest(exchange) as rest, feed(exchange) as one:
        await one.subscribe("orderBookL2_25:XBTUSD", "orderBook10:XBTUSD")
        frames = [frame for frame in one.seen if frame.get("table") == "orderBookL2_25"]
        book = {(row["id"], row["side"]): row for row in frames[0]["data"]}
        exchange.venue.submit(prices(START_MS + 1_000, XBTUSD=59_990))
        while (frame := await one.next())["table"] != "orderBook10":
            for row in frame["data"]:
                key = (row["id"], row["side"])
                if frame["action"] == "delete":
                    del book[key]
                else:
                    book[key] = {**book.get(key, {}), **row}
        (ten,) = frame["data"]
        assert (len(ten["bids"]), len(ten["asks"])) == (10, 10)
        shown = (await rest.plain("GET", "/orderBook/L2", params={"symbol": "XBTUSD", "depth": 25})).json()
        assert {key: row["size"] for key, row in book.items()} == {
            (row["id"], row["side"]): row["size"] for row in shown
        }


async def test_position_at_once_on_fills_then_merged() -> None:
    """A fill shows on the position at once; price moves come at the slow pace, with the new mark."""
    async with running() as exchange, Rest(exchange) as rest, feed(exchange, key=exchange.key()) as one:
        await one.subscribe("position", "margin")
        await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=1_000, ordType="Market")
        row = (await one.until(lambda frame: frame.get("table") == "position" and frame["action"] != "partial"))[
            "data"
        ][0]
        assert row["currentQty"] == 1_000
        exchange.venue.submit(prices(START_MS + 1_000, XBTUSD=59_000))
        await one.until(lambda frame: frame.get("table") == "position" and frame["data"][0].get("markPrice") == 59_000)


async def test_liquidation_cancels_first_and_is_seen_everywhere() -> None:
    """The mark runs over the liquidation price: stop cancelled, execution without an order, position flat."""
    async with running() as exchange, Rest(exchange) as rest, feed(exchange, key=exchange.key()) as one:
        await rest.ask("POST", "/position/leverage", symbol="XBTUSD", leverage=25)
        await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=10_000, ordType="Market")
        await rest.ask("POST", "/order", **{**STOP, "orderQty": 10_000})
        await one.subscribe("order", "execution", "position")
        exchange.venue.submit(prices(START_MS + 1_000, XBTUSD=50_500))
        seen: dict[str, Any] = {}
        while not {"canceled", "liquidated", "flat"} <= set(seen):
            frame = await one.next()
            for row in frame.get("data", []):
                if frame["table"] == "order" and row.get("ordStatus") == "Canceled":
                    seen.setdefault("canceled", len(one.seen))
                if frame["table"] == "execution" and row["orderID"].startswith("00000000"):
                    seen.setdefault("liquidated", len(one.seen))
                if frame["table"] == "position" and row.get("currentQty") == 0:
                    seen.setdefault("flat", len(one.seen))
        assert seen["canceled"] < seen["liquidated"]


async def test_switch_over_the_socket() -> None:
    """`cancelAllAfter` as an operation answers with both times and the request, and fires."""
    async with running() as exchange, Rest(exchange) as rest, feed(exchange, key=exchange.key()) as one:
        await rest.ask("POST", "/order", **STOP)
        await one.subscribe("order")
        await one.say({"op": "cancelAllAfter", "args": 30})
        answer = await one.until(lambda frame: "cancelTime" in frame)
        assert answer["request"] == {"op": "cancelAllAfter", "args": 30}
        (gone,) = await one.table("order", "update")
        assert gone["ordStatus"] == "Canceled"


async def test_switch_over_the_socket_counts_against_the_budget() -> None:
    """At zero tokens the operation is refused with a 429 frame that says when to come again."""
    limits = RateLimits(signed_per_minute=1)
    async with running(limits=limits) as exchange, feed(exchange, key=exchange.key()) as one:
        await one.say({"op": "cancelAllAfter", "args": 60_000})
        assert "cancelTime" in await one.next()
        await one.say({"op": "cancelAllAfter", "args": 60_000})
        error = await one.next()
        assert (error["status"], error["meta"]["retryAfter"]) == (429, 60)


async def test_market_tables_move_though_the_tape_stands_still() -> None:
    """With nobody trading and no new step the instrument row is published again and again."""
    async with running(heartbeat_ms=20) as exchange, feed(exchange) as one:
        await one.subscribe("instrument:XBTUSD")
        stamps = [(await one.table("instrument", "update"))[0]["timestamp"] for _ in range(3)]
        assert stamps == sorted(set(stamps))


async def test_a_reader_that_stops_reading_is_dropped() -> None:
    """Unread frames are bounded: the slow client loses its session, a quick one notices nothing."""
    async with running(outbox_bytes=200_000) as exchange, feed(exchange) as quick:
        await quick.subscribe("instrument:XBTUSD")
        raw = sockets.create_connection(("127.0.0.1", int(exchange.http_url.rpartition(":")[2])))
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
        raw.sendall(
            b"GET /realtime?subscribe=instrument,orderBookL2 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        number, has_come = 0, False
        try:
            async with asyncio.timeout(20):
                while not has_come or exchange.venue.hub.listener_count() == 2:
                    for _ in range(20):
                        number += 1
                        exchange.venue.submit(prices(START_MS + number, XBTUSD=59_000 + number % 2 * 100))
                    for _ in range(20):
                        await quick.table("instrument", "update")
                    has_come = has_come or exchange.venue.hub.listener_count() == 2
        finally:
            raw.close()
        await quick.say("ping")
        await quick.until(lambda frame: frame == "pong")
