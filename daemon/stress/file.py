"""An account out of a file: rows as the exchange sends them, or the few figures that somebody typed.

Format: one JSON object of lists of rows in the exchange's column names (`GET /position`, `/user/margin`,
`/instrument`, `/order`); all but `positions` and `margins` may be left out:

    {"positions": [...], "margins": [...], "instruments": [...], "orders": [...], "marks": {"XBTUSD": 60000}}

A position that lacks its costs and margins is completed from `avgEntryPrice` and `leverage` (isolated) or `crossMargin`
(cross), as if it had just been opened; contracts that are not given come from the built-in table; the mark is that of
`marks`, else of the instrument's row, else of the position's.

Units: as on the wire; money in minor units of the settlement currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from connectors.vocabulary import ZERO, Instrument, Margin, Position
from daemon.calc.opened import Backing, Cross, Leverage, opened
from daemon.core.margin.contracts import is_price
from daemon.core.margin.what_if import AccountRows
from daemon.exit_codes import CommandFailed
from daemon.stress.account import Account
from daemon.wire_rows import (
    BUILT_IN,
    Listed,
    RowsUnusable,
    built_in_listing,
    listing_of,
    margins_of,
    orders_of,
    positions_of,
    read_json,
    rows_in,
)

_KEYS: Final = frozenset({"positions", "margins", "instruments", "orders", "marks"})
_NOBODY: Final = 1
"""The account's number where no row names one."""


@dataclass(kw_only=True, slots=True)
class _Reading:
    """What is being read, and what is said about it."""

    place: str
    listing: dict[str, Listed]
    marks: dict[str, Decimal]
    looked_up: list[str] = field(default_factory=list)
    """Symbols whose contract is that of the built-in table."""
    completed: list[str] = field(default_factory=list)
    """Symbols whose costs and margins were worked out."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed, for people."""
        return tuple(
            f"{', '.join(symbols)}: {what}"
            for symbols, what in (
                (self.looked_up, f"contract figures of {BUILT_IN}"),
                (self.completed, "costs and margins worked out, as if just opened"),
            )
            if symbols
        )


def read_account(path: Path) -> Account:
    """Return the account of a file.

    Raises:
        RowsUnusable: If the file cannot be used; the text says where and why.
    """
    return account_of(read_json(path), str(path))


def account_of(document: object, place: str) -> Account:
    """Return the account of a document of the format above. Raises RowsUnusable."""
    if not isinstance(document, Mapping):
        raise RowsUnusable(f'{place}: must be an object {{"positions": [...], "margins": [...], ...}}')
    unknown = sorted(str(key) for key in document.keys() - _KEYS)
    if unknown:
        raise RowsUnusable(f"{place}: unknown key {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}")
    for needed in ("positions", "margins"):
        if needed not in document:
            raise RowsUnusable(f"{place}: {needed} is missing")
    numbered = {name: _numbered(document.get(name, []), place, name) for name in ("positions", "margins", "orders")}
    reading = _Reading(
        place=place,
        listing=listing_of(rows_in(document.get("instruments", []), f"{place}: instruments"), place),
        marks=_marks(document.get("marks", {}), place),
    )
    margins = _unique_margins(margins_of(numbered["margins"], place), place)
    positions = _positions(reading, numbered["positions"], margins)
    return Account(
        rows=AccountRows(
            positions=positions,
            instruments={symbol: reading.listing[symbol].instrument for symbol in positions},
            margins=margins,
            marks={symbol: reading.marks[symbol] for symbol in positions},
        ),
        orders=tuple(order for order in orders_of(numbered["orders"], place) if order.is_open),
        source=place,
        notes=reading.notes,
    )


def _numbered(value: object, place: str, name: str) -> list[Mapping[str, object]]:
    """Rows of one list, with the account's number and an order's columns where they were left out."""
    if not isinstance(value, list | Mapping):
        raise RowsUnusable(f"{place}: {name} must be a list of rows")
    defaults: dict[str, object] = {"account": _NOBODY}
    rows: list[Mapping[str, object]] = []
    for count, row in enumerate(rows_in(value, f"{place}: {name}"), 1):
        if name == "orders":
            defaults |= {"orderID": f"order {count}", "ordStatus": "New"}
        rows.append({**defaults, **{column: cell for column, cell in row.items() if cell is not None}})
    return rows


