"""`kill -9` while latches, a given stop, take-profit orders and the day's count hold: all of it is there again (P7)."""

from __future__ import annotations

from pathlib import Path

from connectors.simulated.engine.inputs import Deposit
from tests.integration.exchange_client import Rest, prices, running
from tests.integration.guard_process import GuardProcess, a_guard, guard_stops, open_long, position_size, until
from tests.integration.test_operate import seawall

RULES = """
[take_profit]
mode = "on"
at_percent = [4, 6]
share_percent = [40, 60]
[account.daily_loss]
action = "flatten"
equity_percent = 0.05
"""


async def latches(guard: GuardProcess) -> dict[str, bool | None]:
    """What holds, and of a flatten whether flat is proved."""
    return {each["name"]: each.get("proved_flat") for each in (await guard.status()).get("latches", [])}


async def again(guard: GuardProcess) -> None:
    """Kill it and start it over the same folder."""
    await guard.kill()
    await guard.start_guarding()


async def test_latches_prices_and_the_days_count_outlive_kills_and_nothing_is_done_twice(tmp_path: Path) -> None:
    """P3, P4, P7: a given stop and a freeze; a withdrawal while dead; the kill switch, killed in the middle of it."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        with guard.settings.open("a") as settings:
            settings.write(RULES)
        await guard.start_guarding()
        await open_long(bot)

        async def is_laid_out() -> list[str]:
            rows = await guard_stops(bot)
            return [row["orderID"] for row in rows] if len(rows) == 3 else []

        before = await until(is_laid_out, "a stop and two rungs")
        (trigger,) = [row["stopPx"] for row in await guard_stops(bot) if row["ordType"] == "Stop"]
        assert (await seawall(guard, "stop", "XBTUSD", str(int(trigger) + 200)))[0] == 0
        assert (await seawall(guard, "freeze"))[0] == 0
        await guard.kill()
        (wallet,) = [row for row in await bot.ask("GET", "/user/margin", currency="all") if row["currency"] == "XBt"]
        taken = wallet["walletBalance"] // 4
        exchange.venue.submit(Deposit(account=wallet["account"], currency="XBt", amount=-taken))
        await guard.start_guarding()

        async def is_at_the_given_price() -> bool:
            stops = [row for row in await guard_stops(bot) if row["ordType"] == "Stop"]
            return [row["stopPx"] for row in stops] == [int(trigger) + 200]

        await until(is_at_the_given_price, "the given price")
        assert sorted(await is_laid_out()) == sorted(before), "the same three orders"
        await again(guard)
        assert await latches(guard) == {"operator": None}, "a withdrawal is no loss"

        exchange.venue.submit(prices(XBTUSD=59_600))

        async def is_latched() -> bool:
            return "daily_loss" in await latches(guard)

        await until(is_latched, "the kill switch")
        await again(guard)

        async def is_over() -> bool:
            return await latches(guard) == {"operator": None, "daily_loss": True} and not await is_anything_open(bot)

        await until(is_over, "flat, proved, and nothing left")
        await again(guard)
        assert set(await latches(guard)) == {"operator", "daily_loss"}
        assert await position_size(bot) == 0
        fills = await bot.ask("GET", "/execution/tradeHistory", symbol="XBTUSD", count=100)
        assert sum(row["lastQty"] for row in fills if row["side"] == "Sell") == 10_000


async def is_anything_open(bot: Rest) -> bool:
    """Whether any order rests or any contract is held."""
    return bool(await bot.ask("GET", "/order", filter={"open": True})) or await position_size(bot) != 0
