"""Order entry against a scripted HTTP server that breaks on cue."""

from __future__ import annotations

import asyncio
import logging
import ssl
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest

from config.credentials import Secret
from connectors.bitmex import BitmexOrderEntry
from connectors.bitmex.protocol.refusals import FIRST_BAN_PAUSE_S
from connectors.bitmex.protocol.signing import signature
from connectors.errors import (
    DuplicateClientOrderId,
    Misconfigured,
    OutcomeUnknown,
    Rejected,
    Unavailable,
    VenueError,
)
from connectors.ports import LimitRequest, OrderEntry, ReduceRequest, StopRequest
from connectors.vocabulary import OrderSide, OrderStatus
from tests.integration.bitmex_fakes import Asked, FakeRest, Reply, rest
from tests.unit.connectors.bitmex.bitmex_builders import (
    CREDENTIALS,
    INSTRUMENT_ROW,
    KEY,
    MARGIN_ROW,
    POSITION_ROW,
    SECRET,
    STOP_ROW,
    raw,
    some_settings,
)

STOP = StopRequest(
    client_order_id="sw-1", symbol="XBTUSD", side=OrderSide.SELL, quantity=100, stop_price=Decimal("48000.5")
)
REDUCE = ReduceRequest(client_order_id="sw-1", symbol="XBTUSD", side=OrderSide.SELL, quantity=None)
PROFIT = LimitRequest(client_order_id="sw-1", symbol="XBTUSD", side=OrderSide.SELL, quantity=100, price=Decimal(52000))
ORDER_ID = str(STOP_ROW["orderID"])
BAN = Reply(403, b"<html>\r\n<body>403 Forbidden</body></html>", {"content-type": "text/html"})
OVERLOADED = "The system is currently overloaded. Please try again later."
NOW_NS = 1_718_000_000_000_000_000

Write = Callable[[OrderEntry], Awaitable[Any]]
WRITES: dict[str, Write] = {
    "stop": lambda entry: entry.place_stop(STOP),
    "amend": lambda entry: entry.amend_stop(order_id=ORDER_ID, stop_price=Decimal(48000), quantity=None),
    "cancel": lambda entry: entry.cancel_order(order_id=ORDER_ID),
    "reduce": lambda entry: entry.reduce_at_market(REDUCE),
    "take profit": lambda entry: entry.place_take_profit(PROFIT),
    "switch": lambda entry: entry.cancel_all_after(60_000),
}
every_write = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)


def error(status: int, message: str, name: str = "HTTPError", **headers: str) -> Reply:
    """Return an error of the venue."""
    return Reply(status, raw({"error": {"message": message, "name": name}}), headers)


def rows(*found: Any, **headers: str) -> Reply:
    """Return a list of rows."""
    return Reply(200, raw(list(found)), headers)


@asynccontextmanager
async def order_entry(fake: FakeRest, **changed: Any) -> AsyncIterator[BitmexOrderEntry]:
    """Return order entry at a scripted server; closed at the end."""
    settings = some_settings(rest_url=fake.url, **changed)
    entry = BitmexOrderEntry(settings=settings, credentials=CREDENTIALS, now_ns=lambda: NOW_NS)
    try:
        yield entry
    finally:
        await entry.close()


def assert_signed(asked: Asked) -> None:
    """Check the signature as the venue does: over what arrived, byte for byte."""
    expires_s = int(asked.headers["api-expires"])
    proof = signature(Secret(SECRET), verb=asked.verb, path=asked.target, expires_s=expires_s, body=asked.body)
    assert asked.headers["api-key"] == KEY
    assert asked.headers["api-signature"] == proof
    assert expires_s == NOW_NS // 10**9 + 10


