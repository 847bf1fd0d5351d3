"""ccxt as it was in 2023: what its `bitmex` class already could, with other paths, columns and errors than today's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import ccxt
from checks import Checks, Given, Keys, equal, raises

BTC = "BTC/USD:BTC"
check = Checks()


class Subject:
    """One account through the class, with a price to place orders by."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.api = self.through(keys)

    def through(self, keys: Keys) -> Any:
        """Return the class at the embedded exchange."""
        api = ccxt.bitmex({"apiKey": keys.key, "secret": keys.secret, "enableRateLimit": False})
        api.urls["api"] = {"public": keys.http, "private": keys.http}
        return api

    def price(self, factor: float) -> float:
        """Return a whole price that far from the last one."""
        return float(round(self.api.fetch_ticker(BTC)["last"] * factor))

    def order(self, kind: str, side: str, amount: int = 100, price: float | None = None, **params: Any) -> Any:
        """Place an order on XBTUSD."""
        return self.api.create_order(BTC, kind, side, amount, price, params)


def failure(call: Callable[..., Any], *arguments: Any) -> BaseException | None:
    """Return what a call raised."""
    try:
        call(*arguments)
    except ccxt.BaseError as error:
        return error
    return None


@check("markets, currencies, ticker, book, trades, candles")
def market(s: Subject) -> None:
    found = s.api.load_markets()
    equal([found[BTC]["id"], found[BTC]["inverse"], found[BTC]["active"]], ["XBTUSD", True, True], "market")
    assert "BTC" in s.api.currencies, "no currencies"
    ticker, book = s.api.fetch_ticker(BTC), s.api.fetch_order_book(BTC, 10)
    assert ticker["bid"] < ticker["ask"] and len(book["bids"]) == len(book["asks"]) == 10, (ticker, book)
    assert s.api.fetch_trades(BTC, limit=3) and isinstance(s.api.fetch_ohlcv(BTC, "1m", limit=3), list)
    assert s.api.fetch_funding_rates([BTC]), "no rates"


@check("tickers")
def tickers(s: Subject) -> None:
    assert BTC in s.api.fetch_tickers()


@check("balance, position, leverage, trades, ledger")
def account(s: Subject) -> None:
    equal(s.api.fetch_balance()["BTC"]["total"], 1.0, "balance")
    order = s.order("market", "buy", 1_000)
    equal(order["status"], "closed", "market order")
    (row,) = s.api.fetch_positions([BTC])
    equal([row["contracts"], row["marginMode"]], [1_000, "cross"], "position")
    s.api.set_leverage(5, BTC)
    equal(s.api.fetch_positions([BTC])[0]["marginMode"], "isolated", "margin mode")
    equal({one["order"] for one in s.api.fetch_my_trades(BTC)}, {order["id"]}, "trades")
    assert s.api.fetch_ledger() and s.api.fetch_deposits_withdrawals(), "no ledger"


@check("orders: limit, stops, read, amended, cancelled")
def orders(s: Subject) -> None:
    low = s.price(0.9)
    limit = s.order("limit", "buy", 100, low, execInst="ParticipateDoNotInitiate", clOrdID="mine")
    stop = s.order("Stop", "sell", 100, None, stopPx=low, execInst="LastPrice")
    stop_limit = s.order("StopLimit", "sell", 100, low, stopPx=low, execInst="MarkPrice")
    three = {limit["id"], stop["id"], stop_limit["id"]}
    equal({one["id"] for one in s.api.fetch_open_orders(BTC)}, three, "open orders")
    equal(s.api.fetch_order(limit["id"], BTC)["clientOrderId"], "mine", "clOrdID")
    equal(s.api.edit_order(limit["id"], BTC, "limit", "buy", 200, low - 100)["price"], low - 100, "amended price")
    equal(s.api.cancel_order(limit["id"], BTC)["status"], "canceled", "cancelled")
    equal([one["status"] for one in s.api.cancel_orders([stop["id"]], BTC)], ["canceled"], "cancelled by list")
    equal([one["id"] for one in s.api.cancel_all_orders(BTC)], [stop_limit["id"]], "cancelled with all")


@check("errors: key, signature, funds, price, unknown and finished orders")
def errors(s: Subject) -> None:
    low = s.price(0.9)
    for wrong in ({"key": "nobody"}, {"secret": "no"}):
        raises(ccxt.AuthenticationError, "", failure(s.through(replace(s.keys, **wrong)).fetch_balance))
    raises(ccxt.InsufficientFunds, "", failure(s.order, "limit", "buy", 9_000_000, low))
    raises(ccxt.InvalidOrder, "Invalid price", failure(s.order, "limit", "buy", 100, -1))
    raises(ccxt.OrderNotFound, "", failure(s.api.fetch_order, "00000000-0000-0000-0000-000000000000", BTC))
    order = s.order("limit", "buy", 100, low)
    s.api.cancel_order(order["id"], BTC)
    raises(ccxt.OrderNotFound, "", failure(s.api.cancel_order, order["id"], BTC))


async def main() -> None:
    """Run every check, each with an account of its own."""
    given = Given()

    @asynccontextmanager
    async def enter() -> AsyncIterator[Subject]:
        yield Subject(next(given.fresh))

    await check.run(enter)


if __name__ == "__main__":
    asyncio.run(main())
