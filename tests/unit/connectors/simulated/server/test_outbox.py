"""The bounded outbox of one WebSocket client."""

from __future__ import annotations

import asyncio

from connectors.simulated.server.outbox import Outbox


async def test_texts_come_out_in_order_and_then_the_end() -> None:
    """What was put before the close is still handed out."""
    outbox = Outbox(most_bytes=100)
    outbox.put("a")
    outbox.put("b")
    outbox.close()
    outbox.put("too late")
    assert [await outbox.take() for _ in range(3)] == ["a", "b", None]
    assert not outbox.is_overrun


async def test_too_much_unread_gives_the_reader_up() -> None:
    """Over the bound everything is dropped, not grown."""
    outbox = Outbox(most_bytes=10)
    outbox.put("12345678")
    assert outbox.backlog() == 8
    outbox.put("345")
    assert (outbox.is_closed, outbox.is_overrun, outbox.backlog()) == (True, True, 0)
    assert await outbox.take() is None
    await outbox.wait_closed()


async def test_reading_makes_room() -> None:
    """Only what is unread counts."""
    outbox = Outbox(most_bytes=10)
    for _ in range(5):
        outbox.put("12345678")
        assert await outbox.take() == "12345678"
    assert not outbox.is_closed


async def test_take_waits_for_a_text() -> None:
    """A waiting writer wakes up for the next text."""
    outbox = Outbox(most_bytes=10)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(outbox.take())
        tasks.create_task(asyncio.to_thread(lambda: None))
        outbox.put("x")
    assert waiting.result() == "x"
