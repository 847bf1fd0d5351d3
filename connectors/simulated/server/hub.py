"""Publication: who has subscribed to what, and the frames and partials they get.

Why: one place turns the engine's changes into frames of every topic (tables, bins, books). Who
reads a frame is looked up, not asked of every session; the answer is kept until somebody subscribes
or leaves.

Units: as in the rows. Source: www.bitmex.com/app/wsAPI.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from connectors.simulated.engine.changes import Change, Row
from connectors.simulated.engine.exchange import Exchange
from connectors.simulated.server.bins import Bin, Bins
from connectors.simulated.server.book import LEVELS, BookFeed
from connectors.simulated.server.images import Images
from connectors.simulated.server.messages import Interference, Message, Target
from connectors.simulated.server.pace import Pace
from connectors.simulated.server.settings import PositionKeys, RowStyle
from connectors.simulated.server.symbols import GROUPS, in_group, is_index
from connectors.simulated.server.tables import POSITION, TABLES, Table
from connectors.simulated.server.topics import Subscription
from connectors.simulated.server.wire import Frame, Mirror, PublishedRows, partial_message, shaped

_BINNED = frozenset({"quote", "trade"})
_SPEAKS_FOR_BOOK = frozenset({"quote", "trade", "order"})  # orders rest in the book, amended and cancelled ones too


class Reader(Target, Protocol):
    """A session as the hub sees it."""

    def send(self, message: Message) -> None:
        """Say this to the client."""


class Connection(Protocol):
    """An open socket as the hub sees it."""

    def readers(self) -> Iterable[Reader]:
        """Return its sessions: one, or the streams of a multiplexed one."""

    def backlog(self) -> int:
        """Return the bytes the client has not taken yet."""

    def give_up(self) -> None:
        """Drop the client: it is too slow."""

    def leave(self, address: str) -> None:
        """Close if it comes from this address."""


@dataclass(kw_only=True, slots=True)
class Published:
    """What the world has been told, as far as what it is told next depends on it.

    Attributes:
        rows: Each keyed row as last published.
        bins: By symbol and size, the forming one last.
    """

    rows: PublishedRows = field(default_factory=dict)
    bins: dict[tuple[str, str], deque[Bin]] = field(default_factory=dict)


class Hub:
    """The published state of all tables and everyone who reads it.

    Attributes:
        published: What a restart must not lose of it.
        bins: Trades and quotes by minute, hour and day.
        images: When partials are ready.
        interference: What goes wrong between sessions and clients; None for nothing.
    """

    def __init__(
        self,
        exchange: Exchange,
        style: RowStyle,
        *,
        position_keys: PositionKeys = PositionKeys.STRATEGY,
        image_period_ms: int = 0,
        instrument_period_ms: int = 0,
    ) -> None:
        self._exchange = exchange
        self._style = style
        self._tables = _tables_with(position_keys)
        self.restore(Published())
        self._books = BookFeed(exchange.book_rows)
        self._connections: list[Connection] = []
        self._readers: dict[Subscription, dict[int, Reader]] = {}
        self._audiences: dict[tuple[str, int | None, str | None], tuple[Reader, ...]] = {}
        self._numbers = 0
        self._pace = Pace(instrument_period_ms)
        self.images = Images(image_period_ms)
        self.interference: Interference | None = None

    def restore(self, published: Published) -> None:
        """Go on from what was published before; for a hub that nobody reads yet."""
        self.published = published
        self._mirror = Mirror(self._style, self._tables, published.rows)
        self.bins = Bins(published.bins)

    def add(self, connection: Connection) -> None:
        """Count a new connection in."""
        self._connections.append(connection)
        self._tell_connected()

    def remove(self, connection: Connection) -> None:
        """Forget a connection and all that its sessions read."""
        self._connections.remove(connection)
        for reader in connection.readers():
            self.forget(reader)
        self._tell_connected()

    def next_number(self) -> int:
        """Return the number of a new session, counted from 1."""
        self._numbers += 1
        return self._numbers

    def sessions(self) -> tuple[Reader, ...]:
        """Return all open sessions."""
        return tuple(reader for connection in self._connections for reader in connection.readers())

    def subscribe(self, reader: Reader, subscription: Subscription) -> None:
        """Hand the frames of this subscription to a session from now on."""
        self._readers.setdefault(subscription, {})[reader.number] = reader
        self._audiences.clear()

    def unsubscribe(self, reader: Reader, subscription: Subscription) -> None:
        """Stop that; books nobody reads any more are no longer followed."""
        if self._drop(reader, subscription):
            self._settle()

    def forget(self, reader: Reader) -> None:
        """Stop to hand anything to a session."""
        if [subscription for subscription in tuple(self._readers) if self._drop(reader, subscription)]:
            self._settle()

    def expire_key(self, key_id: str) -> None:
        """End what was subscribed to with a key that is no longer good."""
        for reader in self.sessions():
            if reader.key_id == key_id:
                reader.expire()

    def hang_up(self, address: str) -> None:
        """Close every connection from this address."""
        for connection in tuple(self._connections):
            connection.leave(address)

    def backlog(self) -> int:
        """Return how far behind the slowest client is, in bytes."""
        return max((connection.backlog() for connection in self._connections), default=0)

    def give_up_beyond(self, backlog: int) -> None:
        """Drop the clients that are further behind than this."""
        for connection in tuple(self._connections):
            if connection.backlog() > backlog:
                connection.give_up()

    def listener_count(self) -> int:
        """Return the number of open connections."""
        return len(self._connections)

    def publish(self, changes: Sequence[Change]) -> None:
        """Hand the changes on, in order, then the books they moved."""
        changes = self._pace.due(changes)
        closed = [done for change in changes if change.table in _BINNED for done in self.bins.take(change)]
        named = {str(change.row["symbol"]) for change in changes if change.table in _SPEAKS_FOR_BOOK}
        moved = {symbol for symbol in named if not is_index(symbol)}
        for frame in (*self._mirror.frames([*changes, *closed]), *self._books.frames(moved)):
            self._hand_out(frame)

    def partial(self, subscription: Subscription) -> Message:
        """Return the partial of one subscription."""
        table, symbol = self._tables[subscription.table], subscription.symbol
        return partial_message(
            table,
            self._image(table, subscription.account, lambda name: _covers(symbol, name)),
            account=subscription.account,
            symbol=None if symbol in GROUPS else symbol,
            style=self._style,
        )

    def _hand_out(self, frame: Frame) -> None:
        audience = self._audience(frame.table, frame.account, frame.symbol)
        if audience:
            message = frame.message()
            for reader in audience:
                reader.send(message)

    def _audience(self, table: str, account: int | None, symbol: str | None) -> tuple[Reader, ...]:
        """Return who reads such a frame; a session once, however many of its subscriptions say so."""
        key = (table, account, symbol)
        audience = self._audiences.get(key)
        if audience is None:
            groups = () if symbol is None else tuple(group for group in GROUPS if in_group(symbol, group))
            wanted = (Subscription(table=table, account=account, symbol=one) for one in {None, symbol, *groups})
            found = {number: reader for one in wanted for number, reader in self._readers.get(one, {}).items()}
            audience = self._audiences[key] = tuple(found.values())
        return audience

    def _drop(self, reader: Reader, subscription: Subscription) -> bool:
        known = self._readers.get(subscription, {})
        if known.pop(reader.number, None) is None:
            return False
        if not known:
            del self._readers[subscription]
        return True

    def _settle(self) -> None:
        self._audiences.clear()
        self._books.forget_unfollowed(lambda table, symbol: bool(self._audience(table, None, symbol)))

    def _tell_connected(self) -> None:
        self.publish([Change(table="connected", account=None, row=self._connected())])

    def _connected(self) -> Row:
        return {"users": self.listener_count(), "bots": self.listener_count()}

    def _image(self, table: Table, account: int | None, covers: Callable[[str], bool]) -> list[object]:
        if table.name in LEVELS:
            return [row for symbol in self._contracts(covers) for row in self._books.image(table.name, symbol)]
        return [shaped(row, table, self._style) for row in self._rows(table, account, covers)]

    def _rows(self, table: Table, account: int | None, covers: Callable[[str], bool]) -> list[Row]:
        """Return the rows of a partial: the latest of what only ever grows, all of the rest."""
        exchange = self._exchange
        match table.name:
            case "trade":
                rows = [row for symbol in self._symbols(covers) for row in exchange.trade_rows(symbol)[-1:]]
            case "quote":
                rows = [row for symbol in self._contracts(covers) for row in exchange.quote_rows(symbol)[-1:]]
            case "funding":
                rows = list({row["symbol"]: row for row in exchange.funding_rows()}.values())
            case "insurance":
                rows = exchange.insurance_rows()
            case "connected":
                rows = [self._connected()]
            case name if name.startswith(("tradeBin", "quoteBin")):
                rows = self.bins.latest(name)
            case name:
                rows = self._mirror.rows(name, account)
        return [row for row in rows if "symbol" not in row or covers(str(row["symbol"]))]

    def _symbols(self, covers: Callable[[str], bool]) -> list[str]:
        return [symbol for symbol in self._exchange.symbols() if covers(symbol)]

    def _contracts(self, covers: Callable[[str], bool]) -> list[str]:
        return [symbol for symbol in self._symbols(covers) if not is_index(symbol)]


def _tables_with(keys: PositionKeys) -> Mapping[str, Table]:
    if keys is PositionKeys.STRATEGY:
        return TABLES
    return {**TABLES, "position": replace(POSITION, keys=("account", "symbol"))}


def _covers(wanted: str | None, symbol: str) -> bool:
    if wanted is None or wanted == symbol:
        return True
    return wanted in GROUPS and in_group(symbol, wanted)
