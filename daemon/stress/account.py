"""The account that is put under stress, and what the walk through the moves found.

Units: money in minor units of the settlement currency, prices in the quote currency, moves as fractions of today's
mark (-0.1 = ten percent down).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from connectors.vocabulary import Order, Position
from daemon.core.margin.what_if import AccountRows


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """Everything that takes part."""

    rows: AccountRows
    """Its marks are today's: moves are counted from them."""
    orders: tuple[Order, ...]
    source: str
    """Where it is from, for people."""
    notes: tuple[str, ...] = ()
    """What was assumed while it was read."""


class Happening(Enum):
    """What can happen on the way."""

    STOP = "stop"
    TAKE_PROFIT = "take_profit"
    LIQUIDATION = "liquidation"
    ACCOUNT_FAILURE = "account_failure"


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One thing that happens to one position."""

    kind: Happening
    move: Decimal
    """Where on the way, counted from today's mark."""
    symbol: str
    currency: str
    mark: Decimal
    """Mark price of the symbol then."""
    price: Decimal | None
    """Fill of a stop, bankruptcy price of a liquidation; None where the whole margin went without one."""
    contracts: int
    """Signed as the position was; what went of it."""
    left: int
    """What is left of the position, signed."""
    result_sat: int
    """Realised, fees included; below zero a loss."""
    order_id: str = ""
    client_order_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """The account at one move, after everything that happened on the way to it."""

    move: Decimal
    equity: Mapping[str, int]
    """Margin balance by settlement currency: wallet and unrealised results."""
    available: Mapping[str, int]
    positions: Mapping[str, Position]
    """Still open, by symbol."""
    is_after_event: bool = False
    """Not a step of the grid, but the moment just before or after something happened."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Walk:
    """One direction: from today's marks outward."""

    points: tuple[Point, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stress:
    """Both directions, and the same with no order resting."""

    account: Account
    down: Walk
    up: Walk
    bare_down: Walk
    """As `down`, with all orders taken away."""
    bare_up: Walk
    moving: tuple[str, ...]
    """Symbols whose marks move."""
    unknown: tuple[str, ...]
    """Symbols of which nobody can say where they are liquidated: what is silent about them is no all-clear (P12)."""
    notes: tuple[str, ...]

    @property
    def points(self) -> tuple[Point, ...]:
        """All points from the largest fall to the largest rise; today's stands once."""
        return (*reversed(self.down.points[1:]), *self.up.points)

    @property
    def bare_points(self) -> tuple[Point, ...]:
        """The same with no order resting."""
        return (*reversed(self.bare_down.points[1:]), *self.bare_up.points)
