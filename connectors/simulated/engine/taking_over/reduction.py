"""Partial liquidation: closing the part of a position that a lower risk limit does not allow.

Why: a large position in trouble is not thrown at the market whole. Its risk limit, and with it
the maintenance margin, comes down a step at a time, each paid for by an order that fills
completely at better than the bankruptcy price or not at all.

Units: contracts, prices in quote currency, limits in minor units.
Source: www.bitmex.com/app/liquidationExamples.
"""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine.contracts import Contract
from connectors.simulated.engine.equity.standing import closing_bound
from connectors.simulated.engine.holdings.ledger import Account, Position
from connectors.simulated.engine.markets.liquidity import plan
from connectors.simulated.engine.resting.orders import Side
from connectors.simulated.engine.taking_over import takeover
from connectors.simulated.engine.taking_over.closing import Closing, close
from connectors.simulated.engine.world import World

FILL_OR_KILL = (("ordType", "Market"), ("timeInForce", "FillOrKill"))


def lowest_limit(contract: Contract, value: int) -> int:
    """Return the lowest risk limit that a value at risk stays within."""
    steps = max(0, -(-(value - contract.risk_limit) // contract.risk_step))
    return contract.risk_limit + steps * contract.risk_step


def reduce(world: World, account: Account, position: Position) -> bool:
    """Bring a position under the next lower risk limit, and return whether the book allowed it."""
    contract = position.contract
    limit = position.risk_limit - contract.risk_step
    if not position.quantity or limit < contract.risk_limit:
        return False
    market = world.markets[contract.symbol]
    excess = _excess_lots(contract, contract.lot_value(market.mark), position, limit)
    quantity = excess * contract.lot_size
    side = Side.SELL if position.quantity > 0 else Side.BUY
    found = plan(
        market,
        taker=side,
        quantity=quantity,
        bound=closing_bound(world, account, position),
        account=account.number,
    )
    if found.quantity < quantity:
        return False
    for match in found.matches:
        sold = takeover.meet(world, market, side, match)
        if sold:
            close(world, account, position, sold, _why(contract, match.price))
    position.risk_limit = limit
    return True


def _why(contract: Contract, price: Decimal) -> Closing:
    return Closing(
        price=price,
        exec_type="Trade",
        text="Liquidation",
        fee_rate=contract.taker_fee,
        columns=FILL_OR_KILL,
    )


def _excess_lots(contract: Contract, lot_value: int, position: Position, limit: int) -> int:
    """Return how many lots must go for the value at the mark to stay within a limit."""
    return max(0, contract.lots(position.quantity) - limit // max(lot_value, 1))
