"""The scripted venue's HTTP, read by hand: an order has arrived with its last byte, and the server costs little."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tests.unit.connectors.bitmex.bitmex_builders import raw

Ask = Callable[[str, str, bytes], tuple[int, Any]]
"""Takes verb, target and body; returns status and answer."""


class Http(asyncio.Protocol):
    """One HTTP connection, read by hand."""

    def __init__(self, ask: Ask, opened: Callable[[], None]) -> None:
        self._ask = ask
        self._opened = opened
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._opened()
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._unread += data
        head, found, rest = self._unread.partition(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0)
        if not found or len(rest) < length:
            return
        self._unread = rest[length:]
        verb, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        status, answer = self._ask(verb, target, rest[:length])
        body = raw(answer)
        self._transport.write(b"HTTP/1.1 %d .\r\ncontent-type: application/json\r\n" % status)
        self._transport.write(b"content-length: %d\r\n\r\n%b" % (len(body), body))
