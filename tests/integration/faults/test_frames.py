"""Every fault of the stream over a real WebSocket: it bites, and clearing it heals."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import websockets

from connectors.simulated.engine.faults.catalogue import CATALOGUE
from connectors.simulated.engine.faults.kinds import Place
from connectors.simulated.engine.inputs import ClearFault, PlaceOrder, SetFault
from connectors.simulated.server.embedded import EmbeddedExchange
from tests.integration.exchange_client import START_MS, Feed, Rest, feed, prices, running

Seen = list[tuple[str, str]]


class Watch:
    """A client that reads orders and the instrument, and writes down what comes as (table, action)."""

    def __init__(self, exchange: EmbeddedExchange, one: Feed) -> None:
        self.exchange = exchange
        self.feed = one
        self._mark = 60_000

    def put(self, name: str, **fields: Any) -> None:
        """Set a fault; what is no field of it is a parameter."""
        scope = {key: fields.pop(key) for key in tuple(fields) if key in SetFault.__struct_fields__}
        self.exchange.venue.submit(SetFault(name=name, parameters=fields, **scope))

    def heal(self) -> None:
        """Clear all faults."""
        self.exchange.venue.submit(ClearFault())

    def move(self) -> None:
        """Let the mark move: one delta of the instrument."""
        self._mark += 1
        self.exchange.venue.submit(prices(START_MS, XBTUSD=self._mark))

    def order(self) -> None:
        """Place an order: one delta of orders."""
        order = PlaceOrder(
            account=self.exchange.account, symbol="XBTUSD", order_qty=100, price=prices().prices[0].last / 2
        )
        self.exchange.venue.submit(order)

    async def seen(self) -> Seen:
        """What has come until a ping is answered; texts that are no JSON as they begin."""
        await self.feed.say("ping")
        found: Seen = []
        while True:
            text = await self.feed.socket.recv()
            if text == "pong":
                return found
            found.append(_named(str(text)))

    async def subscribed(self, *topics: str) -> Seen:
        """Subscribe; what has come."""
        await self.feed.say({"op": "subscribe", "args": list(topics or ("instrument:XBTUSD", "order"))})
        return await self.seen()


def _named(text: str) -> tuple[str, str]:
    try:
        message = json.loads(text)
    except ValueError:
        return ("no JSON", text[:6])
    if "table" in message:
        return (message["table"], message["action"])
    return ("error", str(message["status"])) if "error" in message else ("reply", str(message.get("subscribe", "")))


@pytest.fixture
async def watch() -> AsyncIterator[Watch]:
    """A signed-in client that has not subscribed yet."""
    async with running() as exchange, feed(exchange, key=exchange.key()) as one:
        yield Watch(exchange, one)


REPLIES = [("reply", "instrument:XBTUSD"), ("instrument", "partial"), ("reply", "order"), ("order", "partial")]
MOVED = [("instrument", "update")]

PARTIALS: list[tuple[str, dict[str, Any], Seen]] = [
    ("partial-missing", {"table": "order"}, REPLIES[:3]),
    ("partial-late", {"table": "order", "ms": 60_000}, REPLIES[:3]),
    ("partial-twice", {"table": "instrument"}, [*REPLIES[:2], REPLIES[1], *REPLIES[2:]]),
    ("delta-first", {"table": "instrument"}, [REPLIES[0], *MOVED, *REPLIES[1:]]),
    ("frame-garbled", {"table": "order"}, [*REPLIES[:3], ("no JSON", '{"tabl')]),
    ("sign-in-lost", {}, REPLIES),  # this session had signed in before
]


@pytest.mark.parametrize(("name", "fields", "expected"), PARTIALS)
async def test_a_fault_bites_the_partial(watch: Watch, name: str, fields: dict[str, Any], expected: Seen) -> None:
    """What comes after subscribing is what the fault makes of it; a later subscription is as usual."""
    watch.put(name, **fields)
    assert await watch.subscribed() == expected
    watch.heal()
    await watch.feed.say({"op": "unsubscribe", "args": ["instrument:XBTUSD", "order"]})
    await watch.seen()
    assert await watch.subscribed() == REPLIES


DELTAS: list[tuple[str, dict[str, Any], Seen]] = [
    ("frame-lost", {"table": "instrument"}, [("order", "insert")]),
    ("frame-twice", {"table": "instrument"}, [*MOVED, *MOVED, ("order", "insert")]),
    ("frame-late", {"table": "instrument", "ms": 60_000}, [("order", "insert")]),
    ("frame-garbled", {"table": "instrument", "form": "text"}, [("no JSON", "<html>"), ("order", "insert")]),
    ("table-unknown", {}, [("seating", "insert"), *MOVED, ("order", "insert")]),
    ("account-stalled", {}, MOVED),
    ("stream-mute", {}, []),
    ("session-expired", {}, [("error", "419"), *MOVED]),
    ("keys-missing", {}, [*MOVED, ("order", "insert")]),
    ("field-unknown", {}, [*MOVED, ("order", "insert")]),
    ("tables-swapped", {"ms": 60_000}, MOVED),
    ("frame-lost", {"symbol": "ETHUSD"}, [*MOVED, ("order", "insert")]),
    ("account-stalled", {"account": 100_002}, [*MOVED, ("order", "insert")]),
]


@pytest.mark.parametrize(("name", "fields", "expected"), DELTAS)
async def test_a_fault_bites_deltas_and_clearing_it_heals(
    watch: Watch, name: str, fields: dict[str, Any], expected: Seen
) -> None:
    """A move and an order look as the fault makes them; the next ones as they are."""
    await watch.subscribed()
    watch.put(name, **fields)
    watch.move()
    watch.order()
    assert [one for one in await watch.seen() if one != ("order", "update")] == expected
    watch.heal()
    watch.move()
    assert await watch.seen() == MOVED


async def test_a_garbled_frame_is_garbled_whatever_else_befalls_it(watch: Watch) -> None:
    """Faults that rewrite rows find them readable, in whatever order the faults were set."""
    await watch.subscribed()
    for name in ("frame-garbled", "field-unknown", "keys-missing"):
        watch.put(name, table="instrument")
    watch.move()
    assert await watch.seen() == [("no JSON", '{"tabl')]


ELSEWHERE = {"stream-closed"}


def test_every_fault_of_the_stream_has_its_test() -> None:
    """A new row of the catalogue needs a row here, or a test of its own below."""
    named = {name for name, *_ in (*PARTIALS, *DELTAS)} | ELSEWHERE
    assert named == {one.name for one in CATALOGUE.values() if one.place is Place.STREAM}


@pytest.mark.parametrize(("fields", "code"), [({"code": 1012}, 1012), ({}, 1006), ({"mid_frame": True}, 1006)])
async def test_a_stream_is_closed(watch: Watch, fields: dict[str, Any], code: int) -> None:
    """With a code, without one, and in the middle of a frame; a new connection is as usual."""
    await watch.subscribed()
    watch.put("stream-closed", **fields)
    watch.move()
    with pytest.raises(websockets.ConnectionClosed) as closed:
        await watch.feed.until(lambda _: False)
    assert (closed.value.rcvd.code if closed.value.rcvd else 1006) == code
    watch.heal()
    async with feed(watch.exchange) as again:
        await again.subscribe("instrument:XBTUSD")


async def test_an_update_comes_without_its_keys(watch: Watch) -> None:
    """The row changes a mark price, and does not say of what."""
    await watch.subscribed()
    watch.put("keys-missing", table="instrument")
    watch.move()
    [row] = (await watch.feed.next())["data"]
    assert "markPrice" in row
    assert "symbol" not in row


async def test_rows_carry_a_column_nobody_knows(watch: Watch) -> None:
    """The rest of the row is as it is."""
    await watch.subscribed()
    watch.put("field-unknown", table="instrument")
    watch.move()
    [row] = (await watch.feed.next())["data"]
    assert (row["newColumn"], row["markPrice"]) == (1, 60_001)


async def test_a_mute_socket_may_not_answer_pings_either(watch: Watch) -> None:
    """After the fault is cleared the next ping is answered, the lost one never was."""
    watch.put("stream-mute", pongs=False)
    await watch.feed.say("ping")
    async with Rest(watch.exchange) as rest:
        await rest.plain("GET", "")  # answered after the ping was read
    watch.heal()
    await watch.feed.say({"op": "help"})
    assert isinstance(await watch.feed.next(), dict)


async def test_a_sign_in_is_confirmed_and_lost(watch: Watch) -> None:
    """The zombie: success, then 401 for each private subscription, while public ones go on."""
    watch.put("sign-in-lost")
    async with feed(watch.exchange) as one:
        assert (await one.sign_in(watch.exchange.key()))["success"]
        zombie = Watch(watch.exchange, one)
        assert await zombie.subscribed() == [*REPLIES[:2], ("error", "401")]


@pytest.mark.parametrize(
    ("name", "fields", "status"),
    [
        ("handshake-refused", {"status": 503}, 503),
        ("banned", {}, 403),
        ("maintenance", {}, 503),
        ("key-disabled", {}, 401),
    ],
)
async def test_a_handshake_is_refused(watch: Watch, name: str, fields: dict[str, Any], status: int) -> None:
    """Instead of a socket an HTTP answer; afterwards a socket again."""
    watch.put(name, **fields)
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with feed(watch.exchange, key=watch.exchange.key()):
            pass
    assert refused.value.response.status_code == status
    watch.heal()
    async with feed(watch.exchange, key=watch.exchange.key()):
        pass


@pytest.mark.parametrize("name", ["banned", "maintenance"])
async def test_open_sockets_end_when_the_door_closes(watch: Watch, name: str) -> None:
    """A ban and an outage end what is open; one limited to some requests does not."""
    await watch.subscribed()
    watch.put(name, path="/order")
    watch.move()
    assert await watch.seen() == MOVED
    watch.put(name)
    watch.move()
    with pytest.raises(websockets.ConnectionClosed):
        await watch.feed.until(lambda _: False)


async def test_a_disabled_key_ends_account_subscriptions(watch: Watch) -> None:
    """419 at the next row of the account; public tables go on."""
    await watch.subscribed()
    watch.put("key-disabled")
    watch.order()
    watch.move()
    assert await watch.seen() == [("error", "419"), *MOVED]


async def test_a_disabled_key_cannot_sign_in_by_message(watch: Watch) -> None:
    """The venue's words, then the end."""
    watch.put("key-disabled")
    async with feed(watch.exchange) as one:
        assert (await one.sign_in(watch.exchange.key()))["error"] == "This key is disabled."


@pytest.mark.parametrize(("where", "bites"), [("stream", True), ("both", True), ("rest", False)])
async def test_position_rows_say_something_else(watch: Watch, where: str, bites: bool) -> None:
    """The stream shows another liquidation price than REST, or both do, or only REST."""
    watch.put("liquidation-price", value="0", where=where)
    async with Rest(watch.exchange) as rest:
        await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=1_000)
        await watch.feed.say({"op": "subscribe", "args": "position"})
        [row] = await watch.feed.table("position", "partial")
        [other] = await rest.ask("GET", "/position")
    assert (row["liquidationPrice"] == 0) is bites
    assert (other["liquidationPrice"] == 0) is (where != "stream")
