"""A request as it came off the wire, whole: what a signature covers, and nothing parsed yet.

Why: the door must not depend on how the bytes arrived, so tests and the simulation can hand it requests
without a socket; over ASGI the body is read here, bounded in size and in time.

Units: bytes, seconds.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_WANTED = {name.encode(): name for name in ("api-key", "api-expires", "api-signature", "content-type")}
_SLOWEST_BODY_S = 20.0
_ADDRESS = re.compile(r"^https?://[^/]*", flags=re.IGNORECASE)


class Unreadable(Exception):
    """The body did not come as one: the status says how it is refused."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Gone(Exception):
    """The client left before its request was whole; nobody waits for an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpRequest:
    """One request.

    Attributes:
        verb: In capitals.
        path: Decoded.
        raw_path: As sent, percent-encoding included, without the query.
        query: As sent, without the question mark.
        fields: The headers that matter, names in lower case.
        body: Exact bytes.
        address: The peer's, without its port.
    """

    verb: str
    path: str
    raw_path: str
    query: bytes
    fields: Mapping[str, str]
    body: bytes
    address: str

    def signed_paths(self) -> list[str]:
        """Return the forms of path and query that a signature may cover.

        A lone `?` is signed by some clients and not handed on by HTTP servers.
        """
        if self.query:
            return [f"{self.raw_path}?{self.query.decode('latin-1')}"]
        return [self.raw_path, f"{self.raw_path}?"]


def request_of(scope: Scope, body: bytes) -> HttpRequest:
    """Return the request of an ASGI scope."""
    headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
    return HttpRequest(
        verb=scope["method"],
        path=_without_host(scope["path"]),
        raw_path=_without_host(scope["raw_path"].decode("latin-1")),
        query=scope["query_string"],
        fields={_WANTED[name]: value.decode("latin-1") for name, value in headers if name in _WANTED},
        body=body,
        address=address_of(scope["client"]),
    )


def _without_host(target: str) -> str:
    """Return the path of a request target; clients behind a proxy may send the whole address."""
    return _ADDRESS.sub("", target)


def address_of(client: object) -> str:
    """Return a peer's address without its port."""
    return str(client[0]) if isinstance(client, tuple | list) and client else "unknown"


async def read_body(receive: Receive, most_bytes: int) -> bytes:
    """Return the body of a request.

    Raises:
        Unreadable: If it is larger than allowed, or comes too slowly.
        Gone: If the client left.
    """
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        _require_within(body, most_bytes)
        return body
    try:
        async with asyncio.timeout(_SLOWEST_BODY_S):
            return await _rest_of_body(message, receive, most_bytes)
    except TimeoutError as error:
        raise Unreadable(408, "Request Timeout") from error


async def _rest_of_body(message: Message, receive: Receive, most_bytes: int) -> bytes:
    body = bytearray()
    while message["type"] == "http.request":
        body += message.get("body", b"")
        _require_within(body, most_bytes)
        if not message.get("more_body", False):
            return bytes(body)
        message = await receive()
    raise Gone


def _require_within(body: bytes | bytearray, most_bytes: int) -> None:
    if len(body) > most_bytes:
        raise Unreadable(413, "request entity too large")