async def test_stop_placed_amended_cancelled() -> None:
    """The life of a stop over one kept-open connection, each request signed as sent."""
    moved = {**STOP_ROW, "stopPx": 48100}
    cancelled = {**STOP_ROW, "ordStatus": "Canceled"}
    async with (
        rest(Reply(200, raw(STOP_ROW)), Reply(200, raw(moved)), rows(cancelled)) as fake,
        order_entry(fake) as entry,
    ):
        placed = await entry.place_stop(STOP)
        amended = await entry.amend_stop(order_id=ORDER_ID, stop_price=Decimal(48100), quantity=None)
        gone = await entry.cancel_order(order_id=ORDER_ID)
    assert placed.is_resting_stop
    assert amended.stop_price == 48100
    assert gone is not None
    assert gone.status is OrderStatus.CANCELED
    assert [asked.verb for asked in fake.asked] == ["POST", "PUT", "DELETE"]
    assert fake.connections == 1
    for asked in fake.asked:
        assert_signed(asked)


async def test_encryption_that_breaks_on_the_way_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """P5: the HTTP library lets TLS errors of an open connection through as they are; the order may have arrived."""

    async def break_off(_http: httpx.AsyncClient, _request: httpx.Request, **_options: bool) -> httpx.Response:
        raise ssl.SSLError("bad record mac")

    monkeypatch.setattr(httpx.AsyncClient, "send", break_off)
    async with rest() as fake, order_entry(fake) as entry:
        with pytest.raises(OutcomeUnknown, match="SSLError"):
            await entry.place_stop(STOP)


async def test_queries_are_signed_as_they_travel() -> None:
    """Brackets, quotes and colons of a filter: the signature covers the encoded query."""
    async with (
        rest(rows({**STOP_ROW, "clOrdID": "sw-1"}, {**STOP_ROW, "clOrdID": "foreign"})) as fake,
        order_entry(fake) as entry,
    ):
        found = await entry.order_by_client_id(["sw-1", "sw/2 +ä"])
    assert [order.client_order_id for order in found] == ["sw-1"]
    assert_signed(fake.asked[0])


async def test_many_client_ids_are_asked_for_in_parts() -> None:
    """An address has a limit: a long list takes several reads, an empty one none."""
    async with rest(rows()) as fake, order_entry(fake) as entry:
        assert await entry.order_by_client_id([]) == ()
        assert await entry.order_by_client_id([f"id-{number}" for number in range(90)]) == ()
    assert len(fake.asked) == 3


async def test_cancelled_row_of_a_200() -> None:
    """A 200 is not success: a reduce-only order with nothing to reduce comes back cancelled."""
    row = {**STOP_ROW, "ordStatus": "Canceled", "text": "Canceled: Order had execInst of Close or ReduceOnly"}
    async with rest(Reply(200, raw(row))) as fake, order_entry(fake) as entry:
        assert (await entry.place_stop(STOP)).status is OrderStatus.CANCELED


@pytest.mark.parametrize(
    "reply",
    [
        rows({"orderID": ORDER_ID, "error": "Unable to cancel order", "account": 1}),
        rows(),
        error(404, "Not Found"),
    ],
    ids=["row", "empty", "404"],
)
async def test_nothing_left_to_cancel(reply: Reply) -> None:
    """Every way the venue says that the order was gone already."""
    async with rest(reply) as fake, order_entry(fake) as entry:
        assert await entry.cancel_order(order_id=ORDER_ID) is None


@every_write
@pytest.mark.parametrize(
    "reply",
    [
        Reply(0),
        Reply(-1),
        Reply(500),
        Reply(502, b"<html>"),
        error(503, OVERLOADED),
        error(503, "Service unavailable"),
        Reply(200, b"<html>"),
    ],
    ids=["reset", "no answer", "500", "502", "overloaded", "503 other", "unreadable"],
)
async def test_lost_answers_are_unknown(write: Write, reply: Reply) -> None:
    """P5: whatever kept the verdict away, a write that left is unknown, and is sent once."""
    async with rest(reply) as fake, order_entry(fake, request_timeout_s=0.1) as entry:
        with pytest.raises(OutcomeUnknown):
            await write(entry)
    assert len(fake.asked) == 1


