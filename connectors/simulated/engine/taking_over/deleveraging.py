"""Auto-deleveraging: who gives way when nobody pays for a liquidation any more.

Why: an empty insurance fund does not leave the venue with a loss. Accounts on the other side are
closed at the bankruptcy price of the liquidation, the most profitable and most leveraged first,
and lose their open orders of the contract. What remains after all of them is taken by whoever
stands behind the modelled liquidity.

Units: prices in quote currency, money in minor units; scores are plain ratios, not money.
Source: www.bitmex.com/app/autoDeleveraging; rows of a deleveraging in 2017.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from connectors.simulated.engine.contracts import EXACT
from connectors.simulated.engine.equity.position_log import log_position
from connectors.simulated.engine.equity.standing import boundaries, is_reached, locked, room, standing
from connectors.simulated.engine.holdings.ledger import Account, Position, PositionState
from connectors.simulated.engine.holdings.liquidation_order import LiquidationOrder
from connectors.simulated.engine.holdings.margin import own_room
from connectors.simulated.engine.markets.liquidity import Match
from connectors.simulated.engine.markets.market import Market
from connectors.simulated.engine.tables.reports import DELEVERAGED, cancel_because
from connectors.simulated.engine.taking_over.closing import Closing, close
from connectors.simulated.engine.trading.matching import publish_trade
from connectors.simulated.engine.world import World

MINUTE_MS = 60_000
FIFTHS = 5
MAKER = (("timeInForce", "GoodTillCancel"), ("tradePublishIndicator", "PublishTrade"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """One position and its place in the queue; a higher score gives way earlier."""

    account: Account
    position: Position
    score: Decimal


def score(*, mark_value: int, cost: int, pnl: int, equity: int) -> Decimal:
    """Return a position's rank: its profit ratio times its effective leverage, divided by it in loss.

    Args:
        mark_value: Unsigned value at the mark.
        cost: Unsigned entry cost.
        pnl: Unrealised result.
        equity: What separates the position from bankruptcy.
    """
    leverage = EXACT.divide(Decimal(mark_value), Decimal(max(equity, 1)))
    ratio = EXACT.divide(Decimal(pnl), Decimal(max(cost, 1)))
    return ratio * leverage if ratio > 0 else EXACT.divide(ratio, max(leverage, Decimal("1E-9")))


def score_of(world: World, account: Account, position: Position) -> Decimal:
    """Return an open position's rank at the present mark."""
    mark = world.markets[position.contract.symbol].mark
    pnl = position.unrealised_pnl(mark)
    return score(
        mark_value=position.contract.value(position.quantity, mark),
        cost=position.cost,
        pnl=pnl,
        equity=_may_lose(world, account, position) + pnl,
    )


def _may_lose(world: World, account: Account, position: Position) -> int:
    if not position.is_cross:
        return own_room(locked(world, position)).bankruptcy
    return room(world, position, standing(world, account, position.contract.settl_currency)).bankruptcy


def queue(world: World, symbol: str, sign: int) -> list[Ranked]:
    """Return the positions of one side (+1 long, -1 short), the first to give way first."""
    held = [
        Ranked(account=account, position=position, score=score_of(world, account, position))
        for account in world.accounts.values()
        if (position := account.positions.get(symbol)) is not None and position.side == sign
    ]
    return sorted(held, key=_first_to_give_way)


def rank_all(world: World) -> None:
    """Renew the place in the queue of everybody who is not alone on a side, once a minute."""
    minute = world.at_ms // MINUTE_MS
    if minute == world.ranked_minute:
        return
    world.ranked_minute = minute
    sides: dict[tuple[str, int], list[Ranked]] = {}
    for account in world.accounts.values():
        for symbol, position in account.positions.items():
            if position.quantity:
                each = Ranked(account=account, position=position, score=score_of(world, account, position))
                sides.setdefault((symbol, position.side), []).append(each)
    for held in sides.values():
        held.sort(key=_first_to_give_way)
        for place, each in enumerate(held):
            each.position.rank = Decimal(FIFTHS - FIFTHS * place // len(held)) / FIFTHS if len(held) > 1 else None


def _first_to_give_way(each: Ranked) -> tuple[Decimal, int]:
    return -each.score, each.account.number


def deleverage(world: World, market: Market, rest: LiquidationOrder) -> None:
    """Hand the rest of a liquidation to the other side of the market."""
    for each in _able(world, rest):
        quantity = min(rest.leaves, abs(each.position.quantity))
        _give_way(world, market, each, rest, quantity)
        if not rest.leaves:
            return
    _to_provider(world, market, rest)


def _able(world: World, rest: LiquidationOrder) -> Iterator[Ranked]:
    """Yield who can bear the price: nobody is deleveraged into a liquidation of his own."""
    for each in queue(world, rest.contract.symbol, rest.side.sign):
        whole = standing(world, each.account, rest.contract.settl_currency)
        edge = boundaries(world, each.position, whole).liquidation
        if not is_reached(each.position, rest.bankruptcy, edge):
            yield each


def _give_way(world: World, market: Market, each: Ranked, rest: LiquidationOrder, quantity: int) -> None:
    """Close one account at the bankruptcy price, its open orders of the contract first."""
    account, position = each.account, each.position
    for order in account.open_in(rest.contract.symbol):
        cancel_because(world, account, order, DELEVERAGED)
    position.state, position.state_ms = PositionState.DELEVERAGE, world.at_ms
    log_position(world, account, position)
    why = Closing(
        price=rest.bankruptcy,
        exec_type="Trade",
        text="Deleverage",
        fee_rate=rest.contract.maker_fee,
        liquidity="AddedLiquidity",
        columns=MAKER,
    )
    close(world, account, position, quantity, why)
    position.state = PositionState.NORMAL
    _hand_on(world, market, rest, quantity)


def _to_provider(world: World, market: Market, rest: LiquidationOrder) -> None:
    """Let whoever stands behind the modelled liquidity take all that is left."""
    quantity = rest.leaves
    world.house.trade(rest.contract, quantity * rest.side.sign, rest.bankruptcy)
    _hand_on(world, market, rest, quantity)


def _hand_on(world: World, market: Market, rest: LiquidationOrder, quantity: int) -> None:
    rest.release(world.house, quantity)
    match = Match(price=rest.bankruptcy, quantity=quantity)
    publish_trade(world, market, rest.side, match, world.new_id("match"))
