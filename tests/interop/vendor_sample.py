"""The vendor's sample market maker: its connector, and the bot itself quoting both sides."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from checks import Checks, Given, Keys, equal, eventually, raises

check = Checks()
SETTINGS = {
    "ORDER_PAIRS": 3,
    "INTERVAL": 0.0005,
    "RELIST_INTERVAL": 0.0001,
    "API_REST_INTERVAL": 0.0,
    "API_ERROR_INTERVAL": 0.0,
    "DRY_RUN": False,
    "WATCHED_FILES": [],
}


def bot() -> tuple[ModuleType, Any]:
    """Return the bot's module and settings; it wants a file `settings.py` where it is started."""
    os.chdir(tempfile.mkdtemp(prefix="seawall-interop-"))
    lines = [f"{name} = {value!r}" for name, value in SETTINGS.items()]
    Path("settings.py").write_text("\n".join(lines), encoding="ascii")
    from market_maker import market_maker, settings

    return market_maker, settings.settings


MARKET_MAKER, USED = bot()


class Subject:
    """One account, which is what the settings name while the check runs."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        USED.update(BASE_URL=f"{keys.http}/api/v1/", API_KEY=keys.key, API_SECRET=keys.secret)

    def connect(self) -> Any:
        """Return the sample's connector, its socket up and its tables filled."""
        key = {"apiKey": USED.API_KEY, "apiSecret": USED.API_SECRET}
        return MARKET_MAKER.bitmex.BitMEX(base_url=USED.BASE_URL, symbol="XBTUSD", **key)


async def main() -> None:
    """Run every check, each with an account of its own."""
    given = Given()

    @asynccontextmanager
    async def enter() -> AsyncIterator[Subject]:
        yield Subject(next(given.fresh))

    await check.run(enter)


@check("connector: market and account")
def connector(s: Subject) -> None:
    one = s.connect()
    ticker = one.ticker_data()
    assert ticker["buy"] < ticker["sell"], ticker
    assert one.instrument(".BXBT")["markPrice"] > 0, "no index"
    equal([one.funds()["marginBalance"], one.position("XBTUSD")["currentQty"]], [100_000_000, 0], "account")
    assert one.instruments({"symbol": "XBTUSD"})[0]["lotSize"] == 100


@check("connector: an order placed, amended, filled, cancelled")
async def order(s: Subject) -> None:
    one = s.connect()
    row = one.buy(100, 40_000)
    await eventually(lambda: [seen["orderID"] for seen in one.open_orders()] == [row["orderID"]])
    one.amend_order({"orderID": row["orderID"], "orderQty": 300})
    await eventually(lambda: one.open_orders()[0]["leavesQty"] == 300)
    one.cancel(row["orderID"])
    await eventually(lambda: not one.open_orders())
    one.sell(500, 40_000)
    await eventually(lambda: one.position("XBTUSD")["currentQty"] == -500)


@check("bot: quotes three pairs, keeps them, takes them back")
async def quoting(s: Subject) -> None:
    manager = MARKET_MAKER.OrderManager()
    for _ in range(3):
        await eventually(lambda: len(manager.exchange.bitmex.open_orders()) == 6)  # it places what it does not see
        manager.sanity_check()
        manager.print_status()
        manager.place_orders()
        sides = sorted(row["side"] for row in manager.exchange.bitmex.http_open_orders())
        equal(sides, ["Buy"] * 3 + ["Sell"] * 3, "quotes")
    try:
        manager.exit()
    except SystemExit:
        equal(manager.exchange.bitmex.http_open_orders(), [], "quotes left")
    else:
        raise AssertionError("it did not exit")


@check("error: insufficient funds are told, a bad key ends it")
def errors(s: Subject) -> None:
    one = s.connect()
    try:
        one.amend_order({"orderID": one.buy(100, 40_000)["orderID"], "orderQty": 9_000_000})
    except Exception as error:  # noqa: BLE001 - the sample raises nothing more special
        raises(Exception, "Insufficient Funds", error)
    one.apiSecret = "no"
    try:
        one.cancel("never")
    except SystemExit as ended:
        equal(ended.code, 1, "exit code")
    else:
        raise AssertionError("a bad key did not end it")


sys.argv[1:] = []
asyncio.run(main())
