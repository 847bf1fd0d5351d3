"""The vendor's `bitmex` package: bravado, driven by the OpenAPI document that the exchange itself serves."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import bitmex
from bravado.exception import HTTPBadRequest, HTTPError, HTTPForbidden, HTTPTooManyRequests, HTTPUnauthorized
from checks import Checks, Given, Keys, equal, raises

check = Checks()
_TESTNET = "https://testnet.bitmex.com"
_from_url = bitmex.SwaggerClient.from_url


@cache
def client_at(address: str) -> Any:
    """Return the package's client. It knows two addresses only, so the one of the document is changed on its way."""

    def from_url(url: str, **options: Any) -> Any:
        return _from_url(url.replace(_TESTNET, address), **options)

    bitmex.SwaggerClient.from_url = from_url
    return bitmex.bitmex(test=True, api_key="see", api_secret="below")


class Subject:
    """One key's use of the client; the document is read once, the authenticator changed for each call."""

    def __init__(self, given: Given, keys: Keys) -> None:
        self.given = given
        self.keys = keys
        self.client = client_at(keys.http)

    def using(self, **changed: str) -> Subject:
        """Return the same with another key or secret."""
        return Subject(self.given, replace(self.keys, **changed))

    def __call__(self, operation: str, **parameters: Any) -> Any:
        """Return the body of what an operation such as `Order_new` answers."""
        authenticator = bitmex.APIKeyAuthenticator(self.keys.http, self.keys.key, self.keys.secret)
        self.client.swagger_spec.http_client.authenticator = authenticator
        section = getattr(self.client, operation.partition("_")[0])
        return getattr(section, operation)(**parameters).result(timeout=5)[0]

    def order(self, **parameters: Any) -> Any:
        """Place an order on XBTUSD of 100 contracts."""
        return self("Order_new", **{"symbol": "XBTUSD", "orderQty": 100, **parameters})


async def main() -> None:
    """Run every check, each with an account of its own."""
    given = Given()

    @asynccontextmanager
    async def enter() -> AsyncIterator[Subject]:
        yield Subject(given, next(given.fresh))

    await check.run(enter)


def failure(calling: Callable[[], Any]) -> HTTPError | None:
    """Return the HTTP error that a call raised."""
    try:
        calling()
    except HTTPError as error:
        return error
    return None


def refused(wanted: type[HTTPError], text: str, calling: Callable[[], Any]) -> None:
    """Raise unless the call is refused with the status and the venue's text."""
    error = failure(calling)
    assert error is not None, f"no error where {text!r} was expected"
    assert isinstance(error, wanted), repr(error)
    raises(wanted, text, error if text in str(error) else wanted(error.response, message=error.response.text))


# ---------------------------------------------------------------- market data
@check("instruments, with columns, filter, and types of the document")
def instruments(s: Subject) -> None:
    (row,) = s("Instrument_get", symbol="XBTUSD")
    equal([row["symbol"], row["isInverse"], row["settlCurrency"]], ["XBTUSD", True, "XBt"], "row")
    assert isinstance(row["timestamp"], dt.datetime) and isinstance(row["markPrice"], float | int), row
    (few,) = s("Instrument_get", filter=json.dumps({"symbol": "XBTUSD"}), columns=json.dumps(["markPrice"]))
    assert few["markPrice"] and not few.get("lotSize"), few
    assert {one["symbol"] for one in s("Instrument_getActive")} >= {"XBTUSD", "XBTUSDT", "ETHUSD"}
    assert all(one["symbol"].startswith(".") for one in s("Instrument_getIndices"))
    assert len(s("Instrument_getActiveAndIndices")) > len(s("Instrument_getActive"))
    intervals = s("Instrument_getActiveIntervals")
    equal(len(intervals["intervals"]), len(intervals["symbols"]), "intervals")


@check("index and its constituents")
def composite(s: Subject) -> None:
    rows = s("Instrument_getCompositeIndex", symbol=".BXBT", count=20)
    assert any(row["reference"] == "BMI" for row in rows) and any(row.get("weight") for row in rows), rows


