"""Stop rules and take-profit orders of the real daemon, against the embedded exchange over real sockets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.integration.exchange_client import Rest, prices, running
from tests.integration.guard_process import a_guard, guard_stops, open_long, position_size, until

RULES = """
[stop.max_loss]
mode = "on"
equity_percent = 0.1
[take_profit]
mode = "on"
at_percent = [1, 3]
share_percent = [40, 60]
"""


async def of_kind(bot: Rest, kind: str) -> list[dict[str, Any]]:
    """The guard's open orders of one type, by price."""
    rows = [row for row in await guard_stops(bot) if row["ordType"] == kind]
    return sorted(rows, key=lambda row: row["price"] or row["stopPx"])


async def test_the_loss_rule_rests_its_stop_and_the_ladder_takes_profit(tmp_path: Path) -> None:
    """P2, P8: a stop at the share of equity, named in the status; then two rungs; the nearer one fills once."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        with guard.settings.open("a") as settings:
            settings.write(RULES)
        await guard.start_guarding()
        await open_long(bot)

        async def is_laid_out() -> bool:
            return len(await of_kind(bot, "Limit")) == 2 and len(await of_kind(bot, "Stop")) == 1

        await until(is_laid_out, "a stop and two rungs")
        (row,) = await bot.ask("GET", "/position", filter={"symbol": "XBTUSD"})
        near, far = await of_kind(bot, "Limit")
        assert (near["orderQty"], far["orderQty"]) == (4_000, 6_000)
        assert near["price"] >= row["avgEntryPrice"] * 1.01
        assert {near["side"], near["execInst"]} == {"Sell", "ReduceOnly"}
        (shown,) = (await guard.wait_mode("guarding"))["positions"]
        assert shown["stop_rule"] == "max_loss", shown["stop_reason"]
        assert len(shown["take_profit"]) == 2
        exchange.venue.submit(prices(XBTUSD=int(near["price"]) + 50))

        async def is_partly_sold() -> bool:
            return await position_size(bot) == 6_000

        await until(is_partly_sold, "the nearer rung to be filled")
        assert [each["orderQty"] for each in await of_kind(bot, "Limit")] == [6_000]
        assert len(await of_kind(bot, "Stop")) == 1
