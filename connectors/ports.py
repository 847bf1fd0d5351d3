"""What the shell knows of a venue: three narrow ports and the sink their news flows into.

Why: the daemon must not care whether BitMEX, its testnet or the embedded exchange is at the other end, and a
later venue must fit without a change above this line. The ports speak `connectors.vocabulary` and raise
`connectors.errors` only.

- `MarketData` and `DropCopy` keep themselves connected for as long as `run()` runs. They never raise for a lost
  connection; they report it to the sink and try again with growth, cap and jitter.
- `OrderEntry` sends requests. Reads may be retried inside; writes are sent once, and what happened to them is the
  return value or one of the four errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Protocol

from connectors.vocabulary import (
    Execution,
    Instrument,
    Insurance,
    LiquidationOrder,
    Margin,
    Order,
    OrderSide,
    Position,
    Quote,
    Wallet,
)


class Feed(Enum):
    """The two streams that a guard lives on; each is live, or lost."""

    MARKET = "market"
    ACCOUNT = "account"


class FeedSink(Protocol):
    """Where a stream puts its news. Every method returns at once and never raises for what the venue sent.

    All times are `received_ns`: nanoseconds since 1970 UTC at which the frame was read from the socket.
    """

    def feed_live(self, feed: Feed, *, received_ns: int) -> None:
        """Every table of the feed has had its partial on this connection; what was sent before it is complete."""

    def feed_lost(self, feed: Feed, reason: str, *, received_ns: int) -> None:
        """The connection broke, went stale, or an account subscription was ended by the venue."""

    def feed_connected(self, feed: Feed, *, received_ns: int) -> None:
        """A socket was opened. Nothing is known over it yet."""

    def feed_alive(self, feed: Feed, *, received_ns: int) -> None:
        """A frame of what the feed is for arrived, prices say: the cheap sign of life, called for every one."""

    def feed_pong(self, feed: Feed, *, received_ns: int) -> None:
        """A ping was answered: the far end lives, which does not mean that it tells what happens."""

    def mark_price(self, symbol: str, price: float, frame: bytes, *, received_ns: int) -> None:
        """The hot path. `price` is a binary float for the band check; `MarketData.exact_mark` reads `frame` exactly."""

    def instrument(self, instrument: Instrument, *, received_ns: int) -> None:
        """Figures of a contract, on its partial and whenever one that matters changed."""

    def position(self, position: Position, *, received_ns: int) -> None:
        """A whole position row after a partial, insert or update."""

    def positions_snapshot(self, positions: Sequence[Position], *, received_ns: int) -> None:
        """The position table right after its partial: everything there is, replacing what was known."""

    def order(self, order: Order, *, received_ns: int) -> None:
        """A whole order row after an insert or update, finished ones included."""

    def orders_snapshot(self, orders: Sequence[Order], *, received_ns: int) -> None:
        """The open orders right after the partial: everything there is, replacing what was known."""

    def margin(self, margin: Margin, *, received_ns: int) -> None:
        """A whole margin row after a partial, insert or update."""

    def execution(self, execution: Execution, *, received_ns: int) -> None:
        """An execution, each `execution_id` once."""

    def wallet(self, wallet: Wallet, *, received_ns: int) -> None:
        """A whole wallet row after a partial, insert or update."""

    def insurance(self, insurance: Insurance, *, received_ns: int) -> None:
        """What the venue's insurance fund holds in a currency, as published."""

    def liquidation(self, order: LiquidationOrder, *, is_gone: bool, received_ns: int) -> None:
        """An order by which the venue liquidates somebody, after a partial, insert or update, or when it left."""

    def topic(self, topic: str, problem: str, *, received_ns: int) -> None:
        """A topic that no feed's life depends on (wallet, insurance, liquidation) is there, or missing.

        `problem` says why it is missing, for people; it is empty when the topic has had its partial.
        """

    def table_doubted(self, feed: Feed, table: str, problem: str, *, unreadable: int, received_ns: int) -> None:
        """A table that the feed lives on cannot be believed for now, or is whole again.

        `problem` says why, for people; it is empty when all of the table has been told anew.
        `feed_lost` ends every doubt of its feed. `unreadable` counts the feed's frames that could not be understood.
        """

    def request_refused(self, client_order_id: str, order_id: str, reason: str, *, received_ns: int) -> None:
        """The stream said that an amend or cancel failed; the order itself may live on."""


class MarketData(Protocol):
    """Prices and contract figures."""

    async def run(self) -> None:
        """Keep the stream up until cancelled."""

    def exact_mark(self, frame: bytes, symbol: str) -> Decimal | None:
        """The last mark price of `symbol` in a raw frame, exactly as sent; None if the frame holds none."""

    def quote(self, symbol: str) -> Quote | None:
        """The newest bid and ask of a contract on this connection; None while nothing was said of either."""


