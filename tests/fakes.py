"""Small stand-ins for clocks, venues and channels, used wherever the real ones are not the subject."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from connectors.errors import Unavailable
from connectors.ports import (
    AccountPicture,
    BudgetPicture,
    DropCopy,
    Feed,
    FeedSink,
    KeyRights,
    LimitRequest,
    MarketData,
    OrderEntry,
    ReduceRequest,
    StopRequest,
    SwitchReceipt,
)
from connectors.vocabulary import (
    ContractKind,
    Instrument,
    Margin,
    Order,
    OrderKind,
    OrderSide,
    OrderStatus,
    Position,
    PositionKey,
    Quote,
    Trigger,
)

ACCOUNT = 4711
SYMBOL = "XBTUSD"
START_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000
NO_ORDERS = AccountPicture(positions=(), open_orders=(), recent_orders=(), margins=())


class ManualClock:
    """A clock that moves when told."""

    def __init__(self, now_ns: int = START_NS) -> None:
        self.at_ns = now_ns

    def now_ns(self) -> int:
        return self.at_ns

    def wall_ns(self) -> int:
        return self.at_ns

    def move_past(self, ns: int) -> None:
        self.at_ns = max(self.at_ns, ns)

    def advance_s(self, seconds: float) -> None:
        self.at_ns += int(seconds * 1e9)


def an_instrument(symbol: str = SYMBOL) -> Instrument:
    """An inverse perpetual like XBTUSD."""
    return Instrument(
        symbol=symbol,
        kind=ContractKind.INVERSE,
        settlement_currency="XBt",
        multiplier=-100_000_000,
        lot_size=100,
        tick_size=Decimal("0.1"),
        max_price=Decimal(1_000_000),
        max_order_quantity=10_000_000,
        initial_margin_ratio=Decimal("0.01"),
        maintenance_margin_ratio=Decimal("0.005"),
        taker_fee=Decimal("0.0005"),
    )


def a_long(quantity: int = 1000, *, entry: int = 60_000, liquidation: int = 57_000) -> Position:
    """An isolated long of XBTUSD with the venue's liquidation price."""
    return Position(
        key=PositionKey(account=ACCOUNT, symbol=SYMBOL),
        quantity=quantity,
        currency="XBt",
        entry_price=Decimal(entry),
        leverage=Decimal(20),
        liquidation_price=Decimal(liquidation),
        mark_price=Decimal(entry),
        maintenance_margin_ratio=Decimal("0.005"),
        timestamp_ns=START_NS,
    )


def a_resting_stop(client_order_id: str = "sw-1", *, stop_price: int = 58_000, quantity: int = 1000) -> Order:
    """A protective stop of a long, as the order stream shows it."""
    return Order(
        order_id=f"order-{client_order_id}",
        client_order_id=client_order_id,
        account=ACCOUNT,
        symbol=SYMBOL,
        side=OrderSide.SELL,
        kind=OrderKind.STOP_MARKET,
        status=OrderStatus.NEW,
        quantity=quantity,
        leaves_quantity=quantity,
        stop_price=Decimal(stop_price),
        trigger=Trigger.MARK,
        is_reduce_only=True,
    )


def a_margin() -> Margin:
    """The account's money: one XBT."""
    return Margin(
        account=ACCOUNT,
        currency="XBt",
        wallet_balance_sat=100_000_000,
        margin_balance_sat=100_000_000,
        available_sat=99_000_000,
    )


@dataclass
class FakeVenue:
    """What the fake ports share: rows, answers to give, and requests received."""

    account: int = ACCOUNT
    rights: KeyRights = field(
        default_factory=lambda: KeyRights(can_order=True, can_withdraw=False, is_readable=True, account=ACCOUNT)
    )
    positions: list[Position] = field(default_factory=list)
    orders: dict[str, Order] = field(default_factory=dict)
    sent: list[object] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    """Raised by the next requests, one each."""
    skew_ns: int = 0
    budget: BudgetPicture | None = None
    now_ns: int = START_NS
    is_away: bool = False
    sink: FeedSink | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False
    quotes: dict[str, Quote] = field(default_factory=dict)
    """What `MarketData.quote` answers."""

    def order_entry(self) -> OrderEntry:
        return FakeOrderEntry(self)

    def market_data(self, sink: FeedSink) -> MarketData:
        self.sink = sink
        return FakeMarketData(self, sink)

    def drop_copy(self, sink: FeedSink) -> DropCopy:
        return FakeDropCopy(self, sink)

    def note(self, request: object) -> None:
        self.sent.append(request)
        self.changed.set()
        if self.is_away:
            raise Unavailable("no connection")
        if self.failures:
            raise self.failures.pop(0)

    def requests(self, kind: type) -> list[object]:
        return [each for each in self.sent if isinstance(each, kind)]


