"""What a trouble may lay hands on: the exchange, the network, the prices, the account, and who watches over it all.

Why: every trouble is one small function (see `troubles/`), and this is all it needs to know. What really bit is counted
here and nowhere else, so a trouble that was cast and did nothing is told from one that happened.

Units: seconds of virtual time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.bot import Bot
    from tests.simulation.guard_life import SimGuard
    from tests.simulation.operators import Operator
    from tests.simulation.prices import PriceWalk
    from tests.simulation.promises import Promises
    from tests.simulation.sim_venue import SimVenue
    from tests.simulation.streams import Network
    from tests.simulation.virtual_loop import VirtualLoop

BOT_ADDRESS = "address of the bot"


@dataclass(kw_only=True, slots=True)
class Scene:
    """One world, as troubles see it."""

    venue: SimVenue
    network: Network
    prices: PriceWalk
    promises: Promises
    bot: Bot
    operator: Operator
    account: int
    guards: Sequence[SimGuard]
    loop: VirtualLoop
    told: Callable[[str], None]
    """Who hears of every line of the log."""
    hits: Counter[str] = field(default_factory=Counter)
    """How often each trouble really bit, by its name."""
    cast: Counter[str] = field(default_factory=Counter)
    """How often each trouble was tried, by its name."""
    faults: list[tuple[str, float]] = field(default_factory=list)
    """What really bit: whom it struck, and when it ended."""
    log: list[str] = field(default_factory=list)
    """What happened beside the guards, a line each."""
    held_until_s: float = 0.0
    """The calm at the end of a world cannot begin before: somebody was told to stay away until then."""
    _lasting: int = 0

    def hit(self, name: str) -> None:
        """A trouble really bit: a reply was really lost, a stop really did not fire."""
        self.hits[name] += 1

    def note(self, text: str) -> None:
        """Add a line to the log."""
        self.log.append(f"{self.loop.time():.3f} {text}")
        self.told(text)

    def hold_until(self, seconds: float) -> None:
        """Nobody can be whole before so many seconds from now, even if the world ends earlier."""
        self.held_until_s = max(self.held_until_s, self.loop.time() + seconds)

    @contextmanager
    def hindered(self) -> Iterator[None]:
        """Something hinders the guard: what needs a working world is not asked of it until the last of these ends."""
        self._lasting += 1
        self.promises.quiet_since_s = inf
        try:
            yield
        finally:
            self._lasting -= 1
            if not self._lasting:
                self.promises.quiet_since_s = 0.0
                self.promises.disturb()

    def drain(self, requests: int) -> None:
        """Somebody else uses up so many of the account's requests."""
        for _ in range(requests):
            self.venue.limits.admit(
                account=self.account, address=BOT_ADDRESS, is_order=False, now_ms=self.venue.clock()
            )
