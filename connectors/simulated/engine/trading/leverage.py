"""Margin mode of a position: leverage, isolated or cross, added margin, risk limit.

Why: setting a leverage isolates the position and moves its liquidation price, which a guard must
notice; a change that would liquidate at once or cost more than there is gets refused.

Units: margin in minor units. Source: `/position/*` in www.bitmex.com/api/explorer.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from decimal import Decimal

from connectors.simulated.engine.contracts import ONE
from connectors.simulated.engine.equity.standing import boundaries, is_reached, standing
from connectors.simulated.engine.holdings.ledger import Account, Position
from connectors.simulated.engine.inputs import (
    Isolate,
    SetCrossLeverage,
    SetLeverage,
    SetRiskLimit,
    TransferMargin,
)
from connectors.simulated.engine.markets.market import Market, MarketState
from connectors.simulated.engine.refusals import Refused, insufficient_balance
from connectors.simulated.engine.trading.entry import check_currency
from connectors.simulated.engine.world import World

LOWEST_LEVERAGE = Decimal("0.01")


def set_leverage(world: World, request: SetLeverage) -> Position:
    """Isolate at a leverage, or go to cross margin at 0, and return the position.

    Raises:
        Refused: If the leverage is not allowed or the margin for it is missing.
    """
    leverage = request.leverage

    def change(position: Position) -> None:
        if not leverage:
            _cross(position)
            return
        _check_leverage(position, leverage)
        position.leverage = leverage
        _isolate(world, position)

    return _changed(world, request.account, request.symbol, change)


def set_cross_leverage(world: World, request: SetCrossLeverage) -> Position:
    """Set the leverage that initial margin is asked at while staying cross.

    Raises:
        Refused: If the leverage is not allowed.
    """

    def change(position: Position) -> None:
        _check_leverage(position, request.leverage)
        _cross(position)
        position.leverage = request.leverage

    return _changed(world, request.account, request.symbol, change)


def isolate(world: World, request: Isolate) -> Position:
    """Switch a position to isolated (at the leverage in force) or to cross margin.

    Raises:
        Refused: If the margin for it is missing.
    """

    def change(position: Position) -> None:
        if not request.enabled:
            _cross(position)
        elif position.is_cross:
            _isolate(world, position)

    return _changed(world, request.account, request.symbol, change)


def transfer_margin(world: World, request: TransferMargin) -> Position:
    """Add margin to an isolated position, or take out what was added.

    Raises:
        Refused: If the position is cross or flat, or either side has too little.
    """

    def change(position: Position) -> None:
        if position.is_cross:
            raise Refused("Position has cross margin enabled")
        if not position.quantity or not request.amount:
            raise Refused("Invalid amount for isolated margin transfer")
        position.pos_cross += request.amount
        if position.pos_cross < position.pos_loss:
            raise Refused("Position has insufficient isolated margin")

    return _changed(world, request.account, request.symbol, change)


def set_risk_limit(world: World, request: SetRiskLimit) -> Position:
    """Choose a risk limit; the requirements follow it.

    Raises:
        Refused: If the position is larger than the limit, or the margin for it is missing.
    """

    def change(position: Position) -> None:
        """Set the limit, if what is held and ordered stays below it."""
        account = world.accounts[position.account]
        whole = standing(world, account, position.contract.settl_currency)
        at_risk = whole.positions[position.contract.symbol].risk_value
        if request.risk_limit <= 0 or at_risk > request.risk_limit:
            raise Refused("Value of position and orders exceeds position Risk Limit")
        position.risk_limit = request.risk_limit
        if ONE - position.rates[0] < 0:
            raise Refused("Invalid riskLimit")

    return _changed(world, request.account, request.symbol, change)


def _check_leverage(position: Position, leverage: Decimal) -> None:
    if not leverage.is_finite() or leverage < LOWEST_LEVERAGE:
        raise Refused("Invalid leverage")
    if leverage > ONE / position.rates[0]:
        raise Refused("Cannot exceed the maximum entry leverage")


def _cross(position: Position) -> None:
    position.is_cross = True
    position.leverage = ONE / position.contract.init_margin
    position.pos_cross = position.pos_loss = 0


def _isolate(world: World, position: Position) -> None:
    """Give the position margin of its own, its present loss made good."""
    position.is_cross = False
    mark = world.markets[position.contract.symbol].mark
    loss = max(0, -position.unrealised_pnl(mark)) if position.quantity else 0
    position.pos_cross = max(position.pos_cross, position.pos_loss + loss)


def _changed(world: World, number: int, symbol: str, change: Callable[[Position], None]) -> Position:
    """Apply a change to a copy, keep it only if the account can bear it, and return it."""
    account = world.account(number)
    market = world.market(symbol)
    check_currency(account, market)
    contract = market.contract
    before = world.position(account, contract)
    _check_is_free(market, before)
    free = standing(world, account, contract.settl_currency).available
    after = copy(before)
    change(after)
    account.positions[contract.symbol] = after
    try:
        _check(world, account, after, free=free)
    except Refused:
        account.positions[contract.symbol] = before
        raise
    world.mark_stale(after)
    return after


def _check_is_free(market: Market, position: Position) -> None:
    """Refuse changes to what has ended or is being liquidated."""
    if market.state is not MarketState.OPEN:
        raise Refused("Instrument expired")
    if position.is_in_liquidation:
        raise Refused("Position is in liquidation")


def _check(world: World, account: Account, after: Position, *, free: int) -> None:
    """Refuse a change that takes more than the free margin there was, or liquidates at once."""
    currency = after.contract.settl_currency
    whole = standing(world, account, currency)
    if whole.available < min(free, 0):
        raise insufficient_balance(-whole.available, currency)
    if after.quantity:
        mark = world.markets[after.contract.symbol].mark
        if is_reached(after, mark, boundaries(world, after, whole).liquidation):
            raise Refused("Cannot exceed the maximum effective leverage")
