"""What an account's resting orders could cost: the base of their initial margin.

Why: orders that only shrink the position are free; of the two sides only the dearer counts,
because both can not be wanted at once; an order priced through the mark reserves the difference.

Units: money in minor units, quantities in contracts. Source: rows of the venue's `position`
table (`openOrder*`, `riskValue`, `initMargin`).
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from connectors.simulated.engine.holdings.ledger import Account, Position
from connectors.simulated.engine.resting.order_sums import SideSums
from connectors.simulated.engine.resting.orders import Order, Side


class SideLoad(Struct, frozen=True, kw_only=True):
    """Resting orders of one side: all of them, and the part that could grow the position."""

    quantity: int = 0
    cost: int = 0
    premium: int = 0
    adding_cost: int = 0
    adding_premium: int = 0


class OrderLoad(Struct, frozen=True, kw_only=True):
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


EMPTY = SideLoad()
NOTHING = OrderLoad(buy=EMPTY, sell=EMPTY)


def order_load(account: Account, position: Position, mark: Decimal) -> OrderLoad:
    """Return the load of an account's open orders in one contract; waiting and held ones are free."""
    sums = account.order_sums(position.contract.symbol)
    if sums is None:
        return NOTHING
    return OrderLoad(
        buy=_side_load(sums.side(Side.BUY), position, mark),
        sell=_side_load(sums.side(Side.SELL), position, mark),
    )


def changed_load(
    account: Account,
    position: Position,
    mark: Decimal,
    *,
    before: OrderLoad,
    without: Order | None,
    candidate: Order | None,
) -> OrderLoad:
    """Return a load with one order less and one more, both of one side; the other side stays as it was.

    Args:
        account: Whose orders.
        position: The position they are set against.
        mark: Mark price of the contract.
        before: The load as it is.
        without: An open order that does not count.
        candidate: An order that counts, open or not.
    """
    changed = candidate or without
    if changed is None:
        return before
    sums = account.order_sums(position.contract.symbol)
    side = SideSums(changed.side) if sums is None else sums.side(changed.side)
    taken = None if without is None else side.take(without)
    if candidate is not None:
        side.put(candidate)
    load = _side_load(side, position, mark)
    if candidate is not None:
        side.take(candidate)
    if taken is not None:
        side.restore(taken)
    return replace(before, buy=load) if changed.side is Side.BUY else replace(before, sell=load)


def _side_load(side: SideSums, position: Position, mark: Decimal) -> SideLoad:
    """Return the load of one side: the sums, put right for the orders that shrink or stand through the mark.

    Both kinds are the first by priority, so the rest is not looked at.
    """
    if not side.ranked:
        return EMPTY
    contract, buys = position.contract, side.side is Side.BUY
    free = max(0, -position.quantity if buys else position.quantity)
    adding_cost, premium, adding_premium = side.adding_cost, 0, 0
    for part in side.ranked:
        is_through = part.price > mark if buys else part.price < mark
        if not free and not is_through:
            break
        shrinking = min(free, part.quantity)
        free -= shrinking
        adding = (part.quantity - shrinking) // contract.lot_size
        if part.is_adding:
            adding_cost += adding * part.lot_value - part.cost
        if is_through:
            loss = abs(part.lot_value - contract.lot_value(mark))
            premium += part.quantity // contract.lot_size * loss
            adding_premium += adding * loss if part.is_adding else 0
    return SideLoad(
        quantity=side.quantity,
        cost=side.cost,
        premium=premium,
        adding_cost=adding_cost,
        adding_premium=adding_premium,
    )
