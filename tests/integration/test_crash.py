"""`kill -9` and lost connections at any moment: the guard finds its way back without a person (P7)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.integration.exchange_client import Rest, prices, running
from tests.integration.guard_process import (
    GuardProcess,
    a_guard,
    guard_stops,
    open_long,
    position_size,
    until,
    wait_stop,
)


async def test_a_killed_guard_finds_its_stop_again(tmp_path: Path) -> None:
    """P7: killed while the stop rests, started again: one stop, the same one, and the journal was used."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        stop = await wait_stop(bot)
        await guard.kill()
        await guard.start_guarding()
        assert [row["orderID"] for row in await guard_stops(bot)] == [stop["orderID"]]
        assert any(line.get("recovered") is True for line in guard.lines())


async def test_what_happened_while_it_was_dead_is_made_good(tmp_path: Path) -> None:
    """P7: while the guard is dead its stop is cancelled and the position doubled; all of it is covered again."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        stop = await wait_stop(bot)
        await until(lambda: is_on_disk(tmp_path, stop["clOrdID"]), "the confirmed stop in the journal")
        await guard.kill()
        await bot.ask("DELETE", "/order", orderID=stop["orderID"])
        await open_long(bot)
        await guard.start_guarding()

        async def is_covered() -> bool:
            return [row["orderQty"] for row in await guard_stops(bot)] == [20_000]

        await until(is_covered, "one stop for 20,000 contracts")
        (fresh,) = await guard_stops(bot)
        assert fresh["stopPx"] >= stop["stopPx"]


async def is_on_disk(folder: Path, client_order_id: str) -> bool:
    """Whether the journal's files hold the order stream's word of an order: what the ratchet is rebuilt from (P3)."""
    return any('"OrderSeen"' in line and client_order_id in line for line in journal_lines(folder))


def journal_lines(folder: Path) -> list[str]:
    """What the guard has on disk."""
    return [line for file in folder.rglob("journal-*.jsonl") for line in file.read_text().splitlines()]


@pytest.mark.parametrize("seen", ["FindOrders", "ReadPicture", "PlaceStop", "covered"])
async def test_killed_right_after_a_decision(tmp_path: Path, seen: str) -> None:
    """P7, P4: killed as soon as the log shows a step of covering a position: afterwards exactly one stop rests."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        if seen in {"PlaceStop", "covered"}:

            async def is_seen() -> bool:
                return seen in guard.words()

            await until(is_seen, f"{seen} in the log")
        await guard.kill()
        await guard.start_guarding()
        stop = await wait_stop(bot)
        assert stop["orderQty"] == 10_000


async def test_a_lost_journal_is_no_reason_to_stay_away(tmp_path: Path) -> None:
    """P4, P7: killed, and the whole journal is deleted: the guard takes its own stop for its own, and adds none."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        stop = await wait_stop(bot)
        await guard.kill()
        remove_journal(tmp_path)
        await guard.start_guarding()
        await bot.ask("DELETE", "/order", orderID=stop["orderID"])
        second = await wait_stop(bot, but=stop["clOrdID"])
        assert second["clOrdID"] != stop["clOrdID"]


def remove_journal(folder: Path) -> None:
    """Delete every segment."""
    for segment in (folder / "state" / "journal").glob("*.jsonl"):
        segment.unlink()


async def test_a_damaged_journal_is_said_and_survived(tmp_path: Path) -> None:
    """P7, P12: a record in the middle is damaged: people hear where, and the guard starts from the venue alone."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        stop = await wait_stop(bot)
        await guard.kill()
        damage_journal(tmp_path)
        await guard.start_guarding()
        (said,) = [line for line in guard.lines() if line.get("state") == "journal_unusable"]
        assert "line 3" in said["event"]
        assert [row["orderID"] for row in await guard_stops(bot)] == [stop["orderID"]]


def damage_journal(folder: Path) -> None:
    """Overwrite a part of the third record."""
    (segment,) = (folder / "state" / "journal").glob("*.jsonl")
    lines = segment.read_bytes().split(b"\n")
    lines[2] = lines[2][:40] + b"?" * 10 + lines[2][50:]
    segment.write_bytes(b"\n".join(lines))


async def test_the_guard_outlives_the_exchange(tmp_path: Path) -> None:
    """The exchange goes away and comes back: the guard turns blind, reconnects, and covers what is new."""
    folder, state_dir = tmp_path / "guard", tmp_path / "exchange"
    folder.mkdir()
    async with running(state_dir=state_dir) as exchange, Rest(exchange) as bot:
        port = urlsplit(exchange.http_url).port
        guard = GuardProcess(folder, exchange)
        await guard.start_guarding()
        await open_long(bot)
        first = await wait_stop(bot)
    try:
        await guard.wait_mode("blind")
        async with running(state_dir=state_dir, port=port) as exchange, Rest(exchange) as bot:
            await guard.wait_mode("guarding")
            assert [row["clOrdID"] for row in await guard_stops(bot)] == [first["clOrdID"]]
            await open_long(bot)

            async def is_grown() -> bool:
                return [row["orderQty"] for row in await guard_stops(bot)] == [20_000]

            await until(is_grown, "a stop for 20,000 contracts")
            assert await guard.terminate() == 0
    finally:
        await guard.close()


async def test_killed_again_and_again_in_a_falling_market(tmp_path: Path) -> None:
    """P7: the mark falls step by step and the guard is killed at each; the stop fires and nothing is liquidated."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        stop = await wait_stop(bot)
        for mark in (59_600, 59_200, 58_800, int(stop["stopPx"]) - 3):
            await guard.kill()
            exchange.venue.submit(prices(XBTUSD=mark))
            await guard.start_guarding()

        async def is_flat() -> bool:
            return await position_size(bot) == 0

        await until(is_flat, "the position to be closed")
        rows = await bot.ask("GET", "/execution", filter={"symbol": "XBTUSD"}, count=100, reverse=True)
        assert not [row for row in rows if "iquidat" in (row["text"] or "")]


async def test_a_full_disk_stops_no_protection(tmp_path: Path) -> None:
    """P12: no file may grow beyond a few kilobytes: the position is covered, and the failing journal is said aloud."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start(before=("sh", "-c", 'ulimit -f 8; exec "$@"', "sh"))
        await guard.wait_mode("guarding")
        await open_long(bot)
        await wait_stop(bot)

        async def is_said() -> bool:
            return "journal_failed" in [each["state"] for each in (await guard.status()).get("degraded", [])]

        await until(is_said, "the failing journal to be said")
        await guard.kill()
        await guard.start_guarding()
        assert len(await guard_stops(bot)) == 1


async def test_two_guards_of_one_account_place_one_stop(tmp_path: Path) -> None:
    """P4: two daemons with states of their own see the same position: one stop rests, whoever placed it."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    async with (
        running() as exchange,
        Rest(exchange) as bot,
        a_guard(folders[0], exchange) as one,
        a_guard(folders[1], exchange) as two,
    ):
        await one.start_guarding()
        await two.start_guarding()
        await open_long(bot)

        async def are_both_content() -> bool:
            told = [await guard.status() for guard in (one, two)]
            return all(each["positions"] and each["positions"][0]["covered_since"] for each in told)

        await until(are_both_content, "both to call the position covered")
        assert len(await guard_stops(bot)) == 1
        rows = await bot.ask("GET", "/order", count=100)
        assert len([row for row in rows if (row["clOrdID"] or "").startswith("sw-")]) <= 2
