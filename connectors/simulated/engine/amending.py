"""Amending an open order: quantity, price, trigger.

Why: a guard moves its stop by amending it, and a refused amendment must leave the old stop.

Units: prices in quote currency, quantities in contracts.
Source: `PUT /order` in www.bitmex.com/api/explorer, www.bitmex.com/app/restAPIMessages.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from connectors.simulated.engine import affordability, matching, shrinking, trailing, triggers
from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.entry import check_client_id_is_new, open_market
from connectors.simulated.engine.inputs import AmendOrder
from connectors.simulated.engine.ledger import Account
from connectors.simulated.engine.order_checks import (
    check_client_id,
    checked_quantity,
    limit_price,
    stop_price,
)
from connectors.simulated.engine.order_rows import order_row
from connectors.simulated.engine.orders import Order
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.reports import report
from connectors.simulated.engine.world import World

UNCHANGED = "Invalid amend: orderQty, leavesQty, price, stopPx unchanged"


def amend(world: World, request: AmendOrder) -> Row:
    """Change an open order and return its row; it keeps its id.

    Raises:
        Refused: If there is no such open order or the change is not valid; it stays as it was.
    """
    account = world.account(request.account)
    order = _named(account, request)
    if not order.is_open:
        raise Refused(f"Invalid ordStatus: {order.status.value}")
    open_market(world, order.contract.symbol)
    wanted = _wanted(order, request)
    if request.peg_offset_value is not None:
        _trail_by(world, wanted, request.peg_offset_value)
    changed = _changed_columns(order, wanted)
    if not changed:
        raise Refused(UNCHANGED)
    _check_client_id(world, account, request)
    if not order.is_waiting:
        affordability.check(world, account, wanted, instead_of=order)
    elif world.switches.refuse_crossed_stops and triggers.is_due(world, wanted):
        raise Refused("Invalid stopPx for ordType")
    _take_over(world, account, order, wanted, changed=changed, request=request)
    _trade_again(world, account, order)
    return order_row(order)


def _named(account: Account, request: AmendOrder) -> Order:
    if request.order_id:
        found = account.orders.get(request.order_id)
        if found is None:
            raise Refused("Invalid orderID")
        return found
    if not request.orig_cl_ord_id:
        raise Refused("orderID or origClOrdID must be sent.")
    found = account.client_ids.get(request.orig_cl_ord_id)
    if found is None:
        raise Refused("Invalid origClOrdID")
    return found


def _check_client_id(world: World, account: Account, request: AmendOrder) -> None:
    if request.cl_ord_id and request.cl_ord_id != request.orig_cl_ord_id:
        check_client_id(request.cl_ord_id)
        check_client_id_is_new(world, account, request.cl_ord_id)


def _wanted(order: Order, request: AmendOrder) -> Order:
    """Return a copy of the order as it would be."""
    if request.order_qty is not None and request.leaves_qty is not None:
        raise Refused("Invalid orderQty or leavesQty")
    wanted = replace(order)
    if request.order_qty is not None:
        wanted.resize(checked_quantity(request.order_qty, order.contract) - order.filled)
        wanted.is_whole = False
        if wanted.leaves <= 0:
            raise Refused("Invalid orderQty")
    if request.leaves_qty is not None:
        if not request.leaves_qty or abs(request.leaves_qty) % order.contract.lot_size:
            raise Refused("Invalid leavesQty")
        wanted.resize(abs(request.leaves_qty))
        wanted.is_whole = False
    if request.price is not None:
        wanted.price = limit_price(request.price, order.ord_type, order.contract)
    if request.stop_px is not None:
        if not order.is_waiting:
            raise Refused("Invalid stopPx for ordType")
        wanted.stop_px = stop_price(request.stop_px, order.ord_type, order.contract)
    return wanted


def _trail_by(world: World, wanted: Order, offset: Decimal) -> None:
    """Give a waiting trailing order another distance, from the price now."""
    if wanted.peg_offset is None or not wanted.is_waiting:
        raise Refused("Invalid pegOffsetValue for pegPriceType")
    wanted.peg_offset = trailing.checked_offset(offset, wanted.ord_type, wanted.side, wanted.contract)
    trailing.start(world, wanted)


def _changed_columns(order: Order, wanted: Order) -> list[str]:
    pairs = (
        ("orderQty", order.quantity, wanted.quantity),
        ("price", order.price, wanted.price),
        ("stopPx", order.stop_px, wanted.stop_px),
        ("pegOffsetValue", order.peg_offset, wanted.peg_offset),
    )
    return [name for name, before, after in pairs if before != after]


def _take_over(
    world: World,
    account: Account,
    order: Order,
    wanted: Order,
    *,
    changed: list[str],
    request: AmendOrder,
) -> None:
    """Write the checked change into the live order and log it."""
    keeps_place = changed == ["orderQty"] and wanted.leaves <= order.leaves
    order.quantity, order.leaves, order.is_whole = wanted.quantity, wanted.leaves, wanted.is_whole
    order.price, order.stop_px = wanted.price, wanted.stop_px
    order.peg_offset, order.aimed_at, order.aimed_ms = wanted.peg_offset, wanted.aimed_at, wanted.aimed_ms
    first = f"Amended {' '.join(changed)}"
    note = f": {request.text}" if request.text else ""
    order.text = f"{first}{note}\n{order.text.rsplit(chr(10), 1)[-1]}"
    if request.cl_ord_id and request.cl_ord_id != order.cl_ord_id:
        order.former_ids = order.client_ids
        order.cl_ord_id = request.cl_ord_id
        account.client_ids[request.cl_ord_id] = order
    report(world, account, order, "Replaced")
    if not keeps_place:
        order.sequence = world.ids
    if order.is_working:
        world.mark_stale(world.position(account, order.contract))


def _trade_again(world: World, account: Account, order: Order) -> None:
    """Let the amended order trade if it now crosses, or fire if it is now due."""
    if order.is_waiting:
        if triggers.is_due(world, order):
            triggers.fire(world, account, order)
    elif order.instructions.is_reduce_only:
        shrinking.trim(world, account, order.contract)
        if order.is_open:
            matching.execute(world, account, order)
    else:
        matching.execute(world, account, order)