@check("book, quotes, trades, bins")
def market(s: Subject) -> None:
    s.order()
    book = s("OrderBook_getL2", symbol="XBTUSD", depth=5)
    equal(sorted({(row["side"]) for row in book}), ["Buy", "Sell"], "sides")
    equal(len(book), 10, "rows")
    assert s("Quote_get", symbol="XBTUSD", count=1, reverse=True)[0]["bidPrice"] > 0
    trade = s("Trade_get", symbol="XBTUSD", count=1, reverse=True)[0]
    assert trade["price"] > 0 and trade["trdMatchID"] and isinstance(trade["timestamp"], dt.datetime), trade
    s("Trade_getBucketed", symbol="XBTUSD", binSize="1m", partial=True, count=1)
    s("Quote_getBucketed", symbol="XBTUSD", binSize="1m", partial=True, count=1)


@check("funding, insurance, settlement, liquidation, statistics, announcements, schema")
def statistics(s: Subject) -> None:
    for operation in (
        "Funding_get",
        "Insurance_get",
        "Settlement_get",
        "Liquidation_get",
        "Stats_get",
        "Stats_history",
    ):
        assert isinstance(s(operation), list), operation
    s("Stats_historyUSD"), s("Announcement_get"), s("Announcement_getUrgent"), s("Leaderboard_get")
    s("Schema_get"), s("Schema_websocketHelp"), s("Chat_get"), s("Chat_getChannels"), s("Chat_getConnected")


# ---------------------------------------------------------------- account
@check("user, wallet, margin, key")
def account(s: Subject) -> None:
    margin = s("User_getMargin", currency="XBt")
    equal([margin["currency"], margin["walletBalance"]], ["XBt", 100_000_000], "margin")
    equal(s("User_getMargin", currency="USDt")["currency"], "USDt", "currency")
    equal(s("User_getWallet", currency="XBt")["amount"], 100_000_000, "wallet")
    assert s("User_getWalletHistory", currency="XBt") and s("User_getWalletSummary", currency="XBt")
    assert s("User_get")["id"] and s("User_getCommission") and s("APIKey_get")
    s("User_getQuoteFillRatio"), s("User_getTradingVolume"), s("UserEvent_get"), s("GlobalNotification_get")


@check("positions: leverage, isolation, margin transfer, risk limit")
def positions(s: Subject) -> None:
    equal(s("Position_updateLeverage", symbol="XBTUSD", leverage=3)["leverage"], 3, "leverage")
    s.order(orderQty=1_000)
    (row,) = s("Position_get", filter=json.dumps({"symbol": "XBTUSD"}))
    equal([row["currentQty"], row["crossMargin"], row["isOpen"]], [1_000, False, True], "row")
    more = s("Position_transferIsolatedMargin", symbol="XBTUSD", amount=10_000)
    equal(more["posCross"] - row["posCross"], 10_000, "margin moved")
    equal(s("Position_isolateMargin", symbol="XBTUSD", enabled=False)["crossMargin"], True, "crossMargin")
    equal(
        s("Position_updateRiskLimit", symbol="XBTUSD", riskLimit=35_000_000_000)["riskLimit"], 35_000_000_000, "limit"
    )


# ---------------------------------------------------------------- orders
@check("orders: types and instructions")
def orders(s: Subject) -> None:
    equal(s.order(ordType="Market", orderQty=1_000)["ordStatus"], "Filled", "market")
    resting = {"price": 40_000.0, "displayQty": 100, "orderQty": 1_000, "execInst": "ParticipateDoNotInitiate"}
    equal(s.order(**resting)["ordStatus"], "New", "post only")
    row = s.order(side="Sell", ordType="Stop", stopPx=40_000.0, execInst="MarkPrice,ReduceOnly")
    equal([row["ordStatus"], row["workingIndicator"], row.get("triggered") or ""], ["New", False, ""], "stop")
    for kind, trigger, price in (("StopLimit", 40_000.0, 39_000.0), ("LimitIfTouched", 80_000.0, 80_000.0)):
        row = s.order(side="Sell", ordType=kind, stopPx=trigger, price=price, execInst="LastPrice")
        equal([row["ordType"], row["stopPx"], row["price"], row["ordStatus"]], [kind, trigger, price, "New"], kind)
    row = s.order(side="Sell", ordType="MarketIfTouched", stopPx=80_000.0, execInst="IndexPrice")
    equal([row["ordType"], row["workingIndicator"]], ["MarketIfTouched", False], "market if touched")
    trailing = {"ordType": "Stop", "pegPriceType": "TrailingStopPeg", "pegOffsetValue": -5_000.0}
    equal(s.order(side="Sell", **trailing)["pegOffsetValue"], -5_000, "trailing stop")
    equal(s.order(orderQty=None, side="Sell", ordType="Market", execInst="Close")["cumQty"], 1_000, "close")


