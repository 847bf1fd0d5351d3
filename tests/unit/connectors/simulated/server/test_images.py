"""Partials at once, or at the tick."""

from __future__ import annotations

import asyncio

import pytest

from connectors.simulated.server.images import PREPARED, Images


@pytest.mark.parametrize("table", ["order", "position", "margin", "execution", "liquidation", "funding", "tradeBin1m"])
async def test_small_tables_are_ready_at_once(table: str) -> None:
    """Account tables never wait."""
    told: list[str] = []
    Images(2_500).when_ready(table, lambda: told.append(table))
    assert told == [table]


async def test_without_a_period_nothing_waits() -> None:
    """The other side of the switch."""
    told: list[str] = []
    for table in sorted(PREPARED):
        Images(0).when_ready(table, lambda table=table: told.append(table))  # type: ignore[misc]
    assert told == sorted(PREPARED)


async def test_prepared_tables_come_together_at_the_tick() -> None:
    """All that was asked for since the last tick, in the order of asking, and not before."""
    images, told, done = Images(20), [], asyncio.Event()
    images.when_ready("instrument", lambda: told.append("instrument"))
    images.when_ready("orderBookL2", lambda: told.append("orderBookL2"))
    images.when_ready("trade", done.set)
    assert told == []
    async with asyncio.timeout(5):
        await done.wait()
    assert told == ["instrument", "orderBookL2"]


async def test_the_tick_is_the_same_for_everyone() -> None:
    """Whoever asks later in the period waits less; the next period is another tick."""
    images, first, second = Images(30), asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(5):
        images.when_ready("quote", first.set)
        await first.wait()
        at_s = loop.time()
        images.when_ready("quote", second.set)
        await second.wait()
    assert loop.time() - at_s <= 0.3
    assert at_s % 0.03 < 0.02
