"""Closing a position by the venue's own hand: takeover, deleveraging, settlement.

Why: all three take contracts off an account at a price nobody asked for and show it as an
execution without an order. Who gets the contracts is the caller's business; the books of the
account are the same each time.

Units: contracts, prices in quote currency, money in minor units.
Source: execution rows with text `Liquidation` and `Deleverage` of 2017 and later.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.holdings.ledger import Account, Position, add
from connectors.simulated.engine.resting.orders import Side
from connectors.simulated.engine.rows import notionals
from connectors.simulated.engine.tables.order_rows import ExecutionStamp, FillFigures, system_execution_row
from connectors.simulated.engine.tables.reports import publish_execution
from connectors.simulated.engine.world import World


@dataclass(frozen=True, kw_only=True, slots=True)
class Closing:
    """At which price a position is closed and why, as its execution says it.

    `columns` replace those of a liquidation; `has_side` is false where nobody bought or sold.
    """

    price: Decimal
    exec_type: str
    text: str
    fee_rate: Decimal
    liquidity: str | None = "RemovedLiquidity"
    has_side: bool = True
    columns: tuple[tuple[str, str], ...] = ()


def close(world: World, account: Account, position: Position, quantity: int, why: Closing) -> int:
    """Close unsigned contracts of a position and return the signed cost somebody else takes over."""
    contract = position.contract
    signed = -position.side * quantity
    side = Side.BUY if signed > 0 else Side.SELL
    realised = position.realised_pnl
    cost, fee = position.fill(signed, why.price, why.fee_rate)
    add(world.house.fees, contract.settl_currency, fee)
    home, foreign = notionals(contract, signed, why.price, quote_to_settle=world.quote_to_settle)
    stamp = ExecutionStamp(
        exec_id=world.new_id("execution"),
        exec_type=why.exec_type,
        match_id=world.new_id("match"),
        at_ms=world.at_ms,
    )
    figures = FillFigures(
        quantity=quantity,
        price=why.price,
        liquidity=why.liquidity,
        rate=why.fee_rate,
        cost=cost,
        fee=fee,
        home=home,
        foreign=foreign,
        realised_pnl=position.realised_pnl - realised,
    )
    row: Row = system_execution_row(position, stamp, figures, text=why.text, side=side.value if why.has_side else None)
    row.update(why.columns)
    publish_execution(world, account, row)
    world.mark_stale(position)
    return cost
