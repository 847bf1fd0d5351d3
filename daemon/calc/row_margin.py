"""The margin row that came with a recorded position: its gaps filled by its own sums, and held to the same instant.

Why: a cross price is no better than the balance behind it. Margin rows out of logs lack cells and are seconds older or
younger than the position, and nothing on them says so. What follows from the sums is worked out and named, what has to
be supposed is named as a guess, and that both rows are of one instant is told apart from the hope that they are.

Units: money in minor units of the settlement currency, times in nanoseconds.
Source: the sums of the margin row in docs/venue-facts.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connectors.bitmex.protocol.parse import parse_margin
from connectors.vocabulary import Margin, Position
from daemon.calc.row_cells import Cells, amount
from daemon.calc.row_sums import Reading
from daemon.core.margin.own_liquidation import consistent_margin

_ONE_INSTANT_NS: Final = 1_000_000_000
"""Rows stamped within this of each other are taken as of one instant: the two tables follow each other at once."""
_BALANCE: Final = ("marginBalance", "walletBalance", "unrealisedPnl")
"""The first is the sum of the others."""
_FREE: Final = ("marginBalance", "excessMargin", "initMargin", "maintMargin")
"""The first is the sum of the others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Instant:
    """A margin row as it may have read when the position row was written."""

    margin: Margin
    is_sure: bool
    """Whether the rows themselves show that they belong together."""


def whole_margin(cells: Cells | None, row: Position, reading: Reading) -> Margin | None:
    """Return the margin row, its gaps filled and named in `reading`; None where no balance can be told.

    Args:
        cells: The row as cleaned; None where there is none.
        row: The position that it came with.
        reading: Gets the names of rebuilt and guessed cells, "margin." before them.
    """
    if cells is None:
        return None
    filled: Cells = dict(cells)
    free = amount(filled, "availableMargin")
    if free and "excessMargin" not in filled:
        filled["excessMargin"] = free  # one that is nothing may have been less than nothing
    paid, realised = amount(filled, "amount"), amount(filled, "realisedPnl")
    if paid is not None and realised is not None:
        filled.setdefault("walletBalance", paid + realised)
    _by_sums(filled)
    _supposed(filled, row, reading, paid)
    _by_sums(filled)
    needed = [name for name in (*_BALANCE, "initMargin", "maintMargin") if name not in cells and name in filled]
    reading.rebuilt.extend(f"margin.{name}" for name in needed if f"margin.{name}" not in reading.guessed)
    if "walletBalance" not in filled:
        return None
    named: Cells = {"account": row.key.account, "currency": row.currency, **filled}
    return parse_margin(named)


def _by_sums(cells: Cells) -> None:
    """Fill in what a sum leaves when all its other parts are there; twice, since one sum feeds the other."""
    for whole, *parts in (_BALANCE, _FREE, _BALANCE):
        missing = [name for name in (whole, *parts) if name not in cells]
        if len(missing) != 1:
            continue
        total = sum(amount(cells, name) or 0 for name in parts)
        (gap,) = missing
        cells[gap] = total if gap == whole else (amount(cells, whole) or 0) - total


def _supposed(cells: Cells, row: Position, reading: Reading, paid: int | None) -> None:
    """Suppose what no sum tells: one position, no open orders, nothing realised."""
    supposed = {"walletBalance": paid, "unrealisedPnl": row.unrealised_pnl_sat, "maintMargin": row.locked_sat}
    if reading.is_legacy:
        supposed["initMargin"] = 0
    for column, value in supposed.items():
        _by_sums(cells)
        if column not in cells and value is not None:
            cells[column] = value
            reading.guessed.append(f"margin.{column}")


def instants(margin: Margin, row: Position) -> list[Instant]:
    """Return what the margin row may have been at the instant of the position row, the likeliest first."""
    together = margin.timestamp_ns > 0 and abs(margin.timestamp_ns - row.timestamp_ns) <= _ONE_INSTANT_NS
    as_it_stands = Instant(margin=margin, is_sure=together)
    if not _is_alone(margin, row):
        return [as_it_stands]
    same = _locks_the_same(margin, row)
    brought = Instant(margin=consistent_margin(margin, [row]), is_sure=same)
    return [as_it_stands, brought] if together and not same else [brought, as_it_stands]


def _locks_the_same(margin: Margin, row: Position) -> bool:
    """Whether the account locks to the unit what the position does, its profit counted or left out."""
    theirs, ours = margin.maintenance_margin_sat, row.locked_sat
    return theirs == ours or theirs - margin.unrealised_pnl_sat == ours - row.unrealised_pnl_sat


def _is_alone(margin: Margin, row: Position) -> bool:
    """Whether the margin row counts no other position: what it locks is what this one does.

    A loss is made good with a lag, so between two instants the amounts may differ by what the profit did.
    """
    if _locks_the_same(margin, row):
        return True
    if row.fee_reserve_sat == row.initial_margin_sat == 0:
        return False  # what such a row locks does not move with the mark
    theirs = margin.maintenance_margin_sat - max(0, margin.unrealised_pnl_sat)
    ours = row.locked_sat - max(0, row.unrealised_pnl_sat)
    return abs(theirs - ours) <= abs(margin.unrealised_pnl_sat - row.unrealised_pnl_sat) + row.fee_reserve_sat // 100
