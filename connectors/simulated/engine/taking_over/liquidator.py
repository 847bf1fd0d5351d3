"""The liquidator: takes out positions whose margin no longer suffices, step by step.

Why: this is the harm a guard exists to prevent, so it happens exactly as described. What fails
together is a group: one position with a margin of its own, or all that share the equity of a
currency. After each step the question is asked again, and a group that can live is left alone:

1. the risk limit comes down to what position and open orders need, and with it the requirement;
2. the contracts' open orders go, waiting stops included;
3. the risk limit comes down to what the position alone needs;
4. above the lowest risk limit the part beyond the next lower one is closed, wholly or not at all;
5. the rest is taken over at the bankruptcy price.

Units: prices in quote currency, money in minor units.
Source: www.bitmex.com/app/liquidation and /app/liquidationExamples.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connectors.simulated.engine.contracts import Kind
from connectors.simulated.engine.equity import legacy_cross
from connectors.simulated.engine.equity.position_log import log_position
from connectors.simulated.engine.equity.standing import (
    PositionStanding,
    Standing,
    boundaries,
    is_reached,
    isolated_liquidation_price,
    locked,
    price_after_loss,
    room,
    standing,
)
from connectors.simulated.engine.holdings.ledger import Account, Position, PositionState
from connectors.simulated.engine.holdings.margin import own_room
from connectors.simulated.engine.switches import MarginEngine
from connectors.simulated.engine.tables.reports import IN_LIQUIDATION, cancel_because
from connectors.simulated.engine.taking_over import reduction, takeover
from connectors.simulated.engine.world import World

# An account with this many times its maintenance is nowhere near; the exact prices can wait.
FAR = 2
# Nor is a legacy cross position with this part of its initial margin left; ticks are finer than that.
NEAR = 4
ZERO = Decimal(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Positions of one account and currency that fail together; never empty."""

    account: Account
    currency: str
    positions: list[Position]
    is_shared: bool = False

    @property
    def is_announced(self) -> bool:
        """Whether the group stands in liquidation since an earlier step."""
        return any(p.is_in_liquidation for p in self.positions)


def liquidate_due(world: World, account: Account) -> None:
    """Liquidate what of one account is due at the present marks; halted markets wait."""
    legacy_cross.renew(world, account)
    shares = world.switches.margin_engine is MarginEngine.NEW
    currencies: dict[str, None] = {}
    for position in list(account.positions.values()):
        if not position.quantity:
            continue
        if position.is_cross and shares:
            currencies[position.contract.settl_currency] = None
        elif position.is_in_liquidation or _fails_alone(world, account, position):
            _judge(world, Group(account=account, currency=position.contract.settl_currency, positions=[position]))
    for currency in currencies:
        if world.switches.order_margin_in_liquidation or not _is_far(world, account, currency):
            held = [p for p in account.held(currency) if p.is_cross and p.quantity]
            _judge(world, Group(account=account, currency=currency, positions=held, is_shared=True))


def take_out(world: World, account: Account, symbol: str) -> None:
    """Take over, at once, what a settlement at the present mark of a contract would bankrupt."""
    legacy_cross.renew(world, account)
    position = account.positions.get(symbol)
    if position is None or not position.quantity:
        return
    currency, held = position.contract.settl_currency, [position]
    is_shared = locked(world, position).is_shared
    if is_shared:
        held = [p for p in account.held(currency) if p.is_cross and p.quantity]
    group = Group(account=account, currency=currency, positions=held, is_shared=is_shared)
    if _is_due(world, group):
        _clear_orders(world, group)
        _take_over(world, group)
    elif group.is_announced:
        _let_live(world, group)


def _judge(world: World, group: Group) -> None:
    """Liquidate a group that is due, and let one live that no longer is."""
    if any(world.markets[p.contract.symbol].is_halted for p in group.positions):
        return
    if _is_due(world, group):
        _liquidate(world, group)
    elif group.is_announced:
        _let_live(world, group)


def _is_due(world: World, group: Group) -> bool:
    """Return whether a group's margin no longer suffices."""
    if not group.is_shared:
        return _fails_alone(world, group.account, group.positions[0])
    whole = standing(world, group.account, group.currency)
    if whole.shared_equity <= whole.shared_maintenance:
        return True
    return any(_has_reached(world, position, whole) for position in group.positions)


def _fails_alone(world: World, account: Account, position: Position) -> bool:
    """Return whether a position with a margin of its own has come to its liquidation price."""
    mark = world.markets[position.contract.symbol].mark
    if not position.is_cross:
        return is_reached(position, mark, isolated_liquidation_price(world, position))
    held = locked(world, position)
    if own_room(held).liquidation + position.unrealised_pnl(mark) > held.pos_init // NEAR:
        return False  # its own margin carries it, whatever else the account has
    return _has_reached(world, position, standing(world, account, position.contract.settl_currency))


