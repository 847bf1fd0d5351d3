"""ccxt.pro's `bitmex`: its streams, and whether they see what REST did."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import ccxt.pro
from checks import Checks, Given, Keys, equal, raises

BTC, TETHER = "BTC/USD:BTC", "BTC/USDT:USDT"
check = Checks()
Api = Any
Watch = Callable[[], Awaitable[Any]]


def connect(keys: Keys, **changed: str) -> Api:
    """Return ccxt.pro's class at the embedded exchange."""
    api = ccxt.pro.bitmex({"apiKey": keys.key, "secret": keys.secret, "enableRateLimit": False, **changed})
    api.urls["api"] = {"public": keys.http, "private": keys.http, "ws": keys.ws}
    return api


async def main() -> None:
    """Run every check, each with an account and a connection of its own."""
    given = Given()

    @asynccontextmanager
    async def enter() -> AsyncIterator[Api]:
        api = connect(next(given.fresh))
        try:
            await api.load_markets()
            yield api
        finally:
            await api.close()

    await check.run(enter)


async def until(watch: Watch, condition: Callable[[Any], bool]) -> Any:
    """Return the first value of a stream that meets the condition, within the time of the check."""
    while not condition(value := await watch()):
        pass
    return value


async def during(api: Api, action: Awaitable[Any], watch: Watch, condition: Callable[[Any], bool] = bool) -> Any:
    """Do `action` while a stream is watched; return the stream's first value that meets the condition."""
    watched = asyncio.create_task(until(watch, condition))
    if not api.balance:
        await api.watch_balance()  # answered in order, so the stream is subscribed by then
    await action
    return await watched


async def resting(api: Api, factor: float = 0.9, **params: Any) -> Any:
    """Place a buy order away from the market."""
    price = round((await api.fetch_ticker(BTC))["last"] * factor)
    return await api.create_order(BTC, "limit", "buy", 100, price, params)


# ---------------------------------------------------------------- market data
@check("ticker, tickers: prices that move")
async def ticker(api: Api) -> None:
    seen = set()
    while len(seen) < 2:
        one = await api.watch_ticker(BTC)
        seen.add((one["timestamp"], one["markPrice"]))
    both = await until(lambda: api.watch_tickers([BTC, TETHER]), lambda found: TETHER in found)
    assert both[TETHER]["last"] > 0, both


@check("order book: stays in order while it moves, and agrees with REST")
async def book(api: Api) -> None:
    for _ in range(5):
        seen = await api.watch_order_book(BTC)
        prices = [price for price, *_ in seen["bids"]][::-1] + [price for price, *_ in seen["asks"]]
        equal(prices, sorted(set(prices)), "prices")
    snapshot = await api.fetch_order_book(BTC, 500)
    await until(lambda: api.watch_order_book(BTC), lambda now: abs(now["bids"][0][0] - snapshot["bids"][0][0]) < 100)


@check("order book of 25 levels")
async def book_25(api: Api) -> None:
    full = [25, 25]  # for a moment it is less: a level goes in one frame, the next one comes in another
    await until(lambda: api.watch_order_book(TETHER, 25), lambda now: [len(now["bids"]), len(now["asks"])] == full)


@check("order book of ten levels")
async def book_10(api: Api) -> None:
    seen = await asyncio.wait_for(api.watch_order_book(TETHER, 10), 2)
    equal([len(seen["bids"]), len(seen["asks"])], [10, 10], "levels")


@check("order books and trades of several symbols")
async def several(api: Api) -> None:
    assert await api.watch_order_book_for_symbols([BTC, TETHER])
    assert await api.watch_trades_for_symbols([BTC, TETHER])


@check("trades: those of REST appear")
async def trades(api: Api) -> None:
    await api.watch_trades(BTC)
    order = api.create_order(BTC, "market", "buy", 700)
    await during(api, order, lambda: api.watch_trades(BTC), lambda found: any(one["amount"] == 700 for one in found))


