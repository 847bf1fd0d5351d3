"""What ccxt's `bitmex` class must find: one list of checks for its blocking and its asynchronous form."""

from __future__ import annotations

import asyncio
from typing import Any

import ccxt
from ccxt_subject import BTC, ETH, TETHER, Subject, check, failure
from checks import equal, raises


# ---------------------------------------------------------------- market data
@check("markets")
async def markets(s: Subject) -> None:
    found = await s.api.load_markets()
    inverse, linear, quanto = found[BTC], found[TETHER], found[ETH]
    equal([inverse["id"], linear["id"], quanto["id"]], ["XBTUSD", "XBTUSDT", "ETHUSD"], "ids")
    equal([inverse["inverse"], linear["linear"], quanto["quanto"]], [True, True, True], "kinds")
    equal([one["type"] for one in (inverse, linear, quanto)], ["swap"] * 3, "types")
    assert inverse["active"], "XBTUSD is not active"
    assert inverse["precision"]["price"] > 0, "no tick"
    assert linear["limits"]["amount"]["max"] > 0 and inverse["limits"]["cost"]["max"] > 0, "no maximum quantity"
    assert [one for one in found.values() if one["type"] == "future" and one["expiry"]], "no dated future"


@check("currencies")
async def currencies(s: Subject) -> None:
    found = await s.api.fetch_currencies()
    assert {"BTC", "USDT"} <= set(found), sorted(found)
    equal(found["BTC"]["precision"], 1e-8, "scale of the coin")


@check("ticker, tickers")
async def tickers(s: Subject) -> None:
    one = await s.api.fetch_ticker(BTC)
    assert one["bid"] < one["ask"], one
    assert one["last"] > 0 and one["timestamp"], one
    assert {BTC, TETHER, ETH} <= set(await s.api.fetch_tickers())


@check("order book")
async def order_book(s: Subject) -> None:
    book = await s.api.fetch_order_book(BTC, 10)
    bids, asks = book["bids"], book["asks"]
    equal([len(bids), len(asks)], [10, 10], "levels")
    assert bids[0][0] < asks[0][0] and bids[0][0] > bids[9][0] and asks[0][0] < asks[9][0], book
    assert await s.api.fetch_l2_order_book(TETHER), "no L2 book"


@check("trades")
async def trades(s: Subject) -> None:
    await s.order("market", "buy")
    found = await s.api.fetch_trades(BTC, limit=5)
    assert found and found[-1]["price"] > 0 and found[-1]["side"] in {"buy", "sell"} and found[-1]["id"], found
    assert [one["timestamp"] for one in found] == sorted(one["timestamp"] for one in found), "not in time order"


@check("candles")
async def candles(s: Subject) -> None:
    for frame in ("1m", "5m", "1h", "1d"):
        for row in await s.api.fetch_ohlcv(BTC, frame, limit=3):
            _, _, high, low, last, volume = row  # the open is the close before, wherever the prints lie
            assert low <= last <= high and volume >= 0, (frame, row)


@check("funding rates")
async def funding(s: Subject) -> None:
    now = await s.api.fetch_funding_rate(BTC)
    assert abs(now["fundingRate"]) < 0.0075 and now["fundingTimestamp"], now
    assert {BTC, TETHER} <= set(await s.api.fetch_funding_rates([BTC, TETHER]))
    for row in await s.api.fetch_funding_rate_history(BTC, limit=3):
        equal(row["symbol"], BTC, "symbol")


@check("open interest, liquidations, settlements")
async def statistics(s: Subject) -> None:
    assert await s.api.fetch_open_interests(), "no open interest"
    await s.api.fetch_liquidations(BTC)
    await s.api.fetch_settlement_history(BTC)


@check("open interest of one contract")
async def open_interest(s: Subject) -> None:
    assert (await s.api.fetch_open_interest(TETHER))["openInterestAmount"] is not None


@check("every other public endpoint")
async def public_endpoints(s: Subject) -> None:
    needs = {"instrument/compositeIndex": {"symbol": ".BXBT"}, "orderBook/L2": {"symbol": "XBTUSD"}}
    needs |= {"trade/bucketed": {"binSize": "1m"}, "quote/bucketed": {"binSize": "1m"}}
    await _call_all(s.api, "public", s.api.api["public"]["get"], needs)


