"""`/order/bulk`: many orders or amendments in one request, each for itself.

Why: it has gone from the venue's description, and clients of its time call it still; where it is switched
on, an order that is refused is a row that says so, and the others stand.

Source: older copies of www.bitmex.com/api/explorer; one list costs one request here.
"""

from __future__ import annotations

from collections.abc import Callable

from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.params import Params
from connectors.simulated.server.rest.call import Answer, Call
from connectors.simulated.server.rest.orders import amend_order, place_order

_MOST_ORDERS = 100


def place_orders(call: Call) -> Answer:
    """`POST /order/bulk`."""
    return _each(call, place_order)


def amend_orders(call: Call) -> Answer:
    """`PUT /order/bulk`."""
    return _each(call, amend_order)


def _each(call: Call, handler: Callable[[Call], Answer]) -> Answer:
    wanted = call.params.objects("orders")
    if not 0 < len(wanted) <= _MOST_ORDERS:
        raise Refused("orders is invalid")
    return [_answered(call, handler, fields) for fields in wanted]


def _answered(call: Call, handler: Callable[[Call], Answer], fields: dict[str, object]) -> Answer:
    try:
        return handler(Call(venue=call.venue, key=call.key, params=Params(fields)))
    except Refused as refusal:
        named = {name: fields[name] for name in ("orderID", "clOrdID", "symbol") if isinstance(fields.get(name), str)}
        return {
            "orderID": None,
            **named,
            "ordStatus": "Rejected",
            "ordRejReason": refusal.message,
            "error": refusal.message,
        }
