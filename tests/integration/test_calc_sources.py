"""`seawall calc` with the contract figures of a running exchange."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.integration.exchange_client import running
from tests.integration.guard_process import SETTINGS
from tests.unit.daemon.calc.calling import answer, refused

LINE = "calc funding --symbol XBTUSD --side long --contracts 10000 --leverage 10"


async def test_mark_rate_and_schedule_come_from_the_exchange(tmp_path: Path) -> None:
    """By its address and by the settings that name it: the same answer, with the next stamp."""
    async with running() as exchange:
        found = await asyncio.to_thread(answer, f"{LINE} --url {exchange.http_url}")
        assert found["source"] == exchange.http_url
        assert found["next_stamp"] is not None
        assert found["interval_hours"] == 8
        settings = tmp_path / "seawall.toml"
        settings.write_text(SETTINGS.format(http=exchange.http_url, ws=exchange.ws_url))
        assert await asyncio.to_thread(answer, f"{LINE} --config {settings}") == found
        line = await asyncio.to_thread(refused, f"{LINE.replace('XBTUSD', 'NOPE')} --url {exchange.http_url}")
        assert "--symbol NOPE is not a contract in" in line
