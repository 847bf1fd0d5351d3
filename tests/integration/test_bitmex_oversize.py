"""Answers without an end: what is no answer to a request of ours must not take the memory along."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from connectors.bitmex import rest_client
from connectors.errors import OutcomeUnknown, Unavailable
from tests.integration.bitmex_fakes import Reply, rest
from tests.integration.test_bitmex_hostile import STOP, listening, order_entry, take_request
from tests.unit.connectors.bitmex.bitmex_builders import INSTRUMENT_ROW, STOP_ROW, raw

BOUND = 2 * 1024 * 1024


@pytest.fixture(autouse=True)
def _small_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests need no 64 MB to show it."""
    monkeypatch.setattr(rest_client, "LARGEST_BODY", BOUND)


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with chunks until the client has had enough."""
    await take_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    while True:
        writer.write(chunk)
        await writer.drain()


async def test_a_read_without_end_is_given_up_at_the_bound() -> None:
    """One connection, one error that says why, and no second try at once."""
    async with listening(endless) as address, order_entry(f"http://{address}") as entry:
        with pytest.raises(Unavailable, match="larger than 2 MB") as caught:
            await entry.instruments()
    assert caught.value.retry_after_s >= 10


async def test_a_write_whose_answer_has_no_end_is_unknown() -> None:
    """P5: the order may have been taken."""
    async with listening(endless) as address, order_entry(f"http://{address}") as entry:
        with pytest.raises(OutcomeUnknown, match="larger than 2 MB"):
            await entry.place_stop(STOP)


async def test_a_small_answer_that_unpacks_to_a_large_one_counts_unpacked() -> None:
    """A few kilobytes on the wire, a hundred times the bound in memory: stopped on the way."""
    packed = gzip.compress(b" " * (100 * BOUND))
    assert len(packed) < BOUND
    async with rest(Reply(body=packed, headers={"content-encoding": "gzip"})) as fake, order_entry(fake.url) as entry:
        with pytest.raises(Unavailable, match="larger than"):
            await entry.instruments()
        assert len(fake.asked) == 1


async def test_what_fits_is_read_whole() -> None:
    """Packed or plain, up to the bound, and the connection is used again."""
    rows = raw([INSTRUMENT_ROW] * 2000)
    assert BOUND // 2 < len(rows) + 400_000 < BOUND
    replies = (
        Reply(body=rows),
        Reply(body=gzip.compress(rows), headers={"content-encoding": "gzip"}),
        Reply(body=raw(STOP_ROW)),
    )
    async with rest(*replies) as fake, order_entry(fake.url) as entry:
        assert len(await entry.instruments()) == len(await entry.instruments()) == 2000
        await entry.place_stop(STOP)
        assert fake.connections == 1
