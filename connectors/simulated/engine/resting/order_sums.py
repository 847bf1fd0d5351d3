"""What an account's open limit orders of one contract come to, kept up as they change.

Why: every request asks what all open orders could cost, and an account may have two hundred of
them. So an order tells when it has changed, and only its own part is counted anew.

Units: quantities in contracts, values in minor units, prices in quote currency.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from connectors.simulated.engine.resting.orders import Order, Side


class Part(NamedTuple):
    """What one order adds; sorts by priority: price, then age."""

    rank: Decimal  # the price, negative for bids
    sequence: int
    order_id: str
    price: Decimal
    quantity: int
    lot_value: int
    is_adding: bool  # not reduce-only
    cost: int


@dataclass(slots=True)
class SideSums:
    """One side: its orders by priority, and their sums."""

    side: Side
    quantity: int = 0
    cost: int = 0
    adding_cost: int = 0  # of those that are not reduce-only
    ranked: list[Part] = field(default_factory=list)
    parts: dict[str, Part] = field(default_factory=dict)  # by orderID

    def put(self, order: Order) -> None:
        """Count an order as it is now, which was not counted; waiting and held ones are free."""
        if order.price is None or order.is_waiting or order.is_held:
            return
        rank = -order.price if self.side is Side.BUY else order.price
        is_adding = not order.instructions.is_reduce_only
        cost, lot = order.value(order.leaves), order.value(order.contract.lot_size)
        self.restore(Part(rank, order.sequence, order.order_id, order.price, order.leaves, lot, is_adding, cost))

    def restore(self, part: Part) -> None:
        """Count what was taken out."""
        insort(self.ranked, part)
        self.parts[part.order_id] = part
        self._count(part, 1)

    def take(self, order: Order) -> Part | None:
        """Take an order out as it was counted, if it was; return its part."""
        part = self.parts.pop(order.order_id, None)
        if part is not None:
            del self.ranked[bisect_left(self.ranked, part)]
            self._count(part, -1)
        return part

    def _count(self, part: Part, sign: int) -> None:
        self.quantity += sign * part.quantity
        self.cost += sign * part.cost
        if part.is_adding:
            self.adding_cost += sign * part.cost


class OrderSums:
    """Both sides of one account's orders in one contract."""

    __slots__ = ("_changed", "buy", "sell")

    def __init__(self, orders: Iterable[Order]) -> None:
        """Count the open orders; those that open later are to be named by `watch`."""
        self.buy, self.sell = SideSums(Side.BUY), SideSums(Side.SELL)
        self._changed: list[Order] = []
        for order in orders:
            self.watch(order)

    def watch(self, order: Order) -> None:
        """Count an order from now on, whatever becomes of it."""
        order.changed = self._changed
        self._changed.append(order)

    def side(self, side: Side) -> SideSums:
        """Return the sums of a side as its orders are now."""
        self.renew()
        return self.buy if side is Side.BUY else self.sell

    def renew(self) -> None:
        """Count the orders anew that have changed."""
        for order in self._changed:
            sums = self.buy if order.side is Side.BUY else self.sell
            sums.take(order)
            if order.is_open:
                sums.put(order)
        self._changed.clear()
