"""P9: the journal of a guard, played through the same code, gives the same commands, record by record."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.core.commands import Command
from tests.simulation.promises.ground import GuardFacts, Promise
from tests.simulation.replay import check_replay


class Repeats(Promise):
    """Plays every journal again when the world is over."""

    name = "P9"
    is_asked = True
    """Sparse sweeps play the journals of a part of their worlds again (see `plans.REPLAYED_OF`)."""

    def on_commands(self, facts: GuardFacts, commands: Sequence[Command]) -> None:
        """These will have to come again."""
        self.checked += len(commands) * self.is_asked

    def at_end(self, facts: GuardFacts) -> None:
        """Play what is on its disk."""
        if not self.is_asked:
            return
        for difference in check_replay(facts.guard.disk):
            self._broken(f"{facts.guard.name}: {difference}")
