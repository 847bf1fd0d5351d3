"""`seawall freeze`, `flatten`, `lift` and `stop` against the real daemon and the embedded exchange, over sockets."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from daemon.exit_codes import ExitCode
from tests.integration.exchange_client import Rest, running
from tests.integration.guard_process import (
    REPOSITORY,
    GuardProcess,
    a_guard,
    guard_stops,
    open_long,
    position_size,
    until,
    wait_stop,
)


async def seawall(guard: GuardProcess, *words: str) -> tuple[int, str, str]:
    """Run one command as a person would; exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon", *words, "--config", str(guard.settings)),
        cwd=REPOSITORY,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )
    async with asyncio.timeout(20):
        output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


async def quote(bot: Rest, price: int = 40_000) -> None:
    """A bot's order that may add exposure."""
    await bot.ask("POST", "/order", symbol="XBTUSD", side="Buy", orderQty=1_000, price=price, ordType="Limit")


async def open_orders(bot: Rest) -> list[dict[str, Any]]:
    """Whatever is open."""
    rows: list[dict[str, Any]] = await bot.ask("GET", "/order", filter={"open": True})
    return rows


async def test_a_freeze_outlives_a_kill_right_after_its_acknowledgement(tmp_path: Path) -> None:
    """P7: frozen, acknowledged, `kill -9`, started again: a new quote goes, until a person lifts it by name."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        code, said, _ = await seawall(guard, "freeze")
        await guard.kill()
        assert (code, said.startswith("frozen")) == (0, True)
        await guard.start_guarding()
        await quote(bot)

        async def is_gone() -> bool:
            return not await open_orders(bot)

        await until(is_gone, "the quote to be cancelled")
        (latch,) = (await guard.status())["latches"]
        assert (latch["name"], latch["cancelled"]) == ("operator", 1)
        assert (await seawall(guard, "lift", "operator"))[0] == 0
        await quote(bot)

        async def is_fed_for() -> bool:
            return bool((await guard.status())["switch"]["state"] == "armed")

        await until(is_fed_for, "the guard to know of the quote")
        assert len(await open_orders(bot)) == 1


async def test_flatten_closes_proves_and_takes_the_stops_last(tmp_path: Path) -> None:
    """P1: a position with its stop and a quote: all gone, in that order, and a new position goes again."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        await wait_stop(bot)
        await quote(bot, 59_000)
        code, said, _ = await seawall(guard, "flatten", "--yes", "--json")
        assert code == 0
        assert json.loads(said)["on_disk"] is True

        async def is_over() -> bool:
            latches = (await guard.status()).get("latches", [])
            return bool(latches) and latches[0]["proved_flat"] and not await open_orders(bot)

        await until(is_over, "flat, proved, and no order left")
        assert await position_size(bot) == 0
        await open_long(bot)

        async def is_flat_again() -> bool:
            return await position_size(bot) == 0

        await until(is_flat_again, "the new position to be closed")
        assert (await seawall(guard, "lift", "--all"))[0] == 0
        rows = await bot.ask("GET", "/order", count=100, reverse=True)
        ours = [row for row in rows if (row["clOrdID"] or "").startswith("sw-")]
        assert all("ReduceOnly" in row["execInst"] or "Close" in row["execInst"] for row in ours)


async def test_a_person_moves_the_stop_and_loosens_it_only_by_saying_so(tmp_path: Path) -> None:
    """P3: a nearer price is taken; a looser one is refused without --loosen; the journal names the person."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        first = await wait_stop(bot)
        nearer = int(first["stopPx"]) + 200

        async def is_at() -> bool:
            stops = await guard_stops(bot)
            return len(stops) == 1 and stops[0]["stopPx"] == nearer

        code, _, errors = await seawall(guard, "stop", "XBTUSD", str(nearer))
        assert (code, errors) == (0, "")
        await until(is_at, "the stop to be moved")
        code, _, errors = await seawall(guard, "stop", "XBTUSD", str(nearer - 100))
        assert code == ExitCode.REFUSED
        assert "looser" in errors
        await until(is_at, "the stop to stay")
        code, _, errors = await seawall(guard, "stop", "XBTUSD", str(nearer - 100), "--loosen")
        assert (code, errors) == (0, "")

        async def is_loosened() -> bool:
            stops = await guard_stops(bot)
            return len(stops) == 1 and stops[0]["stopPx"] == nearer - 100

        await until(is_loosened, "the stop to be loosened")
        journal = b"".join(path.read_bytes() for path in (tmp_path / "state" / "journal").iterdir())
        assert b'"may_loosen":true' in journal


async def test_what_cannot_be_done_is_refused_with_a_code_of_its_own(tmp_path: Path) -> None:
    """P12: unknown latch, unknown symbol, no position, nobody to confirm, no daemon."""
    async with running() as exchange, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        code, _, errors = await seawall(guard, "lift", "daily_loss")
        assert (code, errors) == (
            ExitCode.REFUSED,
            "seawall: no latch is called daily_loss; nothing is latched\n",
        )
        code, _, errors = await seawall(guard, "flatten", "NOPE", "--yes")
        assert (code, "no such symbol: NOPE" in errors) == (ExitCode.REFUSED, True)
        code, _, errors = await seawall(guard, "stop", "XBTUSD", "50000")
        assert (code, "no position is open in XBTUSD" in errors) == (ExitCode.REFUSED, True)
        code, _, errors = await seawall(guard, "flatten")
        assert (code, "say --yes" in errors) == (ExitCode.USAGE, True)
        await guard.kill()
        assert (await seawall(guard, "freeze"))[0] == ExitCode.VENUE_UNREACHABLE
