"""Trailing stops: trigger prices that follow the market at a distance and never go back.

Why: bots leave them on the same account, where they count as stop orders, take part in the dead
man's switch and shrink the position a guard watches; their `stopPx` moves without any request.

A negative offset trails upward (sell stops, buy-if-touched), a positive one downward. The venue
moves the trigger at most once a second, and only when its reference moved by more than 0.1 %.

Units: prices and offsets in quote currency, times in protocol ms.
Source: `pegPriceType` of `POST /order` in www.bitmex.com/api/explorer.
"""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine.contracts import Contract
from connectors.simulated.engine.inputs import PlaceOrder
from connectors.simulated.engine.ledger import Account
from connectors.simulated.engine.order_rows import order_row
from connectors.simulated.engine.orders import TRAILING_STOP, Order, OrdType, Side, watched_price
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.world import World

SHORTEST_PAUSE_MS = 1_000
SMALLEST_MOVE = Decimal("0.001")  # of the reference price
_BAD_OFFSET = "Invalid pegOffsetValue for pegPriceType"


def offset_of(request: PlaceOrder, ord_type: OrdType, side: Side, contract: Contract) -> Decimal | None:
    """Return the offset of a trailing order, None for an order that does not trail.

    Raises:
        Refused: If the peg is of another kind, or type, sign or tick of the offset do not fit.
    """
    if request.peg_price_type is None and request.peg_offset_value is None:
        return None
    if request.peg_price_type not in (None, TRAILING_STOP):
        raise Refused("Unsupported pegPriceType")
    if request.peg_price_type is None or request.peg_offset_value is None:
        raise Refused(_BAD_OFFSET)
    if not ord_type.waits:
        raise Refused("Invalid pegPriceType for ordType")
    return checked_offset(request.peg_offset_value, ord_type, side, contract)


def checked_offset(offset: Decimal, ord_type: OrdType, side: Side, contract: Contract) -> Decimal:
    """Return the offset on the tick grid.

    Raises:
        Refused: If it points past the reference price, or lies off the grid.
    """
    trails_upward = (side is Side.SELL) is not ord_type.is_touch
    if not offset.is_finite() or not offset or (offset < 0) is not trails_upward:
        raise Refused(_BAD_OFFSET)
    snapped = contract.snapped(offset)
    if snapped is None:
        raise Refused("Invalid pegOffsetValue tickSize")
    return snapped


def start(world: World, order: Order) -> None:
    """Set the trigger of a trailing order from the price now; leave other orders alone.

    Raises:
        Refused: If the offset is larger than the price.
    """
    if order.peg_offset is None:
        return
    reference = _reference(world, order)
    if reference + order.peg_offset <= 0:
        raise Refused(_BAD_OFFSET)
    _aim(order, reference, order.peg_offset, at_ms=world.at_ms)


def follow(world: World, account: Account, symbol: str) -> None:
    """Move the account's trailing triggers in one contract after the market."""
    for order in account.open_orders.get(symbol, {}).values():
        if order.peg_offset is not None and order.is_waiting and _may_move(world, order, order.peg_offset):
            _aim(order, _reference(world, order), order.peg_offset, at_ms=world.at_ms)
            order.changed_ms = world.at_ms
            world.emit("order", account.number, order_row(order))


def _may_move(world: World, order: Order, offset: Decimal) -> bool:
    if world.at_ms - order.aimed_ms < SHORTEST_PAUSE_MS:
        return False
    move = _reference(world, order) - order.aimed_at
    is_forward = move > 0 if offset < 0 else move < 0
    return is_forward and abs(move) > order.aimed_at * SMALLEST_MOVE


def _aim(order: Order, reference: Decimal, offset: Decimal, *, at_ms: int) -> None:
    order.stop_px = order.contract.on_tick(reference + offset, up=offset > 0)
    order.aimed_at, order.aimed_ms = reference, at_ms


def _reference(world: World, order: Order) -> Decimal:
    market = world.markets[order.contract.symbol]
    return watched_price(order.instructions.trigger, mark=market.mark, last=market.last, index=market.index)
