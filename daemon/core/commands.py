"""Everything the guard may ask for, in the imperative. Risk can only fall: no other order has a type.

Every command carries the `Reason` that produced it. Those that the venue answers carry a `command_id` (a count, so that
the same events give the same ids) and come back as one of the request events.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from connectors.vocabulary import OrderSide, PositionKey
from daemon.core.reasons import Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaceStop:
    """Place a stop-market that is triggered by the mark price and can only shrink the position."""

    command_id: int
    reason: Reason
    client_order_id: str
    key: PositionKey
    side: OrderSide
    quantity: int | None
    """Contracts; None: a Close stop that follows the position."""
    stop_price: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class AmendStop:
    """Change trigger or size of a resting stop of ours in place."""

    command_id: int
    reason: Reason
    order_id: str
    client_order_id: str
    key: PositionKey
    side: OrderSide
    stop_price: Decimal | None
    quantity: int | None
    """None leaves the field as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelOrder:
    """Cancel one order: of ours, or somebody's that may add exposure (see `exposure.py` for the two times at which)."""

    command_id: int
    reason: Reason
    order_id: str
    client_order_id: str
    key: PositionKey


@dataclass(frozen=True, kw_only=True, slots=True)
class ReduceAtMarket:
    """Shrink a position now, with a reduce-only market order; None closes all of it."""

    command_id: int
    reason: Reason
    client_order_id: str
    key: PositionKey
    side: OrderSide
    quantity: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaceTakeProfit:
    """Place a reduce-only limit order that closes a part of a position at a profit."""

    command_id: int
    reason: Reason
    client_order_id: str
    key: PositionKey
    side: OrderSide
    quantity: int
    price: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedOrder:
    """Which order, by both its names."""

    symbol: str
    order_id: str
    client_order_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelOrders:
    """Cancel orders of others while a latch holds, many in one request: it costs as much as one (see `freezing.py`)."""

    command_id: int
    reason: Reason
    orders: tuple[NamedOrder, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class AddMargin:
    """Move margin from the account to an isolated position; never the other way."""

    command_id: int
    reason: Reason
    key: PositionKey
    amount_sat: int
    """Minor units of the position's settlement currency, above 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SetLeverage:
    """Set the leverage of an isolated position. On BitMEX a value above 0 isolates a cross one, so that is refused."""

    command_id: int
    reason: Reason
    key: PositionKey
    leverage: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class IsolatePosition:
    """Give a cross position margin of its own."""

    command_id: int
    reason: Reason
    key: PositionKey


@dataclass(frozen=True, kw_only=True, slots=True)
class FindOrders:
    """Ask the venue what became of these client order ids."""

    command_id: int
    reason: Reason
    client_order_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadPicture:
    """Read positions, orders and margins over REST."""

    command_id: int
    reason: Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedSwitch:
    """Feed the dead man's switch."""

    command_id: int
    reason: Reason
    timeout_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DisarmSwitch:
    """Switch the countdown off, after awaiting the last feed."""

    command_id: int
    reason: Reason


class Severity(Enum):
    """How loudly to tell people."""

    NOTE = "note"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, kw_only=True, slots=True)
class RaiseAlert:
    """Say a fact: to log, journal and the book of what people are told (`people/`), which tells them (`Notify`)."""

    reason: Reason
    alert_id: str
    severity: Severity
    topic: str
    """What it is about: "tier", "cover", "position", "degraded", "switch", "mode", "latch", "ladder" ..."""
    state: str
    """The named state: a tier, a degraded state, "covered", "stopped", "liquidated" ..."""
    symbol: str
    """Empty when it is about the account."""
    text: str
    """One sentence for people, with the figures."""
    facts: tuple[tuple[str, str], ...] = ()
    """The same figures for machines."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One fact of a message, for machines."""

    topic: str
    state: str
    symbol: str
    level: str
    since_ns: int
    text: str
    is_over: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Notify:
    """One message for people: the present state of one group of facts (see `people/`). Delivered at least once."""

    reason: Reason
    notification_id: str
    """Derived, so that a repeat of the same delivery, or a replay, can be recognised."""
    cause: str
    """Why now: "news", "repeat", "escalation" or "resolved"."""
    level: str
    """Of the worst fact: "watch", "warn", "critical" or "emergency"."""
    route: str
    """The level by whose way it goes: above `level` once it was escalated."""
    severity: Severity
    group: str
    title: str
    topic: str
    """Of the fact with the most exposure, as are state, symbol and figures."""
    state: str
    symbol: str
    text: str
    """What happened."""
    did: str
    will: str
    you_can: str
    is_resolved: bool
    started_ns: int
    count: int
    """How many facts it tells of, named in the text or not."""
    facts: tuple[tuple[str, str], ...] = ()
    members: tuple[Told, ...] = ()
    """The first twenty of them, in the order of the text."""
    also: tuple[str, ...] = ()
    """More levels by whose way it goes: an end is told to everybody who heard of the trouble."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SetTimer:
    """Ask to be woken. There is one timer; a new time replaces the old."""

    at_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SetBand:
    """No decision can change while the mark of `symbol` stays strictly between these; None is open-ended.

    `None` on both sides still asks for the first price; a symbol without a band reports nothing.
    """

    symbol: str
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RenewAccountStream:
    """Open the account stream anew: what its tables say is in doubt, and only a new connection tells them whole."""

    reason: Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class ClearBand:
    """Nothing depends on the mark of this symbol any more."""

    symbol: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Exit:
    """The orderly stop is complete: stages done, the process may end."""

    reason: Reason


OrderCommand = PlaceStop | AmendStop | CancelOrder | ReduceAtMarket | PlaceTakeProfit
PositionCommand = AddMargin | SetLeverage | IsolatePosition
VenueCommand = OrderCommand | CancelOrders | PositionCommand | FindOrders | ReadPicture | FeedSwitch | DisarmSwitch
Command = VenueCommand | RaiseAlert | Notify | SetTimer | SetBand | ClearBand | RenewAccountStream | Exit
