"""Whether an account can pay for an order, and survive it.

Why: a bot that asks for more than its margin is refused by the venue, with a text that names the
missing amount; orders that only shrink a position always pass.

Units: money in minor units. Source: www.bitmex.com/app/restAPIMessages; requirement of open
orders as on `position` rows.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from decimal import Decimal

from connectors.simulated.engine.equity.account_rows import ACCOUNT_RISK_LIMIT
from connectors.simulated.engine.equity.standing import Standing, boundaries, is_reached, order_margin, standing
from connectors.simulated.engine.holdings.ledger import Account, Position
from connectors.simulated.engine.holdings.order_load import changed_load
from connectors.simulated.engine.refusals import Refused, insufficient_balance
from connectors.simulated.engine.resting.orders import Order, Side
from connectors.simulated.engine.trading import matching
from connectors.simulated.engine.world import World

AT_ONCE = "Executing at order price would lead to immediate liquidation"
BELOW = "Order price is below the liquidation price of current long position"
ABOVE = "Order price is above the liquidation price of current short position"
ACCOUNT_LIMIT = "Value of positions and orders exceeds account Risk Limit"
RISK_LIMIT = "Value of position and orders exceeds position Risk Limit"


def check(world: World, account: Account, order: Order, *, instead_of: Order | None = None) -> None:
    """Refuse an order the account can not pay for.

    Args:
        world: The exchange.
        account: Who pays.
        order: The order about to become active; one that still counts as waiting has reserved nothing yet.
        instead_of: The order it replaces, when it is an amendment.

    Raises:
        Refused: If the margin is missing, the risk limit exceeded, or the fill would liquidate.
    """
    if order.instructions.is_reduce_only:
        return
    matches = matching.planned(world, account, order).matches
    market = world.markets[order.contract.symbol]
    position = world.position(account, order.contract)
    whole = standing(world, account, order.contract.settl_currency)
    own = whole.positions[order.contract.symbol]
    candidate = order
    if order.price is None or order.is_waiting:
        price = order.price or (matches[-1].price if matches else market.last)
        candidate = replace(order, price=price, is_waiting=False)
    load = changed_load(account, position, market.mark, before=own.load, without=instead_of, candidate=candidate)
    required = order_margin(position, load) - order_margin(position, own.load)
    if required <= 0:
        return
    if required > whole.available:
        raise insufficient_balance(required, order.contract.settl_currency)
    _check_limits(position, whole, abs(own.mark_value) + load.open_cost)
    if world.switches.refuse_beyond_liquidation and order.ord_type.has_limit:
        _check_lives_to_fill(world, position, whole, candidate)
    quantity = sum(match.quantity for match in matches) * order.side.sign
    if quantity and _would_liquidate(world, account, position, quantity, matches[-1].price):
        raise Refused(AT_ONCE)


def _check_limits(position: Position, whole: Standing, at_risk: int) -> None:
    """Refuse what takes a position beyond its risk limit, or all of a currency beyond the account's."""
    if at_risk > position.risk_limit:
        raise Refused(RISK_LIMIT)
    contract = position.contract
    limit = ACCOUNT_RISK_LIMIT.get(contract.settl_currency)
    if limit is None:
        return
    others = (part.risk_value for symbol, part in whole.positions.items() if symbol != contract.symbol)
    if sum(others, at_risk) > limit:
        raise Refused(ACCOUNT_LIMIT)


def _check_lives_to_fill(world: World, position: Position, whole: Standing, order: Order) -> None:
    """Refuse an order that adds to a position at a price where that would have been liquidated."""
    if position.quantity * order.side.sign <= 0 or order.price is None:
        return
    edge = boundaries(world, position, whole).liquidation
    if order.side is Side.BUY and order.price < edge:
        raise Refused(BELOW)
    if order.side is Side.SELL and order.price > edge:
        raise Refused(ABOVE)


def _would_liquidate(world: World, account: Account, position: Position, quantity: int, price: Decimal) -> bool:
    """Return whether the position would be at its liquidation price right after a fill."""
    after = copy(position)
    after.fill(quantity, price, position.contract.taker_fee)
    if not after.quantity:
        return False
    symbol = position.contract.symbol
    account.positions[symbol] = after
    whole = standing(world, account, position.contract.settl_currency)
    edges = boundaries(world, after, whole)
    account.positions[symbol] = position
    return is_reached(after, world.markets[symbol].mark, edges.liquidation)