class DropCopy(Protocol):
    """Everything that happens to the account, whoever caused it."""

    async def run(self) -> None:
        """Keep the stream up until cancelled."""

    def renew(self, reason: str) -> None:
        """Give the present connection up and open another: its tables are told whole again. Returns at once."""

    async def cancel_all_after(self, timeout_ms: int) -> SwitchReceipt:
        """Feed the dead man's switch over the stream (costs no request budget); 0 disarms.

        Raises:
            Unavailable: The stream is not live; nothing was sent.
            OutcomeUnknown: Sent, and no answer in time.
            Rejected: The venue refused it.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class SwitchReceipt:
    """The venue's answer to a feed of the dead man's switch, on the venue's own clock."""

    now_ns: int
    cancel_time_ns: int | None
    """None when disarmed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StopRequest:
    """A protective stop to be placed: always a mark-triggered stop-market that can only shrink the position."""

    client_order_id: str
    symbol: str
    side: OrderSide
    quantity: int | None
    """Contracts; None asks for a Close stop that follows the position."""
    stop_price: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class ReduceRequest:
    """A reduce-only market order."""

    client_order_id: str
    symbol: str
    side: OrderSide
    quantity: int | None
    """Contracts; None closes whatever is there (passes overload on BitMEX)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitRequest:
    """A reduce-only limit order, good until cancelled."""

    client_order_id: str
    symbol: str
    side: OrderSide
    quantity: int
    price: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyRights:
    """What a key may do."""

    can_order: bool
    can_withdraw: bool
    is_readable: bool
    """False when the venue does not say; the operator must accept that explicitly."""
    account: int | None = None
    permissions: tuple[str, ...] = ()
    """What it may do beyond reading, in the venue's words."""
    networks: tuple[str, ...] = ()
    """Where it may be used from; empty: anywhere, or the venue does not say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountPicture:
    """A REST read of everything, as one value; it exists only if every part could be read."""

    positions: tuple[Position, ...]
    open_orders: tuple[Order, ...]
    recent_orders: tuple[Order, ...]
    """Newest orders of any status, so that used client order ids are known; read before `open_orders`."""
    margins: tuple[Margin, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetPicture:
    """What is left of the account's request budget, at this moment."""

    tokens: int
    capacity: int
    """Of the bucket of a minute, in requests."""
    reserve: int
    """Kept for protective requests."""
    paused_for_s: float
    """Nothing is sent for this long; 0: no pause."""
    is_banned: bool
    """The pause is because the venue refuses this address."""


class OrderEntry(Protocol):
    """Requests. Each write is one request, sent once.

    Raises (all methods): `Rejected`, `Unavailable`, `OutcomeUnknown` (writes only; a read that fails for good is
    `Unavailable`), `Misconfigured`.
    """

    async def place_stop(self, request: StopRequest) -> Order:
        """Place a protective stop; the returned row is the venue's word at that moment, not a confirmation."""

    async def amend_stop(self, *, order_id: str, stop_price: Decimal | None, quantity: int | None) -> Order:
        """Move a resting stop or change its size; None leaves a field as it is."""

    async def cancel_order(self, *, order_id: str) -> Order | None:
        """Cancel one order; None when the venue says that there was nothing left to cancel."""

    async def cancel_orders(self, *, order_ids: Sequence[str]) -> tuple[Order, ...]:
        """Cancel many orders in one request, which costs as much as one; those cancelled, the others had ended."""

    async def reduce_at_market(self, request: ReduceRequest) -> Order:
        """Shrink or close a position at the market."""

    async def add_margin(self, *, symbol: str, amount_sat: int) -> None:
        """Move margin (above 0) from the account to an isolated position; its row shows what came of it."""

    async def set_leverage(self, *, symbol: str, leverage: Decimal) -> None:
        """Set a position's leverage (above 0); a cross position becomes isolated by it."""

    async def isolate_position(self, *, symbol: str) -> None:
        """Give a cross position margin of its own."""

    async def place_take_profit(self, request: LimitRequest) -> Order:
        """Place a reduce-only limit order; what protects keeps its reserve of the request budget."""

    async def cancel_all_after(self, timeout_ms: int) -> SwitchReceipt:
        """Feed the dead man's switch over REST; 0 disarms."""

    async def order_by_client_id(self, client_order_ids: Sequence[str]) -> tuple[Order, ...]:
        """Every order, of any status, that carries one of these ids."""

    async def picture(self) -> AccountPicture:
        """Positions, open orders, recent orders and margins, read now."""

    async def instruments(self) -> tuple[Instrument, ...]:
        """Figures of every open derivative."""

    async def key_rights(self) -> KeyRights:
        """What this key may do."""

    def budget(self) -> BudgetPicture | None:
        """What is left of the request budget, without asking the venue; None where there is no such thing."""

    async def server_time_ns(self) -> int:
        """The venue's clock, for measuring skew."""

    async def close(self) -> None:
        """Let connections go."""
