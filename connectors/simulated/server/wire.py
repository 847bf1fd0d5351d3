"""Table changes to real-time frames.

Why: the engine tells whole rows; the venue sends a row whole once (`insert`) and then only what
changed (`update`). The mirror keeps each keyed row as last published, so a partial and the updates
after it always fit together, whatever the engine knows by then.

Units: as in the rows. Source: www.bitmex.com/app/wsAPI, table protocol.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from connectors.simulated.engine.changes import Cell, Change, Row
from connectors.simulated.server.json_text import dump
from connectors.simulated.server.messages import Action, Kind, Message
from connectors.simulated.server.settings import RowStyle
from connectors.simulated.server.tables import FINAL_ORDER_STATES, TABLES, Table

__all__ = ["Action", "Frame", "Mirror", "partial_message", "shaped", "styled"]

_MOST_ROWS = 1_000  # of a table whose rows never leave it
_GROWING = frozenset({"funding", "settlement", "insurance", "transact"})
_ORDER_END = ("ordStatus", "leavesQty", "workingIndicator")
_PRICE_DRIVEN = frozenset({"position", "margin"})
_UNNAMED = frozenset({"liquidation"})


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One message to everyone who subscribed to these rows.

    Attributes:
        table: Topic.
        action: What to do with the rows.
        account: Owner, None for public tables.
        symbol: Instrument of all its rows, None where the table has none.
        rows: The rows, or the changed columns of them.
    """

    table: str
    action: Action
    account: int | None
    symbol: str | None
    rows: Sequence[object]

    def message(self) -> Message:
        """Return the frame as sent; made once, for all its readers."""
        head = f'{{"table":"{self.table}","action":"{self.action.value}","data":'
        return Message(
            kind=Kind.DELTA,
            payload=head.encode() + dump(self.rows) + b"}",
            table=self.table,
            account=self.account,
            symbol=self.symbol,
            action=self.action,
        )


PublishedRows = dict[str, dict[tuple[Cell, ...], Row]]  # by table, by key


class Mirror:
    """All keyed rows as last published, and the frames that bring clients to the next state."""

    def __init__(
        self, style: RowStyle, tables: Mapping[str, Table] = TABLES, rows: PublishedRows | None = None
    ) -> None:
        self._style = style
        self._tables = tables
        self._rows: PublishedRows = {} if rows is None else rows

    def frames(self, changes: Iterable[Change]) -> list[Frame]:
        """Return the frames of the changes, neighbours of one kind joined."""
        single = [frame for change in changes if (frame := self._frame(change)) is not None]
        joined: list[Frame] = []
        for frame in single:
            if joined and _is_same_kind(joined[-1], frame):
                last = joined.pop()
                joined.append(_joined(last, frame))
            else:
                joined.append(frame)
        return joined

    def rows(self, table: str, account: int | None) -> list[Row]:
        """Return the published rows of a table, of one account where it belongs to accounts."""
        return [row for row in self._rows.get(table, {}).values() if _belongs(row, account)]

    def _frame(self, change: Change) -> Frame | None:
        table = self._tables[change.table]
        if not table.keys:
            return self._framed(change, Action.INSERT, change.row)
        known = self._rows.setdefault(table.name, {})
        key = tuple(change.row.get(name) for name in table.keys)
        if change.is_delete:
            known.pop(key, None)
            named = (*table.keys, "symbol") if "symbol" in table.types else table.keys
            return self._framed(change, Action.DELETE, {name: change.row.get(name) for name in named})
        before = known.get(key)
        if change.row.get("ordStatus") in FINAL_ORDER_STATES:
            known.pop(key, None)  # never published again; the venue's partial holds open orders only
        else:
            known[key] = change.row
            if table.name in _GROWING and len(known) > _MOST_ROWS:
                del known[next(iter(known))]
        if before is None:
            return self._framed(change, Action.INSERT, change.row)
        changed = _difference(before, change.row)
        if change.is_refresh and table.name in _PRICE_DRIVEN and changed.keys() <= {"timestamp"}:
            return None
        if self._style is RowStyle.SPARSE and is_market_order(change.row):
            changed.pop("price", None)
        return self._framed(change, Action.UPDATE, _update(change.row, changed, table, self._style))

    def _framed(self, change: Change, action: Action, row: Row) -> Frame:
        shown = shaped(row, self._tables[change.table], self._style) if action is Action.INSERT else row
        symbol = change.row.get("symbol")
        return Frame(
            table=change.table,
            action=action,
            account=change.account,
            symbol=symbol if isinstance(symbol, str) else None,
            rows=(shown,),
        )


