"""What goes wrong around the alerts changes nothing in protection: the real daemon, against the embedded exchange.

Stops are taken away by hand, and the exchange's own stamps say how long each position was bare: first while all is
well, then with a dead channel, with a full disk too, and at last amid two thousand alerts on top of both.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.simulated.server.embedded import EmbeddedExchange
from tests.integration.exchange_client import Rest, prices, running
from tests.integration.guard_process import GuardProcess, a_guard, guard_stops, until

SIZES = {"XBTUSD": 10_000, "ETHUSD": 10, "XBTUSDT": 100_000, "XBTH27": 10_000}
NEAR = {"XBTUSD": 58_800, "ETHUSD": 2_352, "XBTUSDT": 58_800, "XBTH27": 58_900}
"""Near enough to liquidation for an alert of each, not near enough for a stop to fire."""
ALERTS = 2_000
MOST_MESSAGES = 20
LATER_BY_S = 0.5
"""So much may lie between two measurements on a busy machine; waiting for the channel, for the disk or for the queue of
alerts even once would cost the channel's time-out, or an end that never comes."""
CHANNEL_TIMEOUT_S = 30
SETTINGS = """\
[stop]
retry_after_s = 0.02
[alerting]
gather_s = 0.1
gather_urgent_s = 0.1
[alerts.channels.phone]
url = "{url}"
timeout_s = {timeout_s}
"""
"""The pause between two stops of one position grows as they are taken away, and would hide what is measured."""


class Telephone:
    """A receiver that answers until it is told to hang up on nobody and answer nobody."""

    def __init__(self) -> None:
        self.url = ""
        self.hangs = False
        self.hanging = 0
        """Requests that wait for an answer."""
        self._over = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            if self.hangs:
                self.hanging += 1
                await self._over.wait()
            writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()

    def end(self) -> None:
        """Let everybody go."""
        self._over.set()


@asynccontextmanager
async def a_telephone() -> AsyncIterator[Telephone]:
    """Run it on a free port."""
    phone = Telephone()
    server = await asyncio.start_server(phone.answer, "127.0.0.1", 0)
    phone.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    async with server:
        yield phone
        phone.end()


async def open_positions(bot: Rest) -> None:
    """A leveraged long in each contract."""
    for symbol, quantity in SIZES.items():
        await bot.ask("POST", "/position/leverage", symbol=symbol, leverage=20)
        await bot.ask("POST", "/order", symbol=symbol, side="Buy", orderQty=quantity, ordType="Market")


async def all_covered(bot: Rest, *, but: frozenset[str] = frozenset()) -> dict[str, dict[str, Any]]:
    """Wait until one stop rests for each position, none of those named; by symbol."""

    async def are_there() -> dict[str, dict[str, Any]]:
        stops = [row for row in await guard_stops(bot) if row["orderID"] not in but]
        found = {row["symbol"]: row for row in stops}
        return found if len(stops) == len(found) == len(SIZES) else {}

    found: dict[str, dict[str, Any]] = await until(are_there, "a stop for each position")
    return found


async def longest_bare_s(bot: Rest) -> float:
    """Take every stop away at once; the longest time until the exchange had another, in seconds by its own stamps."""
    before = await all_covered(bot)
    gone = await bot.ask("DELETE", "/order", orderID=[row["orderID"] for row in before.values()])
    gone_at = {row["symbol"]: datetime.fromisoformat(row["timestamp"]) for row in gone}
    after = await all_covered(bot, but=frozenset(row["orderID"] for row in before.values()))
    back_at = {symbol: datetime.fromisoformat(row["timestamp"]) for symbol, row in after.items()}
    return max((back_at[symbol] - gone_at[symbol]).total_seconds() for symbol in SIZES)


async def kill_the_channel(exchange: EmbeddedExchange, phone: Telephone) -> None:
    """The receiver takes an alert and says nothing: its delivery hangs from now on."""
    phone.hangs = True
    exchange.venue.submit(prices(**NEAR))

    async def is_hanging() -> bool:
        return phone.hanging > 0

    await until(is_hanging, "a delivery to hang")


async def fill_the_disk(guard: GuardProcess) -> None:
    """No file of the guard takes another byte, neither its journal nor its log."""
    process = (await guard.status())["process"]
    _, most = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (0, most))

    async def is_said() -> bool:
        return "journal_failed" in str((await guard.status())["degraded"])

    await until(is_said, "the guard to say that it cannot write its journal")


@asynccontextmanager
async def a_flood(exchange: EmbeddedExchange, guard: GuardProcess) -> AsyncIterator[None]:
    """Every price flaps around the bound of a tier, until two thousand alerts are raised, and goes on flapping."""

    async def flap() -> None:
        while True:
            for marks in ({}, NEAR):
                exchange.venue.submit(prices(**marks))
                await asyncio.sleep(0.002)

    async def are_raised() -> bool:
        return bool((await guard.status())["alerts"]["raised"] >= ALERTS)

    flapping = asyncio.get_running_loop().create_task(flap())
    try:
        await until(are_raised, f"{ALERTS} alerts")
        yield
    finally:
        flapping.cancel()


async def test_troubles_of_the_alerts_change_nothing_in_protection(tmp_path: Path) -> None:
    """P2, P7, P10: dead channel, full disk, two thousand alerts: stops come back as fast, and people hear once."""
    async with (
        running() as exchange,
        Rest(exchange) as bot,
        a_telephone() as phone,
        a_guard(tmp_path, exchange) as guard,
    ):
        with guard.settings.open("a") as settings:
            settings.write(SETTINGS.format(url=phone.url, timeout_s=CHANNEL_TIMEOUT_S))
        await guard.start_guarding()
        await open_positions(bot)
        bound_s = await longest_bare_s(bot) + LATER_BY_S
        assert bound_s < CHANNEL_TIMEOUT_S
        await kill_the_channel(exchange, phone)
        assert await longest_bare_s(bot) <= bound_s, "with a dead channel"
        await fill_the_disk(guard)
        assert await longest_bare_s(bot) <= bound_s, "with a full disk too"
        async with a_flood(exchange, guard):
            assert await longest_bare_s(bot) <= bound_s, "amid a flood of alerts as well"
            alerts = (await guard.status())["alerts"]
        assert (alerts["raised"] >= ALERTS, alerts["told"] <= MOST_MESSAGES, alerts["saved"]) == (True, True, False)
        assert phone.hanging > 0