def _has_reached(world: World, position: Position, whole: Standing) -> bool:
    mark = world.markets[position.contract.symbol].mark
    return is_reached(position, mark, boundaries(world, position, whole).liquidation)


def _is_far(world: World, account: Account, currency: str) -> bool:
    """Return whether the shared positions are nowhere near, by a sum that needs no prices."""
    equity, maintenance = account.wallets[currency].amount, 0
    for position in account.positions.values():
        if position.contract.settl_currency != currency:
            continue
        equity += position.realised_pnl
        if not position.quantity:
            continue
        held = locked(world, position)
        if not held.is_shared:
            equity -= held.pos_margin
            continue
        if position.is_in_liquidation:
            return False
        equity += position.unrealised_pnl(world.markets[position.contract.symbol].mark)
        maintenance += held.pos_maint
    return equity > FAR * maintenance


def _liquidate(world: World, group: Group) -> None:
    """Go through the steps until the group can live or is gone."""
    if not group.is_announced:
        if not _survives_relief(world, group):
            _announce(world, group)
        else:
            return
    if world.at_ms < max(p.state_ms for p in group.positions) + world.switches.liquidation_delay_ms:
        return
    while _reduce_one(world, group):
        if not _is_due(world, group):
            _let_live(world, group)
            return
    _take_over(world, group)


def _survives_relief(world: World, group: Group) -> bool:
    """Lower risk limits and cancel orders; return whether that was enough."""
    for relief in (_lower_limits, _clear_orders, _lower_limits):
        relief(world, group)
        if not _is_due(world, group):
            return True
    return False


def _lower_limits(world: World, group: Group) -> None:
    """Bring risk limits down to what the positions, and their orders while there are any, need."""
    whole = standing(world, group.account, group.currency)
    for position in group.positions:
        needed = whole.positions[position.contract.symbol].risk_value
        limit = reduction.lowest_limit(position.contract, needed)
        if limit < position.risk_limit:
            position.risk_limit = limit
            world.mark_stale(position)


def _clear_orders(world: World, group: Group) -> None:
    """Cancel the open orders of the group's contracts; a shared group takes what any order has reserved."""
    for position in group.account.held(group.currency) if group.is_shared else group.positions:
        for order in group.account.open_in(position.contract.symbol):
            cancel_because(world, group.account, order, IN_LIQUIDATION)


def _announce(world: World, group: Group) -> None:
    for position in group.positions:
        position.state, position.state_ms = PositionState.LIQUIDATION, world.at_ms
        log_position(world, group.account, position)


def _let_live(world: World, group: Group) -> None:
    for position in group.positions:
        position.state = PositionState.NORMAL
        world.mark_stale(position)


def _reduce_one(world: World, group: Group) -> bool:
    """Close the part of one position that a lower risk limit does not allow; return whether it went."""
    return any(reduction.reduce(world, group.account, position) for position in group.positions)


def _take_over(world: World, group: Group) -> None:
    """Hand a group over at the prices that leave nothing."""
    whole = standing(world, group.account, group.currency)
    held = [position for position in group.positions if position.quantity]
    if group.is_shared:
        # These prices already leave nothing; there is no margin left to pay a fee from.
        parts = _shares(held, whole)
        taken = [(p, _share_price(world, p, whole, part), ZERO) for p, part in zip(held, parts, strict=True)]
    else:
        taken = [(p, _own_price(world, p, whole), p.contract.taker_fee) for p in held]
    for position, price, fee_rate in taken:
        takeover.seize(world, group.account, position, price, fee_rate)


def _own_price(world: World, position: Position, whole: Standing) -> Decimal:
    """Return the bankruptcy price, or a better one where the account lacks part of what it has locked."""
    lacking = min(0, whole.available) if position.is_cross else 0
    return price_after_loss(world, position, room(world, position, whole).bankruptcy + lacking)


def _shares(held: list[Position], whole: Standing) -> list[int]:
    """Return what each position of a shared group takes of the equity that is left, or of what is missing.

    What is left is shared by the maintenance margins. What is missing goes by what a price can still give:
    no price makes an inverse long or a linear short win more than its value at the mark.
    """
    weights = [_weight(position, whole.positions[position.contract.symbol], whole.shared_equity) for position in held]
    return [whole.shared_equity * weight // max(sum(weights), 1) for weight in weights]


def _weight(position: Position, own: PositionStanding, equity: int) -> int:
    if equity >= 0:
        return own.pos_maint
    is_capped = (position.contract.kind is Kind.INVERSE) is (position.quantity > 0)
    return abs(own.mark_value) if is_capped else max(abs(own.mark_value), position.cost)


def _share_price(world: World, position: Position, whole: Standing, part: int) -> Decimal:
    """Return the price that takes a position's share of the equity.

    With one position this is its bankruptcy price. Equity below zero makes the price better than
    the mark: the insurance fund pays the difference.
    """
    own = whole.positions[position.contract.symbol]
    return price_after_loss(world, position, part - own.unrealised_pnl)
