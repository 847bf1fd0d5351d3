"""Orders that may only shrink a position: ReduceOnly and Close.

Why: a protective order must never open the opposite position, and a guard has to know what
becomes of such orders when the position changes under them.

Units: contracts. Source: `execInst` in www.bitmex.com/api/explorer and cancel texts of 2019.
"""

from __future__ import annotations

from connectors.simulated.engine.contracts import Contract
from connectors.simulated.engine.holdings.ledger import Account
from connectors.simulated.engine.resting.orders import Order, Side
from connectors.simulated.engine.tables.reports import FLAT, cancel_because, report
from connectors.simulated.engine.world import World, ranked

MADE_ROOM = "Order was in the way of an order with execInst of Close"
CUT_DOWN = "Amended orderQty: Order had execInst of ReduceOnly"


def room(world: World, account: Account, contract: Contract, side: Side) -> int:
    """Return how many contracts an order of one side could shrink the position by."""
    return max(0, -world.position(account, contract).quantity * side.sign)


def fit(world: World, account: Account, order: Order) -> bool:
    """Size a shrinking order to the position before it trades or rests.

    Returns:
        False when there was nothing to shrink; the order is Canceled then.
    """
    if not order.instructions.is_reduce_only:
        return True
    space = room(world, account, order.contract, order.side)
    if not space:
        cancel_because(world, account, order, _reason(world, account, order))
        return False
    cut(order, space)
    if order.instructions.is_close:
        _make_room(world, account, order, space)
    return True


def cut(order: Order, space: int) -> None:
    """Size a shrinking order to what there is to shrink."""
    order.resize(space if order.is_whole else min(order.leaves, space))


def _reason(world: World, account: Account, order: Order) -> str:
    held = world.position(account, order.contract).quantity
    if not held:
        return FLAT
    word = order.instructions.shrinking_word
    return f"Order had execInst of {word} and side of {order.side.value} but current position is {held}"


def _make_room(world: World, account: Account, order: Order, space: int) -> None:
    """Cancel the account's resting orders of the side when all together exceed the position."""
    others = [
        other
        for other in account.open_in(order.contract.symbol)
        if other is not order and other.is_working and other.side is order.side
    ]
    if sum(other.leaves for other in others) + order.leaves <= space:
        return
    for other in others:
        cancel_because(world, account, other, MADE_ROOM)


def trim(world: World, account: Account, contract: Contract) -> None:
    """Cut resting reduce-only orders down to the position, the least aggressive first."""
    book = account.open_orders.get(contract.symbol)
    if not book:
        return
    resting = [o for o in book.values() if o.is_working and o.instructions.is_reduce_only]
    for side in Side:
        space = room(world, account, contract, side)
        for order in ranked([order for order in resting if order.side is side]):
            if not space:
                cancel_because(world, account, order, _reason(world, account, order))
            elif order.leaves > space:
                order.resize(space)
                if not order.text.startswith(CUT_DOWN):  # once, however often a bot trims its position
                    order.text = f"{CUT_DOWN}\n{order.text}"
                report(world, account, order, "Replaced")
            space -= order.leaves
