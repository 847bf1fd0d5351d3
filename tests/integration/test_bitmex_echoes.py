"""Answers that come once more than they were asked for: the next question is not told the word about another one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from connectors.errors import OutcomeUnknown
from tests.integration.test_bitmex_hostile import STOP, listening, order_entry, take_request
from tests.unit.connectors.bitmex.bitmex_builders import STOP_ROW, raw


def _whole(body: bytes) -> bytes:
    """An answer that counts nothing."""
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


async def test_an_answer_that_comes_twice_answers_one_question_only() -> None:
    """P5: an empty list comes twice in one go; the next question is not told "no such order", and goes another way."""
    answers = iter((b"[]", raw([STOP_ROW])))

    async def stuttering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = next(answers)
        await take_request(reader)
        whole = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nx-ratelimit-remaining: 9\r\n\r\n%s" % (len(body), body)
        writer.write(whole + whole)
        await reader.read()

    async with listening(stuttering) as address, order_entry(f"http://{address}") as entry:
        assert await entry.order_by_client_id(["sw-0"]) == ()
        found = await entry.order_by_client_id([str(STOP_ROW["clOrdID"])])
        assert [order.order_id for order in found] == [STOP_ROW["orderID"]]
        assert not list(answers)


async def test_a_page_that_comes_twice_answers_one_question_only() -> None:
    """P5: nothing counts the pages of a load balancer, so one that is repeated cannot be told: its connection goes."""
    page = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n"
    lines = iter(((page + page,), tuple(_whole(raw({**STOP_ROW, "clOrdID": name})) for name in ("sw-1", "sw-2"))))

    async def stuttering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in next(lines):
            await take_request(reader)
            writer.write(answer)
        await reader.read()

    async with listening(stuttering) as address, order_entry(f"http://{address}") as entry:
        with pytest.raises(OutcomeUnknown):
            await entry.place_stop(STOP)
        for name in ("sw-1", "sw-2"):
            assert (await entry.place_stop(replace(STOP, client_order_id=name))).client_order_id == name
