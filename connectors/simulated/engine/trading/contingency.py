"""Linked orders: one cancels, updates or triggers the others of its `clOrdLinkID`.

Why: bots leave brackets on the account a guard watches, and their legs vanish, shrink or come alive
without any request. The venue gave these orders up in November 2018 and documents them again since;
the switch `linked_orders` brings them back.

What cancels or shrinks others acts at once. What an order releases when it is done, `triggers` lets go at the
end of the input, because a trade must not start inside a trade.

Units: contracts. Source: `POST /order` in www.bitmex.com/api/explorer, Linked Orders.
"""

from __future__ import annotations

from typing import assert_never

from connectors.simulated.engine.holdings.ledger import Account
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.resting.orders import Contingency, Order
from connectors.simulated.engine.tables.reports import cancel_because, report
from connectors.simulated.engine.world import World

LINKED = "Order was linked with another by contingencyType of {}"
CUT_DOWN = "Amended orderQty: Order had contingencyType of {}"


def check(world: World, account: Account, order: Order) -> None:
    """Refuse a linked order where there are none, without a link, or one too many of its contract.

    Raises:
        Refused: With the venue's text.
    """
    if order.contingency is None:
        return
    if not world.switches.linked_orders:
        raise Refused("Unsupported contingencyType")
    if not order.cl_ord_link_id:
        raise Refused("Invalid clOrdLinkID for contingencyType")
    others = account.open_in(order.contract.symbol)
    if sum(other.contingency is not None for other in others) >= world.switches.max_linked_orders:
        raise Refused("Too many contingent orders")


def is_to_be_held(world: World, account: Account, order: Order) -> bool:
    """Return whether an order has to wait for one placed before it that triggers the others of its link."""
    if not world.switches.linked_orders or not order.cl_ord_link_id:
        return False
    return any(other.contingency is Contingency.TRIGGERS for other in _others(account, order))


def executed(world: World, account: Account, order: Order, quantity: int) -> None:
    """Do to the others what a fill of an order means for them.

    Args:
        world: The exchange.
        account: Whose order it is.
        order: The order, after the fill.
        quantity: Contracts of the fill.
    """
    if order.contingency is None:
        return
    match order.contingency:
        case Contingency.CANCELS:
            _cancel_others(world, account, order)
        case Contingency.TRIGGERS:
            pass  # `triggers` looks after it when the order is done
        case Contingency.UPDATES:
            for other in _active(account, order):
                _cut(world, account, other, quantity, order.contingency)
        case Contingency.UPDATES_IN_PROPORTION:
            before = order.leaves + quantity
            for other in _active(account, order):
                _cut(world, account, other, -(-other.leaves * quantity // before), order.contingency)
        case _:
            assert_never(order.contingency)


def activated(world: World, account: Account, order: Order) -> None:
    """Cancel the others when a waiting order that cancels them has met its trigger price."""
    if order.contingency is Contingency.CANCELS:
        _cancel_others(world, account, order)


def held_by(account: Account, order: Order) -> list[Order]:
    """Return the orders that wait for one to fill."""
    return [other for other in _others(account, order) if other.is_held]


def _others(account: Account, order: Order) -> list[Order]:
    return [
        other
        for other in account.open_in(order.contract.symbol)
        if other.cl_ord_link_id == order.cl_ord_link_id and other is not order
    ]


def _active(account: Account, order: Order) -> list[Order]:
    return [other for other in _others(account, order) if not other.is_held]


def _cancel_others(world: World, account: Account, order: Order) -> None:
    for other in _active(account, order):
        if other.is_open:
            cancel_because(world, account, other, LINKED.format(Contingency.CANCELS.value))


def _cut(world: World, account: Account, order: Order, quantity: int, kind: Contingency) -> None:
    """Take contracts off an order, in whole lots; cancel it when nothing is left."""
    if order.is_whole and order.is_waiting:
        return  # a Close without a quantity follows the position anyway
    lot = order.contract.lot_size
    left = (order.leaves - quantity) // lot * lot
    if left <= 0:
        cancel_because(world, account, order, LINKED.format(kind.value))
        return
    order.resize(left)
    note = CUT_DOWN.format(kind.value)
    if not order.text.startswith(note):
        order.text = f"{note}\n{order.text}"
    report(world, account, order, "Replaced")
