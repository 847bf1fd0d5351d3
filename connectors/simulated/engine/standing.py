"""How an account stands at the present marks: locked margin, free margin, boundary prices.

Why: the position and margin rows, the check of new orders and the liquidator must all read the
same numbers. Engine in force: the new one. Isolated positions hold their own margin; cross
positions of one settlement currency share the wallet that isolated ones have not locked, and
lock maintenance only.

Units: money in minor units, prices in quote currency.
Source: `margin`; the cross boundary price, unpublished, holds the other marks still.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connectors.simulated.engine import margin
from connectors.simulated.engine.contracts import ONE, Kind
from connectors.simulated.engine.ledger import Account, Position
from connectors.simulated.engine.margin import Locked
from connectors.simulated.engine.market import Market
from connectors.simulated.engine.order_load import NOTHING, OrderLoad, order_load
from connectors.simulated.engine.world import World

ZERO = Decimal(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class PositionStanding:
    """One position at the present mark; zeros when flat."""

    mark_value: int
    unrealised_pnl: int
    pos_init: int
    pos_comm: int
    pos_margin: int
    pos_maint: int
    maint_margin: int
    init_margin: int
    load: OrderLoad

    @property
    def risk_value(self) -> int:
        """Amount at risk: the position's value and what its orders could add."""
        return abs(self.mark_value) + self.load.open_cost


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One account in one currency."""

    wallet_balance: int
    positions: dict[str, PositionStanding]
    unrealised_pnl: int
    init_margin: int
    maint_margin: int
    isolated_margin: int  # posMargin of the isolated positions
    cross_pnl: int
    cross_maintenance: int

    @property
    def margin_balance(self) -> int:
        """Equity: wallet and unrealised results."""
        return self.wallet_balance + self.unrealised_pnl

    @property
    def available(self) -> int:
        """Free margin; below zero when orders or losses took more than there is."""
        return self.margin_balance - self.init_margin - self.maint_margin

    @property
    def cross_equity(self) -> int:
        """What backs the cross positions: the wallet less isolated margins, and their results."""
        return self.wallet_balance - self.isolated_margin + self.cross_pnl


def charged_rate(world: World, market: Market) -> Decimal:
    """Return the funding rate that counts as maintenance."""
    return market.funding_rate if world.switches.funding_in_maintenance else ZERO


def locked(world: World, position: Position) -> Locked:
    """Return what an open position locks, isolated or cross; remembered while nothing changes."""
    market = world.markets[position.contract.symbol]
    rate = charged_rate(world, market)
    key = (
        position.quantity,
        position.unrealised_cost,
        position.pos_cross,
        position.pos_loss,
        position.leverage,
        position.risk_limit,
        position.is_cross,
        rate,
    )
    if position.locked is None or position.locked[0] != key:
        position.locked = (key, _locked(position, rate))
        position.edge = None
    return position.locked[1]


def _locked(position: Position, funding_rate: Decimal) -> Locked:
    maint_rate = position.rates[1]
    if position.is_cross:
        need = margin.cross_maintenance(
            quantity=position.quantity,
            cost=position.cost,
            maint_rate=maint_rate,
            funding_rate=funding_rate,
        )
        return Locked(pos_init=0, pos_comm=0, pos_margin=need, pos_maint=need)
    return margin.isolated(
        position.contract,
        quantity=position.quantity,
        cost=position.cost,
        leverage=position.effective_leverage,
        maint_rate=maint_rate,
        fee=position.contract.fee,
        funding_rate=funding_rate,
        pos_cross=position.pos_cross,
        pos_loss=position.pos_loss,
    )


def order_margin(position: Position, load: OrderLoad) -> int:
    """Return `initMargin` of a contract: what its open orders reserve, their premium included."""
    if load is NOTHING:
        return 0
    rate = ONE / position.effective_leverage
    fee = position.contract.fee
    return load.premium + margin.open_order_margin(load.open_cost, init_rate=rate, fee=fee)


def position_standing(world: World, account: Account, position: Position) -> PositionStanding:
    """Return one position's columns at the present mark."""
    market = world.markets[position.contract.symbol]
    load = order_load(account.open_in(position.contract.symbol), position, market.mark)
    init_margin = order_margin(position, load)
    if not position.quantity:
        return PositionStanding(
            mark_value=0,
            unrealised_pnl=0,
            pos_init=0,
            pos_comm=0,
            pos_margin=0,
            pos_maint=0,
            maint_margin=0,
            init_margin=init_margin,
            load=load,
        )
    held = locked(world, position)
    mark_value = position.contract.signed_cost(position.quantity, market.mark)
    pnl = mark_value - position.unrealised_cost
    return PositionStanding(
        mark_value=mark_value,
        unrealised_pnl=pnl,
        pos_init=held.pos_init,
        pos_comm=held.pos_comm,
        pos_margin=held.pos_margin,
        pos_maint=held.pos_maint,
        maint_margin=held.pos_maint if position.is_cross else held.pos_margin + pnl,
        init_margin=init_margin,
        load=load,
    )


def standing(world: World, account: Account, currency: str) -> Standing:
    """Return how an account stands in one currency."""
    positions = {p.contract.symbol: p for p in account.held(currency)}
    parts = {s: position_standing(world, account, p) for s, p in positions.items()}
    crossed = [parts[s] for s, p in positions.items() if p.is_cross]
    return Standing(
        wallet_balance=account.wallet_balance(currency),
        positions=parts,
        unrealised_pnl=sum(part.unrealised_pnl for part in parts.values()),
        init_margin=sum(part.init_margin for part in parts.values()),
        maint_margin=sum(part.maint_margin for part in parts.values()),
        isolated_margin=sum(parts[s].pos_margin for s, p in positions.items() if not p.is_cross),
        cross_pnl=sum(part.unrealised_pnl for part in crossed),
        cross_maintenance=sum(part.pos_maint for part in crossed),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Boundaries:
    """Mark prices at which a position is liquidated, and at which nothing is left."""

    liquidation: Decimal
    bankruptcy: Decimal


def boundaries(world: World, position: Position, whole: Standing) -> Boundaries:
    """Return the boundary prices of an open position, rounded against its holder."""
    own = whole.positions[position.contract.symbol]
    if position.is_cross:
        left = whole.cross_equity - own.unrealised_pnl
        if world.switches.order_margin_in_liquidation:
            left -= whole.init_margin
        return Boundaries(
            liquidation=price_after_loss(position, left - whole.cross_maintenance),
            bankruptcy=price_after_loss(position, left),
        )
    return Boundaries(
        liquidation=price_after_loss(position, own.pos_margin - own.pos_maint),
        bankruptcy=price_after_loss(position, own.pos_margin - own.pos_comm),
    )


def price_after_loss(position: Position, loss: int) -> Decimal:
    """Return the boundary price at which an open position has lost an amount."""
    return margin.price_after_loss(position.contract, position.quantity, position.cost, loss)


def isolated_liquidation_price(world: World, position: Position) -> Decimal:
    """Return an isolated position's liquidation price, remembered while nothing changes."""
    held = locked(world, position)
    if position.edge is None:
        position.edge = price_after_loss(position, held.pos_margin - held.pos_maint)
    return position.edge


def is_reached(position: Position, mark: Decimal, boundary: Decimal) -> bool:
    """Return whether the mark has come to a boundary price that lies within range."""
    if position.quantity > 0:
        return mark <= boundary
    if position.contract.kind is Kind.INVERSE and boundary >= position.contract.max_price:
        return False
    return mark >= boundary
