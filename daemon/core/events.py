"""Everything that can happen to the guard, as facts in the past tense.

Each event has `at_ns`, the shell's clock when it was taken in (nanoseconds since 1970 UTC); the core knows no other
time. Answers to commands are events too: they name the `command_id` they answer.

To add an event: write it here, add it to `Event`, and let the type checker show every reader that must handle it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from config.policy import Policy
from connectors.vocabulary import (
    Execution,
    Instrument,
    Insurance,
    LiquidationOrder,
    Margin,
    Order,
    Position,
    Quote,
    Wallet,
)
from daemon.core.ledger import BudgetFacts, StreamFacts
from daemon.core.operator_requests import OperatorRequest


class Source(Enum):
    """Who said so: the live stream, or a REST read."""

    STREAM = "stream"
    QUERY = "query"


class FeedName(Enum):
    """The two streams a guard lives on."""

    MARKET = "market"
    ACCOUNT = "account"


class HeardBy(Enum):
    """How a bot showed that it lives."""

    CALL = "call"
    """A request to the control API."""
    COMMAND = "command"
    """`seawall heartbeat`."""
    ORDER = "order"
    """An order that only the bot itself can have placed or amended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """The process started, with or without a journal behind it. Streams are down, requests in flight are lost."""

    at_ns: int
    account: int
    unanswered: tuple[int, ...] = ()
    """Ids of journalled commands without an outcome: each is OUTCOME_UNKNOWN now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedLive:
    """A stream is complete: every table has had its partial on this connection."""

    at_ns: int
    feed: FeedName


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedLost:
    """A stream broke, went silent, or lost its sign-in."""

    at_ns: int
    feed: FeedName
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TableDoubted:
    """A table of a stream lost a change that nobody can read, and is asked for anew; or it is whole again."""

    at_ns: int
    feed: FeedName
    table: str
    problem: str
    """What could not be read; empty when all of the table has been told anew."""
    unreadable: int = 0
    """Frames of the stream that could not be understood since the start of the process."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthTicked:
    """Once a second: how old the streams' last signs of life are, and how the process itself fares."""

    at_ns: int
    market_age_ns: int
    account_age_ns: int
    loop_lag_ns: int
    clock_skew_ns: int
    """Venue clock less ours, as last measured."""
    journal_ok: bool = True
    market_data_age_ns: int = 0
    """Age of the last frame of the market stream that is no pong."""
    deaf: str = ""
    """Why bots' calls cannot be heard: the control API is down; empty while it is up, or not asked for."""
    zone_offset_s: int = 0
    """How far the clocks of the quiet hours' time zone are ahead of UTC now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerRead:
    """Every few seconds, and when a ban begins or ends: what the streams last said when, and the request budget."""

    at_ns: int
    market: StreamFacts
    account: StreamFacts
    budget: BudgetFacts | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class InstrumentSeen:
    """Figures of a contract, new or changed."""

    at_ns: int
    instrument: Instrument


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkSeen:
    """The mark price left its band (or is the first of its symbol, or a slow refresh)."""

    at_ns: int
    symbol: str
    price: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class PositionSeen:
    """One position row."""

    at_ns: int
    position: Position
    source: Source


@dataclass(frozen=True, kw_only=True, slots=True)
class PositionsListed:
    """The whole position table of a new connection: what is not in it is not open, by this witness."""

    at_ns: int
    positions: tuple[Position, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderSeen:
    """One order row, ours or anybody's."""

    at_ns: int
    order: Order
    source: Source


