"""The feeds' way in: every piece of news becomes one event, stamped and taken at once.

Why: connectors know their venue and nothing of the core; the core knows events and nothing of sockets. This is the only
place where the one becomes the other. Mark prices take the short way: compared with their band, and dropped inside it.
"""

# ruff: noqa: ARG002 - `received_ns` is the sink's; events are stamped when they are taken (see Inbox)
from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Protocol

from connectors.ports import Feed
from connectors.vocabulary import (
    Execution,
    Instrument,
    Insurance,
    LiquidationOrder,
    Margin,
    Order,
    Position,
    Wallet,
)
from daemon.core.commands import SetBand
from daemon.core.events import (
    Event,
    ExecutionSeen,
    FeedLive,
    FeedLost,
    FeedName,
    InstrumentSeen,
    InsuranceSeen,
    LiquidationSeen,
    MarginSeen,
    MarkSeen,
    OrderSeen,
    OrdersListed,
    PositionSeen,
    PositionsListed,
    RequestRefusedOnStream,
    Source,
    TableDoubted,
    TopicSeen,
    WalletSeen,
)
from daemon.core.ledger import StreamFacts
from daemon.shell.bands import Bands
from daemon.shell.clock import Clock

_FEED_NAMES = {Feed.MARKET: FeedName.MARKET, Feed.ACCOUNT: FeedName.ACCOUNT}
_TOPICS = {
    Feed.MARKET: ("instrument", "mark", "insurance", "liquidation"),
    Feed.ACCOUNT: ("position", "order", "margin", "execution", "wallet"),
}
_MARKET = Feed.MARKET
"""Bound once: reading an enum's member, or using it as a key, costs as much as comparing a mark with its band."""


class ExactMark(Protocol):
    """Reads a mark price out of a raw frame without rounding it."""

    def __call__(self, frame: bytes, symbol: str, /) -> Decimal | None:
        """Return the last mark of `symbol` in `frame`, or None if it holds none."""


def _no_mark(_frame: bytes, _symbol: str, /) -> Decimal | None:
    return None


