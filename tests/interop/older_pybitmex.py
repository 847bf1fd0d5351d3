"""`pybitmex`: tables of the stream, signed in by headers, subscribed by the address; and REST with filters of time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from checks import Checks, Given, equal, eventually
from pybitmex import BitMEXClient

check = Checks()


async def order(api: Any, **fields: Any) -> Any:
    """Place an order on XBTUSD of 100 contracts, in the package's way of sending."""
    whole = {"symbol": "XBTUSD", "orderQty": 100, "clOrdID": api.generate_client_order_id(), **fields}
    return await asyncio.to_thread(api.rest_client.curl_bitmex, path="order", postdict=whole, verb="POST")


@check("tables of the market")
def market(api: Any) -> None:
    bids, asks = api.ws_sorted_bids_and_asks_of_market()
    assert bids[0]["price"] < asks[0]["price"], (bids[0], asks[0])
    assert api.is_market_in_normal_state(), "market is not open"
    assert api.ws_sorted_recent_trade_objects_of_market()[0].price > 0, "no trades"


@check("tables of the account follow orders and fills")
async def tables(api: Any) -> None:
    equal(api.ws_balances_of_account_object(), (1.0, 1.0), "balance")
    resting = await order(api, price=30_000)
    await eventually(
        lambda: [one.order_id for one in api.ws_open_order_objects_of_account().bids] == [resting["orderID"]]
    )
    await asyncio.to_thread(api.rest_cancel_all_orders)
    await eventually(lambda: not api.ws_open_order_objects_of_account().bids)
    await order(api)
    await eventually(lambda: api.ws_current_position_size() == 100 and api.ws_recent_trades_of_account())
    await asyncio.to_thread(api.rest_market_close_position, {"side": "Sell"})
    await eventually(lambda: api.ws_current_position_size() == 0)


@check("trades of a month, day, hour, minute, range")
async def times(api: Any) -> None:
    row = await order(api)
    now = datetime.fromisoformat(row["transactTime"])
    day = (now.year, now.month, now.day)
    near, far = timedelta(minutes=1), timedelta(days=1)
    filters = [api.create_monthly_filter(*day[:2]), api.create_daily_filter(*day)]
    filters += [api.create_hourly_filter(*day, now.hour), api.create_minutely_filter(*day, now.hour, now.minute)]
    filters += [api.create_time_range_filter(now - near, now + near)]
    past = now - far
    filters += [api.create_daily_filter(past.year, past.month, past.day)]
    filters += [api.create_time_range_filter(datetime(2020, 1, 1, tzinfo=UTC), past)]
    found = [await asyncio.to_thread(api.rest_get_raw_trade_history_of_account, one) for one in filters]
    equal([len(one) for one in found], [1, 1, 1, 1, 1, 0, 0], "trades")


@check("orders, positions, margin, wallet history by REST")
async def rest(api: Any) -> None:
    await order(api)
    only = {"symbol": "XBTUSD"}
    equal(len(await asyncio.to_thread(api.rest_get_raw_orders_of_account, only)), 1, "orders")
    equal((await asyncio.to_thread(api.rest_get_raw_positions_of_account, only))[0]["currentQty"], 100, "position")
    equal((await asyncio.to_thread(api.rest_get_raw_margin_of_account))["currency"], "XBt", "margin")
    assert await asyncio.to_thread(api.rest_get_raw_wallet_history, {}), "no deposits"


@check("several orders at once")
async def bulk(api: Any) -> None:
    orders = [{"orderQty": 100, "price": 30_000, "side": "Buy"}, {"orderQty": 100, "price": 29_000, "side": "Buy"}]
    await asyncio.to_thread(api.rest_place_orders, orders)


async def main() -> None:
    """Run every check, each with an account and a socket of its own."""
    given = Given()

    @asynccontextmanager
    async def enter() -> AsyncIterator[Any]:
        keys = next(given.fresh)
        login = {"api_key": keys.key, "api_secret": keys.secret, "order_id_prefix": "own"}
        api = await asyncio.to_thread(BitMEXClient, uri=f"{keys.http}/api/v1/", **login)
        try:
            yield api
        finally:
            api.close()

    await check.run(enter)


if __name__ == "__main__":
    asyncio.run(main())
