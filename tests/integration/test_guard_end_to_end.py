"""The real daemon against the embedded exchange over real sockets: what a user gets."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
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


def files_below(folder: Path) -> dict[str, bytes]:
    """Everything that was written."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_a_new_position_is_covered_by_a_mark_stop(tmp_path: Path) -> None:
    """P2: a bot opens a long; one reduce-only mark stop for all of it rests between mark and liquidation price."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        stop = await wait_stop(bot)
        (row,) = await bot.ask("GET", "/position", filter={"symbol": "XBTUSD"})
        assert row["liquidationPrice"] < stop["stopPx"] < row["markPrice"]
        assert (stop["side"], stop["ordType"], stop["orderQty"]) == ("Sell", "Stop", 10_000)
        assert set(stop["execInst"].split(",")) == {"MarkPrice", "ReduceOnly"}
        status = await guard.wait_mode("guarding")
        assert status["positions"][0]["covered_since"] is not None


async def test_the_stop_gets_the_position_out_before_liquidation(tmp_path: Path) -> None:
    """The mark falls through the trigger: the position is gone, and the exchange took nothing."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        stop = await wait_stop(bot)
        exchange.venue.submit(prices(XBTUSD=int(stop["stopPx"]) - 5))

        async def is_flat() -> bool:
            return await position_size(bot) == 0

        await until(is_flat, "the position to be closed")
        rows = await bot.ask("GET", "/execution", filter={"symbol": "XBTUSD"}, count=50, reverse=True)
        assert not [row for row in rows if "iquidat" in (row["text"] or "") or row["execType"] == "Liquidation"]

        async def is_cleared() -> bool:
            return not await guard_stops(bot)

        await until(is_cleared, "no stop to be left")


async def test_the_stop_grows_with_the_position_and_never_loosens(tmp_path: Path) -> None:
    """P3: the position is doubled at a better price; the stop covers all of it and does not move away from the mark."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        first = await wait_stop(bot)
        exchange.venue.submit(prices(XBTUSD=59_500))
        await open_long(bot)

        async def is_grown() -> bool:
            stops = await guard_stops(bot)
            return len(stops) == 1 and stops[0]["orderQty"] == 20_000

        await until(is_grown, "one stop for 20,000 contracts")
        (grown,) = await guard_stops(bot)
        assert grown["stopPx"] >= first["stopPx"]


async def test_a_stop_that_somebody_loosens_is_moved_back(tmp_path: Path) -> None:
    """P3: the position has become safer, so policy would be content with less; what was once confirmed is kept."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        first = await wait_stop(bot)
        exchange.venue.submit(prices(XBTUSD=59_000))
        await open_long(bot)

        async def trigger() -> float:
            stops = await guard_stops(bot)
            return float(stops[0]["stopPx"]) if len(stops) == 1 and stops[0]["orderQty"] == 20_000 else 0.0

        confirmed = await until(trigger, "one stop for 20,000 contracts")
        assert confirmed == first["stopPx"]
        loosened = confirmed - 200
        await bot.ask("PUT", "/order", orderID=first["orderID"], stopPx=loosened)

        async def is_back() -> bool:
            return await trigger() == confirmed

        await until(is_back, "the stop to be where it was")


async def test_a_stop_that_disappears_is_put_back(tmp_path: Path) -> None:
    """A person cancels the guard's stop by hand: another one rests at once, under the next id."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        first = await wait_stop(bot)
        await bot.ask("DELETE", "/order", orderID=first["orderID"])
        second = await wait_stop(bot, but=first["clOrdID"])
        assert second["stopPx"] == first["stopPx"]


async def test_an_orderly_stop_leaves_the_protection(tmp_path: Path) -> None:
    """SIGTERM: exit code 0, the stop still rests, and the dead man's switch was disarmed last."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        stop = await wait_stop(bot)
        assert await guard.terminate() == 0
        assert [row["orderID"] for row in await guard_stops(bot)] == [stop["orderID"]]
        sent = [line["command"] for line in guard.lines() if line["event"] == "sent" and "Switch" in line["command"]]
        assert sent[-1] == "DisarmSwitch"


