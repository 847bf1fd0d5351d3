"""The dead man's switch fed over the account's stream, against a scripted venue."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from connectors.errors import OutcomeUnknown, Rejected, Unavailable
from tests.integration.bitmex_clients import a_drop_copy, whole_account
from tests.integration.bitmex_fakes import Line, realtime, running, until
from tests.unit.connectors.bitmex.bitmex_builders import (
    RememberingSink,
    raw,
)


def switch_answer(asked_ms: int, armed_ms: int) -> bytes:
    """Return the venue's answer to a feed of the switch."""
    times = {"now": "2024-04-09T09:00:00.000Z", "cancelTime": f"2024-04-09T09:{armed_ms // 60000:02}:00.000Z"}
    return raw({**times, "request": {"op": "cancelAllAfter", "args": asked_ms}})


def feeding(*replies: bytes | None) -> Any:
    """Return a conversation that answers feeds of the switch in turn; None leaves one unanswered."""

    async def story(line: Line) -> None:
        await line.account()
        for reply in replies:
            await line.hear_op("cancelAllAfter")
            if reply is not None:
                await line.say(reply)
        await line.listen()

    return story


async def test_switch_over_the_stream() -> None:
    """P6: the switch is fed over the stream and its answer checked."""
    sink = RememberingSink()
    async with realtime(feeding(switch_answer(60_000, 60_000))) as fake:
        drop_copy = a_drop_copy(fake, sink)
        async with running(drop_copy.run()):
            await until(lambda: sink.of("live"))
            receipt = await drop_copy.cancel_all_after(60_000)
    assert receipt.cancel_time_ns == receipt.now_ns + 60_000_000_000


async def test_switch_armed_for_something_else() -> None:
    """P6: an answer that names another time-out is refused, not believed."""
    sink = RememberingSink()
    async with realtime(feeding(switch_answer(120_000, 60_000))) as fake:
        drop_copy = a_drop_copy(fake, sink)
        async with running(drop_copy.run()):
            await until(lambda: sink.of("live"))
            with pytest.raises(Rejected, match="armed 60000 ms"):
                await drop_copy.cancel_all_after(120_000)


async def test_switch_without_a_stream() -> None:
    """While the stream is down nothing is sent, and that is known."""
    sink = RememberingSink()
    async with realtime(whole_account) as fake:
        with pytest.raises(Unavailable, match="not live"):
            await a_drop_copy(fake, sink).cancel_all_after(60_000)


async def test_switch_unanswered_then_disarmed() -> None:
    """P5: a feed without an answer is unknown; a late answer to it is not taken for the answer to the next."""
    late = switch_answer(60_000, 60_000)
    disarmed = raw({"now": "2024-04-09T09:00:00.000Z", "request": {"op": "cancelAllAfter", "args": 0}})

    async def story(line: Line) -> None:
        await line.account()
        await line.hear_op("cancelAllAfter")
        await line.hear_op("cancelAllAfter")
        await line.say(late, disarmed)
        await line.listen()

    sink = RememberingSink()
    async with realtime(story) as fake:
        drop_copy = a_drop_copy(fake, sink, request_timeout_s=0.1)
        async with running(drop_copy.run()):
            await until(lambda: sink.of("live"))
            with pytest.raises(OutcomeUnknown, match="no answer"):
                await drop_copy.cancel_all_after(60_000)
            assert (await drop_copy.cancel_all_after(0)).cancel_time_ns is None


async def test_feed_that_is_given_up_leaves_nothing_behind() -> None:
    """A caller that goes away while it waits: the next feed gets its turn and its own answer, the late one none."""
    heard: list[int] = []

    async def story(line: Line) -> None:
        await line.account()
        heard.append((await line.hear_op("cancelAllAfter"))["args"])
        heard.append((await line.hear_op("cancelAllAfter"))["args"])
        await line.say(switch_answer(60_000, 60_000), switch_answer(120_000, 120_000))
        await line.listen()

    sink = RememberingSink()
    async with realtime(story) as fake:
        drop_copy = a_drop_copy(fake, sink, request_timeout_s=30.0)
        async with running(drop_copy.run()):
            await until(lambda: sink.of("live"))
            given_up = asyncio.create_task(drop_copy.cancel_all_after(60_000))
            in_line = asyncio.create_task(drop_copy.cancel_all_after(90_000))
            await until(lambda: heard)
            in_line.cancel()
            given_up.cancel()
            receipt = await drop_copy.cancel_all_after(120_000)
    assert given_up.cancelled()
    assert in_line.cancelled()
    assert heard == [60_000, 120_000]
    assert receipt.cancel_time_ns == receipt.now_ns + 120_000_000_000
    assert sink.of("lost") == []


async def test_stream_lost_while_the_switch_waits() -> None:
    """P5: the connection broke between feed and answer: unknown, and said at once."""

    async def story(line: Line) -> None:
        await line.account()
        await line.hear_op("cancelAllAfter")
        line.socket.transport.abort()

    sink = RememberingSink()
    async with realtime(story, whole_account) as fake:
        drop_copy = a_drop_copy(fake, sink, request_timeout_s=30.0)
        async with running(drop_copy.run()):
            await until(lambda: sink.of("live"))
            with pytest.raises(OutcomeUnknown, match="lost before the answer"):
                await drop_copy.cancel_all_after(60_000)


@pytest.mark.parametrize(("status", "kind"), [(429, Unavailable), (503, Unavailable), (401, Rejected), (400, Rejected)])
async def test_switch_refused(status: int, kind: type[Exception]) -> None:
    """A refusal of the switch is the caller's, and does not cost the connection."""
    request = {"op": "cancelAllAfter", "args": 60_000}
    refusal = raw({"status": status, "error": "no", "meta": {"retryAfter": 2}, "request": request})
    sink = RememberingSink()
    async with realtime(feeding(refusal)) as fake:
        drop_copy = a_drop_copy(fake, sink)
        async with running(drop_copy.run()):
            await until(lambda: sink.of("live"))
            with pytest.raises(kind):
                await drop_copy.cancel_all_after(60_000)
    assert sink.of("lost") == []


async def test_feeds_of_the_switch_keep_their_order() -> None:
    """A 0 called after a feed is sent after that feed's answer: a late feed would arm the switch again."""
    disarmed = raw({"now": "2024-04-09T09:00:00.000Z", "request": {"op": "cancelAllAfter", "args": 0}})
    sink = RememberingSink()
    async with realtime(feeding(switch_answer(60_000, 60_000), disarmed)) as fake:
        drop_copy = a_drop_copy(fake, sink)
        async with running(drop_copy.run()):
            await until(lambda: sink.of("live"))
            async with asyncio.TaskGroup() as tasks:
                armed = tasks.create_task(drop_copy.cancel_all_after(60_000))
                off = tasks.create_task(drop_copy.cancel_all_after(0))
    assert armed.result().cancel_time_ns is not None
    assert off.result().cancel_time_ns is None
