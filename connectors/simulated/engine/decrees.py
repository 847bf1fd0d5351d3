"""What the venue decides about its markets and its fund, rather than any trader.

Why: delistings, bans on new positions, another way of marking and a filled or emptied insurance
fund are inputs like all else, so a scenario can have them and a replay repeats them.

Units: prices in quote currency, money in minor units.
"""

from __future__ import annotations

from typing import assert_never

from connectors.simulated.engine.holdings.ledger import add
from connectors.simulated.engine.inputs import Decree, FundInsurance, RestrictMarket, SetMarkMethod, SettleContract
from connectors.simulated.engine.markets.market import MarkMethod
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.rows import MAJOR
from connectors.simulated.engine.taking_over import settlement, takeover
from connectors.simulated.engine.world import World


def decree(world: World, value: Decree) -> None:
    """Carry a decision out.

    Raises:
        Refused: If it can not be; nothing has changed then.
    """
    match value:
        case SettleContract():
            settlement.settle_contract(world, value)
        case RestrictMarket():
            world.market(value.symbol).is_reduce_only = value.reduce_only
        case SetMarkMethod():
            _mark(world, value)
        case FundInsurance():
            _fund(world, value)
        case _:
            assert_never(value)


def _mark(world: World, value: SetMarkMethod) -> None:
    try:
        world.market(value.symbol).mark_method = MarkMethod(value.method)
    except ValueError:
        raise Refused("Invalid markMethod") from None


def _fund(world: World, value: FundInsurance) -> None:
    """Put money into the fund or take some out, down to nothing."""
    house = world.house
    if value.currency not in MAJOR or house.fund.get(value.currency, 0) + value.amount < 0:
        raise Refused("Invalid amount")
    add(house.fund, value.currency, value.amount)
    add(house.deposits, value.currency, value.amount)
    world.emit("insurance", None, takeover.insurance_row(world, value.currency))
