"""Orders: what rests, what waits for its trigger, what is done.

Why: one mutable record per order carries exactly what the venue's `order` row shows; the checks
on requests stand in `order_checks`, the matching in `matching`.

Units: quantities in contracts, prices in quote currency, times in protocol ms.
Source: www.bitmex.com/api/explorer (Order) and www.bitmex.com/app/orderTypes.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import Enum
from typing import assert_never

from connectors.simulated.engine.contracts import EXACT, Contract, Kind
from connectors.simulated.engine.remembered import remembered

AVERAGE_PLACES = Decimal("0.0001")
LAST_WITHIN_MARK = Decimal("0.05")


class Side(Enum):
    """Direction of an order."""

    BUY = "Buy"
    SELL = "Sell"

    @property
    def sign(self) -> int:
        """+1 for Buy, -1 for Sell."""
        return 1 if self is Side.BUY else -1

    @property
    def other(self) -> Side:
        """The opposite direction."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrdType(Enum):
    """The venue's order types that this exchange takes."""

    MARKET = "Market"
    LIMIT = "Limit"
    STOP = "Stop"
    STOP_LIMIT = "StopLimit"
    MARKET_IF_TOUCHED = "MarketIfTouched"
    LIMIT_IF_TOUCHED = "LimitIfTouched"
    PEGGED = "Pegged"  # a limit whose price the venue works out, once

    @property
    def waits(self) -> bool:
        """Whether orders of this type wait for a trigger price."""
        return self not in (OrdType.MARKET, OrdType.LIMIT, OrdType.PEGGED)

    @property
    def is_touch(self) -> bool:
        """Whether the trigger lies on the favourable side of the market."""
        return self in (OrdType.MARKET_IF_TOUCHED, OrdType.LIMIT_IF_TOUCHED)

    @property
    def has_limit(self) -> bool:
        """Whether orders of this type carry a limit price."""
        return self in (OrdType.LIMIT, OrdType.STOP_LIMIT, OrdType.LIMIT_IF_TOUCHED, OrdType.PEGGED)


class Status(Enum):
    """`ordStatus`."""

    NEW = "New"
    PARTIALLY_FILLED = "PartiallyFilled"
    FILLED = "Filled"
    CANCELED = "Canceled"
    REJECTED = "Rejected"


class Contingency(Enum):
    """`contingencyType`: what an order does to those it is linked with."""

    CANCELS = "OneCancelsTheOther"
    TRIGGERS = "OneTriggersTheOther"
    UPDATES = "OneUpdatesTheOtherAbsolute"
    UPDATES_IN_PROPORTION = "OneUpdatesTheOtherProportional"


class Peg(Enum):
    """`pegPriceType`: what a price is set by."""

    PRIMARY = "PrimaryPeg"  # the best price of the order's own side
    MARKET = "MarketPeg"  # the best price of the other side
    TRAILING_STOP = "TrailingStopPeg"  # the trigger follows the price it watches


class Trigger(Enum):
    """Which price releases a waiting order."""

    MARK = "MarkPrice"
    LAST = "LastPrice"
    INDEX = "IndexPrice"


@dataclass(frozen=True, kw_only=True, slots=True)
class Instructions:
    """`execInst`, taken apart; `text` is the list as sent."""

    text: str = ""
    trigger: Trigger = Trigger.MARK
    is_post_only: bool = False
    is_reduce_only: bool = False  # true for Close as well
    is_close: bool = False
    is_last_within_mark: bool = False

    @property
    def shrinking_word(self) -> str:
        """The word the venue uses for the instruction in its cancel texts."""
        return "Close" if self.is_close else "ReduceOnly"


