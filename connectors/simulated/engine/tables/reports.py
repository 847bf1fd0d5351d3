"""What an event of an order looks like on the private tables.

Why: every event of an order is one `order` row and one `execution` row, in that order, and the
words in `text` are what people search for; they stand here once.

Units: as on the wire. Source: rows of 2019 to 2025.
"""

from __future__ import annotations

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.holdings.ledger import Account
from connectors.simulated.engine.resting.orders import Contingency, Order, Status
from connectors.simulated.engine.tables.order_rows import (
    NO_ORDER,
    ExecutionStamp,
    FillFigures,
    execution_row,
    order_row,
    reject_row,
)
from connectors.simulated.engine.world import World

CANCELED_BY_API = "Canceled via API."
FLAT = "Order had execInst of Close or ReduceOnly but current position is 0"
POST_ONLY = "Order had execInst of ParticipateDoNotInitiate"
IN_LIQUIDATION = "Position in liquidation"
DELEVERAGED = "Position was deleveraged"
SETTLED = "Instrument has settled"
SWITCH_FIRED = "Canceled by cancelAllAfter."
OWN_ORDER = "Order would have traded with an order of the same account"


def publish_execution(world: World, account: Account, row: Row) -> None:
    """Add a row to the account's executions and log it."""
    account.executions.append(row)
    world.emit("execution", account.number, row)


def report(
    world: World,
    account: Account,
    order: Order,
    exec_type: str,
    *,
    fill: FillFigures | None = None,
    match_id: str = NO_ORDER,
    is_on_orders: bool = True,
) -> None:
    """Log an event of an order on `execution`, and on `order` unless told otherwise."""
    order.changed_ms = world.at_ms
    if fill is None:
        order.transact_ms = world.at_ms
    row = order_row(order)
    if is_on_orders:
        world.emit("order", account.number, row)
    stamp = ExecutionStamp(
        exec_id=world.new_id("execution"),
        exec_type=exec_type,
        match_id=match_id,
        at_ms=world.at_ms,
    )
    publish_execution(world, account, execution_row(row, stamp, fill))


def forget_if_done(world: World, account: Account, order: Order) -> None:
    """Take a finished order off the open ones, wherever it rested or waited."""
    if order.is_open:
        return
    market = world.markets[order.contract.symbol]
    market.book.remove(order)
    market.waiting.pop(order.order_id, None)
    world.day_orders.pop(order.order_id, None)
    account.put_away(order)
    if order.contingency is Contingency.TRIGGERS:
        world.done_primaries.append(order)


def report_reject(
    world: World, account: Account, exec_type: str, reason: str, *, order_id: str = "", cl_ord_id: str = ""
) -> None:
    """Log that an amend or cancel has failed: `ordStatus` Rejected speaks of the request, not of the order."""
    if not world.switches.reject_executions:
        return
    stamp = ExecutionStamp(exec_id=world.new_id("execution"), exec_type=exec_type, at_ms=world.at_ms)
    row = reject_row(account.number, stamp, reason, order_id=order_id or NO_ORDER, cl_ord_id=cl_ord_id)
    publish_execution(world, account, row)


def cancel(world: World, account: Account, order: Order, text: str) -> None:
    """End an order as Canceled with the text given, and log it."""
    _end(world, account, order, Status.CANCELED, text)


def cancel_because(world: World, account: Account, order: Order, reason: str) -> None:
    """End an order as Canceled for a reason of the engine's own, and log it."""
    cancel(world, account, order, f"Canceled: {reason}\n{order.text}")


def reject_because(world: World, account: Account, order: Order, reason: str) -> None:
    """End an order as Rejected for a reason of the engine's own, and log it."""
    order.reject_reason = reason
    _end(world, account, order, Status.REJECTED, f"Rejected: {reason}\n{order.text}")


def _end(world: World, account: Account, order: Order, status: Status, text: str) -> None:
    held_margin = order.is_working
    order.finish(status)
    order.text = text
    forget_if_done(world, account, order)
    report(world, account, order, status.value)
    if held_margin:
        world.mark_stale(world.position(account, order.contract))
