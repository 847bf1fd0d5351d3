"""What the guard has asked the venue for and how much is known of it, as frozen values.

Units: prices `Decimal`, quantities `int` contracts, times `int` nanoseconds since 1970 UTC; 0 stands for "never".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from connectors.vocabulary import OrderSide
from daemon.core.memory.orders import WriteKind, WriteState


class PendingKind(Enum):
    """Requests that the venue has yet to answer."""

    WRITE = "write"
    TAKE = "take"
    """Of a take-profit order of ours: nothing that protects waits for it."""
    CANCEL = "cancel"
    """Of somebody's order that may add exposure: at an orderly stop, or while blind (see `exposure.py`)."""
    FREEZE = "freeze"
    """Of many such orders at once, while a latch holds (see `freezing.py`)."""
    CORRECTION = "correction"
    """Of a position's margin, leverage or mode (see `corrections.py`)."""
    FIND = "find"
    PICTURE = "picture"
    FEED = "feed"
    DISARM = "disarm"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """One request without an outcome."""

    kind: PendingKind
    symbol: str
    """Empty when it is about the account."""
    sent_ns: int
    ids: tuple[str, ...] = ()
    """Client order ids asked for."""
    order_id: str = ""
    """Of the order to be cancelled at an orderly stop."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """The one open attempt to change something at the venue, for one position and purpose."""

    command_id: int
    kind: WriteKind
    state: WriteState
    client_order_id: str
    order_id: str = ""
    side: OrderSide
    quantity: int | None = None
    stop_price: Decimal | None = None
    sent_ns: int
    probe: int = 0
    """Ids asked for beyond this one when a duplicate was reported (see `ids.py`)."""
    unanswered: int = 0
    """Questions about it that got no answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bracket:
    """The take-profit orders of one position's life (see `take_profit.py`)."""

    write: Write | None = None
    """Place or cancel of one; one at a time."""
    retry_at_ns: int = 0
    pause_ns: int = 0
    fills: dict[str, int] = field(default_factory=dict)
    """Contracts filled, by client order id."""
    numbers_from: int = 0
    """Orders with this number and below belong to an earlier episode."""
    refusal: str = ""
    """The venue's words for the last one that it did not take."""
    shadowed: tuple[int, ...] = ()
    """Rungs that would have been filled, in shadow: each is told once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unproved:
    """A request of ours that may still take effect, or have taken it: nobody has proved either (see `outcomes.py`)."""

    command_id: int
    """Of the latest try that got no verdict."""
    kind: WriteKind
    symbol: str
    client_order_id: str
    order_id: str = ""
    side: OrderSide
    quantity: int | None = None
    stop_price: Decimal | None = None
    first_ns: int
    """When the first such request left."""
    since_ns: int
    """When the latest was given up: whatever is under way was signed before."""
    behind_ns: int = 0
    """The farthest that the venue's clock was seen behind ours meanwhile."""
    is_repeated: bool = False
    """More than one such request is without a verdict: seeing the effect once does not account for all."""
