"""The webhook channel, against a real server on loopback."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from config.credentials import Secret
from daemon.shell.alerts.channel import DeliveryRefused, NotDelivered
from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.webhook import Webhook
from tests.unit.daemon.shell.alerts.test_outbox import an_alert


class Receiver:
    """A bare HTTP server that answers with the status it was given."""

    def __init__(self) -> None:
        self.status = 200
        self.bodies: list[dict[str, object]] = []
        self.paths: list[str] = []
        self.texts: list[str] = []
        """Bodies that are no JSON."""
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        self.paths.append(head.split(" ")[1])
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        content = await reader.readexactly(length)
        if "content-type: text/plain" in head:
            self.texts.append(content.decode())
        else:
            self.bodies.append(json.loads(content))
        reply = f"HTTP/1.1 {self.status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        writer.write(reply.encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    """Run a receiver on a free port."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks/token-that-is-secret"
    async with server:
        yield receiver


async def deliver(url: str, alert: Alert) -> None:
    """Deliver one alert."""
    async with Webhook(Secret(url), timeout_s=2) as webhook:
        await webhook.deliver(alert)


async def test_an_alert_arrives_as_one_object() -> None:
    """People's sentence and machines' figures are both in it."""
    async with a_receiver() as receiver:
        await deliver(receiver.url, an_alert("one"))
    (body,) = receiver.bodies
    assert body["alert_id"] == "one"
    assert body["severity"] == "warning"
    assert body["text"] == "about one"
    assert set(body) >= {"topic", "state", "symbol", "reason", "account", "raised_ns", "facts"}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((status, NotDelivered) for status in (301, 401, 403, 404, 410, 429, 500, 503)),
        *((status, DeliveryRefused) for status in (400, 413, 422)),
    ],
)
async def test_statuses_say_whether_to_try_again(status: int, error: type[Exception]) -> None:
    """P10: trouble of the channel is worth another try; objection to this alert is not; the token is not repeated."""
    async with a_receiver() as receiver:
        receiver.status = status
        with pytest.raises(error, match=str(status)) as failed:
            await deliver(receiver.url, an_alert("one"))
    assert "token" not in str(failed.value)


async def test_nobody_there_is_worth_another_try() -> None:
    """The connection is refused: the message names the host and the kind of failure, not the token."""
    async with a_receiver() as receiver:
        url = receiver.url
    with pytest.raises(NotDelivered, match=r"127\.0\.0\.1: ConnectError") as failed:
        await deliver(url, an_alert("one"))
    assert "token" not in str(failed.value)


@pytest.mark.parametrize(("begins", "arrives"), [(b"HTTP/1.1 200 X\r\n\r\n", True), (b"HTTP/1.1 200 X\r\nX: ", False)])
async def test_an_answer_that_trickles_keeps_nobody_waiting(begins: bytes, arrives: bool) -> None:
    """P10: a receiver that sends a byte now and then: its status is an answer, what comes after is not listened to."""
    has_left = asyncio.Event()

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(begins)
        with suppress(OSError):
            while not reader.at_eof():
                writer.write(b" ")
                await writer.drain()
                with suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(4096), 0.01)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        has_left.set()

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with Webhook(Secret(url), timeout_s=0.3) as webhook:
            if arrives:
                await webhook.deliver(an_alert("one"))
            else:
                with pytest.raises(NotDelivered, match=r"127\.0\.0\.1: no answer within 0\.3 s"):
                    await webhook.deliver(an_alert("one"))
        await asyncio.wait_for(has_left.wait(), 5)


async def test_a_name_server_that_hangs_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up that never ends takes one thread, of its channel's own: not the loop's pool, and no second one."""
    begun, release = [], threading.Event()

    def hang(host: str, *_: object, **__: object) -> list[object]:
        begun.append(host)
        release.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    async with Webhook(Secret("https://hooks.example.org/token-that-is-secret"), timeout_s=0.05) as webhook:
        with pytest.raises(NotDelivered, match=r"hooks\.example\.org: no answer within 0\.05 s"):
            await webhook.deliver(an_alert("one"))
        with pytest.raises(NotDelivered, match="look-up hangs"):
            await webhook.deliver(an_alert("one"))
        assert begun == ["hooks.example.org"]
        release.set()


async def test_a_name_is_looked_up_and_still_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to what was found, past what is dead there; the request names the host."""
    heads: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
        writer.write(b"HTTP/1.1 204 X\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    def found(_host: str, port: int, **__: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setattr(socket, "getaddrinfo", found)
        async with Webhook(Secret(f"http://hooks.example.org:{port}/x"), timeout_s=5) as webhook:
            await webhook.deliver(an_alert("one"))
        async with Webhook(Secret(f"http://höoks.example.org:{port}/x"), timeout_s=5) as webhook:
            await webhook.deliver(an_alert("one"))
    assert f"host: hooks.example.org:{port}" in heads[0]
    assert f"host: xn--hoks-5qa.example.org:{port}" in heads[1]


async def test_name_and_word_of_an_address_are_sent_as_such() -> None:
    """Basic authentication, as the address has it, although the connection goes to a number."""
    heads: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 204 X\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with Webhook(Secret(f"http://user:word@127.0.0.1:{port}/x"), timeout_s=5) as webhook:
            await webhook.deliver(an_alert("one"))
    assert "Authorization: Basic dXNlcjp3b3Jk" in heads[0]


def a_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a key, and a certificate for hooks.example.org."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subject = ["-subj", "/CN=hooks.example.org", "-addext", "subjectAltName=DNS:hooks.example.org"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        [*made, "-keyout", key, "-out", certificate, "-days", "2", *subject], check=True, capture_output=True
    )
    return key, certificate


@pytest.mark.parametrize(("name", "is_right"), [("hooks.example.org", True), ("other.example.org", False)])
async def test_the_certificate_has_to_be_that_of_the_name(
    name: str, is_right: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P11: the look-up is our own, and whoever answers at that address still has to prove the name."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, and a certificate is needed")
    key, certificate = a_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, port, **_: [(2, 1, 6, "", ("127.0.0.1", port))])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 204 X\r\n\r\n")
            await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        url = f"https://{name}:{server.sockets[0].getsockname()[1]}/x"
        async with Webhook(Secret(url), timeout_s=5) as webhook:
            if is_right:
                await webhook.deliver(an_alert("one"))
            else:
                with pytest.raises(NotDelivered, match=r"other\.example\.org: ConnectError"):
                    await webhook.deliver(an_alert("one"))