# ---------------------------------------------------------------- account
@check("balance")
async def balance(s: Subject) -> None:
    found = await s.api.fetch_balance()
    assert found["BTC"]["total"] == found["BTC"]["free"] > 0 and found["USDT"]["total"] > 0, found["total"]
    await s.order("limit", "buy", 10_000, 0.9)
    after = await s.api.fetch_balance()
    assert after["BTC"]["free"] < found["BTC"]["free"], "a resting order holds no margin"


@check("position: long, then short, inverse, linear and quanto")
async def positions(s: Subject) -> None:
    equal(await s.api.fetch_positions(), [], "positions of a new account")
    for symbol, amount in ((BTC, 1_000), (TETHER, 1_000), (ETH, 10)):
        for side, held in (("buy", amount), ("sell", amount)):
            await s.api.create_order(symbol, "market", side, amount if side == "buy" else 2 * amount)
            (row,) = await s.api.fetch_positions([symbol])
            equal([row["side"], row["contracts"]], [{"buy": "long", "sell": "short"}[side], held], symbol)
            assert row["entryPrice"] > 0 and row["markPrice"] > 0 and row["notional"], row
            equal(row["marginMode"], "cross", "margin mode")
    assert len(await s.api.fetch_positions()) == 3
    await s.api.fetch_position_adl_rank(BTC)
    await s.api.fetch_positions_adl_rank([BTC])


@check("leverage, margin mode")
async def leverage(s: Subject) -> None:
    equal((await s.api.set_leverage(5, BTC))["leverage"], 5, "leverage as set")
    await s.order("market", "buy", 1_000)
    (row,) = await s.api.fetch_positions([BTC])
    equal([row["leverage"], row["marginMode"]], [5, "isolated"], "leverage and mode")
    equal((await s.api.fetch_leverage(BTC))["longLeverage"], 5, "leverage as read")
    equal((await s.api.set_margin_mode("cross", BTC))["crossMargin"], True, "crossMargin")
    equal((await s.api.set_margin_mode("isolated", BTC))["crossMargin"], False, "crossMargin")


@check("my trades, ledger, deposits")
async def ledger(s: Subject) -> None:
    order = await s.order("market", "buy", 1_000)
    found = await s.api.fetch_my_trades(BTC)
    equal({one["order"] for one in found}, {order["id"]}, "orders of the trades")
    equal(sum(one["amount"] for one in found), 1_000, "traded")
    assert found[0]["fee"]["currency"] == "BTC" and found[0]["takerOrMaker"] == "taker", found[0]
    assert await s.api.fetch_ledger(), "no ledger"
    assert await s.api.fetch_deposits_withdrawals(), "no deposits"


@check("every other private endpoint that reads")
async def private_endpoints(s: Subject) -> None:
    needs = {"user/quoteFillRatio": {}, "user/depositAddress": {"currency": "XBt", "network": "btc"}}
    needs |= {"user/executionHistory": {"symbol": "XBTUSD", "timestamp": "2026-01-01T12:00:00.000Z"}}
    needs |= {"user/depositAddressInformation": {"currency": "XBt", "network": "btc"}}
    await _call_all(s.api, "private", [one for one in s.api.api["private"]["get"] if "{" not in one], needs)


async def _call_all(api: Any, side: str, paths: Any, needs: dict[str, dict[str, str]]) -> None:
    failed = {}
    for path in paths:
        error = await failure(api.request(path, side, "GET", needs.get(path, {})))
        if error is not None:
            failed[path] = str(error)[:80]
    assert not failed, failed


# ---------------------------------------------------------------- orders
@check("market order")
async def market_order(s: Subject) -> None:
    order = await s.order("market", "buy", 1_000)
    equal([order["status"], order["info"]["cumQty"], order["remaining"]], ["closed", 1_000, 0], "order")
    assert order["average"] > 0, order
    equal((await s.api.fetch_closed_orders(BTC))[-1]["id"], order["id"], "closed orders")


