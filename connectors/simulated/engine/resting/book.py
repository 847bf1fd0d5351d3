"""The limit order book of one market: resting orders of all accounts by price, then by age.

Why: who trades with whom is decided here and nowhere else. An order is in the book exactly while
it rests; the price it stands at must not change meanwhile. Entering, leaving and the best price
cost the same however many orders there are.

A displayed order shows all of itself, an iceberg `display_quantity` at a time, a hidden one
nothing. At one price everything displayed goes before everything hidden.

Units: prices in quote currency, quantities in contracts.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from connectors.simulated.engine.resting.orders import Order, Side


class Offer(NamedTuple):
    """What one resting order offers a taker at one go: its displayed or its hidden part."""

    price: Decimal
    quantity: int
    order: Order
    is_dark: bool = False


@dataclass(slots=True)
class Ladder:
    """One side of a book."""

    side: Side
    prices: list[Decimal] = field(default_factory=list)  # ascending; each has a level
    levels: dict[Decimal, dict[str, Order]] = field(default_factory=dict)  # by orderID, oldest first

    @property
    def best(self) -> Decimal | None:
        """The most aggressive price, displayed or not."""
        if not self.prices:
            return None
        return self.prices[-1 if self.side is Side.BUY else 0]

    def add(self, order: Order) -> None:
        """Put an order at the end of the queue at its price."""
        price = resting_price(order)
        level = self.levels.get(price)
        if level is None:
            insort(self.prices, price)
            level = self.levels[price] = {}
        level[order.order_id] = order

    def remove(self, order: Order) -> bool:
        """Take an order out; return whether it was in."""
        level = None if order.price is None else self.levels.get(order.price)
        if level is None or level.pop(order.order_id, None) is None:
            return False
        if not level:
            price = resting_price(order)
            del self.levels[price]
            del self.prices[bisect_left(self.prices, price)]
        return True

    def best_first(self) -> Iterator[Decimal]:
        """Yield the prices, the most aggressive first."""
        return reversed(self.prices) if self.side is Side.BUY else iter(self.prices)

    def __iter__(self) -> Iterator[Order]:
        """Yield the orders by price, then by age."""
        for price in self.best_first():
            yield from self.levels[price].values()

    def offers(self) -> Iterator[Offer]:
        """Yield what a taker meets, best first; at one price the displayed before the hidden."""
        for price in self.best_first():
            level = self.levels[price].values()
            for order in level:
                if order.shown:
                    yield Offer(price, order.shown, order)
            for order in level:
                if order.leaves > order.shown:
                    yield Offer(price, order.leaves - order.shown, order, is_dark=True)

    def displayed(self) -> Iterator[tuple[Decimal, int]]:
        """Yield (price, size) as the public sees them, best first; hidden levels are left out."""
        for price in self.best_first():
            size = sum(order.shown for order in self.levels[price].values())
            if size:
                yield price, size


@dataclass(slots=True)
class Book:
    """Both sides of a market."""

    bids: Ladder = field(default_factory=lambda: Ladder(Side.BUY))
    asks: Ladder = field(default_factory=lambda: Ladder(Side.SELL))

    def side(self, side: Side) -> Ladder:
        """Return the ladder that orders of a side rest on."""
        return self.bids if side is Side.BUY else self.asks

    def rest(self, order: Order) -> None:
        """Let an order rest, last at its price, with a fresh displayed part."""
        order.display()
        self.side(order.side).add(order)

    def remove(self, order: Order) -> bool:
        """Take an order out; return whether it was in."""
        return self.side(order.side).remove(order)

    def holds(self, order: Order) -> bool:
        """Return whether an order rests here."""
        return order.price is not None and order.order_id in self.side(order.side).levels.get(order.price, ())


def rebuilt(orders: Iterable[Order]) -> Book:
    """Return the book of these resting orders, in any order; their displayed parts stay as they are."""
    book = Book()
    for order in sorted(orders, key=lambda order: order.sequence):
        book.side(order.side).add(order)
    return book


def resting_price(order: Order) -> Decimal:
    """Return the price of an order that rests or may rest.

    Raises:
        ValueError: If it has none.
    """
    if order.price is None:
        raise ValueError("only an order with a limit rests")
    return order.price
