"""What is true at the exchange: orders, sizes, prices, and since when. The promises read from here and nowhere else.

Why: a promise that is judged by what the guard believes holds by definition. This is kept from the exchange's own
changes, at the moment they happen.

Units: seconds of virtual time, prices `Decimal`, quantities contracts (signed where they are a position).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import inf
from typing import Final

from connectors.simulated.engine.changes import Change, Row
from connectors.simulated.engine.exchange import Exchange
from tests.simulation.promises.stop_rows import is_before_liquidation, is_resting_stop, protects

OURS: Final = "sw-"
SENTINELS: Final = (Decimal(0), Decimal(1_000_000), Decimal(100_000_000))
FINISHED: Final = frozenset({"Filled", "Canceled", "Rejected"})

Key = tuple[int, str]


def decimal_of(value: object) -> Decimal | None:
    """Return a cell as a number; None where it is empty."""
    return None if value is None or value == "" else Decimal(str(value))


def key_of(row: Row) -> Key:
    """Return whose row of which symbol this is."""
    return int(str(row["account"])), str(row["symbol"])


def is_ours(row: Row) -> bool:
    """Return whether an order carries the guard's prefix."""
    return str(row["clOrdID"]).startswith(OURS)


def adds_exposure(row: Row) -> bool:
    """Return whether an order of somebody else may open or grow a position."""
    words = str(row["execInst"]).split(",")
    return not is_ours(row) and "ReduceOnly" not in words and "Close" not in words


@dataclass(slots=True)
class Holding:
    """One position, and since when it is what it is."""

    quantity: int = 0
    since_s: float = 0.0
    """The last change of its size."""
    episode_s: float = 0.0
    """It was flat, or of the other side, before this."""
    opened_s: float = -inf
    """It was flat before this."""
    liquidation: Decimal | None = None
    mark: Decimal | None = None
    entry: Decimal | None = None
    is_cross: bool = True

    @property
    def can_be_liquidated(self) -> bool:
        """Whether there is a price at which the venue takes it."""
        return self.quantity != 0 and self.liquidation is not None and self.liquidation not in SENTINELS


@dataclass(slots=True)
class Book:
    """The exchange as it is now."""

    exchange: Exchange
    now_s: Callable[[], float]
    orders: dict[str, Row] = field(default_factory=dict)
    """Open orders of everybody, by the venue's id."""
    known: dict[str, Row] = field(default_factory=dict)
    """The last row of every order there ever was, by the venue's id."""
    placed_s: dict[str, float] = field(default_factory=dict)
    """When each order was first seen, by the venue's id."""
    holdings: dict[Key, Holding] = field(default_factory=dict)
    changed_s: float = 0.0
    """The last change of any order or execution."""
    foreign_s: dict[Key, float] = field(default_factory=dict)
    """The last change of an order or size that no request of a guard made, by position."""
    is_guards_doing: bool = False
    """The exchange is carrying out a request of a guard just now."""
    turn: int = 0
    """How often the exchange took an input: what can be read off it is the same until the next."""
    _read: dict[int, int] = field(default_factory=dict)
    """By account: the turn at which its positions were read last."""

    def size(self, key: Key) -> int:
        """Signed contracts."""
        held = self.holdings.get(key)
        return 0 if held is None else held.quantity

    def held(self) -> Iterator[tuple[Key, Holding]]:
        """Yield the open positions."""
        return ((key, held) for key, held in self.holdings.items() if held.quantity)

    def holding(self, key: Key) -> Holding:
        """Return the position of a key, a flat one if it is new."""
        return self.holdings.setdefault(key, Holding())

    # ------------------------------------------------------------ changes

    def take(self, changes: Sequence[Change]) -> None:
        """Follow what just changed at the exchange; it says so after every input, also of no change at all."""
        self.turn += 1
        for change in changes:
            match change.table:
                case "order":
                    self.changed_s = self.now_s()
                    self._take_order(change.row)
                case "execution":
                    self.changed_s = self.now_s()
                    self._take_execution(change.row)
                case "position":
                    self._take_position(change.row, is_refresh=change.is_refresh)
                case _:
                    pass

    def _take_order(self, row: Row) -> None:
        order_id = str(row["orderID"])
        self._note_foreign(key_of(row))
        self.known[order_id] = row
        self.placed_s.setdefault(order_id, self.now_s())
        if row["ordStatus"] in FINISHED:
            self.orders.pop(order_id, None)
        else:
            self.orders[order_id] = row

    def _take_execution(self, row: Row) -> None:
        traded = traded_by(row)
        if traded:
            key = key_of(row)
            self._resize(key, self.size(key) + traded)

    def _take_position(self, row: Row, *, is_refresh: bool) -> None:
        held = self.holding(key_of(row))
        if not is_refresh:
            self._resize(key_of(row), int(str(row["currentQty"] or 0)))
        held.liquidation, held.mark = decimal_of(row["liquidationPrice"]), decimal_of(row["markPrice"])
        held.entry, held.is_cross = decimal_of(row["avgEntryPrice"]), bool(row["crossMargin"])

    def _resize(self, key: Key, after: int) -> None:
        held = self.holding(key)
        before = held.quantity
        if before == after:
            return
        held.quantity, held.since_s = after, self.now_s()
        self._note_foreign(key)
        if before * after <= 0:
            held.episode_s = self.now_s()
        if not before:
            held.opened_s = self.now_s()

    def _note_foreign(self, key: Key) -> None:
        if not self.is_guards_doing:
            self.foreign_s[key] = self.now_s()

    def read_positions(self, account: int) -> None:
        """Read every position off the exchange, if it took an input: prices move them without a row being told."""
        if self._read.get(account) == self.turn:
            return
        self._read[account] = self.turn
        for row in self.exchange.position_rows(account):
            self._take_position(row, is_refresh=False)

    # ------------------------------------------------------------ stops

    def of(self, key: Key) -> Iterator[Row]:
        """Yield the open orders of one account and symbol."""
        return (row for row in self.orders.values() if (row["account"], row["symbol"]) == key)

    def our_stops(self, key: Key) -> list[Row]:
        """Our resting stops of one position."""
        return [row for row in self.of(key) if is_ours(row) and is_resting_stop(row)]

    def covers(self, key: Key, quantity: int, liquidation: Decimal | None, without: str = "") -> bool:
        """Return whether resting stops protect all of a position, but for the order named."""
        together = 0
        for row in self.of(key):
            if row["orderID"] == without or not protects(row, quantity):
                continue
            if liquidation is not None and not is_before_liquidation(row, quantity, liquidation):
                continue
            if not row["orderQty"] or "Close" in str(row["execInst"]):
                return True
            together += int(str(row["orderQty"]))
        return together >= abs(quantity)

    def is_covered(self, key: Key, held: Holding) -> bool:
        """Return whether a position has what P2 asks for as to quantity, side, trigger and liquidation."""
        return self.covers(key, held.quantity, held.liquidation)

    def stops_text(self, key: Key) -> str:
        """What of ours rests, for people."""
        stops = [f"{row['clOrdID']}: {row['side']} {row['orderQty']} at {row['stopPx']}" for row in self.our_stops(key)]
        return f"resting: {stops}"


def traded_by(row: Row) -> int:
    """Return the signed contracts that an execution moved; 0 where it is no trade."""
    if row["execType"] not in {"Trade", "Liquidation"} or not row["lastQty"]:
        return 0
    return int(str(row["lastQty"])) * (1 if row["side"] == "Buy" else -1)
