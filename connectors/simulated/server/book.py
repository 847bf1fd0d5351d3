"""Order book topics: levels as they change, for the symbols somebody follows.

Why: the engine can tell at any moment what a book displays: the tape's levels and the displayed
parts of resting orders, added up. Turning two such pictures into deletes, updates and inserts is
the server's work, done only for followed symbols.

Units: sizes in contracts. Source: www.bitmex.com/app/wsAPI, `orderBookL2`, `orderBook10`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from connectors.simulated.engine.changes import Row
from connectors.simulated.server.wire import Action, Frame

BookReader = Callable[[str, int], list[Row]]  # symbol, levels a side -> rows as in `orderBookL2`
_TEN = 10
LEVELS = {"orderBookL2_25": 25, "orderBookL2": 100, "orderBook10": _TEN}


class BookFeed:
    """The book topics as last published."""

    def __init__(self, read: BookReader) -> None:
        self._read = read
        self._published: dict[tuple[str, str], dict[object, Row]] = {}

    def image(self, table: str, symbol: str) -> list[object]:
        """Return the rows of a partial, and follow the symbol from now on."""
        if table == "orderBook10":
            self._published.setdefault((table, symbol), {})
            return [row for frame in self._ten(symbol, self._read(symbol, _TEN)) for row in frame.rows]
        key = (table, symbol)
        if key not in self._published:
            self._published[key] = _by_id(self._read(symbol, LEVELS[table]))
        return list(self._published[key].values())

    def frames(self, symbols: Iterable[str]) -> list[Frame]:
        """Return what changed in the followed books of these symbols."""
        return [
            frame
            for symbol in sorted(set(symbols))
            for table in LEVELS
            if (table, symbol) in self._published
            for frame in self._changed(table, symbol)
        ]

    def forget_unfollowed(self, is_followed: Callable[[str, str], bool]) -> None:
        """Stop following the books that nobody reads any more."""
        for table, symbol in list(self._published):
            if not is_followed(table, symbol):
                del self._published[table, symbol]

    def _changed(self, table: str, symbol: str) -> list[Frame]:
        rows = self._read(symbol, LEVELS[table])
        if table == "orderBook10":
            return self._ten(symbol, rows)
        before = self._published[table, symbol]
        after = _by_id(rows)
        self._published[table, symbol] = after
        gone = [_key_of(row) for key, row in before.items() if key not in after]
        resized = [_resized(row) for key, row in after.items() if key in before and before[key]["size"] != row["size"]]
        new = [row for key, row in after.items() if key not in before]
        parts = ((Action.DELETE, gone), (Action.UPDATE, resized), (Action.INSERT, new))
        return [_frame(table, symbol, action, found) for action, found in parts if found]

    def _ten(self, symbol: str, rows: list[Row]) -> list[Frame]:
        """Return the row of ten levels as a frame; none while a side is empty, which clients take for an error."""
        row = book_of_ten(symbol, rows)
        if not row["bids"] or not row["asks"]:
            return []
        known = self._published["orderBook10", symbol]
        action = Action.UPDATE if known else Action.INSERT
        known[symbol] = {}
        return [_frame("orderBook10", symbol, action, [row])]


def book_of_ten(symbol: str, rows: list[Row]) -> dict[str, object]:
    """Return the `orderBook10` row: best level first on both sides."""
    sells = [row for row in rows if row["side"] == "Sell"]
    buys = [row for row in rows if row["side"] == "Buy"]
    return {
        "symbol": symbol,
        "bids": [[row["price"], row["size"]] for row in buys[:_TEN]],
        "asks": [[row["price"], row["size"]] for row in reversed(sells[-_TEN:])],
        "timestamp": rows[0]["timestamp"] if rows else None,
    }


def _by_id(rows: list[Row]) -> dict[object, Row]:
    return {(row["id"], row["side"]): row for row in rows}


def _key_of(row: Row) -> Row:
    return {name: row[name] for name in ("symbol", "id", "side", "price", "timestamp", "transactTime")}


def _resized(row: Row) -> Row:
    return {name: row[name] for name in ("symbol", "id", "side", "size", "price", "timestamp", "transactTime")}


def _frame(table: str, symbol: str, action: Action, rows: list[Row] | list[dict[str, object]]) -> Frame:
    return Frame(table=table, action=action, account=None, symbol=symbol, rows=rows)
