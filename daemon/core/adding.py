"""Which orders may add exposure."""

from __future__ import annotations

from connectors.vocabulary import Order, OrderKind, OrderStatus


def may_add_exposure(order: Order) -> bool:
    """Whether an open order could grow a position: anything that is not reduce-only.

    A market order that the venue has taken in never rests: by the time it is heard of it has done what it will do. To
    arm the dead man's switch for it would leave a countdown over the stops if the stream broke at that moment.
    """
    if order.kind is OrderKind.MARKET and order.status is not OrderStatus.PENDING:
        return False
    return not order.is_reduce_only and not order.is_close
