"""Triggers: waiting orders and the price that releases them.

Why: the protective stop lives here. It fires on the price it names (mark by default), at
equality, and then trades against the liquidity around the LAST price, which in a crash is
somewhere else.

Units: prices in quote currency. Source: www.bitmex.com/app/orderTypes; rows of stops of 2019.
"""

from __future__ import annotations

from connectors.simulated.engine import affordability, matching, shrinking
from connectors.simulated.engine.faults import waiting
from connectors.simulated.engine.ledger import Account
from connectors.simulated.engine.orders import Order, is_crossed, is_within_mark, watched_price
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.reports import reject_because, report
from connectors.simulated.engine.world import World

REACHED = "Triggered: Order stop price reached"


def is_due(world: World, order: Order) -> bool:
    """Return whether a waiting order's trigger price has been reached."""
    if waiting.sleeps(world, order):
        return False
    market = world.markets[order.contract.symbol]
    price = watched_price(order.instructions.trigger, mark=market.mark, last=market.last, index=market.index)
    return is_crossed(order, price, at_equality=world.switches.trigger_at_equality) and is_within_mark(
        order, mark=market.mark, last=market.last
    )


def fire_due(world: World, account: Account, symbol: str) -> None:
    """Release the account's waiting orders of one contract that are due, oldest first."""
    book = account.open_orders.get(symbol)
    if not book:
        return
    for order in [order for order in book.values() if order.is_waiting and is_due(world, order)]:
        if order.is_open:  # a Close before it may have cancelled it
            fire(world, account, order)


def fire(world: World, account: Account, order: Order) -> None:
    """Release one waiting order and let it trade or rest."""
    order.release()
    if not order.ord_type.has_limit:
        order.shown_price = world.markets[order.contract.symbol].touch(order.side)
    order.text = f"{REACHED}\n{order.text}"
    report(world, account, order, "TriggeredOrActivatedBySystem")
    if waiting.loses_fill(world, order):
        return
    if not shrinking.fit(world, account, order):
        return
    try:
        affordability.check(world, account, order, instead_of=order)
    except Refused as refusal:
        reject_because(world, account, order, refusal.message)
        return
    matching.execute(world, account, order)
