"""The liquidator: takes over positions whose mark price has reached the liquidation price.

Why: this is the harm a guard exists to prevent, so it happens exactly as described: the
contract's open orders go first, waiting stops included, then the whole position is taken over at
the bankruptcy price. An isolated position fails alone; cross positions of one settlement currency
fail together. The insurance fund stands between the takeover and the market.

Units: prices in quote currency, money in minor units.
Source: www.bitmex.com/app/liquidation; execution rows with text `Liquidation`.
"""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine.ledger import Account, Position, add
from connectors.simulated.engine.liquidity import Match, plan
from connectors.simulated.engine.market import Market
from connectors.simulated.engine.matching import publish_trade
from connectors.simulated.engine.order_rows import ExecutionStamp, FillFigures, system_execution_row
from connectors.simulated.engine.orders import Side
from connectors.simulated.engine.position_log import log_position
from connectors.simulated.engine.reports import (
    IN_LIQUIDATION,
    cancel_because,
    publish_execution,
)
from connectors.simulated.engine.rows import notionals
from connectors.simulated.engine.standing import (
    Standing,
    boundaries,
    is_reached,
    isolated_liquidation_price,
    locked,
    price_after_loss,
    standing,
)
from connectors.simulated.engine.switches import LiquidationStyle
from connectors.simulated.engine.world import World

# An account with this many times its maintenance is nowhere near; the exact prices can wait.
FAR = 2
ZERO = Decimal(0)


def liquidate_due(world: World, account: Account) -> None:
    """Liquidate what of one account is due at the present marks; halted markets wait."""
    currencies: dict[str, None] = {}
    for position in list(account.positions.values()):
        market = world.markets[position.contract.symbol]
        if not position.quantity or market.is_halted:
            continue
        if position.is_cross:
            currencies[position.contract.settl_currency] = None
        elif is_reached(position, market.mark, isolated_liquidation_price(world, position)):
            _liquidate_isolated(world, account, position)
    for currency in currencies:
        _liquidate_cross_if_due(world, account, currency)


def _liquidate_isolated(world: World, account: Account, position: Position) -> None:
    _clear_orders(world, account, position)
    whole = standing(world, account, position.contract.settl_currency)
    price = boundaries(world, position, whole).bankruptcy
    _take_over(world, account, position, price, position.contract.taker_fee)


def _liquidate_cross_if_due(world: World, account: Account, currency: str) -> None:
    if not world.switches.order_margin_in_liquidation and _is_far(world, account, currency):
        return
    whole = standing(world, account, currency)
    held = [p for p in account.held(currency) if p.is_cross and p.quantity]
    if any(world.markets[p.contract.symbol].is_halted for p in held):
        return
    if whole.cross_equity > whole.cross_maintenance and not _any_reached(world, held, whole):
        return
    for position in held:
        _clear_orders(world, account, position)
    prices = [_cross_takeover_price(position, whole) for position in held]
    for position, price in zip(held, prices, strict=True):
        # The takeover price already leaves nothing; there is no margin left to pay a fee from.
        _take_over(world, account, position, price, ZERO)


def _is_far(world: World, account: Account, currency: str) -> bool:
    """Return whether the cross positions are nowhere near, by a sum that needs no prices."""
    equity, maintenance = account.wallet_balance(currency), 0
    for position in account.positions.values():
        if not position.quantity or position.contract.settl_currency != currency:
            continue
        held = locked(world, position)
        if position.is_cross:
            equity += position.unrealised_pnl(world.markets[position.contract.symbol].mark)
            maintenance += held.pos_maint
        else:
            equity -= held.pos_margin
    return equity > FAR * maintenance


def _any_reached(world: World, held: list[Position], whole: Standing) -> bool:
    return any(
        is_reached(
            position,
            world.markets[position.contract.symbol].mark,
            boundaries(world, position, whole).liquidation,
        )
        for position in held
    )