@check("limit order: rests, is read back")
async def limit_order(s: Subject) -> None:
    order = await s.order("limit", "buy", 300, 0.9, clOrdID="mine")
    equal([order["status"], order["clientOrderId"], order["remaining"]], ["open", "mine", 300], "order")
    read = await s.api.fetch_order(order["id"], BTC)
    for name in ("id", "clientOrderId", "type", "side", "price", "amount", "status", "timeInForce", "timestamp"):
        equal(read[name], order[name], name)
    equal([one["id"] for one in await s.api.fetch_open_orders(BTC)], [order["id"]], "open orders")
    equal([one["id"] for one in await s.api.fetch_orders(BTC)], [order["id"]], "all orders")
    equal(await s.api.fetch_closed_orders(BTC), [], "closed orders")


@check("limit order with displayQty, hidden and iceberg")
async def hidden_order(s: Subject) -> None:
    for shown in (0, 100):
        order = await s.order("limit", "buy", 1_000, 0.9, displayQty=shown)
        equal([order["status"], order["info"]["displayQty"]], ["open", shown], "order")


@check("post only: rests or is cancelled")
async def post_only(s: Subject) -> None:
    equal((await s.order("limit", "buy", 100, 0.9, postOnly=True))["status"], "open", "away from the market")
    order = await s.order("limit", "buy", 100, 1.05, postOnly=True)
    equal([order["status"], order["info"]["cumQty"]], ["canceled", 0], "through the market")


@check("immediate or cancel, fill or kill")
async def immediate(s: Subject) -> None:
    for life in ("ImmediateOrCancel", "FillOrKill"):
        equal((await s.order("limit", "buy", 100, 0.9, timeInForce=life))["status"], "canceled", life)
        equal((await s.order("limit", "buy", 100, 1.05, timeInForce=life))["status"], "closed", life)


@check("stop by mark, last and index price, reduce only")
async def stops(s: Subject) -> None:
    await s.order("market", "buy", 1_000)
    for source in ("MarkPrice", "LastPrice", "IndexPrice"):
        order = await s.stop("market", "sell", 0.9, "below", execInst=f"{source},ReduceOnly")
        equal([order["status"], order["info"]["ordType"]], ["open", "Stop"], source)
        assert order["reduceOnly"] and not order["info"].get("triggered"), order
        assert order["triggerPrice"] > 0, order
    order = await s.api.create_order(BTC, "Stop", "sell", 100, None, {"stopPx": await s.price(0.8)})
    equal(order["info"]["ordType"], "Stop", "by the venue's own words")


@check("stop that closes the position, without a quantity")
async def closing_stop(s: Subject) -> None:
    await s.order("market", "buy", 1_000)
    raw = {"symbol": "XBTUSD", "side": "Sell", "ordType": "Stop", "execInst": "MarkPrice,Close"}
    row = await s.api.private_post_order({**raw, "stopPx": await s.price(0.9)})
    equal([row["ordStatus"], row["workingIndicator"]], ["New", False], "order")


@check("stop limit, market and limit if touched")
async def touched(s: Subject) -> None:
    kinds = (("limit", "below", 0.9, "StopLimit"), ("market", "above", 1.1, "MarketIfTouched"))
    for kind, direction, factor, wanted in (*kinds, ("limit", "above", 1.1, "LimitIfTouched")):
        order = await s.stop(kind, "sell", factor, direction)
        equal([order["info"]["ordType"], order["status"]], [wanted, "open"], "order")


