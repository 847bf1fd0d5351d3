"""The connector against a network and a venue that do everything wrong: what left, and what did not, is never mixed up.

The worst answer of all would be "not sent" for an order that arrived, and the second worst an order sent twice.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.bitmex import BitmexOrderEntry
from connectors.errors import Misconfigured, OutcomeUnknown, Unavailable, VenueError
from connectors.ports import StopRequest
from connectors.vocabulary import OrderSide
from tests.integration.bitmex_clients import a_drop_copy, whole_account
from tests.integration.bitmex_fakes import Line, Reply, realtime, rest, running, until
from tests.unit.connectors.bitmex.bitmex_builders import (
    CREDENTIALS,
    INSTRUMENT_ROW,
    MARGIN_ROW,
    STOP_ROW,
    RememberingSink,
    raw,
    some_settings,
)

STOP = StopRequest(
    client_order_id="sw-1", symbol="XBTUSD", side=OrderSide.SELL, quantity=100, stop_price=Decimal("48000.5")
)
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(raw(STOP_ROW)), raw(STOP_ROW))
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "wss_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

Serving = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def order_entry(url: str, **changed: Any) -> AsyncIterator[BitmexOrderEntry]:
    """Return order entry at an address; closed at the end."""
    entry = BitmexOrderEntry(settings=some_settings(rest_url=url, **changed), credentials=CREDENTIALS)
    try:
        yield entry
    finally:
        await entry.close()


@asynccontextmanager
async def listening(serving: Serving) -> AsyncIterator[str]:
    """Serve connections on loopback and give host and port; at the end every one has been closed."""
    under_way = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way
        under_way += 1
        try:
            await serving(reader, writer)
            writer.close()
            await writer.wait_closed()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
        finally:
            under_way -= 1

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await until(lambda: under_way == 0)


async def take_request(reader: asyncio.StreamReader) -> bytes:
    """Read one request with its body; return its first line."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    await reader.readexactly(int(lengths[0]) if lengths else 0)
    return head.split(b"\r\n", 1)[0]


# ------------------------------------------------------------------ nothing left


async def test_hand_shake_that_hangs_is_not_sent() -> None:
    """P5: the venue takes the connection and never answers the TLS hello: no request left, and that is known."""
    heard: list[bytes] = []

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())

    async with listening(mute) as address, order_entry(f"https://{address}", connect_timeout_s=0.1) as entry:
        with pytest.raises(Unavailable, match="no connection: ConnectTimeout"):
            await entry.place_stop(STOP)
        await until(lambda: heard)
    assert b"sw-1" not in heard[0]


@pytest.mark.parametrize("hello", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=["hangs up", "speaks no TLS"])
async def test_hand_shake_that_fails_is_not_sent(hello: bytes) -> None:
    """P5: a connection that ends before it is encrypted carried no request."""

    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(hello)

    async with listening(rude) as address, order_entry(f"https://{address}") as entry:
        with pytest.raises(Unavailable, match="no connection: ConnectError"):
            await entry.place_stop(STOP)


async def test_name_that_does_not_resolve_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """P5: no address for the name, no request; the stream tries again and says why."""

    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    sink = RememberingSink()
    async with order_entry("https://venue.invalid") as entry, realtime(whole_account) as fake:
        with pytest.raises(Unavailable, match="its name cannot be resolved"):
            await entry.place_stop(STOP)
        async with running(a_drop_copy(fake, sink, realtime_url="wss://venue.invalid/realtime").run()):
            await until(lambda: len(sink.of("lost")) >= 2)
    assert set(sink.of("lost")) == {"no connection: its name cannot be resolved"}


