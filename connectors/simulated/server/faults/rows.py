"""Rows that say something else than the engine knows, in answers and frames alike.

Why: a guard that reads a position from one source has to notice when it is nonsense. The engine keeps
the truth; only what is shown changes.

Units: as in the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from connectors.simulated.server.faults.keeper import Bite

Shown = dict[str, object]


def is_about_rows(bite: Bite, *, table: str, where: str) -> bool:
    """Return whether a fault changes rows of this table in this source (`rest` or `stream`)."""
    return bite.name in EFFECTS and table == "position" and bite.text("where") in {where, "both"}


def rewritten(bite: Bite, row: Shown) -> Shown:
    """Return a row as the fault shows it; rows of another symbol than the fault's stay."""
    if not bite.one.meets({"symbol": row.get("symbol")}):
        return row
    return EFFECTS[bite.name](bite, row)


def _liquidation_price(bite: Bite, row: Shown) -> Shown:
    if "liquidationPrice" not in row:
        return row
    try:
        value: object = Decimal(bite.text("value"))
    except InvalidOperation:
        value = None
    return {**row, "liquidationPrice": value}


def _mark_stale(bite: Bite, row: Shown) -> Shown:
    if row.get("markPrice") is None:
        return row
    return {**row, "markPrice": bite.memory.setdefault(row.get("symbol"), row["markPrice"])}


def _other_quantity(bite: Bite, row: Shown) -> Shown:
    if "currentQty" not in row:
        return row
    quantity = bite.whole("quantity")
    is_open = {"isOpen": quantity != 0} if "isOpen" in row else {}
    return {**row, "currentQty": quantity, **is_open}


EFFECTS: dict[str, Callable[[Bite, Shown], Shown]] = {
    "liquidation-price": _liquidation_price,
    "mark-stale": _mark_stale,
    "sources-disagree": _other_quantity,
}
