"""Following the journal over the socket: what comes, in order; who does not keep up is let go; places are few."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from daemon.core import events as e
from daemon.shell.control import feed, server, stream
from daemon.shell.control.feed import Gone, RecordFeed, TooSlow
from daemon.shell.control.journal_tail import tail
from daemon.shell.control.server import MOST_HELD
from daemon.shell.journal import Journal
from daemon.shell.journal_file import JournalFile
from daemon.shell.records import encode_event
from tests.unit.daemon.shell.control.test_server import DEADLINE_S, a_desk, counter_of, say, serving

STARTED = encode_event(7, e.Started(at_ns=5, account=7))
TICKED = encode_event(8, e.HealthTicked(at_ns=6, market_age_ns=0, account_age_ns=0, loop_lag_ns=0, clock_skew_ns=0))
FOLLOW = b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n"


@asynccontextmanager
async def following(path: Path, request: bytes = FOLLOW) -> AsyncIterator[asyncio.StreamReader]:
    """A connection that follows, once it does."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(request)
    async with asyncio.timeout(DEADLINE_S):
        await reader.readuntil(b": following\n\n")
    try:
        yield reader
    finally:
        writer.close()


async def test_records_come_as_they_are_made_without_the_noise(tmp_path: Path) -> None:
    """Number, name and content; ticks only for who asks for every record; longer than other connections may live."""
    path, counter = tmp_path / "s", counter_of(a_desk()[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "DEADLINE_S", 0.2)
        patch.setattr(stream, "KEEP_ALIVE_S", 0.1)
        async with serving(path, counter=counter), following(path) as quiet:
            async with asyncio.timeout(DEADLINE_S):
                for _ in range(4):
                    await quiet.readuntil(b": alive\n\n")
                counter.feed.offer(TICKED)
                counter.feed.offer(STARTED)
                await quiet.readuntil(b"id: 7\nevent: Started\ndata: ")
                record = msgspec.json.decode(await quiet.readline())
    assert (record["seq"], record["kind"], record["body"]["account"]) == (7, "event", 7)


async def test_only_a_few_may_follow_and_they_take_no_place_for_ever(tmp_path: Path) -> None:
    """The ninth hears 503; when one goes there is room again, and the other places were never theirs."""
    path, counter = tmp_path / "s", counter_of(a_desk()[0])
    async with serving(path, counter=counter):
        async with following(path):
            others = [await asyncio.open_unix_connection(str(path)) for _ in range(MOST_HELD - 1)]
            for reader, writer in others:
                writer.write(FOLLOW)
                await reader.readuntil(b": following\n\n")
            assert (await say(path, FOLLOW)).startswith(b"HTTP/1.1 503")
            assert (await say(path, b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n")).startswith(b"HTTP/1.1 200")
            for _, writer in others:
                writer.close()
        async with asyncio.timeout(DEADLINE_S):
            while counter.feed.is_followed:  # noqa: ASYNC110 - the server's side ends by itself
                await asyncio.sleep(0.001)
        async with following(path):
            pass


async def test_a_follower_that_does_not_read_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P8: memory is bounded, nobody waits for it, and the guard's own work goes on."""
    monkeypatch.setattr(feed, "MOST_WAITING", 50)
    monkeypatch.setattr(stream, "SEND_WITHIN_S", 0.2)
    path, counter = tmp_path / "s", counter_of(a_desk()[0])
    async with serving(path, counter=counter), following(path):
        async with asyncio.timeout(DEADLINE_S):
            while counter.feed.is_followed:
                for _ in range(200):
                    counter.feed.offer(STARTED)
                await asyncio.sleep(0.001)
        assert not counter.feed.is_followed


async def test_a_queue_says_that_it_overflowed_and_that_nobody_is_there() -> None:
    """Each ends the stream in its own way."""
    records = RecordFeed()
    with records.following(every=False) as follower:
        for _ in range(feed.MOST_WAITING + 1):
            records.offer(STARTED)
        with pytest.raises(TooSlow):
            await follower.take()
    with records.following(every=True) as follower:
        records.offer(TICKED)
        assert (await follower.take()).startswith(b"id: 8\nevent: HealthTicked\n")
        follower.leave()
        with pytest.raises(Gone):
            await follower.take()
    assert not records.is_followed


def test_the_tail_of_the_journal_is_read_from_its_end(tmp_path: Path) -> None:
    """The newest, oldest first, over segments; without noise unless asked for; torn lines are left out."""
    file = JournalFile(tmp_path)
    file.start()
    heard: list[bytes] = []
    journal = Journal(file, first_seq=0, version="1", follow=heard.append)
    for at_ns in range(3):
        journal.begin_segment({"at": at_ns})
        journal.append_event(e.Started(at_ns=at_ns, account=7))
        journal.append_event(e.TimerFired(at_ns=at_ns))
    assert file.wait_durable(5.0)
    file.close()
    newest = max(tmp_path.iterdir())
    newest.write_bytes(newest.read_bytes() + b'{"crc":"torn')
    assert [(each["seq"], each["name"]) for each in tail(tmp_path, 2, every=False)] == [(4, "Started"), (7, "Started")]
    assert [each["seq"] for each in tail(tmp_path, 100, every=True)] == list(range(9))
    assert tail(tmp_path / "nowhere", 5, every=True) == []
    assert len(heard) == 6