class Inbox:
    """A `connectors.ports.FeedSink` that turns news into events.

    Each event is stamped with the time at which it is taken, not with the time of the frame: the stamps of the journal
    never run backwards (a wall clock may), and what waited in between belongs to the delay that the guard measures.
    """

    def __init__(self, *, clock: Clock, take: Callable[[Event], None], bands: Bands) -> None:
        self._clock = clock
        self._take = take
        self._bands = bands
        self._exact_mark: ExactMark = _no_mark
        self._market_alive_ns = self._account_alive_ns = self._begun_ns = clock.now_ns()
        self._pong_ns: dict[Feed, int] = {}
        self._connected_ns: dict[Feed, int] = {}
        self._told_ns: dict[str, int] = {}
        self._live: set[Feed] = set()
        self.marks_received = 0
        self.marks_told = 0

    def read_marks_with(self, exact_mark: ExactMark) -> None:
        """Name who reads a mark out of a raw frame: the market data port, which is built after its sink."""
        self._exact_mark = exact_mark

    def age_ns(self, feed: Feed) -> int:
        """Time since the feed's last sign of life, or since the start if it never gave one."""
        alive_ns = max(self._data_ns(feed), self._pong_ns.get(feed, 0))
        return max(0, self._clock.now_ns() - alive_ns)

    def data_age_ns(self, feed: Feed) -> int:
        """Time since the feed's last frame that was no pong."""
        return max(0, self._clock.now_ns() - self._data_ns(feed))

    def facts(self, feed: Feed) -> StreamFacts:
        """Return the three facts about a feed (socket, pong, data), and when each of its topics last told a row."""
        topics = _TOPICS[feed]
        data_ns = self._data_ns(feed)
        return StreamFacts(
            connected_ns=self._connected_ns.get(feed, 0),
            pong_ns=self._pong_ns.get(feed, 0),
            data_ns=0 if data_ns == self._begun_ns else data_ns,  # ages count from the start where nothing was told
            topics={topic: self._told_ns[topic] for topic in topics if topic in self._told_ns},
        )

    def _data_ns(self, feed: Feed) -> int:
        return self._market_alive_ns if feed is _MARKET else self._account_alive_ns

    def is_live(self, feed: Feed) -> bool:
        """Whether the feed is complete on its present connection."""
        return feed in self._live

    # ------------------------------------------------------------ the short way

    def feed_alive(self, feed: Feed, *, received_ns: int) -> None:
        """Note a frame that is no pong."""
        if feed is _MARKET:
            self._market_alive_ns = self._clock.now_ns()
        else:
            self._account_alive_ns = self._clock.now_ns()

    def mark_price(self, symbol: str, price: float, frame: bytes, *, received_ns: int) -> None:
        """Compare a mark with its band; tell the core only what may change a decision."""
        self.marks_received += 1
        if self._bands.is_worth_telling(symbol, price, frame, self._market_alive_ns):
            self._tell_mark(symbol, frame)

    def set_band(self, command: SetBand) -> None:
        """Put a band in force, and tell the mark at once if it is outside already."""
        latest = self._bands.set_band(command)
        if latest is not None:
            self._bands.told(command.symbol, self._clock.now_ns())
            self._tell_mark(command.symbol, latest[1])

    def clear_band(self, symbol: str) -> None:
        """Drop the band of a symbol."""
        self._bands.clear_band(symbol)

    def _tell_mark(self, symbol: str, frame: bytes) -> None:
        exact = self._exact_mark(frame, symbol)
        if exact is not None:
            self._told_ns["mark"] = self._market_alive_ns
            self.marks_told += 1
            self._take(MarkSeen(at_ns=self._clock.now_ns(), symbol=symbol, price=exact))

    # ------------------------------------------------------------ everything else

    def feed_connected(self, feed: Feed, *, received_ns: int) -> None:
        """Note that a socket is open; nothing is known over it yet."""
        self._connected_ns[feed] = self._clock.now_ns()

    def feed_pong(self, feed: Feed, *, received_ns: int) -> None:
        """Note that a ping was answered: a sign of life that tells nothing."""
        self._pong_ns[feed] = self._clock.now_ns()

    def feed_live(self, feed: Feed, *, received_ns: int) -> None:
        """Pass on that a feed is complete."""
        self.feed_alive(feed, received_ns=received_ns)
        self._live.add(feed)
        self._take(FeedLive(at_ns=self._clock.now_ns(), feed=_FEED_NAMES[feed]))

    def feed_lost(self, feed: Feed, reason: str, *, received_ns: int) -> None:
        """Pass on that a feed is gone; its marks are no longer the newest."""
        self._live.discard(feed)
        self._connected_ns.pop(feed, None)
        if feed is Feed.MARKET:
            self._bands.forget_marks()
        self._take(FeedLost(at_ns=self._clock.now_ns(), feed=_FEED_NAMES[feed], reason=reason))

    def instrument(self, instrument: Instrument, *, received_ns: int) -> None:
        """Pass on the figures of a contract."""
        self._told_ns["instrument"] = self._clock.now_ns()
        self._take(InstrumentSeen(at_ns=self._clock.now_ns(), instrument=instrument))

    def position(self, position: Position, *, received_ns: int) -> None:
        """Pass on one position row."""
        self._told_ns["position"] = self._clock.now_ns()
        self._take(PositionSeen(at_ns=self._clock.now_ns(), position=position, source=Source.STREAM))

    def positions_snapshot(self, positions: Sequence[Position], *, received_ns: int) -> None:
        """Pass on a whole position table."""
        self._told_ns["position"] = self._clock.now_ns()
        self._take(PositionsListed(at_ns=self._clock.now_ns(), positions=tuple(positions)))

    def order(self, order: Order, *, received_ns: int) -> None:
        """Pass on one order row."""
        self._told_ns["order"] = self._clock.now_ns()
        self._take(OrderSeen(at_ns=self._clock.now_ns(), order=order, source=Source.STREAM))

    def orders_snapshot(self, orders: Sequence[Order], *, received_ns: int) -> None:
        """Pass on all open orders."""
        self._told_ns["order"] = self._clock.now_ns()
        self._take(OrdersListed(at_ns=self._clock.now_ns(), orders=tuple(orders)))

    def margin(self, margin: Margin, *, received_ns: int) -> None:
        """Pass on one margin row."""
        self._told_ns["margin"] = self._clock.now_ns()
        self._take(MarginSeen(at_ns=self._clock.now_ns(), margin=margin))

    def execution(self, execution: Execution, *, received_ns: int) -> None:
        """Pass on one execution."""
        self._told_ns["execution"] = self._clock.now_ns()
        self._take(ExecutionSeen(at_ns=self._clock.now_ns(), execution=execution))

    def wallet(self, wallet: Wallet, *, received_ns: int) -> None:
        """Pass on one wallet row."""
        self._told_ns["wallet"] = self._clock.now_ns()
        self._take(WalletSeen(at_ns=self._clock.now_ns(), wallet=wallet))

    def insurance(self, insurance: Insurance, *, received_ns: int) -> None:
        """Pass on what the insurance fund holds."""
        self._told_ns["insurance"] = self._clock.now_ns()
        self._take(InsuranceSeen(at_ns=self._clock.now_ns(), insurance=insurance))

    def liquidation(self, order: LiquidationOrder, *, is_gone: bool, received_ns: int) -> None:
        """Pass on a liquidation of somebody in a symbol that matters; on a bad day the others come by the hundred."""
        self._told_ns["liquidation"] = self._clock.now_ns()
        if self._bands.has(order.symbol):
            self._take(LiquidationSeen(at_ns=self._clock.now_ns(), liquidation=order, is_gone=is_gone))

    def topic(self, topic: str, problem: str, *, received_ns: int) -> None:
        """Pass on that a topic we can do without is there, or missing."""
        self._take(TopicSeen(at_ns=self._clock.now_ns(), topic=topic, problem=problem))

    def table_doubted(self, feed: Feed, table: str, problem: str, *, unreadable: int, received_ns: int) -> None:
        """Pass on that a table cannot be believed, or is whole again; its marks are no longer the newest."""
        if feed is Feed.MARKET and problem:
            self._bands.forget_marks()
        doubted = TableDoubted(
            at_ns=self._clock.now_ns(),
            feed=_FEED_NAMES[feed],
            table=table,
            problem=problem,
            unreadable=unreadable,
        )
        self._take(doubted)

    def watched_symbols(self) -> tuple[str, ...]:
        """Return the symbols with a band in force."""
        return self._bands.symbols()

    def request_refused(self, client_order_id: str, order_id: str, reason: str, *, received_ns: int) -> None:
        """Pass on the stream's word that an amend or cancel failed."""
        now_ns = self._clock.now_ns()
        refused = RequestRefusedOnStream(
            at_ns=now_ns, client_order_id=client_order_id, order_id=order_id, reason=reason
        )
        self._take(refused)
