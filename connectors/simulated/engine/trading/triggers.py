"""Triggers: waiting orders and the price that releases them.

Why: the protective stop lives here. It fires on the price it names (mark by default), at
equality, and then trades against the liquidity around the LAST price, which in a crash is
somewhere else.

Units: prices in quote currency. Source: www.bitmex.com/app/orderTypes; rows of stops of 2019.
"""

from __future__ import annotations

from connectors.simulated.engine.holdings.ledger import Account
from connectors.simulated.engine.markets import tradable
from connectors.simulated.engine.markets.market import Market
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.resting.orders import (
    Contingency,
    Order,
    Status,
    is_crossed,
    is_within_mark,
    watched_price,
)
from connectors.simulated.engine.tables.reports import cancel_because, reject_because, report
from connectors.simulated.engine.trading import affordability, contingency, faulty_trading, matching, pegs, shrinking
from connectors.simulated.engine.world import World

REACHED = "Triggered: Order stop price reached"


def is_due(world: World, order: Order) -> bool:
    """Return whether a waiting order's trigger price has been reached."""
    if faulty_trading.sleeps(world, order):
        return False
    market = world.markets[order.contract.symbol]
    price = watched_price(order.instructions.trigger, mark=market.mark, last=market.last, index=market.index)
    return is_crossed(order, price, at_equality=world.switches.trigger_at_equality) and is_within_mark(
        order, mark=market.mark, last=market.last
    )


def follow_market(world: World, market: Market) -> None:
    """Let the book, trailing triggers and waiting orders of one market follow its present prices."""
    if market.is_halted:
        return
    matching.meet_market(world, market)
    pegs.follow(world, market)
    for order in [order for order in market.waiting.values() if is_due(world, order)]:
        if order.is_open:  # a Close or a linked order before it may have cancelled it
            fire(world, world.accounts[order.account], order)


def wait(world: World, order: Order) -> None:
    """Let an order wait for its trigger price."""
    world.markets[order.contract.symbol].waiting[order.order_id] = order


def fire(world: World, account: Account, order: Order) -> None:
    """Release one waiting order and let it trade or rest."""
    market = world.markets[order.contract.symbol]
    market.waiting.pop(order.order_id, None)
    order.release()
    if not order.ord_type.has_limit:
        order.shown_price = market.touch(order.side)
    order.text = f"{REACHED}\n{order.text}"
    report(world, account, order, "TriggeredOrActivatedBySystem")
    contingency.activated(world, account, order)
    if faulty_trading.loses_fill(world, order):
        return
    activate(world, account, order)


def activate(world: World, account: Account, order: Order) -> None:
    """Check an order that has waited, now that it counts, and let it trade or rest."""
    if not shrinking.fit(world, account, order):
        return
    order.keep_waiting(True)  # it reserves nothing before it is known to be affordable
    try:
        tradable.check(world.markets[order.contract.symbol], world.position(account, order.contract), order)
        affordability.check(world, account, order)
    except Refused as refusal:
        reject_because(world, account, order, refusal.message)
        return
    finally:
        order.keep_waiting(False)
    matching.execute(world, account, order)


def release_linked(world: World) -> None:
    """Look after the orders that waited for others which are done by now: let them go, or cancel them."""
    while world.done_primaries:
        primary = world.done_primaries.pop(0)
        account = world.accounts[primary.account]
        for order in contingency.held_by(account, primary):
            if primary.status is not Status.FILLED:
                cancel_because(world, account, order, contingency.LINKED.format(Contingency.TRIGGERS.value))
            elif order.is_open:
                _let_go(world, account, order)


def _let_go(world: World, account: Account, order: Order) -> None:
    order.let_go()
    report(world, account, order, "TriggeredOrActivatedBySystem")
    if not order.ord_type.waits:
        activate(world, account, order)
        return
    wait(world, order)
    if is_due(world, order):
        fire(world, account, order)