def shaped(row: Row, table: Table, style: RowStyle) -> Row:
    """Return a whole row of a table: with all its columns, or only with those that hold something."""
    if style is RowStyle.FULL and len(row) < len(table.types):
        return {**dict.fromkeys(table.types), **row}
    return styled(row, style)


def styled(row: Row, style: RowStyle) -> Row:
    """Return the row with its empty columns as null, or without them."""
    if style is RowStyle.FULL:
        return row
    kept: Row = {name: cell for name, cell in row.items() if cell not in (None, "")}
    if is_market_order(row):
        kept.pop("price", None)
    return kept


def is_market_order(row: Row) -> bool:
    """Return whether this is the `order` row of a market order: in sparse style it has no price, as in 2026."""
    return row.get("ordType") == "Market" and "execID" not in row


def partial_message(
    table: Table, rows: Sequence[object], *, account: int | None, symbol: str | None, style: RowStyle
) -> Message:
    """Return a partial: the full image of what a subscription covers.

    Full rows come with the hints of the old partials (`foreignKeys`, `attributes`), sparse ones
    without, as the venue had it in its two generations.

    Args:
        table: The table.
        rows: Its rows, already styled.
        account: Whose rows, None for public tables.
        symbol: Instrument the subscription names, None for all or a group.
        style: Of the rows, and of the partial.
    """
    hints = {"foreignKeys": table.foreign_keys, "attributes": table.attributes}
    body = {
        "table": table.name,
        "action": Action.PARTIAL.value,
        "keys": table.keys,
        "types": table.types,
        **(hints if style is RowStyle.FULL else {}),
        "filter": _condition(table, account, symbol),
        "data": rows,
    }
    return Message(
        kind=Kind.PARTIAL,
        payload=dump(body),
        table=table.name,
        account=account,
        symbol=symbol,
        action=Action.PARTIAL,
    )


def _condition(table: Table, account: int | None, symbol: str | None) -> dict[str, Cell]:
    """Return what a partial covers; for liquidations the venue never names the symbol."""
    condition: dict[str, Cell] = {} if account is None else {"account": account}
    if symbol is not None and table.name not in _UNNAMED:
        condition["symbol"] = symbol
    return condition


def _difference(before: Row, after: Row) -> Row:
    """Return the columns that changed; most have not, and are the very same objects."""
    if list(before) == list(after):  # written by the same hand, as nearly all are
        pairs = zip(after.items(), before.values(), strict=True)
        return {name: cell for (name, cell), old in pairs if cell is not old and cell != old}
    return {name: cell for name, cell in after.items() if name not in before or before[name] != cell}


def _update(row: Row, changed: Row, table: Table, style: RowStyle) -> Row:
    """Return the row of an update: its key, what changed, and what the venue repeats behind it if it holds any."""
    shown = {name: row.get(name) for name in table.keys} | changed
    repeated = (*table.repeated, *_ORDER_END) if table.name == "order" and "ordStatus" in changed else table.repeated
    for name in repeated:
        if name in row and (style is RowStyle.FULL or row[name] is not None):
            shown.setdefault(name, row[name])
    return shown


def _belongs(row: Row, account: int | None) -> bool:
    return account is None or row.get("account") == account


def _is_same_kind(one: Frame, other: Frame) -> bool:
    return (one.table, one.action, one.account, one.symbol) == (other.table, other.action, other.account, other.symbol)


def _joined(one: Frame, other: Frame) -> Frame:
    return Frame(
        table=one.table,
        action=one.action,
        account=one.account,
        symbol=one.symbol,
        rows=(*one.rows, *other.rows),
    )