@dataclass(frozen=True, kw_only=True, slots=True)
class OrdersListed:
    """All open orders of a new connection."""

    at_ns: int
    orders: tuple[Order, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MarginSeen:
    """One margin row."""

    at_ns: int
    margin: Margin


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutionSeen:
    """One execution."""

    at_ns: int
    execution: Execution


@dataclass(frozen=True, kw_only=True, slots=True)
class WalletSeen:
    """One wallet row: deposits, withdrawals and transfers so far."""

    at_ns: int
    wallet: Wallet


@dataclass(frozen=True, kw_only=True, slots=True)
class InsuranceSeen:
    """What the venue's insurance fund holds in a currency."""

    at_ns: int
    insurance: Insurance


@dataclass(frozen=True, kw_only=True, slots=True)
class LiquidationSeen:
    """Somebody's position in a symbol that we hold is being liquidated."""

    at_ns: int
    liquidation: LiquidationOrder
    is_gone: bool = False
    """The order has left the venue's list: filled, or taken over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpreadSeen:
    """A sample of the best prices of a symbol that we hold; at most one in ten seconds for each."""

    at_ns: int
    quote: Quote


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicSeen:
    """A topic that the guard can do without (wallet, insurance, liquidation) came up, or is missing."""

    at_ns: int
    topic: str
    problem: str
    """Why it is missing; empty when it is there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestRefusedOnStream:
    """The stream says that an amend or cancel failed; the order itself may live on."""

    at_ns: int
    client_order_id: str
    order_id: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureRead:
    """The REST read of the whole account that `command_id` asked for."""

    at_ns: int
    command_id: int
    asked_ns: int
    """When the read was sent: rows of the stream newer than this outrank it."""
    positions: tuple[Position, ...]
    open_orders: tuple[Order, ...]
    recent_orders: tuple[Order, ...]
    margins: tuple[Margin, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class OrdersFound:
    """The venue's answer to a question by client order id; an empty `orders` means that it knows none of them."""

    at_ns: int
    command_id: int
    orders: tuple[Order, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestAnswered:
    """A write was answered with an order row (its status may still say Canceled), or a cancel found nothing.

    A change of a position's margin, leverage or mode is answered without one: its row shows what came of it.
    """

    at_ns: int
    command_id: int
    order: Order | None


@dataclass(frozen=True, kw_only=True, slots=True)
class OrdersCancelled:
    """The answer to a cancel of many orders. One that is missing here had nothing left to cancel."""

    at_ns: int
    command_id: int
    orders: tuple[Order, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SwitchAnswered:
    """The venue confirmed the state of the dead man's switch."""

    at_ns: int
    command_id: int
    sent_ns: int
    """When the request left, by our clock: the countdown runs at least from here."""
    timeout_ns: int
    """What the venue's own two times say; 0 when disarmed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestRefused:
    """The venue said no, or our own check did before it left; nothing was done."""

    at_ns: int
    command_id: int
    reason: str
    is_duplicate: bool = False
    """Refused because the client order id was used before."""
    is_own: bool = False
    """Held back by our own check before the wire (`danger.py`): the venue never saw it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestNotSent:
    """Known not to have been carried out (budget, no connection, a read that was shed)."""

    at_ns: int
    command_id: int
    reason: str
    retry_after_ns: int
    is_limit: bool = False
    """The request budget is used up, or the venue says so (rate limit, ban)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestUnanswered:
    """Sent, and no verdict: it may or may not have been carried out (P5)."""

    at_ns: int
    command_id: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestMisconfigured:
    """Only a person can mend this: a key, a right, an address, a clock."""

    at_ns: int
    command_id: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TimerFired:
    """The wake-up that the core asked for came."""

    at_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class StopAsked:
    """An orderly stop was asked for (SIGTERM, or an operator)."""

    at_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class OperatorAsked:
    """A person asked for something over the local socket. On disk before it is acknowledged."""

    at_ns: int
    request_id: str
    """Chosen by the one who asks: the same id again is the same request, and changes nothing."""
    who: str
    """User name of the process that asked, as the kernel knows it; over TCP which token was shown."""
    request: OperatorRequest
    via: str = ""
    """How it came in: "command", "socket" or "tcp"; empty in the journals of earlier builds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyChanged:
    """New settings were read while the daemon runs. On disk before it is acknowledged."""

    at_ns: int
    policy: Policy
    """The whole of it."""
    who: str
    """User name of the process that asked; "SIGHUP" for the signal."""
    changes: tuple[str, ...]
    """The differences, one in each line, for people and the journal: "stop.buffer_percent: 2 -> 3"."""
    may_loosen: bool = False
    """Whether stops may go back as far as the new policy asks (P3)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BotHeard:
    """A bot of the settings called; at most one such event a second for each."""

    at_ns: int
    bot: str
    how: HeardBy


Event = (
    Started
    | FeedLive
    | FeedLost
    | TableDoubted
    | HealthTicked
    | LedgerRead
    | InstrumentSeen
    | MarkSeen
    | PositionSeen
    | PositionsListed
    | OrderSeen
    | OrdersListed
    | MarginSeen
    | ExecutionSeen
    | WalletSeen
    | InsuranceSeen
    | LiquidationSeen
    | SpreadSeen
    | TopicSeen
    | RequestRefusedOnStream
    | PictureRead
    | OrdersFound
    | RequestAnswered
    | OrdersCancelled
    | SwitchAnswered
    | RequestRefused
    | RequestNotSent
    | RequestUnanswered
    | RequestMisconfigured
    | TimerFired
    | StopAsked
    | OperatorAsked
    | PolicyChanged
    | BotHeard
)