def _cross_takeover_price(position: Position, whole: Standing) -> Decimal:
    """Return the price that takes the position's share of what equity is left.

    Shares follow the maintenance margins; with one position this is its bankruptcy price. Equity
    below zero makes the price better than the mark: the insurance fund pays the difference.
    """
    own = whole.positions[position.contract.symbol]
    part = whole.cross_equity * own.pos_maint // max(whole.cross_maintenance, 1)
    return price_after_loss(position, part - own.unrealised_pnl)


def _clear_orders(world: World, account: Account, position: Position) -> None:
    for order in account.open_in(position.contract.symbol):
        cancel_because(world, account, order, IN_LIQUIDATION)


def _take_over(world: World, account: Account, position: Position, price: Decimal, fee_rate: Decimal) -> None:
    """Move a position to the insurance fund at a price, log it, and work it off."""
    market = world.markets[position.contract.symbol]
    quantity = -position.quantity
    side = Side.BUY if quantity > 0 else Side.SELL
    position.is_in_liquidation = True
    log_position(world, account, position)
    liquidation_id = _announce(world, market, side, abs(quantity), price)
    _book(world, account, position, quantity, price=price, fee_rate=fee_rate)
    position.is_in_liquidation = False
    row = world.liquidations.pop(liquidation_id)
    world.withdraw("liquidation", row)
    world.mark_stale(position)
    _work_off(world, market, side, abs(quantity))


def _announce(world: World, market: Market, side: Side, quantity: int, price: Decimal) -> str:
    """Show the liquidation order on the public table and return its id."""
    liquidation_id = world.new_id("liquidation")
    world.liquidations[liquidation_id] = {
        "orderID": liquidation_id,
        "symbol": market.contract.symbol,
        "side": side.value,
        "price": price,
        "leavesQty": quantity,
    }
    world.emit("liquidation", None, world.liquidations[liquidation_id])
    return liquidation_id


def _book(
    world: World,
    account: Account,
    position: Position,
    quantity: int,
    *,
    price: Decimal,
    fee_rate: Decimal,
) -> None:
    """Close the position in the account's books and log the execution."""
    contract = position.contract
    realised = position.realised_pnl
    cost, fee = position.fill(quantity, price, fee_rate)
    add(world.house.fund, contract.settl_currency, cost)
    add(world.house.fees, contract.settl_currency, fee)
    home, foreign = notionals(contract, quantity, price, quote_to_settle=world.quote_to_settle)
    style = world.switches.liquidation_style
    side = Side.BUY if quantity > 0 else Side.SELL
    stamp = ExecutionStamp(
        exec_id=world.new_id("execution"),
        exec_type="Trade" if style is LiquidationStyle.TRADE else "Liquidation",
        match_id=world.new_id("match"),
        at_ms=world.at_ms,
    )
    figures = FillFigures(
        quantity=abs(quantity),
        price=price,
        liquidity="RemovedLiquidity",
        rate=fee_rate,
        cost=cost,
        fee=fee,
        home=home,
        foreign=foreign,
        realised_pnl=position.realised_pnl - realised,
    )
    row = system_execution_row(position, stamp, figures, text="Liquidation", side=side.value)
    publish_execution(world, account, row)


def _work_off(world: World, market: Market, side: Side, quantity: int) -> None:
    """Let the insurance fund sell or buy back what it took over; it keeps gain or loss."""
    contract = market.contract
    matches = [m for m in plan(market, taker=side, quantity=quantity, bound=None).matches if m.maker is None]
    left = quantity - sum(match.quantity for match in matches)
    if left:
        # Beyond the modelled book the fund pays the worst price there is.
        worst = matches[-1].price if matches else market.last
        matches.append(Match(price=worst, quantity=left))
    for match in matches:
        signed = match.quantity * side.sign
        add(world.house.fund, contract.settl_currency, -contract.signed_cost(signed, match.price))
        world.house.trade(contract, signed, match.price)
        market.taken[side] = market.taken.get(side, 0) + match.quantity
        publish_trade(world, market, side, match, world.new_id("match"))
