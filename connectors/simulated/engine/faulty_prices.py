"""Faults of the tape: what becomes of a step of prices before the engine takes it.

Why: a pinned mark, a halt or an empty book are the same thing to the engine as the tape having said so.
The input stays as it came, so a journal shows both what was sent and what was done to it.

Units: prices in quote currency; percentages of the price that came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from msgspec.structs import replace

from connectors.simulated.engine.faults.kinds import Value
from connectors.simulated.engine.inputs import SetPrices, SymbolPrices
from connectors.simulated.engine.markets.market import Market
from connectors.simulated.engine.world import World

_PRICES = ("mark", "last", "index")
_UNIT = Decimal("0.01")  # of a mark or index price
_HUNDRED = Decimal(100)

Effect = Callable[[SymbolPrices, Market, Mapping[str, Value]], SymbolPrices]


def priced(world: World, value: SetPrices) -> SetPrices:
    """Return the prices as the faults that are set leave them; each bites a step as a whole."""
    prices = value.prices
    for one in world.faults.active.values():
        effect = EFFECTS.get(one.fault.name)
        met = {each.symbol for each in prices if one.meets({"symbol": each.symbol})}
        if effect is not None and met and one.bites(world.at_ms):
            parameters = one.parameters
            prices = tuple(
                effect(each, world.market(each.symbol), parameters) if each.symbol in met else each for each in prices
            )
    return value if prices is value.prices else replace(value, prices=prices)


def _pinned(prices: SymbolPrices, market: Market, parameters: Mapping[str, Value]) -> SymbolPrices:
    given = {name: value for name in _PRICES if isinstance(value := parameters[name], Decimal)}
    return _moved_to(prices, market, given)


def _moved(prices: SymbolPrices, market: Market, parameters: Mapping[str, Value]) -> SymbolPrices:
    factor = 1 + Decimal(str(parameters["percent"])) / _HUNDRED
    names = _PRICES if parameters["what"] == "all" else (str(parameters["what"]),)
    return _moved_to(prices, market, {name: getattr(prices, name) * factor for name in names})


def _mark_frozen(prices: SymbolPrices, market: Market, _: Mapping[str, Value]) -> SymbolPrices:
    return replace(prices, mark=market.mark) if market.has_prices else prices


def _index_outage(prices: SymbolPrices, market: Market, parameters: Mapping[str, Value]) -> SymbolPrices:
    if not market.has_prices:
        return prices
    mark = market.mark if parameters["mark"] == "frozen" else prices.last
    return replace(prices, index=market.index, mark=mark)


def _halt(prices: SymbolPrices, market: Market, _: Mapping[str, Value]) -> SymbolPrices:
    last = market.last if market.has_prices else prices.last
    return replace(prices, halted=True, depth=0, last=last, low=None, high=None)


def _book_thin(prices: SymbolPrices, market: Market, parameters: Mapping[str, Value]) -> SymbolPrices:
    share, times = (Decimal(str(parameters[name])) for name in ("depth_percent", "spread_times"))
    lots = int(prices.depth * share / _HUNDRED) // market.contract.lot_size
    spread = max(prices.half_spread, market.contract.tick_size) * times
    return replace(prices, depth=lots * market.contract.lot_size, half_spread=market.contract.on_tick(spread, up=True))


EFFECTS: Mapping[str, Effect] = {
    "price-pinned": _pinned,
    "price-moved": _moved,
    "bad-print": _moved,
    "mark-frozen": _mark_frozen,
    "index-outage": _index_outage,
    "trading-halt": _halt,
    "book-thin": _book_thin,
}


def _moved_to(prices: SymbolPrices, market: Market, given: Mapping[str, Decimal]) -> SymbolPrices:
    """Return the prices with some replaced, each on the grid of its own, never below one unit of it."""
    placed = {
        name: max(_UNIT, price.quantize(_UNIT))
        if name != "last"
        else max(market.contract.tick_size, market.contract.on_tick(price, up=False))
        for name, price in given.items()
    }
    # What was traded on the way belongs to the price that came, not to the one put in its place.
    return replace(prices, **placed, **({"low": None, "high": None} if "last" in placed else {}))
