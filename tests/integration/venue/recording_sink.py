"""A `FeedSink` that remembers, and lets a test wait for a condition instead of a duration."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from connectors.ports import Feed
from connectors.vocabulary import Execution, Instrument, Insurance, LiquidationOrder, Margin, Order, Position, Wallet

WAIT_S = 15.0


class RecordingSink:
    """Remembers everything that a stream said, newest last."""

    def __init__(self) -> None:
        self.live: set[Feed] = set()
        self.losses: list[str] = []
        self.marks: list[tuple[str, float, bytes]] = []
        self.instruments: dict[str, Instrument] = {}
        self.positions: dict[str, Position] = {}
        self.orders: list[Order] = []
        self.margins: dict[str, Margin] = {}
        self.executions: list[Execution] = []
        self.wallets: list[Wallet] = []
        self.insurance: list[Insurance] = []
        self.liquidations: list[tuple[LiquidationOrder, bool]] = []
        self.topics: dict[str, str] = {}
        self.doubts: list[tuple[str, str]] = []
        self._news = asyncio.Event()

    async def wait_for(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds; fail after WAIT_S."""
        async with asyncio.timeout(WAIT_S):
            while not condition():
                self._news.clear()
                await self._news.wait()

    def order_of(self, client_order_id: str) -> Order | None:
        """The newest row of one order."""
        return next((order for order in reversed(self.orders) if order.client_order_id == client_order_id), None)

    def feed_live(self, feed: Feed, *, received_ns: int) -> None:
        self.live.add(feed)
        self._news.set()

    def feed_lost(self, feed: Feed, reason: str, *, received_ns: int) -> None:
        self.live.discard(feed)
        self.losses.append(reason)
        self._news.set()

    def feed_connected(self, feed: Feed, *, received_ns: int) -> None:
        self._news.set()

    def feed_pong(self, feed: Feed, *, received_ns: int) -> None:
        self._news.set()

    def feed_alive(self, feed: Feed, *, received_ns: int) -> None:
        self._news.set()

    def mark_price(self, symbol: str, price: float, frame: bytes, *, received_ns: int) -> None:
        self.marks.append((symbol, price, frame))
        self._news.set()

    def instrument(self, instrument: Instrument, *, received_ns: int) -> None:
        self.instruments[instrument.symbol] = instrument
        self._news.set()

    def position(self, position: Position, *, received_ns: int) -> None:
        self.positions[position.key.symbol] = position
        self._news.set()

    def positions_snapshot(self, positions: Sequence[Position], *, received_ns: int) -> None:
        self.positions = {position.key.symbol: position for position in positions}
        self._news.set()

    def order(self, order: Order, *, received_ns: int) -> None:
        self.orders.append(order)
        self._news.set()

    def orders_snapshot(self, orders: Sequence[Order], *, received_ns: int) -> None:
        self.orders.extend(orders)
        self._news.set()

    def margin(self, margin: Margin, *, received_ns: int) -> None:
        self.margins[margin.currency] = margin
        self._news.set()

    def execution(self, execution: Execution, *, received_ns: int) -> None:
        self.executions.append(execution)
        self._news.set()

    def wallet(self, wallet: Wallet, *, received_ns: int) -> None:
        self.wallets.append(wallet)
        self._news.set()

    def insurance(self, insurance: Insurance, *, received_ns: int) -> None:
        self.insurance.append(insurance)
        self._news.set()

    def liquidation(self, order: LiquidationOrder, *, is_gone: bool, received_ns: int) -> None:
        self.liquidations.append((order, is_gone))
        self._news.set()

    def topic(self, topic: str, problem: str, *, received_ns: int) -> None:
        self.topics[topic] = problem
        self._news.set()

    def table_doubted(self, feed: Feed, table: str, problem: str, *, unreadable: int, received_ns: int) -> None:
        self.doubts.append((table, problem))
        self._news.set()

    def request_refused(self, client_order_id: str, order_id: str, reason: str, *, received_ns: int) -> None:
        self._news.set()
