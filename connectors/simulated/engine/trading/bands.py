"""How far from the market an order may be priced or trade.

Why: the venue guards against slips of a finger. Since 16 February 2021 a market order goes no further
than 5 % beyond the better of touch and mark, and a limit order priced further than that is refused when it wants
more than the touch holds. The rule speaks of orders as they are entered, so a stop limit that fires is not asked again.
Contracts with price limits take no order beyond them.

Units: prices in quote currency. Source: www.bitmex.com/app/tradingRules, Fat Finger Protection; it does not
say how the refusal reads.
"""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine.markets.liquidity import best, is_at_least_as_good
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.resting.orders import Order, Side
from connectors.simulated.engine.world import World

REACH = Decimal("0.05")
TOO_FAR = "Invalid price"


def impact_price(world: World, symbol: str, taker: Side) -> Decimal | None:
    """Return the worst price a market order may trade at, None while nothing bounds it."""
    if not world.switches.fat_finger_protection:
        return None
    market = world.markets[symbol]
    touch = best(market, taker)
    prices = (market.mark,) if touch is None else (market.mark, touch.price)
    if taker is Side.BUY:
        return max(prices) * (1 + REACH)
    return min(prices) * (1 - REACH)


def check_price(world: World, order: Order) -> None:
    """Refuse an order that is priced too far from the market.

    Raises:
        Refused: If it is beyond a price limit, or a limit order looks like a slip of a finger.
    """
    if order.price is None:
        return
    market = world.markets[order.contract.symbol]
    if market.limit_up is not None and order.price > market.limit_up:
        raise Refused("Price greater than limitUpPrice")
    if market.limit_down is not None and order.price < market.limit_down:
        raise Refused("Price less than limitDownPrice")
    if not order.ord_type.waits and _is_slip(world, order, order.price):
        raise Refused(TOO_FAR)


def _is_slip(world: World, order: Order, price: Decimal) -> bool:
    market = world.markets[order.contract.symbol]
    if is_at_least_as_good(price, market.mark, order.side):
        return False  # the usual case, and cheap to tell
    bound = impact_price(world, order.contract.symbol, order.side)
    if bound is None or is_at_least_as_good(price, bound, order.side):
        return False
    touch = best(market, order.side)
    return order.leaves > (0 if touch is None else touch.quantity)
