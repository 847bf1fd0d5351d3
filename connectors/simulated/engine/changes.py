"""What the engine tells its surroundings: rows of the venue's tables and changes to them."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct  # a tenth of the cost of a frozen dataclass, and dozens are made at every step

Cell = str | int | bool | Decimal | None
Row = dict[str, Cell]
Reply = Row | list[Row] | None


class Change(Struct, frozen=True, kw_only=True):
    """One row of one table as it stood right after an event.

    Attributes:
        table: The venue's table, such as `order` or `instrument`.
        account: Owner of the row, None for public tables.
        row: The full row, all columns.
        is_delete: The row has left the table (`liquidation`, book levels).
        is_refresh: Only prices moved the row; a server may merge or drop it.
    """

    table: str
    account: int | None
    row: Row
    is_delete: bool = False
    is_refresh: bool = False
