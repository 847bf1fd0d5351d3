"""ccxt's `bitmex` class, in its blocking and its asynchronous form, as what the checks of `ccxt_cases.py` are given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import ccxt
import ccxt.async_support
from checks import Checks, Given, Keys

BTC, TETHER, ETH = "BTC/USD:BTC", "BTC/USDT:USDT", "ETH/USD:BTC"
check = Checks()


class Blocking:
    """The blocking class with the face of the asynchronous one."""

    def __init__(self, exchange: Any) -> None:
        self._exchange = exchange

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._exchange, name)
        if not callable(found):
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            return found(*args, **kwargs)

        return call


class Subject:
    """One account, seen through ccxt, with prices to place orders by."""

    def __init__(self, make: Callable[[Keys], Any], given: Given) -> None:
        self.make = make
        self.given = given
        self.keys = next(given.fresh)
        self.api = make(self.keys)

    def with_keys(self, **changed: str) -> Any:
        """Return the same account through other keys."""
        return self.make(replace(self.keys, **changed))

    async def price(self, factor: float, symbol: str = BTC) -> float:
        """Return a whole price that far from the last one."""
        return float(round((await self.api.fetch_ticker(symbol))["last"] * factor))

    async def order(self, kind: str, side: str, amount: int = 100, factor: float = 1.0, **params: Any) -> Any:
        """Place an order on XBTUSD; what needs a price has it at `factor`."""
        price = await self.price(factor) if kind == "limit" else None
        return await self.api.create_order(BTC, kind, side, amount, price, params)

    async def stop(self, kind: str, side: str, factor: float, direction: str, **params: Any) -> Any:
        """Place a trigger order on XBTUSD, its limit (if it is one) at the trigger."""
        trigger = {"triggerPrice": await self.price(factor), "triggerDirection": direction}
        return await self.order(kind, side, factor=factor, **trigger, **params)


def _address(exchange: Any, keys: Keys) -> Any:
    exchange.urls["api"] = {"public": keys.http, "private": keys.http, "ws": keys.ws}
    return exchange


def blocking(keys: Keys) -> Blocking:
    """Return ccxt's blocking class at the embedded exchange."""
    return Blocking(_address(ccxt.bitmex({"apiKey": keys.key, "secret": keys.secret, "enableRateLimit": False}), keys))


def asynchronous(keys: Keys) -> Any:
    """Return ccxt's asynchronous class at the embedded exchange."""
    options = {"apiKey": keys.key, "secret": keys.secret, "enableRateLimit": False}
    return _address(ccxt.async_support.bitmex(options), keys)


async def main(form: str) -> None:
    """Run every check with one form of the class, `sync` or `async`."""
    given = Given()
    opened: list[Any] = []

    def make(keys: Keys) -> Any:
        opened.append({"sync": blocking, "async": asynchronous}[form](keys))
        return opened[-1]

    @asynccontextmanager
    async def enter() -> AsyncIterator[Subject]:
        try:
            yield Subject(make, given)
        finally:
            while opened:
                await opened.pop().close()

    await check.run(enter)


async def failure(call: Any) -> BaseException | None:
    """Return what an awaited call raised."""
    try:
        await call
    except ccxt.BaseError as error:
        return error
    return None
