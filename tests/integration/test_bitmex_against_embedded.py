"""The connector and the embedded exchange, which share no code, over real sockets: each checks the other."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from config.credentials import Credentials, Secret
from config.venue import VenueSettings
from connectors.bitmex import BitmexDropCopy, BitmexMarketData, BitmexOrderEntry
from connectors.errors import DuplicateClientOrderId, Misconfigured, Rejected, Unavailable
from connectors.ports import LimitRequest, ReduceRequest, StopRequest
from connectors.simulated.server.auth import ApiKey
from connectors.simulated.server.embedded import EmbeddedExchange
from connectors.simulated.server.settings import ExchangeSettings, RateLimits, RowStyle
from connectors.vocabulary import (
    ContractKind,
    Order,
    OrderKind,
    OrderSide,
    OrderStatus,
    Position,
    Trigger,
)
from tests.integration.bitmex_fakes import running, until
from tests.integration.exchange_client import Rest
from tests.unit.connectors.bitmex.bitmex_builders import RememberingSink, some_settings

SYMBOL = "XBTUSD"


@dataclass
class Desk:
    """An exchange, a guard's three ports on one account, and a bot on the same account."""

    exchange: EmbeddedExchange
    entry: BitmexOrderEntry
    drop_copy: BitmexDropCopy
    market: BitmexMarketData
    account: RememberingSink
    prices: RememberingSink
    bot: Rest

    def position(self, symbol: str = SYMBOL) -> Position | None:
        """Return the last word of the stream about a position."""
        told = [row for name, rows in self.account.log if name == "positions" for row in rows]
        told += self.account.of("position")
        return next((row for row in reversed(told) if row.key.symbol == symbol), None)

    def order(self, client_order_id: str) -> Order | None:
        """Return the last word of the stream about an order."""
        told = [order for order in self.account.of("order") if order.client_order_id == client_order_id]
        return told[-1] if told else None

    def mark(self, symbol: str = SYMBOL) -> Decimal:
        """Return the last mark, exactly."""
        frame = [frame for told, _, frame in self.prices.of("mark") if told == symbol][-1]
        exact = self.market.exact_mark(frame, symbol)
        assert exact is not None
        return exact

    async def open_long(self, quantity: int = 1000) -> Position:
        """Let the bot buy, and wait until the stream shows the position."""
        await self.bot.ask("POST", "/order", symbol=SYMBOL, side="Buy", orderQty=quantity, ordType="Market")
        await until(lambda: (found := self.position()) is not None and found.quantity == quantity)
        position = self.position()
        assert position is not None
        return position

    def a_stop(self, client_order_id: str = "sw-1", *, quantity: int | None = 1000, share: str = "0.9") -> StopRequest:
        """Return a sell stop at a share of the mark."""
        price = (self.mark() * Decimal(share)).quantize(Decimal("0.1")).to_integral_value()
        return StopRequest(
            client_order_id=client_order_id, symbol=SYMBOL, side=OrderSide.SELL, quantity=quantity, stop_price=price
        )


def settings_of(exchange: EmbeddedExchange) -> VenueSettings:
    """Return the settings that point at an exchange."""
    return some_settings(
        rest_url=exchange.http_url,
        realtime_url=exchange.ws_url,
        request_timeout_s=5.0,
        ping_after_s=2.0,
        pong_within_s=2.0,
    )


def credentials_of(key: ApiKey) -> Credentials:
    """Return a key of the exchange as the connector takes it."""
    return Credentials(key_id=key.key_id, secret=Secret(key.secret))


@asynccontextmanager
async def desk(**changed: Any) -> AsyncIterator[Desk]:
    """Run an exchange with everything attached and both feeds live."""
    like = {"scenario": "calm", "image_period_ms": 0, **changed}
    async with EmbeddedExchange(ExchangeSettings(**like)) as exchange:
        settings, credentials = settings_of(exchange), credentials_of(exchange.key())
        account, prices = RememberingSink(), RememberingSink()
        drop_copy = BitmexDropCopy(settings=settings, credentials=credentials, sink=account, jitter=lambda: 0.5)
        market = BitmexMarketData(settings=settings, sink=prices, jitter=lambda: 0.5)
        entry = BitmexOrderEntry(settings=settings, credentials=credentials)
        async with Rest(exchange) as bot, running(drop_copy.run(), market.run()):
            await until(lambda: account.of("live") and prices.of("live"), within_s=10.0)
            yield Desk(exchange, entry, drop_copy, market, account, prices, bot)
            await entry.close()


