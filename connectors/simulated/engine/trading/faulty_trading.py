"""Faults in the midst of trading: stops that sleep or are not filled, orders that cannot be changed.

Why: apart from the other order faults, because triggers and amendments ask here in the middle of a step.
"""

from __future__ import annotations

from connectors.simulated.engine.faults.kinds import Value
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.resting.orders import Order
from connectors.simulated.engine.world import World


def sleeps(world: World, order: Order) -> bool:
    """Return whether a waiting order does not notice that its price has passed."""
    return _bites(world, order, "stop-asleep") is not None


def loses_fill(world: World, order: Order) -> bool:
    """Return whether an order that has just triggered goes no further."""
    return _bites(world, order, "stop-unfilled") is not None


def before_amend(world: World, order: Order) -> None:
    """Refuse to change an order, where a fault does.

    Raises:
        Refused: With the fault's text.
    """
    found = _bites(world, order, "amend-refused")
    if found is not None:
        raise Refused(str(found["message"]))


def _bites(world: World, order: Order, name: str) -> dict[str, Value] | None:
    if not world.faults.active:
        return None
    return world.faults.bites(name, at_ms=world.at_ms, account=order.account, symbol=order.contract.symbol)
