"""The exchange of a simulation: the real venue on a virtual clock, watched from inside.

Why: the promises are checked against what really happened at the exchange, not against what the guard believes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from connectors.simulated.engine.changes import Change, Reply
from connectors.simulated.engine.inputs import Input
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.settings import ExchangeSettings
from connectors.simulated.server.venue import Venue
from tests.simulation.virtual_loop import TrueTime

Watcher = Callable[[Sequence[Change]], None]
RefusalWatcher = Callable[[Input, Refused], None]


class SimVenue(Venue):
    """A venue without journal and ports."""

    def __init__(self, settings: ExchangeSettings, true_time: TrueTime) -> None:
        super().__init__(settings, true_time.now_ms)
        self.watchers: list[Watcher] = []
        self.refusal_watchers: list[RefusalWatcher] = []
        self.open({})

    def submit(self, value: Input, *, step: int | None = None) -> Reply:
        """Apply one input (see `Venue.submit`), and show to whoever watches what is refused."""
        try:
            return super().submit(value, step=step)
        except Refused as refusal:
            for watch in tuple(self.refusal_watchers):
                watch(value, refusal)
            raise

    def _publish(self, at_ms: int) -> None:
        changes = self.exchange.take_changes()
        self.hub.publish(changes)
        for watch in tuple(getattr(self, "watchers", ())):
            watch(changes)
