"""What the promises remember of one guard: what it was told and asked for, and how to read that off events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import inf

from connectors.vocabulary import Order
from daemon.core.commands import Command
from daemon.core.events import Event, HealthTicked, OrderSeen, OrdersFound, OrdersListed, PictureRead


@dataclass(slots=True)
class Unknown:
    """A placement nobody knows the end of."""

    client_order_id: str
    since_ns: int


@dataclass(slots=True)
class Seen:
    """What one guard was told and asked for."""

    commands: dict[int, Command] = field(default_factory=dict)
    unknown: dict[str, Unknown] = field(default_factory=dict)
    """By series: what the id says but its number."""
    sighted: set[str] = field(default_factory=set)
    """Client order ids seen since they were last sent: an answer that is missing then says nothing new."""
    tightest: dict[str, Decimal] = field(default_factory=dict)
    loosened: dict[str, Decimal] = field(default_factory=dict)
    """P3: how far an operator let a stop go back."""
    health: HealthTicked | None = None
    fed_s: float = 0.0
    unfed_s: float = inf
    """P6: after this long without a feed, half of the time-out, it may clear; infinity in other modes than `auto`."""
    latches: dict[str, str] = field(default_factory=dict)
    """What people were told that holds: the name and "freeze" or "flatten"."""
    second: int = 0
    asked: int = 0
    """Commands for the exchange within that second."""


def is_correction(path: str, body: dict[str, object]) -> bool:
    """Margin to a position, a leverage above cross, isolation: their effect is judged where they arrive."""
    match path.rpartition("/")[2]:
        case "transferMargin":
            return int(str(body["amount"])) > 0
        case "leverage":
            return Decimal(str(body["leverage"])) > 0
        case "isolate":
            return body["enabled"] is True
        case _:
            return False


def series(client_order_id: str) -> str:
    return client_order_id.rstrip("0123456789")


def orders_of(event: Event) -> Sequence[Order]:
    match event:
        case OrderSeen(order=order):
            return (order,)
        case OrdersListed(orders=orders) | OrdersFound(orders=orders):
            return orders
        case PictureRead(open_orders=opened, recent_orders=recent):
            return (*opened, *recent)
        case _:
            return ()
