"""What a row of the exchange is worth as a protective stop: the promises' own opinion, apart from the guard's."""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine.changes import Row


def is_resting_stop(row: Row) -> bool:
    """Whether the exchange holds this order as a stop that waits for its trigger."""
    return row["ordType"] == "Stop" and row["ordStatus"] == "New" and not row["triggered"]


def protects(row: Row, quantity: int) -> bool:
    """Whether the order is a mark-triggered stop that can only shrink a position of this size."""
    words = str(row["execInst"]).split(",")
    side = "Sell" if quantity > 0 else "Buy"
    return (
        is_resting_stop(row)
        and row["side"] == side
        and "MarkPrice" in words
        and ("ReduceOnly" in words or "Close" in words)
    )


def is_before_liquidation(row: Row, quantity: int, liquidation: Decimal) -> bool:
    """Whether the trigger is nearer to the mark than the liquidation price."""
    stop = Decimal(str(row["stopPx"] or 0))
    return stop > liquidation if quantity > 0 else stop < liquidation
