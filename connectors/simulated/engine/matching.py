"""Matching: takers against the book, resting orders against a moving market.

Why: what a protective order achieves in a crash is decided here: a market order walks the levels
of a thin book, stops at the account's bankruptcy price and leaves the rest cancelled.

Units: quantities in contracts, prices in quote currency, money in minor units.
Source: www.bitmex.com/app/orderTypes.
"""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine import margin, shrinking
from connectors.simulated.engine.ledger import Account, add
from connectors.simulated.engine.liquidity import Match, plan
from connectors.simulated.engine.market import Market
from connectors.simulated.engine.order_rows import FillFigures, order_row
from connectors.simulated.engine.orders import Order, Side
from connectors.simulated.engine.public_rows import trade_row
from connectors.simulated.engine.reports import (
    POST_ONLY,
    cancel_because,
    forget_if_done,
    report,
)
from connectors.simulated.engine.rows import notionals
from connectors.simulated.engine.standing import boundaries, price_after_loss, standing
from connectors.simulated.engine.world import World

NO_LIQUIDITY = "Order could not be filled before the bankruptcy price or the end of the book"
NOT_AT_ONCE = "Order had timeInForce of {} and could not be filled"


def worst_price(world: World, account: Account, order: Order) -> Decimal | None:
    """Return the worst price an order may trade at, None for any.

    Limit orders name it. A market order that shrinks a position stops where the position would
    be bankrupt, the fee for it included.
    """
    if order.ord_type.has_limit:
        return order.price
    position = world.position(account, order.contract)
    if position.quantity * order.side.sign >= 0:
        return None
    whole = standing(world, account, order.contract.settl_currency)
    if not position.is_cross:
        return boundaries(world, position, whole).bankruptcy
    left = whole.cross_equity - whole.positions[order.contract.symbol].unrealised_pnl
    reserve = margin.ceil(order.contract.fee * (position.cost + max(left, 0)))
    return price_after_loss(position, left - reserve)


def planned(world: World, account: Account, order: Order) -> list[Match]:
    """Return the matches the order would have now, without making them."""
    return plan(
        world.markets[order.contract.symbol],
        taker=order.side,
        quantity=order.leaves,
        bound=worst_price(world, account, order),
        resting=world.resting_against(order.side, order.contract.symbol, but=account.number),
    )


def execute(world: World, account: Account, order: Order) -> None:
    """Let an order take what it can, then rest, or end."""
    matches = planned(world, account, order)
    if order.instructions.is_post_only and matches:
        cancel_because(world, account, order, POST_ONLY)
        return
    at_once = sum(match.quantity for match in matches)
    if order.time_in_force == "FillOrKill" and at_once < order.leaves:
        cancel_because(world, account, order, NOT_AT_ONCE.format("FillOrKill"))
        return
    touched = {account.number: account}
    for match in matches:
        trade(world, account, order, match)
        if match.maker is not None:
            touched[match.maker.account] = world.accounts[match.maker.account]
    _rest_or_end(world, account, order)
    for each in touched.values():
        shrinking.trim(world, each, order.contract)


def _rest_or_end(world: World, account: Account, order: Order) -> None:
    """Put what is left into the book, or cancel it."""
    if not order.is_open:
        return
    if not order.ord_type.has_limit:
        cancel_because(world, account, order, NO_LIQUIDITY)
    elif order.time_in_force == "ImmediateOrCancel":
        cancel_because(world, account, order, NOT_AT_ONCE.format(order.time_in_force))
    elif not order.is_working:
        order.is_working = True
        order.changed_ms = world.at_ms
        world.emit("order", account.number, order_row(order))
        world.mark_stale(world.position(account, order.contract))


def trade(world: World, account: Account, order: Order, match: Match) -> None:
    """Make one match: the taker's fill, its counterparty's, and the public trade."""
    market = world.markets[order.contract.symbol]
    match_id = world.new_id("match")
    fill(world, account, order, match, match_id, is_maker=False)
    if match.maker is None:
        world.house.trade(order.contract, match.quantity * order.side.sign, match.price)
        market.taken[order.side] = market.taken.get(order.side, 0) + match.quantity
    else:
        maker_account = world.accounts[match.maker.account]
        fill(world, maker_account, match.maker, match, match_id, is_maker=True)
    publish_trade(world, market, order.side, match, match_id)


def fill(world: World, account: Account, order: Order, match: Match, match_id: str, *, is_maker: bool) -> None:
    """Book one side of a match: position, fee, order, execution."""
    contract = order.contract
    position = world.position(account, contract)
    signed = match.quantity * order.side.sign
    rate = contract.maker_fee if is_maker else contract.taker_fee
    realised = position.realised_pnl
    cost, fee = position.fill(signed, match.price, rate)
    add(world.house.fees, contract.settl_currency, fee)
    order.record_fill(match.quantity, match.price)
    forget_if_done(account, order)
    home, foreign = notionals(contract, signed, match.price, quote_to_settle=world.quote_to_settle)
    figures = FillFigures(
        quantity=match.quantity,
        price=match.price,
        liquidity="AddedLiquidity" if is_maker else "RemovedLiquidity",
        rate=rate,
        cost=cost,
        fee=fee,
        home=home,
        foreign=foreign,
        realised_pnl=position.realised_pnl - realised,
    )
    report(world, account, order, "Trade", fill=figures, match_id=match_id)
    world.mark_stale(position)


def publish_trade(world: World, market: Market, side: Side, match: Match, match_id: str) -> None:
    """Log a public trade and count its volume; the tape's last price stays as it is."""
    row = trade_row(
        market,
        side=side,
        quantity=match.quantity,
        price=match.price,
        match_id=match_id,
        at_ms=world.at_ms,
        quote_to_settle=world.quote_to_settle,
    )
    market.volume += match.quantity
    market.turnover += market.contract.value(match.quantity, match.price)
    market.trades.append(row)
    world.emit("trade", None, row)


def fill_passed(world: World, account: Account, market: Market) -> None:
    """Fill the account's resting orders in one contract that the market traded through."""
    symbol = market.contract.symbol
    book = account.open_orders.get(symbol)
    if not book:
        return
    passed = [order for order in book.values() if _is_passed(order, market)]
    for order in passed:
        if not order.is_working or order.price is None:
            continue  # an earlier fill of this loop cut or cancelled it
        match_id = world.new_id("match")
        match = Match(price=order.price, quantity=order.leaves)
        world.house.trade(order.contract, match.quantity * order.side.sign, match.price)
        fill(world, account, order, match, match_id, is_maker=True)
        publish_trade(world, market, order.side.other, match, match_id)
        shrinking.trim(world, account, order.contract)


def _is_passed(order: Order, market: Market) -> bool:
    if not order.is_working or order.price is None:
        return False
    return market.low < order.price if order.side is Side.BUY else market.high > order.price
