"""The demo's webhook: alerts whole, twice, and torn."""

from __future__ import annotations

import asyncio
import logging
from urllib.parse import urlsplit

import httpx
import pytest

from daemon.demo.alert_receiver import AlertReceiver

ALERT = {
    "alert_id": "a",
    "severity": "note",
    "topic": "cover",
    "state": "covered",
    "symbol": "XBTUSD",
    "text": "covered",
    "raised_ns": 1,
}


async def test_an_alert_that_comes_twice_is_kept_once() -> None:
    """Delivery is at least once (P10)."""
    receiver = AlertReceiver()
    async with receiver.serving(), httpx.AsyncClient() as http:
        for _ in range(2):
            assert (await http.post(receiver.url, json=ALERT)).status_code == 204
        assert (await http.post(receiver.url, json={"x": 1})).status_code == 400
    assert [alert.alert_id for alert in receiver.alerts] == ["a"]


async def test_a_guard_killed_in_the_middle_of_an_alert_leaves_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """P7: half a request and a closed connection are not told to whoever watches the demo."""
    receiver = AlertReceiver()
    with caplog.at_level(logging.ERROR):
        async with receiver.serving(), httpx.AsyncClient() as http:
            address = urlsplit(receiver.url)
            _, torn = await asyncio.open_connection(address.hostname, address.port)
            torn.write(f"POST {address.path} HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\nhalf".encode())
            await torn.drain()
            torn.transport.abort()
            assert (await http.post(receiver.url, json=ALERT)).status_code == 204
    assert caplog.records == []
    assert len(receiver.alerts) == 1