async def test_an_orderly_stop_cancels_what_may_add_exposure_if_asked(tmp_path: Path) -> None:
    """P1: `cancel_on_stop`: a bot's two quotes go before the disarming; what only shrinks stays."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        with guard.settings.open("a") as settings:
            settings.write("[switch]\ncancel_on_stop = true\n")
        await guard.start_guarding()
        await open_long(bot)
        stop = await wait_stop(bot)
        for name, side, price, execution in (
            ("quote-1", "Buy", 59_500, ""),
            ("quote-2", "Sell", 90_000, ""),
            ("ladder", "Sell", 95_000, "ReduceOnly"),
        ):
            order = {"symbol": "XBTUSD", "side": side, "orderQty": 100, "price": price, "execInst": execution}
            await bot.ask("POST", "/order", clOrdID=name, **order)

        async def is_fed() -> bool:
            return (await guard.status())["switch"]["state"] == "armed"

        await until(is_fed, "the switch to be armed for the quotes")
        assert await guard.terminate() == 0
        rows = await bot.ask("GET", "/order", filter={"open": True})
        assert {row["clOrdID"] for row in rows} == {stop["clOrdID"], "ladder"}
        assert "stay open" not in guard.words()


async def test_observing_sends_nothing_that_changes_anything(tmp_path: Path) -> None:
    """`--observe` with a key that may only read: the position is told about, and the exchange sees no order of ours."""
    async with (
        running() as exchange,
        Rest(exchange) as bot,
        a_guard(tmp_path, exchange, key=exchange.key(name="read-only")) as guard,
    ):
        await guard.start_guarding("--observe")
        await open_long(bot)

        async def is_told() -> bool:
            return any(line.get("symbol") == "XBTUSD" for line in guard.lines())

        await until(is_told, "a line about the position")
        assert await guard.terminate() == 0
        sent = {line["command"] for line in guard.lines() if line["event"] == "sent"}
        assert sent <= {"ReadPicture", "FindOrders"}
        rows = await bot.ask("GET", "/order", count=100)
        assert not [row for row in rows if (row["clOrdID"] or "").startswith("sw-")]


@pytest.mark.parametrize(("name", "words"), [("withdrawing", "may withdraw"), ("read-only", "may not place orders")])
async def test_a_key_with_wrong_rights_is_refused(tmp_path: Path, name: str, words: str) -> None:
    """P11: a key that may withdraw, and one that may not order, end the start with code 4 and one line."""
    async with running() as exchange, a_guard(tmp_path, exchange, key=exchange.key(name=name)) as guard:
        await guard.start()
        assert await guard.wait_exit() == 4
        assert words in guard.words()
        assert "Traceback" not in guard.words()


async def test_a_wrong_secret_is_one_clear_line(tmp_path: Path) -> None:
    """The secret belongs to another key: code 4, no traceback, and the secret is not shown."""
    async with running() as exchange, a_guard(tmp_path, exchange) as guard:
        await guard.start(environment={"SEAWALL_SECRET": "not-the-right-secret"})
        assert await guard.wait_exit() == 4
        assert "refuses this API key" in guard.words()
        assert "Traceback" not in guard.words()
        assert "not-the-right-secret" not in guard.words()


async def test_a_second_instance_is_refused(tmp_path: Path) -> None:
    """The same settings are started twice: the second ends with code 6 and names the first."""
    async with running() as exchange, a_guard(tmp_path, exchange) as first, a_guard(tmp_path, exchange) as second:
        await first.start_guarding()
        await second.start()
        assert await second.wait_exit() == 6
        assert "another guard" in second.words()
        assert (await first.status())["mode"] == "guarding"


async def test_no_secret_is_written_anywhere(tmp_path: Path) -> None:
    """P11: after a whole life with debug logs, neither log, journal, outbox nor socket answer holds the secret."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        await wait_stop(bot)
        status = repr(await guard.status())
        assert await guard.terminate() == 0
        secret = guard.key.secret
        assert secret not in status
        written = files_below(tmp_path)
        assert [name for name in written if name.endswith(".jsonl")]
        assert not [name for name, content in written.items() if secret.encode() in content]


async def test_the_process_leaves_no_core_dump(tmp_path: Path) -> None:
    """P11: a dump of the memory would hold the secret; started by a shell that allows dumps, the guard forbids them."""
    async with running() as exchange, a_guard(tmp_path, exchange) as guard:
        await guard.start(before=("/bin/sh", "-c", 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"', "sh"))
        process: int = (await guard.wait_mode("guarding"))["process"]
        soft, _ = resource.prlimit(process, resource.RLIMIT_CORE)
        assert soft == 0


async def test_a_log_reader_that_hangs_does_not_stop_the_guard(tmp_path: Path) -> None:
    """Standard output is a full pipe that nobody reads: the guard guards, answers, and stops in good order."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    try:
        async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
            await guard.start(output=writer)
            await guard.wait_mode("guarding")
            await open_long(bot)
            await wait_stop(bot)
            assert await guard.terminate() == 0
    finally:
        os.close(reader)
        os.close(writer)


async def test_the_service_manager_hears_of_a_whole_life(tmp_path: Path) -> None:
    """Over a real datagram socket: READY after the first cycle, WATCHDOG with each, STOPPING at the end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        heard: list[str] = []

        async def has_heard(word: str) -> bool:
            try:
                while True:
                    heard.extend(manager.recv(4096).decode().split("\n"))
            except BlockingIOError:
                return word in heard

        async with running() as exchange, a_guard(tmp_path, exchange) as guard:
            await guard.start(environment={"NOTIFY_SOCKET": str(tmp_path / "notify")})
            await until(lambda: has_heard("READY=1"), "READY=1")
            heard.clear()
            await until(lambda: has_heard("WATCHDOG=1"), "WATCHDOG=1 of a later cycle")
            assert "READY=1" not in heard
            assert await guard.terminate() == 0
            assert await has_heard("STOPPING=1")


async def test_a_venue_that_is_away_at_the_start_is_waited_for(tmp_path: Path) -> None:
    """The exchange comes up after the guard: no crash, the status says what is waited for, and then it guards."""
    guard_folder, state_dir = tmp_path / "guard", tmp_path / "exchange"
    guard_folder.mkdir()
    async with running(state_dir=state_dir) as exchange:
        port = urlsplit(exchange.http_url).port
        guard = GuardProcess(guard_folder, exchange)
    try:
        await guard.start()
        await guard.wait_mode("waiting_for_venue")
        async with running(state_dir=state_dir, port=port):
            await guard.wait_mode("guarding")
            assert await guard.terminate() == 0
    finally:
        await guard.close()