@check("trailing stop: placed, amended")
async def trailing(s: Subject) -> None:
    await s.order("market", "buy", 1_000)
    distance = round(await s.price(0.1))
    order = await s.order("market", "sell", trailingAmount=distance, triggerDirection="below")
    row = order["info"]
    equal([row["ordType"], row["pegPriceType"], row["pegOffsetValue"]], ["Stop", "TrailingStopPeg", -distance], "order")
    assert 0 < row["stopPx"] < await s.price(1), row["stopPx"]
    params = {"trailingAmount": distance // 2, "triggerDirection": "below"}
    row = (await s.api.edit_order(order["id"], BTC, "market", "sell", None, None, params))["info"]
    equal(row["pegOffsetValue"], -(distance // 2), "offset")


@check("stop that fires")
async def firing(s: Subject) -> None:
    await s.order("market", "buy", 1_000)
    order = await s.stop("market", "sell", 1.1, "below")
    read = await s.api.fetch_order(order["id"], BTC)
    equal([read["status"], read["info"]["triggered"]], ["closed", "StopOrderTriggered"], "order")


@check("close a position: execInst Close, and the old endpoint")
async def close(s: Subject) -> None:
    await s.order("market", "buy", 1_000)
    order = await s.api.close_position(BTC, "sell")
    row = order["info"]
    equal([order["status"], row["cumQty"], row["execInst"]], ["closed", 1_000, "Close"], "order")
    await s.order("market", "sell", 1_000)
    await s.api.private_post_order_closeposition({"symbol": "XBTUSD"})
    equal([row["contracts"] for row in await s.api.fetch_positions()], [0], "contracts held")


@check("reduce only without a position is cancelled")
async def reduce_nothing(s: Subject) -> None:
    equal((await s.order("market", "sell", 100, reduceOnly=True))["status"], "canceled", "status")


@check("amend price and quantity, by either id")
async def amend(s: Subject) -> None:
    order = await s.order("limit", "buy", 100, 0.9, clOrdID="first")
    price = await s.price(0.85)
    changed = await s.api.edit_order(order["id"], BTC, "limit", "buy", 200, price)
    equal([changed["id"], changed["info"]["orderQty"], changed["price"]], [order["id"], 200, price], "by orderID")
    again = {"origClOrdID": "first", "clOrdID": "second"}
    changed = await s.api.edit_order("", BTC, "limit", "buy", 300, None, again)
    equal([changed["id"], changed["info"]["orderQty"]], [order["id"], 300], "by clOrdID")
    equal(changed["clientOrderId"], "second", "clOrdID")


@check("cancel one, by client id, many, all of a symbol, all")
async def cancel(s: Subject) -> None:
    ids = [(await s.order("limit", "buy", 100, 0.9, clOrdID=f"c{n}"))["id"] for n in range(6)]
    equal((await s.api.cancel_order(ids[0], BTC))["status"], "canceled", "by orderID")
    equal((await s.api.cancel_order("", BTC, {"clOrdID": "c1"}))["id"], ids[1], "by clOrdID")
    many = await s.api.cancel_orders(ids[2:4], BTC)
    equal([(one["id"], one["status"]) for one in many], [(one, "canceled") for one in ids[2:4]], "many")
    equal(await s.api.cancel_all_orders(ETH), [], "all of another symbol")
    equal({one["id"] for one in await s.api.cancel_all_orders(BTC)}, set(ids[4:]), "all of the symbol")
    await s.order("limit", "buy", 100, 0.9)
    equal(len(await s.api.cancel_all_orders()), 1, "all")
    equal(await s.api.fetch_open_orders(), [], "open orders")


@check("dead man's switch: set, off, fires")
async def switch(s: Subject) -> None:
    order = await s.order("limit", "buy", 100, 0.9)
    assert (await s.api.cancel_all_orders_after(600_000_000))["cancelTime"], "no time"
    await s.api.cancel_all_orders_after(0)
    equal((await s.api.fetch_order(order["id"], BTC))["status"], "open", "after switching off")
    await s.api.cancel_all_orders_after(100_000)  # ccxt divides by a thousand what the venue takes in milliseconds
    while (await s.api.fetch_order(order["id"], BTC))["status"] != "canceled":
        await asyncio.sleep(0.02)


# ---------------------------------------------------------------- errors
@check("error: unknown key")
async def unknown_key(s: Subject) -> None:
    raises(ccxt.AuthenticationError, "Invalid API Key.", await failure(s.with_keys(key="nobody").fetch_balance()))


@check("error: bad signature")
async def bad_signature(s: Subject) -> None:
    raises(ccxt.AuthenticationError, "Signature not valid", await failure(s.with_keys(secret="no").fetch_balance()))


@check("error: expired request")
async def expired(s: Subject) -> None:
    s.api.options["recvWindow"] = -60_000
    raises(ccxt.ExchangeError, "expired", await failure(s.api.fetch_balance()))


@check("error: read-only key may read, not trade")
async def read_only(s: Subject) -> None:
    given = s.keys.others["read-only"]
    api = s.with_keys(key=given["key"], secret=given["secret"])
    await api.fetch_balance()
    raises(ccxt.PermissionDenied, "Access Denied", await failure(api.create_order(BTC, "market", "buy", 100)))


@check("error: disabled key, and one of another address")
async def barred(s: Subject) -> None:
    for name, text in (("disabled", "This key is disabled."), ("elsewhere", "")):
        given = s.keys.others[name]
        error = await failure(s.with_keys(key=given["key"], secret=given["secret"]).fetch_balance())
        raises(ccxt.ExchangeError, text, error)


@check("error: overload refuses orders, not cancels")
async def overload(s: Subject) -> None:
    order = await s.order("limit", "buy", 100, 0.9)
    with s.given.fault("overload", s.keys.account):
        error = await failure(s.api.create_order(BTC, "limit", "buy", 100, order["price"]))
        raises(ccxt.ExchangeNotAvailable, "The system is currently overloaded. Please try again later.", error)
        equal((await s.api.cancel_order(order["id"], BTC))["status"], "canceled", "cancel")
    equal(len(await s.api.fetch_orders(BTC)), 1, "orders that reached the engine")


@check("error: the gateway fails, and the outcome is unknown")
async def gateway(s: Subject) -> None:
    order = {"symbol": "XBTUSD", "side": "Buy", "orderQty": 100, "price": 30_000}
    for status in (502, 503, 504):
        with s.given.fault("gateway-error", s.keys.account, status=status, executed=True):
            raises(ccxt.BaseError, "", await failure(s.api.private_post_order({**order, "clOrdID": f"id{status}"})))
    equal(len(await s.api.fetch_open_orders(BTC)), 3, "orders that took effect")


@check("error: maintenance")
async def maintenance(s: Subject) -> None:
    with s.given.fault("maintenance", s.keys.account):
        raises(ccxt.ExchangeError, "maintenance", await failure(s.api.fetch_balance()))


@check("error: insufficient funds")
async def too_dear(s: Subject) -> None:
    error = await failure(s.order("limit", "buy", 9_000_000, 0.99))
    raises(ccxt.InsufficientFunds, "Account has insufficient Available Balance", error)


@check("error: duplicate clOrdID")
async def duplicate(s: Subject) -> None:
    await s.order("limit", "buy", 100, 0.9, clOrdID="once")
    error = await failure(s.order("limit", "buy", 100, 0.9, clOrdID="once"))
    raises(ccxt.InvalidOrder, "Duplicate clOrdID", error)


@check("error: unknown order")
async def unknown_order(s: Subject) -> None:
    raises(
        ccxt.OrderNotFound, "not found", await failure(s.api.fetch_order("0" * 8 + "-0000-0000-0000-" + "0" * 12, BTC))
    )


@check("error: cancel of a finished order")
async def finished_order(s: Subject) -> None:
    order = await s.order("limit", "buy", 100, 0.9)
    await s.api.cancel_order(order["id"], BTC)
    error = await failure(s.api.cancel_order(order["id"], BTC))
    raises(ccxt.OrderNotFound, "Unable to cancel order due to existing state", error)


@check("error: amend of a finished order")
async def amend_finished(s: Subject) -> None:
    order = await s.order("market", "buy", 100)
    error = await failure(s.api.edit_order(order["id"], BTC, "limit", "buy", 200))
    raises(ccxt.BadRequest, "Invalid ordStatus", error)


@check("error: invalid orders")
async def invalid(s: Subject) -> None:
    raw = {"symbol": "XBTUSD", "side": "Buy", "orderQty": 100, "ordType": "Limit", "price": 50_000}
    wrong = ({"price": -5}, {"price": 50_000.03}, {"orderQty": 7}, {"symbol": "NOPE"}, {"ordType": "Nope"})
    for one in (*wrong, {"execInst": "Nope"}, {"ordType": "Stop", "price": None}, {"timeInForce": "Nope"}):
        error = await failure(s.api.private_post_order({**raw, **one}))
        assert isinstance(error, ccxt.BadRequest | ccxt.InvalidOrder), (one, error)


@check("error: too many requests, with limits on")
async def rate_limit(s: Subject) -> None:
    api = s.make(next(s.given.limited))
    order = {"symbol": "XBTUSD", "side": "Buy", "orderQty": 100, "price": 30_000}
    for _ in range(60):  # ten a second may go
        error = await failure(api.private_post_order(order))
        if error is not None:
            return raises(ccxt.DDoSProtection, "Rate limit exceeded, retry in 1 seconds.", error)
    raise AssertionError("sixty orders in a row were taken")
