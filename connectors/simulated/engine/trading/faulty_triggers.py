"""Faults of orders that wait: those that do not notice their price, and those that are not filled.

Why: apart from the other order faults, because triggers ask here in the middle of a step.
"""

from __future__ import annotations

from connectors.simulated.engine.resting.orders import Order
from connectors.simulated.engine.world import World


def sleeps(world: World, order: Order) -> bool:
    """Return whether a waiting order does not notice that its price has passed."""
    return _bites(world, order, "stop-asleep")


def loses_fill(world: World, order: Order) -> bool:
    """Return whether an order that has just triggered goes no further."""
    return _bites(world, order, "stop-unfilled")


def _bites(world: World, order: Order, name: str) -> bool:
    if not world.faults.active:
        return False
    found = world.faults.bites(name, at_ms=world.at_ms, account=order.account, symbol=order.contract.symbol)
    return found is not None
