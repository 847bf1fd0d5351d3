"""Requests as they come off the wire: bodies in pieces, too large, too slow or given up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from connectors.simulated.server.rest import arrivals
from connectors.simulated.server.rest.arrivals import Gone, Receive, Unreadable, address_of, read_body, request_of


def arriving(*parts: bytes, leaves: bool = False) -> Receive:
    """Return what hands out a body in pieces; a client that leaves does so after them."""
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    if leaves:
        messages.append({"type": "http.disconnect"})
    else:
        messages[-1]["more_body"] = False

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    return receive


async def test_a_body_in_one_piece_or_in_many() -> None:
    """The bytes are the same, empty pieces included."""
    assert await read_body(arriving(b'{"a":1}'), 10) == b'{"a":1}'
    assert await read_body(arriving(b'{"a"', b"", b":1}"), 10) == b'{"a":1}'
    assert await read_body(arriving(b""), 10) == b""


@pytest.mark.parametrize("parts", [(b"x" * 11,), (b"x" * 6, b"x" * 5), (b"x" * 6, b"x" * 5, b"never read")])
async def test_a_body_that_is_too_large_is_refused_at_the_first_byte_too_many(parts: tuple[bytes, ...]) -> None:
    """What would come after it is not waited for."""
    with pytest.raises(Unreadable) as refusal:
        await read_body(arriving(*parts), 10)
    assert refusal.value.status == 413


async def test_a_client_that_leaves_needs_no_answer() -> None:
    """At once, or with half a body sent."""
    for parts in ((), (b"half",)):
        with pytest.raises(Gone):
            await read_body(arriving(*parts, leaves=True), 10)


async def test_a_body_that_stalls_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """408 after the patience, not a connection that is held for ever."""
    monkeypatch.setattr(arrivals, "_SLOWEST_BODY_S", 0.01)
    first = arriving(b"half", b"")

    async def stalls() -> Any:
        message = await first()
        if message["body"]:
            return message
        return await asyncio.Event().wait()

    with pytest.raises(Unreadable) as refusal:
        await read_body(stalls, 10)
    assert refusal.value.status == 408


def test_a_request_keeps_what_a_signature_covers() -> None:
    """The path as sent beside the decoded one, the query untouched, and of the headers those that matter."""
    scope = {
        "method": "GET",
        "path": "/api/v1/order book",
        "raw_path": b"/api/v1/order%20book",
        "query_string": b"filter=%7B%7d+",
        "headers": [(b"api-key", b"k\xe9y"), (b"cookie", b"secret"), (b"content-type", b"text/plain")],
        "client": ("127.0.0.1", 5),
    }
    request = request_of(scope, b"body")
    assert request.signed_paths() == ["/api/v1/order%20book?filter=%7B%7d+"]
    assert request.fields == {"api-key": "kéy", "content-type": "text/plain"}
    assert (request.address, address_of(None)) == ("127.0.0.1", "unknown")
    assert request_of({**scope, "query_string": b""}, b"").signed_paths() == [
        "/api/v1/order%20book",
        "/api/v1/order%20book?",
    ]


def test_a_whole_address_as_target_means_its_path() -> None:
    """RFC 9112 has servers take it, and the signature is of the path alone; an address inside a path stays there."""
    for target, path in (
        ("http://127.0.0.1:5/api/v1/order", "/api/v1/order"),
        ("HTTPS://www.bitmex.com/api/v1", "/api/v1"),
        ("/api/v1/http://x/y", "/api/v1/http://x/y"),
    ):
        scope = {
            "method": "GET",
            "path": target,
            "raw_path": target.encode(),
            "query_string": b"a=1",
            "headers": [],
            "client": None,
        }
        request = request_of(scope, b"")
        assert (request.path, request.signed_paths()) == (path, [f"{path}?a=1"])
