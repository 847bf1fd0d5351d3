"""What open orders reserve, kept up change by change, against the plain sum over all of them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given

from connectors.simulated.engine.exchange import Exchange
from connectors.simulated.engine.holdings.ledger import Position
from connectors.simulated.engine.holdings.order_load import NOTHING, OrderLoad, SideLoad, changed_load, order_load
from connectors.simulated.engine.resting.orders import Order, Side
from connectors.simulated.engine.switches import Switches
from connectors.simulated.engine.world import ranked
from tests.property.test_simulated_exchange import Timed, histories, play


def plain_side(orders: list[Order], position: Position, mark: Decimal, side: Side) -> SideLoad:
    """Return the load of one side, order by order, the first by priority shrinking the position."""
    contract, free = position.contract, max(0, -position.quantity * side.sign)
    quantity = cost = premium = adding_cost = adding_premium = 0
    for order in ranked(orders):
        assert order.price is not None
        adding = order.leaves - min(free, order.leaves)
        free -= order.leaves - adding
        quantity += order.leaves
        cost += order.value(order.leaves)
        is_through = (order.price - mark) * side.sign > 0
        if is_through:
            premium += abs(order.value(order.leaves) - contract.value(order.leaves, mark))
        if not order.instructions.is_reduce_only:
            adding_cost += order.value(adding)
            if is_through:
                adding_premium += abs(order.value(adding) - contract.value(adding, mark))
    return SideLoad(
        quantity=quantity,
        cost=cost,
        premium=premium,
        adding_cost=adding_cost,
        adding_premium=adding_premium,
    )


def plain(orders: list[Order], position: Position, mark: Decimal) -> OrderLoad:
    """Return the load of both sides."""
    counted = [order for order in orders if order.price is not None and not order.is_waiting and not order.is_held]
    buys, sells = ([order for order in counted if order.side is side] for side in Side)
    return OrderLoad(
        buy=plain_side(buys, position, mark, Side.BUY),
        sell=plain_side(sells, position, mark, Side.SELL),
    )


def check(exchange: Exchange) -> None:
    """Compare every account's loads, as they are and with any one order left out or moved."""
    world = exchange.world
    for account in world.accounts.values():
        for symbol, position in account.positions.items():
            mark, orders = world.markets[symbol].mark, account.open_in(symbol)
            load = order_load(account, position, mark)
            assert load == plain(orders, position, mark)
            assert orders or load is NOTHING
            for order in orders[:3]:
                moved = replace(order, price=mark.quantize(Decimal(1)) + 7)
                for candidate in (None, moved):
                    kept = [one for one in orders if one is not order] + ([] if candidate is None else [candidate])
                    found = changed_load(account, position, mark, before=load, without=order, candidate=candidate)
                    assert found == plain(kept, position, mark)
            assert order_load(account, position, mark) == load


@given(history=histories)
def test_load_is_the_plain_sum(history: list[Timed]) -> None:
    """After every input of any history, and with any order imagined away or elsewhere."""
    play(history, Switches(), check)
