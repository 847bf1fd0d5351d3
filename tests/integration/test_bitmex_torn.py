"""Answers that break off within their body: what their head has said already counts."""

from __future__ import annotations

import asyncio

import pytest

from connectors.errors import Unavailable, VenueError
from tests.integration.test_bitmex_hostile import STOP, listening, order_entry, take_request


def torn(status: int, *headers: str) -> bytes:
    """Return an answer that breaks off within its body."""
    lines = [f"HTTP/1.1 {status} X", "content-length: 1000", *headers, "", "[{"]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize(
    ("answer", "verb"),
    [
        (torn(200, "x-ratelimit-limit: 120", "x-ratelimit-remaining: 10"), "instruments"),
        (torn(429, "retry-after: 7", "x-ratelimit-remaining: 0"), "place_stop"),
        (torn(403, "content-type: text/html"), "place_stop"),
    ],
    ids=["the count", "a request to wait", "a ban"],
)
async def test_what_the_head_of_a_torn_answer_says_of_the_budget_is_heeded(answer: bytes, verb: str) -> None:
    """P8: the rest never came, but the venue has said how much is left, or to stay away: nothing more is sent."""
    served: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(await take_request(reader))
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with listening(serve) as address, order_entry(f"http://{address}") as entry:
        with pytest.raises(VenueError):
            await entry.place_stop(STOP)
        with pytest.raises(Unavailable, match="nothing was sent"):
            await (entry.instruments() if verb == "instruments" else entry.place_stop(STOP))
    assert len(served) == 1
