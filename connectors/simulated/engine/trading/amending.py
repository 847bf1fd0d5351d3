"""Amending an open order: quantity, price, trigger.

Why: a guard moves its stop by amending it, and a refused amendment must leave the old stop. An order
that only shrinks keeps its place in the queue; any other change sends it to the end.

Units: prices in quote currency, quantities in contracts.
Source: `PUT /order` in www.bitmex.com/api/explorer, www.bitmex.com/app/restAPIMessages.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.holdings.ledger import Account
from connectors.simulated.engine.inputs import AmendOrder
from connectors.simulated.engine.markets import tradable
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.resting.orders import Order, Peg, Status
from connectors.simulated.engine.tables.order_rows import order_row
from connectors.simulated.engine.tables.reports import report, report_reject
from connectors.simulated.engine.trading import affordability, faulty_trading, matching, pegs, shrinking, triggers
from connectors.simulated.engine.trading.bands import check_price
from connectors.simulated.engine.trading.entry import (
    check_client_id_is_new,
    check_not_in_liquidation,
    open_market,
)
from connectors.simulated.engine.trading.order_checks import (
    check_client_id,
    checked_quantity,
    limit_price,
    stop_price,
)
from connectors.simulated.engine.world import World

REVIVABLE_MS = 60_000  # after its fill a limit order takes more `leavesQty`
UNCHANGED = "Invalid amend: orderQty, leavesQty, price, stopPx unchanged"


def amend(world: World, request: AmendOrder) -> Row:
    """Change an open order and return its row; it keeps its id.

    Raises:
        Refused: If there is no such open order or the change is not valid; it stays as it was.
    """
    account = world.account(request.account)
    try:
        return _amend(world, account, request)
    except Refused as refusal:
        ids = {"order_id": request.order_id or "", "cl_ord_id": request.orig_cl_ord_id or ""}
        report_reject(world, account, "AmendReject", refusal.message, **ids)
        raise


def _amend(world: World, account: Account, request: AmendOrder) -> Row:
    order = _named(account, request)
    revives = _revives(world, order, request)
    if not order.is_open and not revives:
        raise Refused(f"Invalid ordStatus: {order.status.value}")
    open_market(world, order.contract.symbol)
    check_not_in_liquidation(world.position(account, order.contract))
    faulty_trading.before_amend(world, order)
    wanted = _wanted(order, request)
    if request.peg_offset_value is not None:
        _trail_by(world, wanted, request.peg_offset_value)
    changed = _changed_columns(order, wanted)
    if not changed:
        raise Refused(UNCHANGED)
    _check_client_id(world, account, request)
    _fit(world, account, wanted)
    if wanted.leaves > order.leaves:
        tradable.check(world.markets[order.contract.symbol], world.position(account, order.contract), wanted)
    check_price(world, wanted)
    if order.is_waiting:
        if world.switches.refuse_crossed_stops and triggers.is_due(world, wanted):
            raise Refused("Invalid stopPx for ordType")
    elif not order.is_held:
        affordability.check(world, account, wanted, instead_of=order)
    if revives:
        _revive(world, account, order)
    _take_over(world, account, order, wanted, changed=changed, request=request)
    before = order_row(order) if world.switches.pending_answers else None
    _trade_again(world, account, order)
    return order_row(order) if before is None else {**before, "ordStatus": "PendingReplace"}


def _revives(world: World, order: Order, request: AmendOrder) -> bool:
    """Return whether a filled order is asked for more, and soon enough."""
    if order.status is not Status.FILLED or request.leaves_qty is None or not order.ord_type.has_limit:
        return False
    return world.at_ms - order.changed_ms <= REVIVABLE_MS


def _revive(world: World, account: Account, order: Order) -> None:
    """Take a filled order back among the open ones."""
    order.status = Status.PARTIALLY_FILLED
    account.finished.remove(order)
    account.open(order)
    if order.expires_ms is not None:
        world.day_orders[order.order_id] = order


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
        if not 0 < abs(request.leaves_qty) <= order.contract.max_order_qty:
            raise Refused("Invalid leavesQty")
        if request.leaves_qty % order.contract.lot_size:
            raise Refused("Invalid leavesQty for lotSize")
        wanted.resize(abs(request.leaves_qty))
        wanted.is_whole = False
    if request.price is not None:
        wanted.price = limit_price(request.price, order.ord_type, order.contract)
    if request.stop_px is not None:
        if not order.is_waiting:
            raise Refused("Invalid stopPx for ordType")
        wanted.stop_px = stop_price(request.stop_px, order.ord_type, order.contract)
    return wanted


def _fit(world: World, account: Account, wanted: Order) -> None:
    """Let a shrinking order that counts become no larger than the position, so that all its rows say the same."""
    if not wanted.instructions.is_reduce_only or wanted.is_waiting or wanted.is_held:
        return
    space = shrinking.room(world, account, wanted.contract, wanted.side)
    if space:
        shrinking.cut(wanted, space)


def _trail_by(world: World, wanted: Order, offset: Decimal) -> None:
    """Give a waiting trailing order another distance, from the price now."""
    if wanted.peg is not Peg.TRAILING_STOP or not wanted.is_waiting:
        raise Refused("Invalid pegOffsetValue for pegPriceType")
    wanted.peg_offset = pegs.checked_offset(offset, wanted.ord_type, wanted.side, wanted.contract)
    pegs.start(world, wanted)


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
    if not keeps_place:
        world.markets[order.contract.symbol].book.remove(order)  # it comes back, last at its price
    if wanted.leaves != order.leaves:
        order.resize(wanted.leaves)
    order.quantity, order.is_whole = wanted.quantity, wanted.is_whole
    order.stop_px = wanted.stop_px
    order.reprice(wanted.price)
    order.peg_offset, order.aimed_at, order.aimed_ms = wanted.peg_offset, wanted.aimed_at, wanted.aimed_ms
    first = f"Amended {' '.join(changed)}"
    note = f": {request.text}" if request.text else ""
    order.text = f"{first}{note}\n{order.text.rsplit(chr(10), 1)[-1]}"
    if request.cl_ord_id and request.cl_ord_id != order.cl_ord_id:
        order.former_ids = order.client_ids
        order.cl_ord_id = request.cl_ord_id
        account.client_ids[request.cl_ord_id] = order
    report(world, account, order, "Replaced")
    if order.is_working:
        world.mark_stale(world.position(account, order.contract))


def _trade_again(world: World, account: Account, order: Order) -> None:
    """Let the amended order trade if it now crosses, or fire if it is now due."""
    if order.is_held:
        return
    if order.is_waiting:
        if triggers.is_due(world, order):
            triggers.fire(world, account, order)
        return
    if not shrinking.fit(world, account, order):
        return
    if world.markets[order.contract.symbol].book.holds(order):
        shrinking.trim(world, account, order.contract)
    else:
        matching.execute(world, account, order)
