"""Whether a market takes an order at all, before anybody asks what it costs.

Why: a venue that is about to end a contract first takes only orders that shrink positions.

Units: contracts. Source: announcements of delistings; the text of the refusal is our own.
"""

from __future__ import annotations

from connectors.simulated.engine.holdings.ledger import Position
from connectors.simulated.engine.markets.market import Market
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.resting.orders import Order


def check(market: Market, position: Position, order: Order) -> None:
    """Refuse an order that would grow or turn a position where only shrinking is allowed.

    Raises:
        Refused: If it would.
    """
    if market.is_reduce_only and not order.instructions.is_reduce_only and _grows(position, order):
        raise Refused("Instrument is in reduce only mode")


def _grows(position: Position, order: Order) -> bool:
    return order.side.sign * position.side >= 0 or order.leaves > abs(position.quantity)
