"""Many fills of one order as one line: a stop that fires in a thin book is filled in a hundred parts.

Units: contracts, prices in quote currency, nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from connectors.vocabulary import ExecutionKind, OrderStatus
from daemon.core.events import Event, ExecutionSeen, OrderSeen

_FILLING: Final = frozenset({OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Fills:
    """Rows of one order that follow each other and tell of nothing but its fills."""

    order_id: str
    symbol: str
    side: str
    last_seq: int
    last_ns: int
    executions: int = 0
    quantity: int = 0
    first_price: Decimal | None = None
    last_price: Decimal | None = None
    standing: str = ""
    """Of the order, as its newest row says."""

    def and_then(self, later: Fills | None) -> Fills | None:
        """Both as one; None if the later is of another order, or no fill."""
        if later is None or later.order_id != self.order_id:
            return None
        return replace(
            later,
            executions=self.executions + later.executions,
            quantity=self.quantity + later.quantity,
            first_price=later.first_price if self.first_price is None else self.first_price,
            last_price=self.last_price if later.last_price is None else later.last_price,
            standing=later.standing or self.standing,
        )

    @property
    def words(self) -> str:
        """What was filled, at which prices, and how the order stands."""
        from_to = f"{self.first_price} to {self.last_price}"
        prices = from_to if self.first_price != self.last_price else f"{self.last_price}"
        told = f"{self.side} {self.quantity} {self.symbol} in {self.executions} executions, {prices}"
        return f"filled: {told}" + (f"; the order stands {self.standing}" if self.standing else "")


def fills_of(seq: int, event: Event) -> Fills | None:
    """What an event tells of fills; None if it tells of anything else."""
    match event:
        case ExecutionSeen(execution=row) if row.kind is ExecutionKind.TRADE and row.price is not None:
            side = "" if row.side is None else row.side.value
            return Fills(
                order_id=row.order_id,
                symbol=row.symbol,
                side=side,
                last_seq=seq,
                last_ns=event.at_ns,
                executions=1,
                quantity=row.quantity,
                first_price=row.price,
                last_price=row.price,
            )
        case OrderSeen(order=order) if order.status in _FILLING:
            size = "" if order.quantity is None else f" of {order.quantity}"
            standing = f"{order.status.value} ({order.filled_quantity}{size})"
            return Fills(
                order_id=order.order_id,
                symbol=order.symbol,
                side=order.side.value,
                last_seq=seq,
                last_ns=event.at_ns,
                standing=standing,
            )
        case _:
            return None