both_generations = pytest.mark.parametrize("rows", list(RowStyle), ids=lambda style: style.value)


@both_generations
async def test_life_of_a_stop(rows: RowStyle) -> None:
    """Placed, confirmed resting by the stream, asked for by id, amended, cancelled; in rows of both generations."""
    async with desk(rows=rows) as at:
        position = await at.open_long()
        assert position.liquidation_price is not None
        placed = await at.entry.place_stop(at.a_stop())
        await until(lambda: (seen := at.order("sw-1")) is not None and seen.is_resting_stop)
        (asked,) = await at.entry.order_by_client_id(["sw-1", "never"])
        assert asked.order_id == placed.order_id
        assert (asked.kind, asked.trigger, asked.is_reduce_only) == (OrderKind.STOP_MARKET, Trigger.MARK, True)
        higher = placed.stop_price + 100 if placed.stop_price is not None else Decimal(1)
        amended = await at.entry.amend_stop(order_id=placed.order_id, stop_price=higher, quantity=500)
        assert (amended.stop_price, amended.quantity) == (higher, 500)
        await until(lambda: (seen := at.order("sw-1")) is not None and seen.stop_price == higher)
        cancelled = await at.entry.cancel_order(order_id=placed.order_id)
        assert cancelled is not None
        await until(lambda: (seen := at.order("sw-1")) is not None and seen.status is OrderStatus.CANCELED)
        assert (await at.entry.picture()).open_orders == ()
        assert await at.entry.cancel_order(order_id=placed.order_id) is None
        assert at.account.of("lost") == []


@both_generations
async def test_close_stop_follows_the_position(rows: RowStyle) -> None:
    """A Close stop without quantity rests, and the stream says so."""
    async with desk(rows=rows) as at:
        await at.open_long()
        await at.entry.place_stop(at.a_stop(quantity=None))
        await until(lambda: (seen := at.order("sw-1")) is not None and seen.is_resting_stop)
        stop = at.order("sw-1")
        assert stop is not None
        assert (stop.is_close, stop.trigger, stop.is_reduce_only) == (True, Trigger.MARK, True)


@both_generations
async def test_a_take_profit_order_rests_and_can_only_shrink(rows: RowStyle) -> None:
    """P1: placed above the mark it rests reduce-only, reads back as sent, and is cancelled by its id."""
    async with desk(rows=rows) as at:
        await at.open_long()
        price = (at.mark() * Decimal("1.05")).to_integral_value()
        asked = LimitRequest(client_order_id="sw-t", symbol=SYMBOL, side=OrderSide.SELL, quantity=300, price=price)
        placed = await at.entry.place_take_profit(asked)
        await until(lambda: (seen := at.order("sw-t")) is not None and seen.status is OrderStatus.NEW)
        seen = at.order("sw-t")
        assert seen is not None
        assert (seen.kind, seen.price, seen.leaves_quantity) == (OrderKind.LIMIT, price, 300)
        assert (seen.is_reduce_only, seen.is_close, seen.trigger) == (True, False, None)
        assert await at.entry.cancel_order(order_id=placed.order_id) is not None
        await until(lambda: (seen := at.order("sw-t")) is not None and seen.status is OrderStatus.CANCELED)


@both_generations
async def test_many_orders_of_others_go_in_one_request(rows: RowStyle) -> None:
    """P8: three quotes, one request: those that can be cancelled come back, the one that had ended is left out."""
    async with desk(rows=rows) as at:
        placed = [
            await at.bot.ask("POST", "/order", symbol=SYMBOL, side="Buy", orderQty=100, price=price, ordType="Limit")
            for price in (1000, 1001, 1002)
        ]
        ids = [row["orderID"] for row in placed]
        await at.bot.ask("DELETE", "/order", orderID=ids[1])
        cancelled = await at.entry.cancel_orders(order_ids=ids)
        assert sorted(order.order_id for order in cancelled) == sorted((ids[0], ids[2]))
        assert {order.status for order in cancelled} == {OrderStatus.CANCELED}
        assert await at.entry.cancel_orders(order_ids=ids) == ()


