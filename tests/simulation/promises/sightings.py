"""What an event tells of orders, and what a client order id is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from connectors.vocabulary import Order
from daemon.core.events import Event, OrderSeen, OrdersFound, OrdersListed, PictureRead


@dataclass(slots=True)
class Unknown:
    """A placement nobody knows the end of."""

    client_order_id: str
    since_ns: int


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
    """Return what an id says but its number: account, symbol, side and purpose."""
    return client_order_id.rstrip("0123456789")


def orders_of(event: Event) -> Sequence[Order]:
    """Return the orders that an event tells of."""
    match event:
        case OrderSeen(order=order):
            return (order,)
        case OrdersListed(orders=orders) | OrdersFound(orders=orders):
            return orders
        case PictureRead(open_orders=opened, recent_orders=recent):
            return (*opened, *recent)
        case _:
            return ()
