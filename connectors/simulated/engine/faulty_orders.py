"""Faults around orders and timers: refused, rejected, cancelled by the venue, asleep, unfilled.

Why: a guard's stop can fail in each of these ways, and looks the same as a good one until it does.
`before` and `after` stand around a request; what triggers and amendments ask is in `faulty_trading`.

Units: milliseconds of protocol time.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.faults.kinds import Value
from connectors.simulated.engine.holdings.ledger import Account
from connectors.simulated.engine.inputs import PlaceOrder
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.resting.orders import Order
from connectors.simulated.engine.tables.order_rows import order_row
from connectors.simulated.engine.tables.reports import SWITCH_FIRED, cancel, reject_because
from connectors.simulated.engine.trading import triggers
from connectors.simulated.engine.trading.order_checks import draft
from connectors.simulated.engine.world import World


def before(world: World, request: PlaceOrder) -> None:
    """Refuse a new order that a fault refuses.

    Raises:
        Refused: With the fault's text.
    """
    account, market = world.account(request.account), world.market(request.symbol)
    held = world.position(account, market.contract).quantity
    order = draft(request, market.contract, held=held)
    _refuse(_bites(world, "order-refused", order, account))
    if order.ord_type.waits:
        _refuse(_bites(world, "stop-refused", order, account))
        if triggers.is_due(world, order) and _bites(world, "crossed-stop-refused", order, account) is not None:
            raise Refused("Invalid stopPx for ordType")
    if not _shrinks(order, held):
        _refuse(_bites(world, "new-positions-banned", order, account))


def after(world: World, request: PlaceOrder, reply: Row) -> Row:
    """Let faults end the order that was just placed; return what the answer shows."""
    account = world.account(request.account)
    order = account.orders.get(str(reply["orderID"]))
    if order is None or not order.is_open:
        return reply
    rejected = _bites(world, "order-rejected", order, account)
    if rejected is None:
        return reply  # if `sweep` takes it now, it was accepted first
    reject_because(world, account, order, str(rejected["reason"]))
    return order_row(order)


def sweep(world: World) -> None:
    """Cancel the waiting orders that the venue has had long enough."""
    if not any(one.fault.name == "stop-cancelled" for one in world.faults.active.values()):
        return
    for account in world.accounts.values():
        for order in account.all_open():
            if order.is_waiting:
                _sweep_one(world, account, order)


def _sweep_one(world: World, account: Account, order: Order) -> None:
    scope = {"account": account.number, "symbol": order.contract.symbol}
    ages = [
        one.parameters["after_ms"]
        for one in world.faults.active.values()
        if one.fault.name == "stop-cancelled" and one.meets(scope)
    ]
    if not any(isinstance(age, int) and world.at_ms - order.transact_ms >= age for age in ages):
        return
    found = _bites(world, "stop-cancelled", order, account)
    if found is not None:
        cancel(world, account, order, str(found["text"]))


def before_timers(world: World) -> None:
    """Let dead man's switches that are due, and asleep, run out without effect."""
    for account in world.accounts.values():
        due = account.cancel_at_ms
        if due is not None and due <= world.at_ms and _on_account(world, "switch-asleep", account):
            account.cancel_at_ms = None


def fire_switch(world: World, account: Account) -> None:
    """Let the account's dead man's switch go off now, armed or not."""
    account.cancel_at_ms = None
    for order in account.all_open():
        cancel(world, account, order, f"Canceled\n{SWITCH_FIRED}")


def disarm_switch(_: World, account: Account) -> None:
    """Take the account's dead man's switch off, as another program of its owner might."""
    account.cancel_at_ms = None


def _on_account(world: World, name: str, account: Account) -> bool:
    return world.faults.bites(name, at_ms=world.at_ms, account=account.number) is not None


def _bites(world: World, name: str, order: Order, account: Account) -> dict[str, Value] | None:
    scope = {"account": account.number, "symbol": order.contract.symbol}
    return world.faults.bites(name, at_ms=world.at_ms, **scope)


def _refuse(found: Mapping[str, Value] | None) -> None:
    if found is not None:
        raise Refused(str(found["message"]))


def _shrinks(order: Order, held: int) -> bool:
    if order.instructions.is_reduce_only:
        return True
    return held * order.side.sign < 0 and Decimal(order.leaves) <= abs(held)
