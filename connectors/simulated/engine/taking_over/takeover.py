"""Positions taken over: the house's liquidation orders and the insurance fund behind them.

Why: a liquidation does not end when the holder is out. What was taken over stands in the public
`liquidation` table as an order at the bankruptcy price and is worked through the book, a slice a
price step. Matches better than that price feed the insurance fund, worse ones are paid by it, and
when it can pay no more the other side of the market gives way.

Units: quantities in contracts, prices in quote currency, money in minor units.
Source: www.bitmex.com/app/liquidation; rows of the `liquidation` table of November 2024.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.equity.position_log import log_position
from connectors.simulated.engine.holdings.ledger import Account, Position, PositionState, add
from connectors.simulated.engine.holdings.liquidation_order import LiquidationOrder
from connectors.simulated.engine.markets.liquidity import Match, plan
from connectors.simulated.engine.markets.market import Market
from connectors.simulated.engine.resting.orders import Side
from connectors.simulated.engine.rows import iso
from connectors.simulated.engine.switches import LiquidationStyle
from connectors.simulated.engine.taking_over import deleveraging
from connectors.simulated.engine.taking_over.closing import Closing, close
from connectors.simulated.engine.trading import shrinking
from connectors.simulated.engine.trading.matching import answer, show_more
from connectors.simulated.engine.world import World

SLICES = 4  # price steps that a liquidation order takes when the book is deep enough
OLD = 12  # price steps after which the other side gives way, whatever the book holds


def seize(world: World, account: Account, position: Position, price: Decimal, fee_rate: Decimal) -> None:
    """Take a whole position over at a price and put its liquidation order up."""
    quantity = -position.quantity
    _say(world, account, position, PositionState.LIQUIDATED)
    order = LiquidationOrder(
        order_id=world.new_id("liquidation"),
        contract=position.contract,
        side=Side.BUY if quantity > 0 else Side.SELL,
        quantity=abs(quantity),
        leaves=abs(quantity),
        bankruptcy=price,
        price=price,
    )
    world.liquidations[order.order_id] = order
    world.emit("liquidation", None, order.row())
    is_trade = world.switches.liquidation_style is LiquidationStyle.TRADE
    exec_type = "Trade" if is_trade else "Liquidation"
    why = Closing(price=price, exec_type=exec_type, text="Liquidation", fee_rate=fee_rate)
    cost = close(world, account, position, abs(quantity), why)
    add(world.house.seized, position.contract.settl_currency, cost)


def _say(world: World, account: Account, position: Position, state: PositionState) -> None:
    position.state, position.state_ms = state, world.at_ms
    log_position(world, account, position)


def work(world: World, markets: list[Market]) -> None:
    """Give every liquidation order of the markets that moved its slice of this price step."""
    if not world.liquidations:
        return
    moved = {market.contract.symbol: market for market in markets if not market.is_halted}
    for order in list(world.liquidations.values()):
        market = moved.get(order.contract.symbol)
        if market is not None:
            _work_one(world, market, order)


def _work_one(world: World, market: Market, order: LiquidationOrder) -> None:
    order.age += 1
    shown = order.row()
    aggresses = order.age > 1
    is_unpaid = False
    for match in _planned(market, order, order.price if not aggresses else None):
        gain = order.gain(match.quantity, match.price)
        is_unpaid = gain < 0 and fund_of(world, order) + gain < 0
        if is_unpaid:
            break
        _fill(world, market, order, match)
    is_lost = is_unpaid and order.gain(order.contract.lot_size, market.mark) <= 0
    if order.leaves and (is_lost or order.age >= OLD):
        deleveraging.deleverage(world, market, order)
    _show(world, order, shown)


def settle(world: World, market: Market, price: Decimal) -> None:
    """End the liquidation orders of a contract that settles; the fund keeps or pays the difference."""
    for order in list(world.liquidations.values()):
        if order.contract.symbol != market.contract.symbol:
            continue
        shown, gain = order.row(), order.gain(order.leaves, price)
        if fund_of(world, order) + gain < 0:
            deleveraging.deleverage(world, market, order)
        else:
            world.house.trade(order.contract, order.leaves * order.side.sign, price)
            add(world.house.fund, order.contract.settl_currency, gain)
            order.release(world.house, order.leaves)
        _show(world, order, shown)


def _planned(market: Market, order: LiquidationOrder, bound: Decimal | None) -> list[Match]:
    """Return the matches of this step's slice."""
    lot = order.contract.lot_size
    share = -(-order.quantity // (SLICES * lot)) * lot
    return plan(
        market,
        taker=order.side,
        quantity=min(order.leaves, share if order.age < OLD else order.leaves),
        bound=bound,
    ).matches


def fund_of(world: World, order: LiquidationOrder) -> int:
    """Return the insurance fund that stands behind a liquidation order."""
    return world.house.fund.get(order.contract.settl_currency, 0)


def _fill(world: World, market: Market, order: LiquidationOrder, match: Match) -> None:
    """Make one match with what was taken over, and let the fund keep or pay the difference."""
    quantity = meet(world, market, order.side, match)
    gain = order.gain(quantity, match.price)
    order.release(world.house, quantity)
    add(world.house.fund, order.contract.settl_currency, gain)
    if gain < 0:
        order.price = match.price


def meet(world: World, market: Market, side: Side, match: Match) -> int:
    """Let whoever stands in the book take the other side of a match; return how much was still there."""
    maker = match.maker
    if maker is not None:
        match = replace(match, quantity=min(match.quantity, maker.leaves))
        if not match.quantity:
            return 0  # an earlier fill has cancelled it
    answer(world, market, side, match, world.new_id("match"))
    if maker is not None:
        shrinking.trim(world, world.accounts[maker.account], market.contract)
        show_more(world, [match])
    return match.quantity


def _show(world: World, order: LiquidationOrder, before: Row) -> None:
    """Log what has become of a liquidation order, and of the fund."""
    row = order.row()
    if not order.leaves:
        del world.liquidations[order.order_id]
        world.withdraw("liquidation", row)
    elif row != before:
        world.emit("liquidation", None, row)
    if row != before:
        world.emit("insurance", None, insurance_row(world, order.contract.settl_currency))


def insurance_row(world: World, currency: str) -> Row:
    """Return the `insurance` row of one currency as it is now."""
    balance = world.house.fund.get(currency, 0)
    return {"currency": currency, "timestamp": iso(world.at_ms), "walletBalance": balance}