async def test_certificate_of_a_stranger_is_for_a_person(tmp_path: Path) -> None:
    """P11: somebody else answers for the venue: no request and no sign-in is sent, and people are told why."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*_own_certificate(tmp_path))
    heard: list[bytes] = []

    async def stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    sink = RememberingSink()
    async with await asyncio.start_server(stranger, "127.0.0.1", 0, ssl=context) as server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with order_entry(f"https://{address}") as entry, realtime(whole_account) as fake:
            with pytest.raises(Misconfigured, match="certificate"):
                await entry.place_stop(STOP)
            async with running(a_drop_copy(fake, sink, realtime_url=f"wss://{address}/realtime").run()):
                await until(lambda: sink.of("lost"))
    assert sink.of("lost")[0] == "no connection: its certificate cannot be verified"
    assert b"".join(heard) == b""


def _own_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate that nobody vouches for."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, and nothing else here makes certificates")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names, "-keyout", str(key)]
    subprocess.run([*made, "-out", str(certificate)], check=True, capture_output=True)
    return certificate, key


async def test_idle_connections_are_watched() -> None:
    """P5: a half-open connection, without a farewell, is found by the system before a stop is written into it."""
    async with rest(Reply(200, raw(STOP_ROW))) as fake, order_entry(fake.url) as entry:
        await entry.place_stop(STOP)
        (connection,) = entry._client._http._transport._pool.connections  # type: ignore[attr-defined]
        raw_socket = connection._connection._network_stream.get_extra_info("socket")
        assert raw_socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert raw_socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10


async def test_no_free_connection_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """P5: a request that never got a connection was not sent."""

    async def wait_in_vain(_http: httpx.AsyncClient, _request: httpx.Request, **_options: bool) -> httpx.Response:
        raise httpx.PoolTimeout("")

    monkeypatch.setattr(httpx.AsyncClient, "send", wait_in_vain)
    async with order_entry("http://127.0.0.1:1") as entry:
        with pytest.raises(Unavailable, match="PoolTimeout"):
            await entry.place_stop(STOP)


async def test_nothing_is_sent_after_closing() -> None:
    """A request that comes after the end is refused here, as one of the four errors."""
    async with rest(Reply(200, raw(STOP_ROW))) as fake, order_entry(fake.url) as entry:
        await entry.close()
        with pytest.raises(Unavailable, match="let go"):
            await entry.place_stop(STOP)
    assert fake.asked == []


# ------------------------------------------------------------------ it left


@pytest.mark.parametrize(
    "broken",
    [
        httpx.ReadError(""),
        httpx.WriteError(""),
        httpx.CloseError(""),
        httpx.ReadTimeout(""),
        httpx.WriteTimeout(""),
        httpx.RemoteProtocolError(""),
        httpx.ProxyError(""),
        httpx.DecodingError(""),
        TimeoutError(),
        ConnectionResetError(),
        BrokenPipeError(),
    ],
    ids=lambda broken: type(broken).__name__,
)
async def test_whatever_breaks_after_the_connection_is_unknown(
    broken: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P5: every failure that leaves open whether the venue has the request is "unknown", never "not sent"."""

    async def break_off(_http: httpx.AsyncClient, _request: httpx.Request, **_options: bool) -> httpx.Response:
        raise broken

    monkeypatch.setattr(httpx.AsyncClient, "send", break_off)
    async with order_entry("http://127.0.0.1:1") as entry:
        with pytest.raises(OutcomeUnknown) as caught:
            await entry.place_stop(STOP)
    assert "\n" not in caught.value.reason


async def test_connection_closed_while_idle_costs_no_order() -> None:
    """P4: the venue closed an idle connection and it is known: the next order goes over a new one, once."""
    asked: list[bytes] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await take_request(reader))
        writer.write(ANSWER)
        await writer.drain()

    async with listening(once) as address, order_entry(f"http://{address}") as entry:
        await entry.place_stop(STOP)
        await asyncio.sleep(0)
        await until(lambda: _is_idle_and_closed(entry))
        await entry.place_stop(STOP)
    assert len(asked) == 2


def _is_idle_and_closed(entry: BitmexOrderEntry) -> bool:
    pool = entry._client._http._transport._pool  # type: ignore[attr-defined]
    return all(connection.has_expired() for connection in pool.connections)


async def test_connection_closed_as_the_order_leaves_is_unknown_and_not_repeated() -> None:
    """P4, P5: the venue takes the second order of a kept-open connection and hangs up: asked once, outcome unknown."""
    asked: list[bytes] = []

    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await take_request(reader))
        writer.write(ANSWER)
        await writer.drain()
        asked.append(await take_request(reader))

    async with listening(twice) as address, order_entry(f"http://{address}") as entry:
        await entry.place_stop(STOP)
        with pytest.raises(OutcomeUnknown, match="RemoteProtocolError"):
            await entry.place_stop(STOP)
    assert len(asked) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n" + raw(STOP_ROW),
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope",
        b"HTTP/1.1 400 Bad Request\r\ncontent-length: 99\r\n\r\n" + b'{"error":{"message":"Dup',
        b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 303 See Other\r\nlocation: /api/v1/order/1\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
    ],
    ids=["cut off", "compressed badly", "refusal cut off", "408", "303", "204", "no HTTP"],
)
async def test_answers_that_are_no_verdict_are_unknown(answer: bytes) -> None:
    """P5: an order left, and what came back tells nothing of it."""
    asked: list[bytes] = []

    async def odd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await take_request(reader))
        writer.write(answer)
        await writer.drain()

    async with listening(odd) as address, order_entry(f"http://{address}") as entry:
        with pytest.raises(OutcomeUnknown):
            await entry.place_stop(STOP)
    assert len(asked) == 1


