"""Legacy cross margin: what a position draws from the free margin, and gives back.

Why: before March 2024 a losing cross position had its loss made good from the account, update by
update, and let go of it when the mark came back. What it could not draw any more it lacked, so
positions failed one at a time.

Units: minor units. Source: `posCross` of rows of 2019 to 2023: loss plus `posLoss`, an update late.
"""

from __future__ import annotations

from connectors.simulated.engine.equity.standing import standing
from connectors.simulated.engine.holdings.ledger import Account, Position
from connectors.simulated.engine.holdings.margin import spendable
from connectors.simulated.engine.switches import MarginEngine
from connectors.simulated.engine.world import World


def renew(world: World, account: Account) -> None:
    """Let the account's cross positions draw for their losses, or give back what they need no more."""
    if world.switches.margin_engine is not MarginEngine.LEGACY:
        return
    drawing = []
    for position in account.positions.values():
        if not position.is_cross or not position.quantity:
            continue
        wanted = _wanted(world, position)
        if wanted < position.pos_cross:
            position.pos_cross = wanted
        elif wanted > position.pos_cross:
            drawing.append(position)
    for position in drawing:
        whole = standing(world, account, position.contract.settl_currency)
        free = spendable(whole.available, position.contract.fee)
        position.pos_cross = min(_wanted(world, position), position.pos_cross + free)


def _wanted(world: World, position: Position) -> int:
    mark = world.markets[position.contract.symbol].mark
    return max(0, -position.unrealised_pnl(mark)) + position.pos_loss
