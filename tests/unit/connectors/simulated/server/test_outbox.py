"""The bounded outbox of one WebSocket client."""

from __future__ import annotations

import asyncio

from connectors.simulated.server.messages import Kind, Message
from connectors.simulated.server.outbox import NORMAL_CLOSURE, POLICY_VIOLATION, Outbox

HEADER = 2  # bytes in front of a short text


def said(text: str) -> Message:
    """Return a message of this text."""
    return Message(kind=Kind.REPLY, payload=text.encode())


async def test_messages_leave_in_order_and_in_one_piece_and_then_the_end() -> None:
    """What was put before the close is still handed out."""
    outbox = Outbox(most_bytes=100)
    outbox.put(said("a"))
    outbox.put(said("b"))
    outbox.close()
    outbox.put(said("too late"))
    assert await outbox.take() == b"\x81\x01a\x81\x01b"
    assert (await outbox.take(), outbox.backlog(), outbox.code) == (None, 0, NORMAL_CLOSURE)


async def test_too_much_unread_gives_the_reader_up() -> None:
    """Over the bound everything is dropped, not grown."""
    outbox = Outbox(most_bytes=10)
    outbox.put(said("12345678"))
    assert outbox.backlog() == 8 + HEADER
    outbox.put(said("3"))
    assert (outbox.is_closed, outbox.code, outbox.backlog()) == (True, POLICY_VIOLATION, 0)
    assert await outbox.take() is None
    await outbox.wait_closed()


async def test_the_first_reason_to_close_stays() -> None:
    """A reader given up is told so, though its session ends as well."""
    outbox = Outbox(most_bytes=10)
    outbox.give_up()
    outbox.close()
    assert outbox.code == POLICY_VIOLATION


async def test_reading_makes_room() -> None:
    """Only what is unread counts."""
    outbox = Outbox(most_bytes=10)
    for _ in range(5):
        outbox.put(said("12345678"))
        assert await outbox.take() == said("12345678").framed
    assert not outbox.is_closed


async def test_a_long_backlog_leaves_by_pieces_of_whole_messages() -> None:
    """A piece is bounded, nothing is lost, and no message is cut."""
    outbox = Outbox(most_bytes=10_000_000)
    one = said("x" * 100_000)
    for _ in range(10):
        outbox.put(one)
    pieces = []
    while outbox.backlog():
        pieces.append(await outbox.take() or b"")
    assert b"".join(pieces) == one.framed * 10
    assert len(pieces) > 1
    assert all(len(piece) % len(one.framed) == 0 for piece in pieces)


async def test_take_waits_for_a_message() -> None:
    """A waiting writer wakes up for the next message."""
    outbox = Outbox(most_bytes=10)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(outbox.take())
        tasks.create_task(asyncio.to_thread(lambda: None))
        outbox.put(said("x"))
    assert waiting.result() == said("x").framed
