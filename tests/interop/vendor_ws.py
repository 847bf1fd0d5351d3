"""The vendor's `bitmex-ws`: its tables of the stream, and whether they follow what REST did."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import requests
from bitmex_websocket import BitMEXWebsocket
from checks import Checks, Given, Keys, equal, eventually

check = Checks()
PUBLIC = ("instrument", "quote", "trade", "orderBookL2")
PRIVATE = ("order", "execution", "position", "margin")


class Subject:
    """The package's socket on XBTUSD, and plain signed requests beside it: the package has no REST half."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.socket = self.connect()

    def connect(self, **options: Any) -> BitMEXWebsocket:
        """Return a signed-in socket of the package."""
        return BitMEXWebsocket(
            endpoint=self.keys.ws, symbol="XBTUSD", api_key=self.keys.key, api_secret=self.keys.secret, **options
        )

    def send(self, verb: str, path: str, **fields: Any) -> Any:
        """Return what a signed request answers."""
        path, body, expires = f"/api/v1{path}", json.dumps(fields), int(time.time()) + 5
        digest = hmac.new(self.keys.secret.encode(), f"{verb}{path}{expires}{body}".encode(), hashlib.sha256)
        headers = {"api-key": self.keys.key, "api-expires": str(expires), "api-signature": digest.hexdigest()}
        headers["content-type"] = "application/json"
        answer = requests.request(verb, self.keys.http + path, data=body, headers=headers, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def order(self, **fields: Any) -> Any:
        """Place an order on XBTUSD of 100 contracts."""
        return self.send("POST", "/order", **{"symbol": "XBTUSD", "orderQty": 100, **fields})


async def main() -> None:
    """Run every check, each with an account and a socket of its own."""
    given = Given()

    @asynccontextmanager
    async def enter() -> AsyncIterator[Subject]:
        subject = await asyncio.to_thread(Subject, next(given.fresh))
        try:
            yield subject
        finally:
            subject.socket.exit()

    await check.run(enter)


@check("signs in by headers, subscribes by address")
def connects(s: Subject) -> None:
    assert set(PUBLIC + PRIVATE) <= set(s.socket.data), sorted(s.socket.data)
    assert set(PUBLIC + PRIVATE) <= set(s.socket.keys), sorted(s.socket.keys)


@check("instrument, ticker, trades: move on")
async def market(s: Subject) -> None:
    first = s.socket.get_instrument()["timestamp"]
    await eventually(lambda: s.socket.get_instrument()["timestamp"] > first)
    ticker = s.socket.get_ticker()
    assert 0 < ticker["buy"] < ticker["sell"], ticker
    count = len(s.socket.recent_trades())
    s.order()
    await eventually(lambda: len(s.socket.recent_trades()) > count)


@check("market depth: both sides, never crossed while it moves")
async def depth(s: Subject) -> None:
    seen = set()
    while len(seen) < 5:
        rows = list(s.socket.market_depth())
        bids = [row["price"] for row in rows if row["side"] == "Buy"]
        asks = [row["price"] for row in rows if row["side"] == "Sell"]
        if seen or max(bids) < min(asks):  # a frame may arrive between the two lines above
            seen.add((max(bids), min(asks), len(rows)))
        await asyncio.sleep(0.02)


@check("orders: placed, amended, cancelled by REST")
async def orders(s: Subject) -> None:
    order = s.order(price=40_000, clOrdID="mine")
    await eventually(lambda: [row for row in s.socket.open_orders("mine") if row["orderID"] == order["orderID"]])
    s.send("PUT", "/order", orderID=order["orderID"], orderQty=300)
    await eventually(lambda: s.socket.open_orders("mine")[0]["leavesQty"] == 300)
    s.send("DELETE", "/order", orderID=order["orderID"])
    await eventually(lambda: s.socket.open_orders("") == [])


@check("executions and position: a fill")
async def fill(s: Subject) -> None:
    order = s.order(orderQty=700)
    rows = await eventually(lambda: [row for row in s.socket.data["execution"] if row["execType"] == "Trade"])
    equal([{row["orderID"] for row in rows}, sum(row["lastQty"] for row in rows)], [{order["orderID"]}, 700], "fills")
    await eventually(lambda: [row["currentQty"] for row in s.socket.positions()] == [700])
    s.order(side="Sell", orderQty=700)
    await eventually(lambda: [row["currentQty"] for row in s.socket.positions()] == [0])


@check("margin: an order holds some, a fill costs a fee")
async def margin(s: Subject) -> None:
    before = dict(s.socket.funds())
    s.order(price=40_000, orderQty=10_000)
    await eventually(lambda: s.socket.funds()["availableMargin"] < before["availableMargin"])
    s.order(orderQty=10_000), s.order(side="Sell", orderQty=10_000)
    await eventually(lambda: s.socket.funds()["marginBalance"] < before["marginBalance"])


@check("wallet and the other topics by address")
async def wallet(s: Subject) -> None:
    topics = [*PUBLIC, *PRIVATE, "wallet", "transact", "funding", "liquidation", "orderBook10", "tradeBin1m"]
    socket = await asyncio.to_thread(lambda: s.connect(subscriptions=topics))
    await eventually(lambda: set(socket.data) >= {"wallet", "transact", "funding", "liquidation", "orderBook10"})
    equal([row["currency"] for row in socket.data["wallet"] if row["currency"] == "XBt"], ["XBt"], "wallet")
    socket.exit()


asyncio.run(main())
