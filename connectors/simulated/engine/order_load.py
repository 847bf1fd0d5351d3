"""What an account's resting orders could cost: the base of their initial margin.

Why: orders that only shrink the position are free; of the two sides only the dearer counts,
because both can not be wanted at once; an order priced through the mark reserves the difference.

Units: money in minor units, quantities in contracts. Source: rows of the venue's `position`
table (`openOrder*`, `riskValue`, `initMargin`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    """Return the load of an account's open orders in one contract; waiting and held ones are free."""
    buys, sells = (_counted(orders, side) for side in Side)
    if not buys and not sells:
        return NOTHING
    return OrderLoad(buy=_side_load(buys, position, mark, 1), sell=_side_load(sells, position, mark, -1))


def with_side(load: OrderLoad, side: Side, orders: list[Order], position: Position, mark: Decimal) -> OrderLoad:
    """Return a load with one side worked out anew from these orders, and the other as it was."""
    changed = _side_load(_counted(orders, side), position, mark, side.sign)
    return replace(load, buy=changed) if side is Side.BUY else replace(load, sell=changed)


def _counted(orders: list[Order], side: Side) -> list[Order]:
    return [
        order
        for order in orders
        if order.side is side and order.price is not None and not order.is_waiting and not order.is_held
    ]


def _side_load(orders: list[Order], position: Position, mark: Decimal, sign: int) -> SideLoad:
    """Return the load of one side; asked for on every request, so it goes over the orders once and calls little."""
    free = max(0, -position.quantity * sign)
    lot_size = position.contract.lot_size
    quantity = cost = premium = adding_cost = adding_premium = 0
    for order in ranked(orders) if free else orders:
        leaves, known = order.leaves, order.lot_value
        lot = known[1] if known is not None and known[0] is order.price else order.value(lot_size)
        whole = leaves // lot_size * lot
        loss = _through_mark(order, leaves, mark) if _is_through(order, mark, sign) else 0
        quantity += leaves
        cost += whole
        premium += loss
        adding = leaves - min(free, leaves) if free else leaves
        free -= leaves - adding
        if adding and not order.instructions.is_reduce_only:
            adding_cost += adding // lot_size * lot
            adding_premium += _through_mark(order, adding, mark) if loss else 0
    return SideLoad(
        quantity=quantity,
        cost=cost,
        premium=premium,
        adding_cost=adding_cost,
        adding_premium=adding_premium,
    )


def _is_through(order: Order, mark: Decimal, sign: int) -> bool:
    price = order.price
    return price is not None and (price > mark if sign > 0 else price < mark)


def _through_mark(order: Order, quantity: int, mark: Decimal) -> int:
    """Return what a fill at a limit worse than the mark loses at once."""
    return abs(order.value(quantity) - order.contract.value(quantity, mark))
