"""The real daemon under a service manager: ready, alive, reloading, stopping, hanging, dying."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from tests.integration.exchange_client import Rest, running
from tests.integration.guard_process import GuardProcess, a_guard, guard_stops, open_long, until, wait_stop
from tests.integration.service_manager import ServiceManager, a_service_manager, last_act
from tests.unit.daemon.shell.alerts.test_webhook import a_receiver

WATCHDOG_S = 1.5
KILLED = {"SERVICE_RESULT": "signal", "EXIT_CODE": "killed", "EXIT_STATUS": "KILL"}


async def start_ready(guard: GuardProcess, manager: ServiceManager) -> int:
    """Start it as systemd would, wait for READY, and return the process that said so."""
    await guard.start(environment=manager.environment, before=("setsid",))
    await manager.until(READY="1")
    return manager.sender


async def test_a_service_from_ready_to_stopped(tmp_path: Path) -> None:
    """READY with the account read whole, a watchdog fed by cycles, a reload in brackets, an orderly stop."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await open_long(bot)
        with a_service_manager(tmp_path) as manager:
            await guard.start(environment=manager.environment, before=("setsid",))
            heard = await manager.until(READY="1")
            assert all("EXTEND_TIMEOUT_USEC" in each and "STATUS" in each for each in heard[:-1])
            assert heard[-1]["MAINPID"] == str(manager.sender)
            assert "1 positions" in heard[-1]["STATUS"]
            assert (await manager.until(WATCHDOG="1"))[-1].keys() == {"STATUS", "WATCHDOG"}
            await manager.until(STATUS="guarding: 1 of 1 positions covered")
            os.kill(manager.sender, signal.SIGHUP)
            assert (await manager.until(RELOADING="1"))[-1]["MONOTONIC_USEC"].isdecimal()
            await manager.until(READY="1")
            os.kill(manager.sender, signal.SIGTERM)
            stopping = (await manager.until(STOPPING="1"))[-1]
            assert int(stopping["EXTEND_TIMEOUT_USEC"]) == 20_000_000
            assert await guard.wait_exit() == 0
        assert await last_act(guard, {"SERVICE_RESULT": "success", "EXIT_CODE": "exited", "EXIT_STATUS": "0"}) == ""
        assert len(await guard_stops(bot)) == 1


async def test_a_start_waits_for_the_venue_and_says_so(tmp_path: Path) -> None:
    """While the venue is away: more time is asked for again and again, READY is not said, a stop works."""
    async with running() as exchange, a_guard(tmp_path, exchange) as guard:
        text = guard.settings.read_text()
        guard.settings.write_text(text.replace(exchange.http_url, "http://127.0.0.1:1"))
        with a_service_manager(tmp_path) as manager:
            await guard.start(environment=manager.environment)
            for _ in range(2):
                message = (await manager.until(EXTEND_TIMEOUT_USEC="60000000"))[-1]
                assert "READY" not in message
                assert message["STATUS"].startswith("nothing is guarded: waiting for the exchange")
            assert await guard.terminate() == 0


async def test_a_hanging_guard_is_noticed_and_started_again(tmp_path: Path) -> None:
    """P7: the process stands still, nobody feeds the watchdog, it is killed; the next one finds the stop again."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        with a_service_manager(tmp_path) as manager:
            first = await start_ready(guard, manager)
            await open_long(bot)
            stop = await wait_stop(bot)
            os.kill(first, signal.SIGSTOP)
            await manager.watchdog_runs_out(WATCHDOG_S)
            await guard.kill()
            words = await last_act(guard, {**KILLED, "SERVICE_RESULT": "watchdog"})
            assert "completed no decision cycle" in words
            second = await start_ready(guard, manager)
            assert second != first
            await manager.until(STATUS="guarding: 1 of 1 positions covered")
        assert [row["orderID"] for row in await guard_stops(bot)] == [stop["orderID"]]


async def test_the_last_act_disarms_what_could_only_harm(tmp_path: Path) -> None:
    """P6: dead while armed. A quote is open: the sweep is told with its time. Only the stop is left: disarmed."""
    async with (
        running() as exchange,
        Rest(exchange) as bot,
        a_guard(tmp_path, exchange) as guard,
        a_receiver() as phone,
    ):
        with guard.settings.open("a") as settings:
            settings.write(f'[alerts]\nwebhook_url = "{phone.url}"\n')
        await guard.start_guarding()
        await open_long(bot)
        stop = await wait_stop(bot)
        quote = await bot.ask("POST", "/order", symbol="XBTUSD", side="Buy", orderQty=100, price=stop["stopPx"] + 1)

        async def is_armed() -> bool:
            return bool((await guard.status())["switch"]["state"] == "armed")

        await until(is_armed, "the switch is armed")
        assert "nothing to do: another guard" in await last_act(guard, KILLED)
        await guard.kill()
        words = await last_act(guard, KILLED)
        assert "orders that may add exposure are open" in words
        assert "the venue cancels every order, stops too, in " in words
        await bot.ask("DELETE", "/order", orderID=quote["orderID"])
        assert "The dead man's switch was disarmed" in await last_act(guard, KILLED)
        assert [row["orderID"] for row in await guard_stops(bot)] == [stop["orderID"]]

        async def is_told() -> bool:
            return any(body["group"] == "guard:death" for body in phone.bodies)

        if not await is_told():  # the next start delivers what the outbox file has
            await guard.start()
        await until(is_told, "people hear of the death")


async def test_the_last_act_needs_neither_journal_nor_venue(tmp_path: Path) -> None:
    """P12: no journal, no venue, a death: it says what it does not know, sends nothing and ends in good time."""
    async with running() as exchange, a_guard(tmp_path, exchange) as guard:
        text = guard.settings.read_text()
        guard.settings.write_text(text.replace(exchange.http_url, "http://127.0.0.1:1"))
        line = json.loads((await last_act(guard, KILLED)).splitlines()[-1])
    assert "What was open is not known" in line["event"]
    assert "cannot be asked" in line["did"]
    assert line["people_are_told"] is True