@both_generations
async def test_margin_leverage_and_mode_are_read_from_the_position_s_row(rows: RowStyle) -> None:
    """A cross position isolated, its leverage lowered, margin added: the stream shows each, liquidation moves away."""
    async with desk(rows=rows) as at:
        cross = await at.open_long()
        assert cross.is_cross
        await at.entry.isolate_position(symbol=SYMBOL)
        await until(lambda: (row := at.position()) is not None and not row.is_cross)
        await at.entry.set_leverage(symbol=SYMBOL, leverage=Decimal(10))
        await until(lambda: (row := at.position()) is not None and row.leverage == 10)
        before = at.position()
        assert before is not None
        await at.entry.add_margin(symbol=SYMBOL, amount_sat=10_000)
        await until(lambda: (row := at.position()) is not None and row.margin_sat >= before.margin_sat + 10_000)
        after = at.position()
        assert after is not None
        assert after.liquidation_price is not None
        assert before.liquidation_price is not None
        assert after.liquidation_price < before.liquidation_price


async def test_what_cannot_back_a_position_is_refused() -> None:
    """Margin for a position that is cross, or more than there is: the venue's no is a refusal, nothing is moved."""
    async with desk() as at:
        await at.open_long()
        with pytest.raises(Rejected):
            await at.entry.add_margin(symbol=SYMBOL, amount_sat=10_000)
        await at.entry.isolate_position(symbol=SYMBOL)
        with pytest.raises(Rejected):
            await at.entry.add_margin(symbol=SYMBOL, amount_sat=10**14)


@both_generations
async def test_reduced_to_flat(rows: RowStyle) -> None:
    """P1: a closing market order takes the position to zero; a flat row has no prices; executions are told once."""
    async with desk(rows=rows) as at:
        await at.open_long()
        done = await at.entry.reduce_at_market(
            ReduceRequest(client_order_id="sw-c", symbol=SYMBOL, side=OrderSide.SELL, quantity=None)
        )
        assert done.status in {OrderStatus.FILLED, OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.PENDING}
        await until(lambda: (seen := at.position()) is not None and seen.quantity == 0)
        flat = at.position()
        assert flat is not None
        assert flat.liquidation_price is None
        told = [execution.execution_id for execution in at.account.of("execution")]
        assert len(told) == len(set(told))
        assert told


async def test_refusals_of_the_venue() -> None:
    """P4, P5: a repeat is a duplicate, a price off the grid is refused, an unknown order cannot be amended."""
    async with desk() as at:
        await at.open_long()
        await at.entry.place_stop(at.a_stop())
        with pytest.raises(DuplicateClientOrderId):
            await at.entry.place_stop(at.a_stop())
        off_grid = at.a_stop("sw-2")
        with pytest.raises(Rejected, match="tick"):
            await at.entry.place_stop(
                StopRequest(
                    client_order_id="sw-2",
                    symbol=SYMBOL,
                    side=OrderSide.SELL,
                    quantity=100,
                    stop_price=off_grid.stop_price + Decimal("0.03"),
                )
            )
        unknown = "00000000-0000-0000-0000-0000000000ff"
        with pytest.raises(Rejected):
            await at.entry.amend_stop(order_id=unknown, stop_price=Decimal(1000), quantity=None)
        assert await at.entry.cancel_order(order_id=unknown) is None


async def test_reduce_only_with_nothing_to_reduce() -> None:
    """A reduction of a flat account is answered 200 with a cancelled row, which is returned as it is."""
    async with desk() as at:
        order = await at.entry.reduce_at_market(
            ReduceRequest(client_order_id="sw-r", symbol=SYMBOL, side=OrderSide.SELL, quantity=100)
        )
        assert order.status is OrderStatus.CANCELED


@both_generations
async def test_picture_and_figures(rows: RowStyle) -> None:
    """One picture of everything, the figures of every contract, the clock, and the key's rights."""
    async with desk(rows=rows) as at:
        await at.open_long()
        await at.entry.place_stop(at.a_stop())
        picture = await at.entry.picture()
        assert [position.quantity for position in picture.positions if position.key.symbol == SYMBOL] == [1000]
        assert [order.client_order_id for order in picture.open_orders] == ["sw-1"]
        assert len(picture.recent_orders) == 2
        assert {margin.currency for margin in picture.margins} >= {"XBt", "USDt"}
        figures = {instrument.symbol: instrument for instrument in await at.entry.instruments()}
        streamed = {instrument.symbol: instrument for instrument in at.prices.of("instrument")}
        assert {figures[symbol].kind for symbol in figures} == set(ContractKind)
        assert figures[SYMBOL].tick_size == streamed[SYMBOL].tick_size
        assert set(figures) == {symbol for symbol, instrument in streamed.items() if instrument.is_open}
        assert abs(await at.entry.server_time_ns() - time.time_ns()) < 5_000_000_000
        rights = await at.entry.key_rights()
        assert (rights.is_readable, rights.can_order, rights.can_withdraw) == (True, True, False)


