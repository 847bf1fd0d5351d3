"""How an account stands at the present marks: locked margin, free margin, boundary prices.

Why: the position and margin rows, the check of new orders and the liquidator must all read the
same numbers. Positions with a margin of their own take it from the wallet; those that share
results (cross, new engine) are backed together by what is left.

Units: money in minor units, prices in quote currency.
Source: `margin`; the shared boundary price, unpublished, holds the other marks still.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from connectors.simulated.engine.contracts import ONE, Kind
from connectors.simulated.engine.holdings import margin
from connectors.simulated.engine.holdings.ledger import Account, Position
from connectors.simulated.engine.holdings.margin import RULES, Backing, Holding, Locked, Room, Rules
from connectors.simulated.engine.holdings.order_load import OrderLoad, order_load
from connectors.simulated.engine.markets.market import Market
from connectors.simulated.engine.world import World

ZERO = Decimal(0)


class PositionStanding(Struct, frozen=True, kw_only=True):
    """One position at the present mark; zeros when flat."""

    mark_value: int
    unrealised_pnl: int
    pos_init: int
    pos_comm: int
    pos_margin: int
    pos_maint: int
    maint_margin: int
    init_margin: int
    is_shared: bool
    load: OrderLoad

    @property
    def risk_value(self) -> int:
        """Amount at risk: the position's value and what its orders could add."""
        return abs(self.mark_value) + self.load.open_cost


class Standing(Struct, frozen=True, kw_only=True):
    """One account in one currency."""

    wallet_balance: int
    positions: dict[str, PositionStanding]
    unrealised_pnl: int
    init_margin: int
    maint_margin: int
    own_margin: int  # posMargin of the positions that have a margin of their own
    shared_pnl: int
    shared_maintenance: int
    isolated_pnl: int

    @property
    def margin_balance(self) -> int:
        """Equity: wallet and unrealised results."""
        return self.wallet_balance + self.unrealised_pnl

    @property
    def available(self) -> int:
        """Free margin; below zero when orders or losses took more than there is."""
        return self.margin_balance - self.init_margin - self.maint_margin

    @property
    def shared_equity(self) -> int:
        """What backs the shared positions: the wallet less the others' margins, and their results."""
        return self.wallet_balance - self.own_margin + self.shared_pnl


def rules(world: World) -> Rules:
    """Return the margin engine in force."""
    return RULES[world.switches.margin_engine]


def charged_rate(world: World, market: Market) -> Decimal:
    """Return the funding rate that counts as maintenance."""
    return market.funding_rate if world.switches.funding_in_maintenance else ZERO


def holding(world: World, position: Position) -> Holding:
    """Return an open position as the margin engines see it."""
    return Holding(
        contract=position.contract,
        quantity=position.quantity,
        cost=position.cost,
        leverage=position.effective_leverage,
        maint_rate=position.rates[1],
        fee=position.contract.fee,
        funding_rate=charged_rate(world, world.markets[position.contract.symbol]),
        is_cross=position.is_cross,
        pos_cross=position.pos_cross,
        pos_loss=position.pos_loss,
    )


def locked(world: World, position: Position) -> Locked:
    """Return what an open position locks; remembered while nothing changes."""
    return _held(world, position)[0]


def _held(world: World, position: Position) -> tuple[Locked, Holding]:
    key = (
        position.quantity,
        position.unrealised_cost,
        position.pos_cross,
        position.pos_loss,
        position.leverage,
        position.risk_limit,
        position.is_cross,
        charged_rate(world, world.markets[position.contract.symbol]),
    )
    if position.locked is None or position.locked[0] != key:
        seen = holding(world, position)
        position.locked = (key, rules(world).locked(seen), seen)
        position.edge = None
    return position.locked[1:]


def order_margin(position: Position, load: OrderLoad) -> int:
    """Return `initMargin` of a contract: what its open orders reserve, their premium included."""
    if not load.open_cost:
        return load.premium
    rate = ONE / position.effective_leverage
    fee = position.contract.fee
    return load.premium + margin.open_order_margin(load.open_cost, init_rate=rate, fee=fee)