@check("candles of a minute: the topic is known")
async def candles(api: Api) -> None:
    with suppress(TimeoutError):  # nothing is sent before the minute ends
        await asyncio.wait_for(api.watch_ohlcv(BTC, "1m"), 1)


@check("liquidations: the topic is known")
async def liquidations(api: Api) -> None:
    with suppress(TimeoutError):  # nobody was liquidated
        await asyncio.wait_for(api.watch_liquidations(BTC), 1)


# ---------------------------------------------------------------- account
@check("orders: placed, amended, cancelled by REST")
async def orders(api: Api) -> None:
    (seen,) = await during(api, resting(api), api.watch_orders)
    equal(seen["symbol"], BTC, "symbol")
    amend, cancel = api.edit_order(seen["id"], BTC, "limit", "buy", 300), api.cancel_order(seen["id"], BTC)
    await during(api, amend, api.watch_orders, lambda found: found[-1]["info"].get("orderQty") == 300)
    await during(api, cancel, api.watch_orders, lambda found: found[-1]["status"] == "canceled")


@check("orders: an update leaves the other columns as they were")
async def order_columns(api: Api) -> None:
    (seen,) = await during(api, resting(api), api.watch_orders)
    amend = api.edit_order(seen["id"], BTC, "limit", "buy", 300)
    seen = await during(api, amend, api.watch_orders, lambda found: found[-1]["info"].get("orderQty") == 300)
    equal(seen[-1]["status"], "open", "status")


@check("orders: a stop that fires")
async def stop(api: Api) -> None:
    await api.create_order(BTC, "market", "buy", 1_000)
    above = round((await api.fetch_ticker(BTC))["last"] * 1.1)
    raw = {"symbol": "XBTUSD", "side": "Sell", "ordType": "Stop", "execInst": "MarkPrice,Close", "stopPx": above}
    placed = api.private_post_order(raw)
    await during(api, placed, api.watch_orders, lambda found: any(one["status"] == "closed" for one in found))


@check("my trades: a fill with price and fee")
async def my_trades(api: Api) -> None:
    seen = await during(api, api.create_order(BTC, "market", "buy", 500), api.watch_my_trades)
    equal(sum(one["amount"] for one in seen), 500, "amount")
    assert seen[0]["price"] > 0 and seen[0]["fee"]["cost"], seen[0]


@check("positions: opened, closed")
async def positions(api: Api) -> None:
    for side, held in (("buy", 500), ("sell", 0)):
        order = api.create_order(BTC, "market", side, 500)
        seen = await during(
            api, order, api.watch_positions, lambda found, held=held: any(one["contracts"] == held for one in found)
        )
        equal([(one["symbol"], one["side"]) for one in seen], [(BTC, "long")], "position")


@check("balance: free falls with an order, total with a fee")
async def balance(api: Api) -> None:
    before = (await api.watch_balance())["BTC"]
    await during(api, resting(api), api.watch_balance, lambda found: found["BTC"]["free"] < before["free"])
    order = api.create_order(BTC, "market", "buy", 10_000)
    await during(
        api, order, api.watch_balance, lambda found: (found["BTC"]["total"] or before["total"]) < before["total"]
    )


@check("balance: an update leaves the other columns as they were")
async def balance_columns(api: Api) -> None:
    before = (await api.watch_balance())["BTC"]
    held = await during(api, resting(api), api.watch_balance, lambda found: found["BTC"]["free"] < before["free"])
    equal(held["BTC"]["total"], before["total"], "total")


# ---------------------------------------------------------------- errors
@check("error: unknown key, bad signature")
async def refused(api: Api) -> None:
    for changed, text in (({"apiKey": "nobody"}, "Invalid API Key."), ({"secret": "no"}, "Signature not valid.")):
        for name, value in changed.items():
            setattr(api, name, value)
        try:
            await api.watch_orders()
        except ccxt.AuthenticationError as error:
            raises(ccxt.AuthenticationError, text, error)
        else:
            raise AssertionError(f"signed in with {changed}")


asyncio.run(main())
