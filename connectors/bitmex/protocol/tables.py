"""The table protocol: partial, insert, update and delete laid over keyed rows.

Why: the venue sends a whole picture of a table (its *partial*) and then changes to it. Nothing counts before the
partial; the partial names the key columns, which have changed over the years and are never assumed; it may come again
at any time and then replaces what it covers. A change that names no known row means that something was lost: it raises
`TableBroken`, and the cure is a fresh partial, never a guess.

Two rules go beyond the published ones, because an absent column is not a null and a finished row is not a deleted one:

- a position row that is flat, or has changed sides, forgets the prices the update did not bring: they belong to a
  position that is gone;
- finished orders leave the table, but a few hundred are remembered, so that a late word about one (or its return within
  the minute the venue allows) finds its row.

Source: www.bitmex.com/app/wsAPI.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from enum import Enum

from connectors.bitmex.protocol.numbers import MalformedRow, Row, integer
from connectors.bitmex.protocol.parse import order_status

Key = tuple[object, ...]
_Cells = dict[str, object]

POSITION_PRICES = (
    "avgEntryPrice",
    "avgCostPrice",
    "breakEvenPrice",
    "liquidationPrice",
    "bankruptPrice",
    "markPrice",
    "marginCallPrice",
)
FINISHED_REMEMBERED = 500
_KEYED = frozenset({"order", "position", "margin", "instrument"})
"""Tables whose rows change: without keys every row would be lost at once."""
_IDENTITY = ("account", "symbol", "strategy", "currency", "orderID")
"""Columns that tell what a row is about, in the tables that have them."""


class Action(Enum):
    """What a table frame does."""

    PARTIAL = "partial"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


class TableBroken(Exception):
    """The table can no longer be believed; a fresh partial is needed. The text names table and cause, no values."""


class Table:
    """One table of one connection. `rows` are whole rows in the order of their first appearance."""

    def __init__(self, name: str, *, columns: Collection[str] | None = None) -> None:
        """Make a table that knows nothing yet; `columns` limits what is remembered of a row beside its key."""
        self.name = name
        self._columns = columns
        self._keys: tuple[str, ...] | None = None
        self._rows: dict[Key, _Cells] = {}

    @property
    def is_known(self) -> bool:
        """Whether a partial has arrived."""
        return self._keys is not None

    def forget(self) -> None:
        """Know nothing again: nothing counts before the next partial."""
        self._keys = None
        self._rows.clear()

    def rows(self) -> list[Row]:
        """Return every whole row."""
        return list(self._rows.values())

    def apply(
        self,
        action: Action,
        rows: Sequence[Row],
        *,
        keys: Sequence[str] | None = None,
        covered: Mapping[str, object] | None = None,
    ) -> list[Row]:
        """Lay one frame over the table and return the whole rows it touched (for a delete, as they last were).

        Changes before the first partial return nothing.

        Args:
            action: What the frame does.
            rows: Its data.
            keys: Key columns; only a partial has them. None keeps those of an earlier partial.
            covered: The partial's filter: the rows that it replaces.

        Raises:
            TableBroken: If a row lacks a key column, or an update or delete finds no row.
        """
        match action:
            case Action.PARTIAL:
                return self._replace(rows, keys, covered or {})
            case _ if self._keys is None:
                return []
            case Action.INSERT:
                return [self._insert(row) for row in rows]
            case Action.UPDATE:
                return [self._update(row) for row in rows]
            case Action.DELETE:
                return [self._delete(row) for row in rows]

    def _replace(self, rows: Sequence[Row], keys: Sequence[str] | None, covered: Mapping[str, object]) -> list[Row]:
        if keys is None and self._keys is None:
            raise TableBroken(f"the first partial of {self.name} names no keys")
        if keys is not None:
            self._keys = tuple(keys)
        self._check_keys(rows)
        # A sparse row may lack the column: a row too few is sent again, a row too many would stay for ever.
        self._rows = {
            key: row
            for key, row in self._rows.items()
            if any(row.get(column) not in (None, value) for column, value in covered.items())
        }
        return [self._insert(row) for row in rows]

    def _check_keys(self, rows: Sequence[Row]) -> None:
        """Keys that tell too little would let one row stand for several: a position would vanish without a word.

        Raises:
            TableBroken: If two rows with one key are about different things, or the rows have no key at all.
        """
        if rows and not self._keys and self.name in _KEYED:
            raise TableBroken(f"a partial of {self.name} has rows and no keys")
        about: dict[Key, Key] = {}
        for row in rows:
            identity = tuple(row.get(column) for column in _IDENTITY)
            if self._keys and about.setdefault(self.key_of(row), identity) != identity:
                raise TableBroken(f"a partial of {self.name} has rows that its keys do not tell apart")

    def key_of(self, row: Row) -> Key:
        """Return the row's key; a table without keys (all inserts) gives each row a place of its own.

        Raises:
            TableBroken: If a key column is missing.
        """
        missing = [column for column in self._keys or () if row.get(column) is None]
        if missing:
            raise TableBroken(f"a row of {self.name} lacks its key column {missing[0]}")
        key = tuple(row[column] for column in self._keys or ())
        if any(isinstance(cell, list | dict) for cell in key):
            raise TableBroken(f"a row of {self.name} has a key that is no plain value")
        return key

    def _insert(self, row: Row) -> Row:
        cells = self._remembered(row)
        if self._keys:
            self._rows[self.key_of(row)] = cells
        return cells

    def _update(self, row: Row) -> Row:
        known = self._known(row)
        self._lay_over(known, self._remembered(row))
        return known

    def _lay_over(self, known: _Cells, changed: _Cells) -> None:
        known.update(changed)

    def _known(self, row: Row) -> _Cells:
        found = self._rows.get(self.key_of(row)) if self._keys else None
        if found is None:
            raise TableBroken(f"a change of {self.name} names a row that is not known")
        return found

    def _delete(self, row: Row) -> Row:
        known = self._known(row)
        del self._rows[self.key_of(row)]
        return known

    def _remembered(self, row: Row) -> _Cells:
        if self._columns is None:
            return dict(row)
        return {column: cell for column, cell in row.items() if column in self._columns}


class PositionTable(Table):
    """`position`: prices never outlive the position they belong to."""

    def _lay_over(self, known: _Cells, changed: _Cells) -> None:
        before = _direction(known)
        known.update(changed)
        after = _direction(known)
        if after == before != 0:
            return
        for column in POSITION_PRICES:
            if after == 0 or column not in changed:
                known.pop(column, None)


def _direction(row: Row) -> int:
    """+1 long, -1 short, 0 flat."""
    try:
        quantity = integer(row, "currentQty") or 0
    except MalformedRow:
        return 0
    if row.get("isOpen") is False:
        return 0
    return (quantity > 0) - (quantity < 0)


class OrderTable(Table):
    """`order`: holds what is open, and remembers what finished lately."""

    def __init__(self, name: str = "order") -> None:
        super().__init__(name)
        self._finished: OrderedDict[Key, _Cells] = OrderedDict()

    def forget(self) -> None:
        """Know nothing again, not even what finished."""
        super().forget()
        self._finished.clear()

    def settle(self, touched: Collection[Row] | None = None) -> None:
        """Move finished rows out of the table, once they have been reported: those touched, or whichever there are."""
        keys = list(self._rows) if touched is None else dict.fromkeys(self.key_of(row) for row in touched)
        for key in keys:
            row = self._rows.get(key)
            if row is not None and order_status(row).is_final:
                self._finished[key] = self._rows.pop(key)
        while len(self._finished) > FINISHED_REMEMBERED:
            self._finished.popitem(last=False)

    def _insert(self, row: Row) -> Row:
        if self._keys:
            self._finished.pop(self.key_of(row), None)  # or what it was once could come back after it is deleted
        return super()._insert(row)

    def _known(self, row: Row) -> _Cells:
        key = self.key_of(row)
        if key not in self._rows and key in self._finished:
            self._rows[key] = self._finished.pop(key)
        return super()._known(row)


class Seen:
    """The ids met lately, for tables that repeat rows after a reconnect."""

    def __init__(self, *, remembered: int = 20_000) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._remembered = remembered

    def is_new(self, identity: str) -> bool:
        """Whether this id is met for the first time; it is remembered from now on."""
        if identity in self._ids:
            return False
        self._ids[identity] = None
        if len(self._ids) > self._remembered:
            self._ids.popitem(last=False)
        return True
