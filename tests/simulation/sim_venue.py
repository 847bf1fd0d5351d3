"""The exchange of a simulation: the real venue on a virtual clock, watched from inside.

Why: the promises are checked against what really happened at the exchange, not against what the guard believes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from connectors.simulated.engine.changes import Change
from connectors.simulated.server.settings import ExchangeSettings
from connectors.simulated.server.venue import Venue
from tests.simulation.virtual_loop import TrueTime

Watcher = Callable[[Sequence[Change]], None]


class SimVenue(Venue):
    """A venue without journal and ports."""

    def __init__(self, settings: ExchangeSettings, true_time: TrueTime) -> None:
        super().__init__(settings, true_time.now_ms)
        self.watchers: list[Watcher] = []
        self.open({})

    def _publish(self, at_ms: int) -> None:
        changes = self.exchange.take_changes()
        self.hub.publish(changes)
        for watch in getattr(self, "watchers", ()):
            watch(changes)
