"""Publication: who has subscribed to what, and the frames and partials they get.

Why: one place turns the engine's changes into frames of every topic (tables, trade bins, books)
and hands each frame to the sessions; a session decides whether it wants it.

Units: as in the rows. Source: www.bitmex.com/app/wsAPI.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from connectors.simulated.engine.changes import Cell, Change, Row
from connectors.simulated.engine.exchange import Exchange
from connectors.simulated.server.bins import TradeBins
from connectors.simulated.server.book import LEVELS, BookFeed
from connectors.simulated.server.settings import RowStyle
from connectors.simulated.server.symbols import GROUPS, in_group, is_index
from connectors.simulated.server.tables import Table
from connectors.simulated.server.wire import Frame, Mirror, partial_text, styled

_SPEAKS_FOR_BOOK = frozenset({"quote", "trade"})


class Listener(Protocol):
    """One real-time session, as the hub sees it."""

    def offer(self, frame: Frame) -> None:
        """Take the frame if it is wanted."""

    def follows(self, table: str, symbol: str) -> bool:
        """Return whether the session reads this symbol of this table."""

    def backlog(self) -> int:
        """Return the bytes the client has not taken yet."""

    def give_up(self) -> None:
        """Drop the client: it is too slow."""

    def hang_up(self, address: str) -> None:
        """Close the session if it comes from this address."""


class Hub:
    """The published state of all tables and everyone who reads it."""

    def __init__(self, exchange: Exchange, style: RowStyle) -> None:
        self._exchange = exchange
        self._style = style
        self._mirror = Mirror(style)
        self._books = BookFeed(exchange.book_rows)
        self._listeners: list[Listener] = []
        self.bins = TradeBins()

    def add(self, listener: Listener) -> None:
        """Start to hand frames to a session."""
        self._listeners.append(listener)

    def remove(self, listener: Listener) -> None:
        """Stop; the books nobody else reads are no longer followed."""
        self._listeners.remove(listener)
        self.settle_books()

    def settle_books(self) -> None:
        """Forget books without readers (after an unsubscribe, too)."""
        self._books.forget_unfollowed(
            lambda table, symbol: any(listener.follows(table, symbol) for listener in self._listeners)
        )

    def hang_up(self, address: str) -> None:
        """Close every session from this address."""
        for listener in tuple(self._listeners):
            listener.hang_up(address)

    def backlog(self) -> int:
        """Return how far behind the slowest client is, in bytes."""
        return max((listener.backlog() for listener in self._listeners), default=0)

    def give_up_beyond(self, backlog: int) -> None:
        """Drop the clients that are further behind than this."""
        for listener in tuple(self._listeners):
            if listener.backlog() > backlog:
                listener.give_up()

    def listener_count(self) -> int:
        """Return the number of open sessions."""
        return len(self._listeners)

    def publish(self, changes: Sequence[Change]) -> None:
        """Hand the changes on, in order, then the books they moved."""
        closed = [done for change in changes if change.table == "trade" for done in self.bins.take(change)]
        frames = self._mirror.frames([*changes, *closed])
        named = {str(change.row["symbol"]) for change in changes if change.table in _SPEAKS_FOR_BOOK}
        moved = {symbol for symbol in named if not is_index(symbol)}
        for frame in (*frames, *self._books.frames(moved)):
            for listener in tuple(self._listeners):
                listener.offer(frame)

    def partial(self, table: Table, *, account: int | None, symbol: str | None) -> str:
        """Return the partial of one subscription.

        Args:
            table: The table.
            account: Reader's account for private tables, else None.
            symbol: Filter of the subscription: an instrument, a group, or None for all.
        """
        condition: dict[str, Cell] = {} if account is None else {"account": account}
        if symbol is not None and symbol not in GROUPS:
            condition["symbol"] = symbol
        rows = self._image(table, account, lambda name: _covers(symbol, name))
        return partial_text(table, rows, condition)

    def _image(self, table: Table, account: int | None, covers: Callable[[str], bool]) -> list[object]:
        if table.name in LEVELS:
            return [row for symbol in self._contracts(covers) for row in self._books.image(table.name, symbol)]
        return [styled(row, self._style) for row in self._rows(table, account, covers)]

    def _rows(self, table: Table, account: int | None, covers: Callable[[str], bool]) -> list[Row]:
        match table.name:
            case "trade":
                return [row for symbol in self._symbols(covers) for row in self._exchange.trade_rows(symbol)[-1:]]
            case "quote":
                return [row for symbol in self._contracts(covers) for row in self._exchange.quote_rows(symbol)[-1:]]
            case "funding":
                return _latest(row for row in self._exchange.funding_rows() if covers(str(row["symbol"])))
            case "insurance":
                return self._exchange.insurance_rows()
            case "connected":
                return [{"users": self.listener_count(), "bots": self.listener_count()}]
            case _:
                rows = self._mirror.rows(table.name, account)
                return [row for row in rows if "symbol" not in row or covers(str(row["symbol"]))]

    def _symbols(self, covers: Callable[[str], bool]) -> list[str]:
        symbols = (str(row["symbol"]) for row in self._exchange.instrument_rows())
        return [symbol for symbol in symbols if covers(symbol)]

    def _contracts(self, covers: Callable[[str], bool]) -> list[str]:
        return [symbol for symbol in self._symbols(covers) if not is_index(symbol)]


def _covers(wanted: str | None, symbol: str) -> bool:
    if wanted is None or wanted == symbol:
        return True
    return wanted in GROUPS and in_group(symbol, wanted)


def _latest(rows: Iterable[Row]) -> list[Row]:
    """Return the last row of each symbol."""
    return list({row["symbol"]: row for row in rows}.values())