@every_write
@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error(429, "Rate limit exceeded, retry in 7 seconds.", **{"retry-after": "7"}), Unavailable),
        (BAN, Unavailable),
        (error(400, "Invalid orderQty"), Rejected),
        (error(401, "Signature not valid."), Misconfigured),
        (error(403, "Access Denied"), Misconfigured),
    ],
    ids=["429", "ban", "400", "401", "403"],
)
async def test_verdicts(write: Write, reply: Reply, kind: type[VenueError]) -> None:
    """A clear verdict is one, and a write is never repeated by itself."""
    async with rest(reply) as fake, order_entry(fake) as entry:
        with pytest.raises(kind):
            await write(entry)
    assert len(fake.asked) == 1


async def test_duplicate_id_is_told_apart() -> None:
    """P4: the venue knows this id: not a failure to report but a question to ask."""
    async with rest(error(400, "Duplicate clOrdID")) as fake, order_entry(fake) as entry:
        with pytest.raises(DuplicateClientOrderId):
            await entry.place_stop(STOP)


@every_write
async def test_no_connection_is_not_sent(write: Write) -> None:
    """Nothing listens: the request never left, and that is known."""
    async with rest() as fake:
        settings_of_a_closed_port = fake.url
    entry = BitmexOrderEntry(settings=some_settings(rest_url=settings_of_a_closed_port), credentials=CREDENTIALS)
    with pytest.raises(Unavailable, match="no connection"):
        await write(entry)
    await entry.close()


async def test_stop_with_another_trigger_is_no_success() -> None:
    """P1: the venue placed a stop on the last price: ask, do not believe."""
    async with (
        rest(Reply(200, raw({**STOP_ROW, "execInst": "LastPrice,ReduceOnly"}))) as fake,
        order_entry(fake) as entry,
    ):
        with pytest.raises(OutcomeUnknown, match="mark price"):
            await entry.place_stop(STOP)


async def test_nothing_is_sent_into_a_ban() -> None:
    """P8: after a ban the next request, protective or not, stays here and says for how long."""
    async with rest(BAN) as fake, order_entry(fake) as entry:
        for _ in range(3):
            with pytest.raises(Unavailable) as caught:
                await entry.place_stop(STOP)
            assert caught.value.retry_after_s > FIRST_BAN_PAUSE_S - 5
        with pytest.raises(Unavailable):
            await entry.picture()
    assert len(fake.asked) == 1


async def test_nothing_is_sent_while_told_to_wait() -> None:
    """P8: a 429 pauses everything for as long as it says."""
    async with rest(error(429, "Rate limit exceeded", **{"retry-after": "7"})) as fake, order_entry(fake) as entry:
        with pytest.raises(Unavailable):
            await entry.place_stop(STOP)
        with pytest.raises(Unavailable, match="nothing was sent"):
            await entry.cancel_order(order_id=ORDER_ID)
    assert len(fake.asked) == 1


async def test_reads_are_tried_again() -> None:
    """A read that the venue could not answer goes again; writes never do."""
    async with rest(error(503, OVERLOADED), rows(INSTRUMENT_ROW)) as fake, order_entry(fake) as entry:
        (instrument,) = await entry.instruments()
    assert instrument.symbol == "XBTUSD"
    assert len(fake.asked) == 2
    assert fake.asked[1].at_s - fake.asked[0].at_s >= 0.45


async def test_reads_give_up() -> None:
    """After three tries a read is unavailable, not unknown."""
    async with rest(error(503, OVERLOADED)) as fake, order_entry(fake) as entry:
        with pytest.raises(Unavailable):
            await entry.instruments()
    assert len(fake.asked) == 3