async def test_switch_armed_fed_and_disarmed() -> None:
    """P6: over both ways, armed for what was asked, disarmed by 0."""
    async with desk() as at:
        for feed in (at.drop_copy.cancel_all_after, at.entry.cancel_all_after):
            armed = await feed(60_000)
            assert armed.cancel_time_ns == armed.now_ns + 60_000_000_000
            assert (await feed(0)).cancel_time_ns is None


async def test_switch_that_fires_takes_the_stop_along() -> None:
    """The switch cancels everything, waiting stops included, and the stream says so."""
    async with desk() as at:
        await at.open_long()
        await at.entry.place_stop(at.a_stop())
        await at.drop_copy.cancel_all_after(100)
        await until(lambda: (seen := at.order("sw-1")) is not None and seen.status is OrderStatus.CANCELED)


@both_generations
async def test_reconnect_starts_from_partials(rows: RowStyle) -> None:
    """The connection breaks under the client: both feeds come back and tell the same account again."""
    async with desk(rows=rows) as at:
        await at.open_long()
        await at.entry.place_stop(at.a_stop())
        await until(lambda: at.order("sw-1") is not None)
        assert at.drop_copy._feed._socket is not None
        at.drop_copy._feed._socket.transport.abort()
        await until(lambda: len(at.account.of("live")) == 2, within_s=10.0)
        assert [order.client_order_id for order in at.account.of("orders")[-1]] == ["sw-1"]
        position = at.position()
        assert position is not None
        assert position.quantity == 1000
        told = [execution.execution_id for execution in at.account.of("execution")]
        assert len(told) == len(set(told))


async def test_wrong_secret() -> None:
    """A wrong secret: requests need a person, the stream says why it is not live."""
    async with EmbeddedExchange(ExchangeSettings(scenario="calm")) as exchange:
        wrong = Credentials(key_id=exchange.key().key_id, secret=Secret("wrong"))
        entry = BitmexOrderEntry(settings=settings_of(exchange), credentials=wrong)
        with pytest.raises(Misconfigured, match="Signature not valid"):
            await entry.picture()
        await entry.close()
        sink = RememberingSink()
        drop_copy = BitmexDropCopy(settings=settings_of(exchange), credentials=wrong, sink=sink, jitter=lambda: 0.5)
        async with running(drop_copy.run()):
            await until(lambda: sink.of("lost"))
        assert "Signature not valid" in sink.of("lost")[0]


async def test_clock_that_is_off() -> None:
    """Signatures dated in the past are refused at once, and the reason names the clock."""
    async with EmbeddedExchange(ExchangeSettings(scenario="calm")) as exchange:
        slow: Callable[[], int] = lambda: time.time_ns() - 60_000_000_000  # noqa: E731
        entry = BitmexOrderEntry(
            settings=settings_of(exchange), credentials=credentials_of(exchange.key()), now_ns=slow
        )
        with pytest.raises(Misconfigured, match="clock"):
            await entry.picture()
        await entry.close()


async def test_two_symbols_only() -> None:
    """Market data of chosen symbols: a partial each, no other symbol's marks."""
    async with EmbeddedExchange(ExchangeSettings(scenario="calm", speed="60", image_period_ms=0)) as exchange:
        sink = RememberingSink()
        market = BitmexMarketData(
            settings=settings_of(exchange), sink=sink, jitter=lambda: 0.5, symbols=("XBTUSD", "ETHUSD")
        )
        async with running(market.run()):
            await until(lambda: len(sink.of("mark")) > 20, within_s=20.0)
        assert {symbol for symbol, _, _ in sink.of("mark")} == {"XBTUSD", "ETHUSD"}
        assert {told.symbol for told in sink.of("instrument")} == {"XBTUSD", "ETHUSD"}
        assert sink.of("lost") == []


async def test_flood_of_a_bot_leaves_the_guard_its_stop() -> None:
    """P8: a bot drains the account's bucket: the guard's reads stop by themselves, and its stop goes out."""
    async with desk(limits=RateLimits(signed_per_minute=60)) as at:
        await at.open_long()
        for _ in range(40):
            await at.bot.ask("GET", "/position")
        with pytest.raises(Unavailable, match="nothing was sent"):
            await at.entry.picture()
        assert (await at.entry.place_stop(at.a_stop())).is_resting_stop
