"""The webhook channel, against a real server on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.webhook import DeliveryRefused, NotDelivered, Webhook
from tests.unit.daemon.shell.alerts.test_outbox import an_alert


class Receiver:
    """A bare HTTP server that answers with the status it was given."""

    def __init__(self) -> None:
        self.status = 200
        self.bodies: list[dict[str, object]] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        self.bodies.append(json.loads(await reader.readexactly(length)))
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
    async with Webhook(url, timeout_s=2) as webhook:
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
    [(500, NotDelivered), (503, NotDelivered), (429, NotDelivered), (400, DeliveryRefused), (301, DeliveryRefused)],
)
async def test_statuses_say_whether_to_try_again(status: int, error: type[Exception]) -> None:
    """Trouble on the other side is worth another try; a refusal is not; the address's token is not repeated."""
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