@pytest.mark.parametrize("reply", [error(401, "Invalid API Key."), error(400, "filter values are not valid")])
async def test_reads_that_cannot_succeed_are_not_repeated(reply: Reply) -> None:
    """A wrong key or a wrong question does not get better by asking again."""
    async with rest(reply) as fake, order_entry(fake) as entry:
        with pytest.raises((Misconfigured, Rejected)):
            await entry.instruments()
    assert len(fake.asked) == 1


async def test_picture_is_whole() -> None:
    """Positions, open and recent orders and margins as one value; finished orders are recent, not open."""
    filled = {**STOP_ROW, "orderID": "f", "ordStatus": "Filled"}
    flat = {**POSITION_ROW, "symbol": "ETHUSD", "currentQty": 0, "isOpen": False}
    replies = [rows(STOP_ROW, filled), rows(STOP_ROW), rows(MARGIN_ROW), rows(POSITION_ROW, flat)]
    async with rest(*replies) as fake, order_entry(fake) as entry:
        picture = await entry.picture()
    assert [order.order_id for order in picture.open_orders] == [ORDER_ID]
    assert [order.order_id for order in picture.recent_orders] == [ORDER_ID, "f"]
    assert [position.quantity for position in picture.positions] == [100, 0]
    assert len(picture.margins) == 1
    assert all(asked.verb == "GET" for asked in fake.asked)


@pytest.mark.parametrize("broken", range(4))
async def test_half_a_picture_is_none(broken: int) -> None:
    """P12: one part that fails or cannot be read fails the picture; an empty list is never made up."""
    replies = [rows(STOP_ROW), rows(STOP_ROW), rows(MARGIN_ROW), rows(POSITION_ROW)]
    replies[broken] = rows({"account": 1})
    if broken == 3:
        replies[broken] = rows({"account": 1, "symbol": "XBTUSD", "isOpen": True})
    async with rest(*replies) as fake, order_entry(fake) as entry:
        with pytest.raises(Unavailable, match="unreadable"):
            await entry.picture()


async def test_finished_order_that_cannot_be_read() -> None:
    """A finished row without a side, of whatever old engine, is left out of the recent orders; the picture stands."""
    odd = {"account": 1, "orderID": "odd", "symbol": "XBTUSD", "ordStatus": "Filled"}
    async with rest(rows(odd, STOP_ROW), rows(STOP_ROW), rows(MARGIN_ROW), rows()) as fake, order_entry(fake) as entry:
        picture = await entry.picture()
    assert [order.order_id for order in picture.recent_orders] == [ORDER_ID]


async def test_more_open_orders_than_a_page() -> None:
    """An account with more than 500 open orders is read to the end."""
    many = [{**STOP_ROW, "orderID": str(number)} for number in range(500)]
    replies = [rows(), rows(*many), rows({**STOP_ROW, "orderID": "last"}), rows(MARGIN_ROW), rows()]
    async with rest(*replies) as fake, order_entry(fake) as entry:
        picture = await entry.picture()
    assert len(picture.open_orders) == 501
    assert "start=450" in fake.asked[2].target


async def test_more_positions_than_a_page() -> None:
    """Flat rows that fill a page do not hide the open ones."""
    flat = [{"account": 1, "symbol": f"S{number}", "currentQty": 0} for number in range(500)]
    async with rest(rows(), rows(), rows(), rows(*flat), rows(POSITION_ROW)) as fake, order_entry(fake) as entry:
        picture = await entry.picture()
    assert [position.quantity for position in picture.positions] == [100]
    assert "isOpen" in fake.asked[4].target


async def test_switch_over_rest() -> None:
    """P6: the time-out travels in milliseconds and the answer is checked."""
    times = {"now": "2024-04-09T09:00:00.000Z", "cancelTime": "2024-04-09T09:01:00.000Z"}
    async with rest(Reply(200, raw(times))) as fake, order_entry(fake) as entry:
        receipt = await entry.cancel_all_after(60_000)
        with pytest.raises(Rejected, match="still names"):
            await entry.cancel_all_after(0)
    assert receipt.cancel_time_ns == receipt.now_ns + 60_000_000_000
    assert msgspec.json.decode(fake.asked[0].body) == {"timeout": 60_000}