class FakeOrderEntry:
    """Keeps orders in a dictionary and shows new stops on the order stream."""

    def __init__(self, venue: FakeVenue) -> None:
        self._venue = venue

    async def place_stop(self, request: StopRequest) -> Order:
        self._venue.note(request)
        order = replace(
            a_resting_stop(request.client_order_id),
            symbol=request.symbol,
            side=request.side,
            quantity=request.quantity,
            stop_price=request.stop_price,
        )
        return self._keep(order)

    async def amend_stop(self, *, order_id: str, stop_price: Decimal | None, quantity: int | None) -> Order:
        self._venue.note(("amend", order_id, stop_price, quantity))
        known = self._venue.orders[order_id]
        amended = replace(known, stop_price=stop_price or known.stop_price, quantity=quantity or known.quantity)
        return self._keep(amended)

    async def cancel_order(self, *, order_id: str) -> Order | None:
        self._venue.note(("cancel", order_id))
        known = self._venue.orders.pop(order_id, None)
        return None if known is None else self._show(replace(known, status=OrderStatus.CANCELED))

    async def cancel_orders(self, *, order_ids: Sequence[str]) -> tuple[Order, ...]:
        self._venue.note(("cancel many", tuple(order_ids)))
        known = [self._venue.orders.pop(order_id, None) for order_id in order_ids]
        return tuple(self._show(replace(each, status=OrderStatus.CANCELED)) for each in known if each is not None)

    async def add_margin(self, *, symbol: str, amount_sat: int) -> None:
        self._venue.note(("add margin", symbol, amount_sat))

    async def set_leverage(self, *, symbol: str, leverage: Decimal) -> None:
        self._venue.note(("leverage", symbol, leverage))

    async def isolate_position(self, *, symbol: str) -> None:
        self._venue.note(("isolate", symbol))

    async def place_take_profit(self, request: LimitRequest) -> Order:
        self._venue.note(request)
        order = replace(
            a_resting_stop(request.client_order_id),
            symbol=request.symbol,
            side=request.side,
            quantity=request.quantity,
            kind=OrderKind.LIMIT,
            price=request.price,
            stop_price=None,
            trigger=None,
        )
        return self._keep(order)

    async def reduce_at_market(self, request: ReduceRequest) -> Order:
        self._venue.note(request)
        return replace(
            a_resting_stop(request.client_order_id), kind=OrderKind.MARKET, status=OrderStatus.FILLED, stop_price=None
        )

    async def cancel_all_after(self, timeout_ms: int) -> SwitchReceipt:
        self._venue.note(("switch over rest", timeout_ms))
        return receipt(self._venue, timeout_ms)

    async def order_by_client_id(self, client_order_ids: Sequence[str]) -> tuple[Order, ...]:
        self._venue.note(("find", tuple(client_order_ids)))
        return tuple(each for each in self._venue.orders.values() if each.client_order_id in client_order_ids)

    async def picture(self) -> AccountPicture:
        self._venue.note("picture")
        return AccountPicture(
            positions=tuple(self._venue.positions),
            open_orders=tuple(self._venue.orders.values()),
            recent_orders=tuple(self._venue.orders.values()),
            margins=(a_margin(),),
        )

    async def instruments(self) -> tuple[Instrument, ...]:
        return (an_instrument(),)

    async def key_rights(self) -> KeyRights:
        self._venue.note("key rights")
        return self._venue.rights

    def budget(self) -> BudgetPicture | None:
        return self._venue.budget

    async def server_time_ns(self) -> int:
        self._venue.note("server time")
        return self._venue.now_ns + self._venue.skew_ns

    async def close(self) -> None:
        self._venue.closed = True

    def _keep(self, order: Order) -> Order:
        self._venue.orders[order.order_id] = order
        return self._show(order)

    def _show(self, order: Order) -> Order:
        if self._venue.sink is not None:
            asyncio.get_running_loop().call_soon(lambda: _show_order(self._venue, order))
        return order


def _show_order(venue: FakeVenue, order: Order) -> None:
    if venue.sink is not None:
        venue.sink.order(order, received_ns=START_NS)
        venue.changed.set()


def receipt(venue: FakeVenue, timeout_ms: int) -> SwitchReceipt:
    """The venue's answer to a feed of the switch."""
    cancel_ns = venue.now_ns + timeout_ms * 1_000_000 if timeout_ms else None
    return SwitchReceipt(now_ns=venue.now_ns, cancel_time_ns=cancel_ns)


class FakeMarketData:
    """Live at once; marks are told through `mark`."""

    def __init__(self, venue: FakeVenue, sink: FeedSink) -> None:
        self._venue = venue
        self._sink = sink

    async def run(self) -> None:
        self._sink.instrument(an_instrument(), received_ns=START_NS)
        tell_mark(self._sink, "60000.0")
        self._sink.feed_live(Feed.MARKET, received_ns=START_NS)
        await _stay_alive(self._sink, Feed.MARKET)

    def exact_mark(self, frame: bytes, symbol: str) -> Decimal | None:
        return Decimal(frame.decode())

    def quote(self, symbol: str) -> Quote | None:
        return self._venue.quotes.get(symbol)


class FakeDropCopy:
    """Live at once, with the venue's positions and orders."""

    def __init__(self, venue: FakeVenue, sink: FeedSink) -> None:
        self._venue = venue
        self._sink = sink

    async def run(self) -> None:
        self._tell_everything()
        await _stay_alive(self._sink, Feed.ACCOUNT)

    def _tell_everything(self) -> None:
        self._sink.margin(a_margin(), received_ns=START_NS)
        self._sink.positions_snapshot(tuple(self._venue.positions), received_ns=START_NS)
        self._sink.orders_snapshot(tuple(self._venue.orders.values()), received_ns=START_NS)
        self._sink.feed_live(Feed.ACCOUNT, received_ns=START_NS)

    def renew(self, reason: str) -> None:
        self._venue.sent.append(("renew", reason))
        self._sink.feed_lost(Feed.ACCOUNT, reason, received_ns=START_NS)
        self._tell_everything()

    async def cancel_all_after(self, timeout_ms: int) -> SwitchReceipt:
        self._venue.note(("switch over stream", timeout_ms))
        return receipt(self._venue, timeout_ms)


async def _stay_alive(sink: FeedSink, feed: Feed) -> None:
    while True:
        await asyncio.sleep(0.04)
        sink.feed_alive(feed, received_ns=START_NS)


def tell_mark(sink: FeedSink, price: str, symbol: str = SYMBOL) -> None:
    """Let the market stream tell a mark; the fake frame is the price itself."""
    sink.mark_price(symbol, float(price), price.encode(), received_ns=START_NS)