async def test_redirect_is_not_followed() -> None:
    """A redirect would carry key and signature to somebody else: it is a wrong address, and nothing goes there."""
    async with rest(Reply(200, raw(STOP_ROW))) as elsewhere:
        moved = Reply(307, b"", {"location": f"{elsewhere.url}/api/v1/order"})
        async with rest(moved) as fake, order_entry(fake.url) as entry:
            with pytest.raises(Misconfigured, match="307"):
                await entry.place_stop(STOP)
    assert len(fake.asked) == 1
    assert elsewhere.asked == []


async def test_cancelled_requests_leave_no_connection_behind() -> None:
    """More requests given up than the pool has connections: the next one finds its way, and nothing stays open."""
    async with rest(Reply(-1)) as fake, order_entry(fake.url, request_timeout_s=30.0) as entry:
        for round_number in range(3):
            tasks = [asyncio.create_task(entry.cancel_all_after(60_000)) for _ in range(8)]
            await until(lambda wanted=8 * (round_number + 1): len(fake.asked) == wanted)  # type: ignore[misc]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert all(task.cancelled() for task in tasks)
        await until(lambda: fake.open_connections == 0)
        fake.replies[:] = [Reply(200, raw(STOP_ROW))]
        assert (await entry.place_stop(STOP)).is_resting_stop


async def test_closing_ends_what_is_under_way() -> None:
    """Connections let go while an order waits: its outcome is unknown, and nobody waits for ever."""
    async with rest(Reply(-1)) as fake, order_entry(fake.url, request_timeout_s=30.0, connect_timeout_s=30.0) as entry:
        order = asyncio.create_task(entry.place_stop(STOP))
        await until(lambda: fake.asked)
        await entry.close()
        async with asyncio.timeout(2.0):
            with pytest.raises(OutcomeUnknown):
                await order


# ------------------------------------------------------------------ surroundings


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither requests nor streams take a detour that a variable names: who pays the key is set in the file."""
    for name in PROXIES:
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    sink = RememberingSink()
    async with rest(Reply(200, raw(STOP_ROW))) as fake, order_entry(fake.url) as entry:
        assert (await entry.place_stop(STOP)).is_resting_stop
    async with realtime(whole_account) as venue, running(a_drop_copy(venue, sink).run()):
        await until(lambda: sink.of("live"))
    assert sink.of("lost") == []


async def test_redirected_stream_is_not_followed() -> None:
    """A sign-in holds a signature: a hand-shake that points elsewhere is a refused one."""
    sink = RememberingSink()
    async with realtime(whole_account) as elsewhere, realtime(whole_account) as fake:
        assert fake.server is not None
        fake.redirect_to = elsewhere.url
        async with running(a_drop_copy(fake, sink).run()):
            await until(lambda: len(sink.of("lost")) >= 2)
    assert set(sink.of("lost")) == {"hand-shake answered 302"}
    assert elsewhere.lines == []


async def test_stream_whose_hand_shake_hangs_is_tried_again() -> None:
    """The venue takes the connection and says nothing: lost by name within the time-out, not for ever."""

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    sink = RememberingSink()
    async with realtime(whole_account) as fake:
        pass
    async with listening(mute) as address:
        drop_copy = a_drop_copy(fake, sink, connect_timeout_s=0.05, realtime_url=f"ws://{address}/realtime")
        async with running(drop_copy.run()):
            await until(lambda: len(sink.of("lost")) >= 2)
    assert set(sink.of("lost")) == {"no connection: TimeoutError"}


async def test_giant_frame_costs_the_connection_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame beyond every size the venue sends is not taken in; who gave up is told rightly."""
    monkeypatch.setattr("connectors.bitmex.feed._LARGEST_FRAME", 64 * 1024)

    async def flood(line: Line) -> None:
        await line.account()
        await line.say(b" " * 100_000)
        await line.listen()

    sink = RememberingSink()
    async with realtime(flood, whole_account) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: len(sink.of("live")) == 2)
    (reason,) = sink.of("lost")
    assert reason.startswith("given up here: 1009")


