"""The request budget at the wire: who waits, who is refused, and in which order they leave."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

import msgspec
import pytest

from connectors.errors import Unavailable
from tests.integration.bitmex_fakes import POLL_S, Reply, rest, until
from tests.integration.test_bitmex_requests import STOP, order_entry
from tests.unit.connectors.bitmex.bitmex_builders import STOP_ROW, raw


async def test_reads_leave_the_reserve_to_protection() -> None:
    """P8: bots drained the bucket to the reserve: reads fail here, a stop still goes out."""
    drained = {"x-ratelimit-remaining": "25", "x-ratelimit-limit": "120"}
    async with (
        rest(Reply(200, raw([]), drained), Reply(200, raw(STOP_ROW), drained)) as fake,
        order_entry(fake) as entry,
    ):
        await entry.instruments()
        with pytest.raises(Unavailable, match="budget"):
            await entry.instruments()
        assert (await entry.place_stop(STOP)).is_resting_stop
    assert [asked.verb for asked in fake.asked] == ["GET", "POST"]


async def test_unsigned_answers_do_not_touch_the_account_s_budget() -> None:
    """The clock is read unsigned, from the address's own small bucket: its headers are another bucket's."""
    clock = Reply(200, b'{"timestamp":1718000000123}', {"x-ratelimit-limit": "30", "x-ratelimit-remaining": "0"})
    async with rest(clock, Reply(200, raw(STOP_ROW))) as fake, order_entry(fake) as entry:
        assert await entry.server_time_ns() == 1_718_000_000_123_000_000
        await entry.place_stop(STOP)
    assert "api-key" not in fake.asked[0].headers


async def test_burst_of_stops_waits_for_the_second() -> None:
    """Eleven stops at once: ten go, the eleventh waits a tenth of a second instead of failing."""
    async with rest(Reply(200, raw(STOP_ROW))) as fake, order_entry(fake) as entry:
        for _ in range(11):
            await entry.place_stop(STOP)
    assert len(fake.asked) == 11


async def test_who_waited_first_leaves_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """P5: two placements wait for the second; the first oversleeps, and the later one lets it by all the same."""
    as_asked, sleepers = asyncio.sleep, 0

    async def oversleep(seconds: float) -> None:
        nonlocal sleepers
        sleepers += seconds > POLL_S
        if seconds > POLL_S and sleepers == 1:
            with suppress(TimeoutError):
                await until(lambda: len(fake.asked) > 1, within_s=0.3)
        else:
            await as_asked(seconds)

    monkeypatch.setattr(asyncio, "sleep", oversleep)
    names = ["sw-2", "sw-3"]
    spent = Reply(200, raw(STOP_ROW), {"x-ratelimit-remaining-1s": "0"})
    replies = [Reply(200, raw({**STOP_ROW, "clOrdID": name})) for name in names]
    async with rest(spent, *replies) as fake, order_entry(fake) as entry:
        await entry.place_stop(STOP)
        await asyncio.gather(*(entry.place_stop(replace(STOP, client_order_id=name)) for name in names))
    assert [msgspec.json.decode(asked.body)["clOrdID"] for asked in fake.asked][1:] == names
    assert sleepers >= 1
