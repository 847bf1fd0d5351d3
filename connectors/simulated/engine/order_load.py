"""What an account's resting orders could cost: the base of their initial margin.

Why: orders that only shrink the position are free; of the two sides only the dearer counts,
because both can not be wanted at once; an order priced through the mark reserves the difference.

Units: money in minor units, quantities in contracts. Source: rows of the venue's `position`
table (`openOrder*`, `riskValue`, `initMargin`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from connectors.simulated.engine.ledger import Position
from connectors.simulated.engine.orders import Order, Side
from connectors.simulated.engine.world import ranked


@dataclass(frozen=True, kw_only=True, slots=True)
class SideLoad:
    """Resting orders of one side: all of them, and the part that could grow the position."""

    quantity: int = 0
    cost: int = 0
    premium: int = 0
    adding_cost: int = 0
    adding_premium: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderLoad:
    """Both sides of one contract."""

    buy: SideLoad
    sell: SideLoad

    @property
    def open_cost(self) -> int:
        """Cost of the dearer side, shrinking orders left out."""
        return self._dearer.adding_cost

    @property
    def premium(self) -> int:
        """What the dearer side would lose at once against the mark."""
        return self._dearer.adding_premium

    @property
    def _dearer(self) -> SideLoad:
        buy, sell = self.buy, self.sell
        if buy.adding_cost + buy.adding_premium >= sell.adding_cost + sell.adding_premium:
            return buy
        return sell


NOTHING = OrderLoad(buy=SideLoad(), sell=SideLoad())


def order_load(orders: list[Order], position: Position, mark: Decimal) -> OrderLoad:
    """Return the load of an account's open orders in one contract; waiting ones are free."""
    active = [order for order in orders if order.price is not None and not (order.is_waiting or order.is_held)]
    if not active:
        return NOTHING
    return OrderLoad(
        buy=_side_load(active, position, mark, Side.BUY),
        sell=_side_load(active, position, mark, Side.SELL),
    )


def _side_load(orders: Iterable[Order], position: Position, mark: Decimal, side: Side) -> SideLoad:
    free = max(0, -position.quantity * side.sign)
    own = [order for order in orders if order.side is side]
    quantity = cost = premium = adding_cost = adding_premium = 0
    for order in ranked(own) if free else own:
        leaves = order.leaves
        adding = leaves - min(free, leaves)
        free -= leaves - adding
        whole = order.value(leaves)
        loss = _through_mark(order, leaves, mark)
        quantity += leaves
        cost += whole
        premium += loss
        if adding and not order.instructions.is_reduce_only:
            adding_cost += whole if adding == leaves else order.value(adding)
            adding_premium += loss and _through_mark(order, adding, mark)
    return SideLoad(
        quantity=quantity,
        cost=cost,
        premium=premium,
        adding_cost=adding_cost,
        adding_premium=adding_premium,
    )


def _through_mark(order: Order, quantity: int, mark: Decimal) -> int:
    """Return what a fill at a limit worse than the mark loses at once, else zero."""
    price = order.price or mark
    if price <= mark if order.side is Side.BUY else price >= mark:
        return 0
    return abs(order.value(quantity) - order.contract.value(quantity, mark))
