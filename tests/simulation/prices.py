"""Prices of a simulation: a seeded walk of three contracts, with jumps on demand.

Units: prices `Decimal`, steps once per `STEP_S` of virtual time.
"""

from __future__ import annotations

from decimal import Decimal
from math import exp
from random import Random

from connectors.simulated.engine.equity.funding import next_exchange_ms
from connectors.simulated.engine.inputs import SetPrices, SymbolPrices
from connectors.simulated.server.venue import Venue
from tests.simulation.bot import CONTRACTS
from tests.simulation.virtual_loop import TrueTime, passing

STEP_S = 1.0
FIRST = {"XBTUSD": 60_000.0, "ETHUSD": 2_400.0, "XBTUSDT": 60_010.0}
VOLATILITY = 0.0002
"""Standard deviation of one step, as a share of price, when nothing is the matter."""
_CENT = Decimal("0.01")
_DEPTH = 10_000_000


class PriceWalk:
    """Marks that wander together and a little apart."""

    def __init__(
        self,
        *,
        venue: Venue,
        random: Random,
        true_time: TrueTime,
        volatility: float = VOLATILITY,
        every_s: float = STEP_S,
    ) -> None:
        self._venue = venue
        self._random = random
        self._rounding = Random(random.getrandbits(64))  # noqa: S311
        """Apart, so that a jump, which is published too, changes nothing of the steps that follow."""
        self._true_time = true_time
        self._every_s = every_s
        self.volatility = volatility
        """Standard deviation of one step, as a share of price."""
        self.drift = 0.0
        self._level = dict(FIRST)
        self.is_halted = False
        self.funding: dict[str, Decimal] = {}
        """Funding rates that the tape names, by symbol; the exchange works out the others."""
        self._tape_ahead_ms = 0

    def step(self) -> None:
        """Move every price by one step and tell the exchange."""
        common = self._random.gauss(self.drift, self.volatility)
        for symbol in self._level:
            self._level[symbol] *= exp(common + self._random.gauss(0.0, self.volatility / 4))
        self._publish()

    def jump(self, share: float) -> None:
        """Move every price at once."""
        for symbol in self._level:
            self._level[symbol] *= 1 + share
        self._publish()

    def move_to(self, symbol: str, price: Decimal) -> None:
        """Move one price to where it is wanted at once."""
        self._level[symbol] = float(price)
        self._publish()

    def skip_to_funding(self, *, before_s: float) -> None:
        """Let the tape's clock, and nothing else, jump to so long before the next exchange of funding."""
        tape_ms = self._tape_ms()
        self._tape_ahead_ms += max(0, next_exchange_ms(tape_ms) - tape_ms - int(before_s * 1000))

    def _tape_ms(self) -> int:
        return self._true_time.now_ms() + self._tape_ahead_ms

    def mark(self, symbol: str) -> Decimal:
        """The present mark."""
        return Decimal(round(self._level[symbol] * 100)) / 100

    def _publish(self) -> None:
        prices = tuple(self._priced(symbol) for symbol in self._level)
        self._venue.submit(SetPrices(tape_ms=self._tape_ms(), prices=prices))

    def _priced(self, symbol: str) -> SymbolPrices:
        contract, mark = CONTRACTS[symbol], self.mark(symbol)
        return SymbolPrices(
            symbol=symbol,
            mark=mark,
            index=(mark * Decimal("0.9998")).quantize(_CENT),
            last=contract.on_tick(mark, up=self._rounding.random() < 0.5),
            half_spread=contract.tick_size,
            depth=_DEPTH,
            halted=self.is_halted,
            funding_rate=self.funding.get(symbol),
        )

    async def run(self) -> None:
        """Step until cancelled."""
        while True:
            self.step()
            await passing(self._every_s)