# ------------------------------------------------------------------ the budget


async def test_limit_of_the_address_does_not_silence_the_account() -> None:
    """P8: somebody behind the same address used up its unsigned requests: stops go out all the same."""
    limited = Reply(429, b"{}", {"retry-after": "60", "x-ratelimit-remaining": "0", "x-ratelimit-limit": "30"})
    async with rest(limited, Reply(200, raw(STOP_ROW))) as fake, order_entry(fake.url) as entry:
        with pytest.raises(Unavailable) as caught:
            await entry.server_time_ns()
        assert (await entry.place_stop(STOP)).is_resting_stop
        with pytest.raises(Unavailable, match="nothing was sent"):
            await entry.server_time_ns()
    assert caught.value.retry_after_s == 60
    assert [asked.verb for asked in fake.asked] == ["GET", "POST"]


async def test_ban_found_by_the_clock_silences_everything() -> None:
    """P8: a ban is of the address, whichever request met it."""
    async with rest(Reply(403, b"<html>403 Forbidden</html>")) as fake, order_entry(fake.url) as entry:
        with pytest.raises(Unavailable):
            await entry.server_time_ns()
        with pytest.raises(Unavailable, match="nothing was sent"):
            await entry.place_stop(STOP)
    assert len(fake.asked) == 1


async def test_refused_signature_tells_nothing_of_the_account_s_limit() -> None:
    """P8: who is not recognised is counted by address; the limit named there must not stay on the account."""
    refused = Reply(401, raw({"error": {"message": "Signature not valid.", "name": "HTTPError"}}), _of_the_address())
    async with rest(refused, Reply(200, raw([INSTRUMENT_ROW]))) as fake, order_entry(fake.url) as entry:
        with pytest.raises(Misconfigured):
            await entry.instruments()
        assert len(await entry.instruments()) == 1
    assert len(fake.asked) == 2


def _of_the_address() -> dict[str, str]:
    return {"x-ratelimit-limit": "30", "x-ratelimit-remaining": "0"}


# ------------------------------------------------------------------ reads


async def test_order_that_ends_between_two_pages_hides_no_other() -> None:
    """P12: an order of the first page ends while the second is read: the rest moves up, and none is missed."""
    book = [{**STOP_ROW, "orderID": str(number)} for number in range(600)]
    after = book[3:]
    replies = [[], book[:500], after[450:950], [MARGIN_ROW], []]
    async with rest(*(Reply(200, raw(rows)) for rows in replies)) as fake, order_entry(fake.url) as entry:
        picture = await entry.picture()
    found = [order.order_id for order in picture.open_orders]
    assert set(found) == {str(number) for number in range(600)}
    assert len(found) == 600


async def test_two_pictures_at_once_stay_apart() -> None:
    """Two reads of everything at once: each is whole, and four requests each are all they cost."""
    bodies = {"/user/margin": raw(MARGIN_ROW), "/position": b"[]", "open": raw([STOP_ROW]), "/order?count": b"[]"}

    async def venue(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            line = (await take_request(reader)).decode()
            asked.append(line)
            body = next(body for part, body in bodies.items() if part in line)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))

    asked: list[str] = []
    async with listening(venue) as address, order_entry(f"http://{address}") as entry:
        first, second = await asyncio.gather(entry.picture(), entry.picture())
    assert first == second
    assert len(first.open_orders) == len(first.margins) == 1
    assert len(asked) == 8


@pytest.mark.parametrize("body", [b"{}", b"null", b"[null]", b'"open"', b"[[]]", b""], ids=str)
async def test_read_that_tells_nothing_is_no_empty_picture(body: bytes) -> None:
    """P12: an account is empty only if the venue says so with an empty list."""
    async with rest(Reply(200, body)) as fake, order_entry(fake.url) as entry:
        with pytest.raises(VenueError) as caught:
            await entry.picture()
    assert isinstance(caught.value, Unavailable)
