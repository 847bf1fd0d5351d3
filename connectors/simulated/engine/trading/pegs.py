"""Pegs: limit prices set by the touch, and trigger prices that trail the market.

Why: bots leave trailing stops on the same account, where they count as stop orders, take part in the
dead man's switch and shrink the position a guard watches; their `stopPx` moves without any request.

A Pegged order gets its limit once, when it is placed: the best price of its own side (PrimaryPeg) or of
the other (MarketPeg) and an offset.

A negative trailing offset trails upward (sell stops, buy-if-touched), a positive one downward. The venue
moves the trigger at most once a second, and only when its reference moved by more than 0.1 %.

Units: prices and offsets in quote currency, times in protocol ms.
Source: `pegPriceType` of `POST /order` in www.bitmex.com/api/explorer; blog.bitmex.com of 2019-12 on what was
given up (LastPeg, MidPricePeg).
"""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine.contracts import Contract
from connectors.simulated.engine.inputs import PlaceOrder
from connectors.simulated.engine.markets.liquidity import best
from connectors.simulated.engine.markets.market import Market
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.resting.orders import Order, OrdType, Peg, Side, watched_price
from connectors.simulated.engine.tables.order_rows import order_row
from connectors.simulated.engine.world import World

SHORTEST_PAUSE_MS = 1_000
SMALLEST_MOVE = Decimal("0.001")  # of the reference price
_PEGS = {peg.value: peg for peg in Peg}
_BAD_OFFSET = "Invalid pegOffsetValue for pegPriceType"


def peg_of(request: PlaceOrder, ord_type: OrdType) -> Peg | None:
    """Return the peg of an order, None for most.

    Raises:
        Refused: If it is of no known kind, does not fit the type, or has no offset, or an offset has no peg.
    """
    if request.peg_price_type is None:
        if request.peg_offset_value is not None:
            raise Refused(_BAD_OFFSET)
        if ord_type is OrdType.PEGGED:
            raise Refused("Invalid pegPriceType for ordType")
        return None
    peg = _PEGS.get(request.peg_price_type)
    if peg is None:
        raise Refused("Unsupported pegPriceType")
    if ord_type.waits is not (peg is Peg.TRAILING_STOP) or ord_type in (OrdType.MARKET, OrdType.LIMIT):
        raise Refused("Invalid pegPriceType for ordType")
    if request.peg_offset_value is None:
        raise Refused(_BAD_OFFSET)
    return peg


def offset_of(
    peg: Peg | None, offset: Decimal | None, ord_type: OrdType, side: Side, contract: Contract
) -> Decimal | None:
    """Return the offset of a peg on the tick grid, None without one.

    Raises:
        Refused: If a trailing one points past the reference price, or it lies off the grid.
    """
    if peg is None or offset is None:
        return None
    if peg is Peg.TRAILING_STOP:
        return checked_offset(offset, ord_type, side, contract)
    return _on_grid(offset, contract)


def checked_offset(offset: Decimal, ord_type: OrdType, side: Side, contract: Contract) -> Decimal:
    """Return the offset on the tick grid.

    Raises:
        Refused: If it points past the reference price, or lies off the grid.
    """
    trails_upward = (side is Side.SELL) is not ord_type.is_touch
    if not offset.is_finite() or not offset or (offset < 0) is not trails_upward:
        raise Refused(_BAD_OFFSET)
    return _on_grid(offset, contract)


def _on_grid(offset: Decimal, contract: Contract) -> Decimal:
    if not offset.is_finite():
        raise Refused(_BAD_OFFSET)
    snapped = contract.snapped(offset)
    if snapped is None:
        raise Refused("Invalid pegOffsetValue tickSize")
    return snapped


def start(world: World, order: Order) -> None:
    """Set the limit of a pegged order or the trigger of a trailing one from the market now.

    Raises:
        Refused: If that is no price.
    """
    if order.peg is None or order.peg_offset is None:
        return
    if order.peg is Peg.TRAILING_STOP:
        reference = _reference(world, order)
        if reference + order.peg_offset <= 0:
            raise Refused(_BAD_OFFSET)
        _aim(order, reference, order.peg_offset, at_ms=world.at_ms)
        return
    taker = order.side.other if order.peg is Peg.PRIMARY else order.side
    touch = best(world.markets[order.contract.symbol], taker)
    if touch is None or not 0 < touch.price + order.peg_offset <= order.contract.max_price:
        raise Refused("Invalid price")
    order.price = touch.price + order.peg_offset


def follow(world: World, market: Market) -> None:
    """Move the trailing triggers of one market after its prices."""
    for order in market.waiting.values():
        if order.peg_offset is not None and _may_move(world, order, order.peg_offset):
            _aim(order, _reference(world, order), order.peg_offset, at_ms=world.at_ms)
            order.changed_ms = world.at_ms
            world.emit("order", order.account, order_row(order))


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