def _marks(value: object, place: str) -> dict[str, Decimal]:
    if not isinstance(value, Mapping):
        raise RowsUnusable(f"{place}: marks must be an object of prices by symbol")
    marks: dict[str, Decimal] = {}
    for symbol, price in value.items():
        read = Decimal(price) if isinstance(price, int | Decimal) and not isinstance(price, bool) else None
        if read is None or not is_price(read) or abs(read.adjusted()) > 15:
            raise RowsUnusable(f"{place}: marks: {symbol} is not a price above 0")
        marks[str(symbol)] = read
    return marks


def _unique_margins(margins: list[Margin], place: str) -> dict[str, Margin]:
    found: dict[str, Margin] = {}
    for margin in margins:
        if margin.currency in found:
            raise RowsUnusable(f"{place}: margin: {margin.currency} stands twice; a file holds one account")
        found[margin.currency] = margin
    return found


def _positions(
    reading: _Reading, rows: list[Mapping[str, object]], margins: Mapping[str, Margin]
) -> dict[str, Position]:
    found: dict[str, Position] = {}
    for count, position in enumerate(positions_of(rows, reading.place), 1):
        symbol = position.key.symbol
        place = f"{reading.place}: position {count} ({symbol})"
        if not position.quantity:
            continue
        if symbol in found:
            raise RowsUnusable(f"{place}: stands twice; positions in hedge mode cannot be played")
        listed = _listed(reading, symbol, place)
        margin = margins.get(listed.instrument.settlement_currency)
        if margin is None:
            raise RowsUnusable(f"{place}: margins has no row for {listed.instrument.settlement_currency}")
        reading.marks[symbol] = _mark(reading, position, listed, place)
        whole = replace(
            position,
            currency=listed.instrument.settlement_currency,
            key=replace(position.key, account=margin.account),
        )
        found[symbol] = _completed(reading, whole, listed.instrument, margin, place)
    return found


def _listed(reading: _Reading, symbol: str, place: str) -> Listed:
    if symbol not in reading.listing:
        known = built_in_listing().get(symbol)
        if known is None:
            raise RowsUnusable(f"{place}: instruments has no row for it, and the built-in table neither")
        reading.listing[symbol] = known
        reading.looked_up.append(symbol)
    return reading.listing[symbol]


def _mark(reading: _Reading, position: Position, listed: Listed, place: str) -> Decimal:
    for mark in (reading.marks.get(position.key.symbol), listed.mark, position.mark_price):
        if mark is not None and is_price(mark):
            return mark
    raise RowsUnusable(f"{place}: no mark price: give markPrice in its row, or marks")


def _completed(reading: _Reading, position: Position, instrument: Instrument, margin: Margin, place: str) -> Position:
    """Return the row, its costs and margins worked out where the file has none."""
    has_margin = position.maintenance_sat > 0 or position.margin_sat > 0
    if has_margin and position.cost_sat:
        return position
    if position.entry_price is None or not is_price(position.entry_price):
        raise RowsUnusable(f"{place}: avgEntryPrice is missing")
    if not position.is_cross and position.leverage <= 0:
        raise RowsUnusable(f"{place}: needs posMargin and posMaint, or leverage, or crossMargin true")
    side = position.side
    if side is None:
        return position
    backing: Backing = Leverage(leverage=position.leverage)
    if position.is_cross:
        backing = Cross(balance_sat=margin.wallet_balance_sat)
    try:
        found = opened(instrument, side, abs(position.quantity), entry=position.entry_price, backing=backing)
    except CommandFailed as error:
        raise RowsUnusable(f"{place}: {str(error).replace('--', '')}") from error
    reading.completed.append(position.key.symbol)
    return replace(
        found.position,
        key=position.key,
        liquidation_price=position.liquidation_price,
        leverage=position.leverage or ZERO,
    )
