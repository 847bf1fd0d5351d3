"""One rendering for all who ask, a little at a time."""

from __future__ import annotations

import asyncio

import pytest

from daemon.shell.metrics import page as page_module
from daemon.shell.metrics.page import Page
from daemon.shell.metrics.snapshot import Snapshot
from tests.unit.daemon.shell.metrics.pages import a_guard, snapshot_of


class Source:
    """Counts how often a snapshot is taken."""

    def __init__(self) -> None:
        self.snapshot = snapshot_of(a_guard("XBTUSDT", "ETHUSDT").state)
        self.taken = 0

    def take(self) -> Snapshot:
        self.taken += 1
        return self.snapshot


async def test_many_scrapers_cost_one_rendering() -> None:
    """Ten ask at once, and an eleventh a moment later: the page is made once, and all get the same."""
    source = Source()
    page = Page(source.take)
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(page.text()) for _ in range(10)]
    texts = {each.result() for each in asked} | {await page.text()}
    assert len(texts) == 1
    assert source.taken == 1


async def test_a_page_gets_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks after its second gets a new one."""
    monkeypatch.setattr(page_module, "FRESH_S", 0.0)
    source = Source()
    page = Page(source.take)
    await page.text()
    await page.text()
    assert source.taken == 2


async def test_a_scraper_that_goes_away_holds_up_nobody() -> None:
    """The one for whom it is made hangs up in the middle: the next gets a whole page."""
    source = Source()
    page = Page(source.take)
    first, second = asyncio.ensure_future(page.text()), asyncio.ensure_future(page.text())
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).endswith(b"\n")
    assert first.cancelled()


async def test_others_run_between_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """P10: while a page is made the loop goes round many times: what protects waits for a piece and not for a page."""
    monkeypatch.setattr(page_module, "WORK_S", 0.0)
    rounds = 0
    page = Page(Source().take)
    asked = asyncio.ensure_future(page.text())
    while not asked.done():
        rounds += 1
        await asyncio.sleep(0)
    assert rounds > 50
