"""A liquidation order: one position the house has taken over, and how far it is worked off.

Units: quantities in contracts, prices in quote currency, money in minor units.
Source: rows of the `liquidation` table of November 2024.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.contracts import Contract
from connectors.simulated.engine.holdings.ledger import House, add
from connectors.simulated.engine.resting.orders import Side


@dataclass(slots=True, kw_only=True)
class LiquidationOrder:
    """What was taken over at `bankruptcy`; `price` is shown and moves toward the market."""

    order_id: str
    contract: Contract
    side: Side
    quantity: int
    leaves: int
    bankruptcy: Decimal
    price: Decimal
    age: int = 0  # price steps

    def row(self) -> Row:
        """Return the `liquidation` row."""
        return {
            "orderID": self.order_id,
            "symbol": self.contract.symbol,
            "side": self.side.value,
            "price": self.price,
            "leavesQty": self.leaves,
        }

    def gain(self, quantity: int, price: Decimal) -> int:
        """Return what trading some contracts at a price wins against the bankruptcy price, or loses."""
        signed = quantity * self.side.sign
        return self.contract.signed_cost(signed, self.bankruptcy) - self.contract.signed_cost(signed, price)

    def release(self, house: House, quantity: int) -> None:
        """Take contracts that found a new holder out of what the house has taken over."""
        cost = self.contract.signed_cost(quantity * self.side.sign, self.bankruptcy)
        add(house.seized, self.contract.settl_currency, -cost)
        self.leaves -= quantity