def position_standing(world: World, account: Account, position: Position) -> PositionStanding:
    """Return one position's columns at the present mark."""
    market = world.markets[position.contract.symbol]
    load = order_load(account, position, market.mark)
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
            is_shared=False,
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
        maint_margin=held.maint_margin(pnl),
        init_margin=init_margin,
        is_shared=held.is_shared,
        load=load,
    )


def standing(world: World, account: Account, currency: str) -> Standing:
    """Return how an account stands in one currency."""
    positions = account.held(currency)
    parts = [position_standing(world, account, p) for p in positions]
    shared = [part for part in parts if part.is_shared]
    return Standing(
        wallet_balance=account.wallet_balance(currency),
        positions={p.contract.symbol: part for p, part in zip(positions, parts, strict=True)},
        unrealised_pnl=sum(part.unrealised_pnl for part in parts),
        init_margin=sum(part.init_margin for part in parts),
        maint_margin=sum(part.maint_margin for part in parts),
        own_margin=sum(part.pos_margin for part in parts if not part.is_shared),
        shared_pnl=sum(part.unrealised_pnl for part in shared),
        shared_maintenance=sum(part.pos_maint for part in shared),
        isolated_pnl=sum(part.unrealised_pnl for p, part in zip(positions, parts, strict=True) if not p.is_cross),
    )


class Boundaries(Struct, frozen=True, kw_only=True):
    """Mark prices at which a position is liquidated, and at which nothing is left."""

    liquidation: Decimal
    bankruptcy: Decimal


def room(world: World, position: Position, whole: Standing) -> Room:
    """Return what an open position may still lose against its entry cost."""
    own = whole.positions[position.contract.symbol]
    left = whole.shared_equity - own.unrealised_pnl
    if world.switches.order_margin_in_liquidation:
        left -= whole.init_margin
    backing = Backing(
        available=whole.available,
        shared_equity=left,
        shared_maintenance=whole.shared_maintenance,
    )
    held, seen = _held(world, position)
    return rules(world).room(seen, held, backing)


def boundaries(world: World, position: Position, whole: Standing) -> Boundaries:
    """Return the boundary prices of an open position, rounded against its holder."""
    may_lose = room(world, position, whole)
    return Boundaries(
        liquidation=price_after_loss(world, position, may_lose.liquidation),
        bankruptcy=price_after_loss(world, position, may_lose.bankruptcy),
    )


def price_after_loss(world: World, position: Position, loss: int) -> Decimal:
    """Return the boundary price at which an open position has lost an amount."""
    return rules(world).price(position.contract, position.quantity, position.cost, loss)


def closing_bound(world: World, account: Account, position: Position) -> Decimal:
    """Return the worst price an open position can be closed at, the fee included, with nothing owed."""
    whole = standing(world, account, position.contract.settl_currency)
    if not locked(world, position).is_shared:
        return boundaries(world, position, whole).bankruptcy
    left = whole.shared_equity - whole.positions[position.contract.symbol].unrealised_pnl
    reserve = margin.ceil(position.contract.fee * (position.cost + max(left, 0)))
    return price_after_loss(world, position, left - reserve)


def isolated_liquidation_price(world: World, position: Position) -> Decimal:
    """Return an isolated position's liquidation price, remembered while nothing changes."""
    held = locked(world, position)
    if position.edge is None:
        position.edge = price_after_loss(world, position, margin.own_room(held).liquidation)
    return position.edge


def is_reached(position: Position, mark: Decimal, boundary: Decimal) -> bool:
    """Return whether the mark has come to a boundary price that lies within range."""
    if position.quantity > 0:
        return mark <= boundary
    if position.contract.kind is Kind.INVERSE and boundary >= position.contract.max_price:
        return False
    return mark >= boundary