@pytest.mark.parametrize(
    ("reply", "readable"),
    [
        (rows({"id": KEY, "secret": "s3cr3t", "permissions": ["order"]}), True),
        (rows({"id": "other", "secret": "s3cr3t", "permissions": ["order"]}), False),
        (rows({"id": KEY, "secret": "s3cr3t", "permissions": "order"}), False),
        (error(403, "Access Denied"), False),
        (error(404, "Not Found"), False),
    ],
    ids=["own", "unlisted", "odd", "403", "404"],
)
async def test_key_rights(reply: Reply, readable: bool, caplog: pytest.LogCaptureFixture) -> None:
    """P11: rights are read where the venue allows; the secret field of the list goes nowhere."""
    caplog.set_level(logging.DEBUG)
    async with rest(reply) as fake, order_entry(fake) as entry:
        rights = await entry.key_rights()
    assert rights.is_readable is readable
    assert rights.can_order is readable
    assert "s3cr3t" not in caplog.text + repr(rights)


@pytest.mark.parametrize(
    "reply",
    [error(401, "Invalid API Key."), error(403, "This IP address is not allowed to use this key.")],
    ids=["unknown", "elsewhere"],
)
async def test_wrong_key_is_not_unreadable_rights(reply: Reply) -> None:
    """A key that the venue refuses, here or altogether, is a matter for a person, not a matter of rights."""
    async with rest(reply) as fake, order_entry(fake) as entry:
        with pytest.raises(Misconfigured):
            await entry.key_rights()


@pytest.mark.parametrize("address", ["ftp://127.0.0.1", "127.0.0.1:1"])
async def test_address_that_is_none(address: str) -> None:
    """An address that cannot be used is a matter for a person."""
    entry = BitmexOrderEntry(settings=some_settings(rest_url=address), credentials=CREDENTIALS)
    with pytest.raises(Misconfigured, match="address"):
        await entry.place_stop(STOP)
    await entry.close()


async def test_trickling_answer_ends_in_time() -> None:
    """An answer that never ends is given up as a whole, not byte by byte."""
    gone = asyncio.Event()

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
        try:
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            pass
        finally:
            writer.close()
            gone.set()

    async with await asyncio.start_server(trickle, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        settings = some_settings(rest_url=url, connect_timeout_s=0.1, request_timeout_s=0.1)
        entry = BitmexOrderEntry(settings=settings, credentials=CREDENTIALS)
        with pytest.raises(OutcomeUnknown):
            await entry.place_stop(STOP)
        await entry.close()
        await gone.wait()


async def test_cancelled_request_is_not_swallowed() -> None:
    """Stopping while a request waits ends it, as a cancellation."""
    async with rest(Reply(-1)) as fake, order_entry(fake, request_timeout_s=30.0) as entry:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await entry.place_stop(STOP)


FAILURES = [
    Reply(0), Reply(-1), Reply(200, SECRET.encode()), BAN, error(400, "Invalid orderQty"),
    error(401, "Signature not valid."), error(429, "Rate limit exceeded"), error(503, OVERLOADED), Reply(500),
]  # fmt: skip


@pytest.mark.parametrize("reply", FAILURES, ids=str)
async def test_no_secret_leaves_by_error_or_log(reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    """P11: with every logger at DEBUG, no error, traceback, repr or line holds secret or signature."""
    caplog.set_level(logging.DEBUG)
    async with rest(reply) as fake, order_entry(fake, request_timeout_s=0.1) as entry:
        with pytest.raises(VenueError) as caught:
            await entry.place_stop(STOP)
        told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(vars(entry)) + caplog.text
    (asked,) = fake.asked
    assert SECRET not in told
    assert asked.headers["api-signature"] not in told
