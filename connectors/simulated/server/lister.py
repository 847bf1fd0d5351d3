"""What the running exchange lists and prices beyond the tape's own contracts.

Why: an exchange that lists everything has to list new futures on their day and to move every market
about once a second. Both become inputs like all others, so a journal repeats them.

Units: milliseconds of protocol time unless named otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from connectors.simulated.engine.contracts import Contract
from connectors.simulated.engine.exchange import Exchange
from connectors.simulated.engine.inputs import ListContracts, SymbolPrices
from connectors.simulated.engine.markets.market import MarketState
from connectors.simulated.listing.opening import Catalogue
from connectors.simulated.tape.followers import Followers
from connectors.simulated.tape.market import FOLLOWERS
from connectors.simulated.tape.noise import derive
from connectors.simulated.tape.scripted_path import Line, on_line
from connectors.simulated.tape.tape import Step

_HOUR_MS = 3_600_000  # contracts appear at whole hours
_OWN_SEED = 2
_OF_TAPE = frozenset(follower.contract.symbol for follower in FOLLOWERS)


class Lister:
    """Adds what a catalogue lists to an exchange, and its prices to the tape's steps."""

    def __init__(
        self,
        catalogue: Catalogue,
        exchange: Exchange,
        *,
        seed: int,
        is_recorded: bool = False,
        paths: Mapping[str, Line] | None = None,
    ) -> None:
        """Go on from what is listed.

        Args:
            catalogue: What may be listed.
            exchange: To be read: what is listed already.
            seed: Origin of the prices that the tape does not carry.
            is_recorded: Whether the tape is a recorded market: what it does not carry has no price then.
            paths: Ways that contracts go on their own, by symbol; the tape minds those of its own contracts.
        """
        self._catalogue = catalogue
        self._exchange = exchange
        self._seed = derive(seed, _OWN_SEED)
        self._is_recorded = is_recorded
        self._paths = {symbol: line for symbol, line in (paths or {}).items() if symbol not in _OF_TAPE}
        self._hour = -1
        self._markets = -1
        self._followers: Followers
        self._led: list[Contract] = []
        self._is_new = False

    def due(self, at_ms: int) -> ListContracts | None:
        """Return what is to be listed by now and is not; looked up once an hour."""
        if at_ms // _HOUR_MS == self._hour:
            return None
        self._hour = at_ms // _HOUR_MS
        known = self._exchange.world.markets
        new = [one for one in self._catalogue.contracts_at(at_ms) if one.symbol not in known]
        if not new:
            return None
        named = self._catalogue.table.indices
        listed = self._exchange.world.indices
        return ListContracts(
            contracts=tuple(new), indices=tuple(index for index in named if index.symbol not in listed)
        )

    def prices(self, step: Step, *, at_ms: int) -> tuple[SymbolPrices, ...]:
        """Return a step's prices: the tape's own of what is listed, and those of the markets whose turn it is."""
        world = self._exchange.world
        own = tuple(self._on_grid(one) for one in step.prices if one.symbol in world.markets)
        if self._is_recorded:
            return own
        if len(world.markets) != self._markets:
            self._follow()
        leading = {one.symbol: one for one in step.prices}
        others = self._followers.prices(self._turn(step), leading, tape_ms=step.tape_ms, at_ms=at_ms)
        return (*own, *(self._on_path(one, step.tape_ms) for one in others))

    def _turn(self, step: Step) -> list[Contract]:
        """Return whose turn it is: all once one of them has no price yet, and always those on a way of their own."""
        moving = self._followers.moving(0 if self._is_new else step.index, step.real_ms)
        self._is_new = False
        turn = {one.symbol: one for one in (*moving, *self._led)}
        return [one for symbol, one in turn.items() if self._exchange.world.markets[symbol].state is MarketState.OPEN]

    def _on_path(self, prices: SymbolPrices, tape_ms: int) -> SymbolPrices:
        line = self._paths.get(prices.symbol)
        return prices if line is None else self._on_grid(on_line(prices, line, tape_ms))

    def _on_grid(self, prices: SymbolPrices) -> SymbolPrices:
        """Return the tape's prices on the ticks of what is listed, which may be another day's."""
        tick = self._exchange.world.markets[prices.symbol].contract.tick_size
        if self._is_recorded or (prices.last % tick == 0 and prices.half_spread >= tick):
            return prices
        last = max(1, round(prices.last / tick)) * tick
        return replace(prices, last=last, half_spread=max(1, round(prices.half_spread / tick)) * tick)

    def _follow(self) -> None:
        world = self._exchange.world
        self._markets = len(world.markets)
        contracts = [market.contract for market in world.markets.values()]
        indices = {symbol: prints.index for symbol, prints in world.indices.items()}
        self._followers = Followers(contracts, indices, carried=_OF_TAPE, seed=self._seed)
        self._led = [one for one in contracts if one.symbol in self._paths]
        self._is_new = any(
            market.state is MarketState.OPEN and not market.has_prices and symbol not in _OF_TAPE
            for symbol, market in world.markets.items()
        )