@check("orders: read, amend, cancel, cancel all, dead man's switch")
def life(s: Subject) -> None:
    s.order(price=40_000.0, clOrdID="one")
    (row,) = s("Order_getOrders", filter=json.dumps({"open": True}))
    equal([row["clOrdID"], row["ordStatus"], row["leavesQty"]], ["one", "New", 100], "row")
    equal(s("Order_amend", origClOrdID="one", clOrdID="two", price=40_100.0, orderQty=200)["price"], 40_100, "amended")
    equal([one["ordStatus"] for one in s("Order_cancel", clOrdID="two")], ["Canceled"], "cancelled")
    s.order(price=40_000.0), s.order(price=40_000.0)
    assert s("Order_cancelAllAfter", timeout=60_000)["cancelTime"]
    s("Order_cancelAllAfter", timeout=0)
    equal(len(s("Order_cancelAll", symbol="XBTUSD")), 2, "all")


@check("executions: all, and those that trade")
def executions(s: Subject) -> None:
    order = s.order()
    assert {row["execType"] for row in s("Execution_get", symbol="XBTUSD")} >= {"New", "Trade"}
    rows = s("Execution_getTradeHistory", symbol="XBTUSD")
    equal(
        [{row["orderID"] for row in rows}, {row["execType"] for row in rows}], [{order["orderID"]}, {"Trade"}], "rows"
    )


# ---------------------------------------------------------------- errors
@check("error: unknown key, bad signature, no key")
def unsigned(s: Subject) -> None:
    refused(HTTPUnauthorized, "Invalid API Key.", lambda: s.using(key="nobody")("User_getMargin"))
    refused(HTTPUnauthorized, "Signature not valid.", lambda: s.using(secret="no")("User_getMargin"))


@check("error: read-only and cancel-only keys")
def rights(s: Subject) -> None:
    for name in ("read-only", "cancel-only"):
        one = s.using(**s.keys.others[name])
        one("Position_get")
        refused(HTTPForbidden, "Access Denied", one.order)
    one("Order_cancelAll")


@check("error: funds, duplicate, unknown order, price, symbol")
def refusals(s: Subject) -> None:
    refused(HTTPBadRequest, "Account has insufficient Available Balance", lambda: s.order(orderQty=9_000_000))
    s.order(price=40_000.0, clOrdID="once")
    refused(HTTPBadRequest, "Duplicate clOrdID", lambda: s.order(price=40_000.0, clOrdID="once"))
    refused(HTTPBadRequest, "Invalid origClOrdID", lambda: s("Order_amend", origClOrdID="never", orderQty=200))
    refused(HTTPBadRequest, "Invalid price", lambda: s.order(price=-1.0))
    refused(HTTPBadRequest, "", lambda: s.order(symbol="NOPE"))


@check("error: too many requests, with limits on")
def rate_limit(s: Subject) -> None:
    limited = Subject(s.given, next(s.given.limited))
    tries = (failure(lambda: limited.order(price=30_000.0)) for _ in range(60))  # ten a second may go
    error = next((one for one in tries if one), None)
    assert isinstance(error, HTTPTooManyRequests), repr(error)
    assert int(error.response.headers["retry-after"]) >= 1, error.response.headers


asyncio.run(main())