@dataclass(slots=True, kw_only=True, eq=False)
class Order:
    """One order and its life so far.

    `is_whole` marks a Close without a quantity: its size is the position's when it executes, and
    until then `quantity` is None (or what the switch `close_shows_quantity` puts there).
    """

    account: int
    contract: Contract
    side: Side
    ord_type: OrdType
    quantity: int | None
    is_whole: bool
    price: Decimal | None
    stop_px: Decimal | None
    time_in_force: str
    instructions: Instructions
    expires_ms: int | None = None  # of a Day order
    peg: Peg | None = None
    peg_offset: Decimal | None = None  # from the peg to the limit, or from the price watched to the trigger
    aimed_at: Decimal = Decimal(0)  # what that price was when the trigger was last set, and when that was
    aimed_ms: int = 0
    cl_ord_id: str = ""
    former_ids: tuple[str, ...] = ()  # client ids it had before amendments gave it new ones
    cl_ord_link_id: str = ""
    contingency: Contingency | None = None
    display_quantity: int | None = None  # None shows all, 0 nothing
    shown: int = 0  # of a resting order: the part on display now
    text: str = ""
    order_id: str = ""
    sequence: int = 0
    status: Status = Status.NEW
    is_waiting: bool = False  # for its trigger price; kept as a field because every step asks
    is_triggered: bool = False
    is_held: bool = False  # until an order it is linked with has filled
    is_released: bool = False  # by that order
    is_working: bool = False
    leaves: int = 0
    filled: int = 0
    weight: Decimal = Decimal(0)  # sum of quantity / price (inverse) or quantity * price
    shown_price: Decimal | None = None  # of an order without a limit: the touch when it was let go, then its last match
    reject_reason: str = ""
    transact_ms: int = 0
    changed_ms: int = 0
    lot_value: tuple[Decimal, int] | None = remembered()  # of one lot, and the price it holds for
    changed: list[Order] | None = remembered(is_copied=False)  # where the order reports itself

    @property
    def client_ids(self) -> tuple[str, ...]:
        """All client ids the order has gone by."""
        return (*self.former_ids, self.cl_ord_id) if self.cl_ord_id else self.former_ids

    @property
    def is_open(self) -> bool:
        """Whether the order may still trade."""
        return self.status in (Status.NEW, Status.PARTIALLY_FILLED)

    @property
    def average_price(self) -> Decimal | None:
        """Average price of the fills, None before the first."""
        if not self.filled:
            return None
        quantity = Decimal(self.filled)
        if self.contract.kind is Kind.INVERSE:
            raw = EXACT.divide(quantity, self.weight)
        else:
            raw = EXACT.divide(self.weight, quantity)
        return tidy(raw.quantize(AVERAGE_PLACES, ROUND_HALF_EVEN))

    def value(self, quantity: int) -> int:
        """Return the unsigned value of a quantity at the limit price; asked again and again, it is cheap."""
        price = self.price
        if price is None:
            return 0
        if self.lot_value is None or self.lot_value[0] is not price:
            self.lot_value = (price, self.contract.lot_value(price))
        return quantity // self.contract.lot_size * self.lot_value[1]

    def note_change(self) -> None:
        """Tell whoever sums up what open orders reserve; to be called when one of its terms has changed."""
        if self.changed is not None:
            self.changed.append(self)

    def queue(self, sequence: int) -> None:
        """Take a place among the orders of the same price."""
        self.sequence = sequence
        self.note_change()

    def reprice(self, price: Decimal | None) -> None:
        """Change the limit."""
        self.price = price
        self.note_change()

    def let_go(self) -> None:
        """Come alive: the order it was held for has filled."""
        self.is_held, self.is_released = False, True
        self.note_change()

    def display(self) -> None:
        """Show the part of the order that its owner lets the public see."""
        self.shown = self.leaves if self.display_quantity is None else min(self.display_quantity, self.leaves)

    def record_fill(self, quantity: int, price: Decimal) -> None:
        """Add a match of unsigned contracts and move the status along."""
        inverse = self.contract.kind is Kind.INVERSE
        self.weight += EXACT.divide(Decimal(quantity), price) if inverse else quantity * price
        self.filled += quantity
        self.leaves -= quantity
        self.shown = max(0, self.shown - quantity)
        if not self.ord_type.has_limit:
            self.shown_price = price
        self.status = Status.PARTIALLY_FILLED if self.leaves else Status.FILLED
        self.is_working = bool(self.leaves)
        self.note_change()

    def resize(self, leaves: int) -> None:
        """Change what is left to trade, and the order's quantity with it."""
        self.leaves = leaves
        self.quantity = self.filled + leaves
        self.shown = leaves if self.display_quantity is None else min(self.shown, leaves)
        self.note_change()

    def release(self) -> None:
        """Let the order trade: its trigger price has been reached."""
        self.is_waiting = False
        self.is_triggered = True
        self.note_change()

    def keep_waiting(self, waits: bool) -> None:
        """Count as waiting, which reserves nothing, or no longer."""
        self.is_waiting = waits
        self.note_change()

    def finish(self, status: Status) -> None:
        """End the order without a further fill."""
        self.is_waiting = False
        self.status = status
        self.leaves = self.shown = 0
        self.is_held = self.is_working = False
        self.note_change()


def is_crossed(order: Order, price: Decimal, *, at_equality: bool) -> bool:
    """Return whether a trigger price has been reached.

    Args:
        order: A waiting order with a stop price.
        price: Present value of the price the order looks at.
        at_equality: Whether meeting the trigger exactly is enough.
    """
    if order.stop_px is None:
        return False
    if price == order.stop_px:
        return at_equality
    rising = (order.side is Side.BUY) is not order.ord_type.is_touch
    return price > order.stop_px if rising else price < order.stop_px


def watched_price(trigger: Trigger, *, mark: Decimal, last: Decimal, index: Decimal) -> Decimal:
    """Return the price a trigger looks at."""
    match trigger:
        case Trigger.MARK:
            return mark
        case Trigger.LAST:
            return last
        case Trigger.INDEX:
            return index
        case _:
            assert_never(trigger)


def is_within_mark(order: Order, *, mark: Decimal, last: Decimal) -> bool:
    """Return whether a LastWithinMark order may fire at these prices; true for all others."""
    if not order.instructions.is_last_within_mark:
        return True
    return abs(last - mark) <= mark * LAST_WITHIN_MARK


def tidy(value: Decimal) -> Decimal:
    """Return the number without trailing zeros and never in exponent form."""
    if not value:
        return Decimal(0)
    short = value.normalize()
    return short.quantize(Decimal(1)) if int(short.as_tuple().exponent) > 0 else short
