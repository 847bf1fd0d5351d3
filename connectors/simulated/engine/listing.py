"""Listing: contracts and indices that appear while the exchange runs.

Why: futures come every month, and an exchange is opened with everything its venue lists. The engine
knows no file and no calendar; it is handed the figures.

Units: times in protocol ms. Source: www.bitmex.com/app/restAPIMessages for the refusal.
"""

from __future__ import annotations

from connectors.simulated.engine.inputs import ListContracts
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.tables.instrument_rows import index_row, instrument_row
from connectors.simulated.engine.world import World

KEPT = 100  # rows of public history of each; of the few an exchange is opened with it keeps more


def list_contracts(world: World, value: ListContracts) -> None:
    """Open markets for the contracts that have none, and publish their rows and those of new indices."""
    known = set(world.indices)
    for market in world.open_markets(value.contracts, value.indices, kept=KEPT):
        world.emit("instrument", None, instrument_row(world, market))
    for symbol, prints in world.indices.items():
        if symbol in known:
            continue
        first = prints.take(prints.index.level, at_ms=world.at_ms) if prints.index.level is not None else None
        world.emit("instrument", None, index_row(prints, at_ms=world.at_ms))
        if first is not None:
            world.emit("trade", None, first)


def require_traded(world: World, symbol: str) -> None:
    """Refuse what is listed and quoted only.

    Raises:
        Refused: For a spot pair or a spread.
    """
    market = world.markets.get(symbol) or world.markets.get(symbol.upper())
    if market is not None and not market.contract.is_traded:
        raise Refused("Market is not open")
