"""`seawall journal`, `replay` and `explain` on the real daemon's journal, while it runs and after it was killed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from daemon.exit_codes import ExitCode
from tests.integration.exchange_client import Rest, running
from tests.integration.guard_process import a_guard, guard_stops, open_long, wait_stop
from tests.integration.test_operate import seawall


async def test_a_running_daemons_journal_is_read_and_left_as_it_is(tmp_path: Path) -> None:
    """P7, P9: whole, the same commands, its stop explained; a kill, a restart, and it is one chain still."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        await wait_stop(bot)
        (stop,) = await guard_stops(bot)
        results = await asyncio.gather(
            seawall(guard, "journal", "verify"),
            seawall(guard, "replay"),
            seawall(guard, "explain", stop["clOrdID"], "--json"),
        )
        assert [code for code, _, _ in results] == [ExitCode.OK] * 3, results
        explained = msgspec.json.decode(results[2][1])
        assert explained["command"] == "PlaceStop"
        assert stop["orderID"] in explained["names"]
        assert any(row["by"] == "venue" and "resting" in row["text"] for row in explained["trail"])
        (position,) = explained["known"]["positions"]
        assert position["liquidation_price"]

        await guard.kill()
        await guard.start_guarding()
        code, said, _ = await seawall(guard, "journal", "prune", "--keep", "0")
        assert (code, "0 segments" in said) == (ExitCode.OK, True)
        code, said, _ = await seawall(guard, "replay", "--json")
        assert (code, msgspec.json.decode(said)["checkpoints"]) == (ExitCode.OK, 1), said
        code, said, _ = await seawall(guard, "journal", "verify", "--json")
        found = msgspec.json.decode(said)
        assert (code, found["is_whole"], found["segments"]) == (ExitCode.OK, True, 2)
        assert found["records"] == found["chained"]
