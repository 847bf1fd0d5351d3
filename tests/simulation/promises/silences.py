"""Which bots a guard may take for dead, counted apart from its core.

Why: people hear of a bot that comes and goes once a minute, and the guard acts on each of its silences. So what it was
told, second by second, is the witness, and not what it said.

Units: nanoseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from config.bots import BotPolicy
from daemon.core.events import BotHeard, Event, HealthTicked, Started

SECOND_NS: Final = 10**9
MOST_A_TICK_NS: Final = 2 * SECOND_NS


@dataclass(slots=True)
class Silences:
    """The count of one guard, for bots that call."""

    names: set[str] = field(default_factory=set)
    """Silent now, or within a second of it."""
    quiet_ns: dict[str, int] = field(default_factory=dict)
    ticked_ns: int = 0

    def take(self, event: Event, bots: Mapping[str, BotPolicy]) -> None:
        """Count what the guard was told."""
        match event:
            case Started():
                self.ticked_ns, self.quiet_ns = 0, {}
            case BotHeard(bot=bot):
                self.names.discard(bot)
                self.quiet_ns[bot] = 0
            case HealthTicked(at_ns=at_ns, deaf=deaf):
                gap_ns = min(at_ns - self.ticked_ns, MOST_A_TICK_NS) if self.ticked_ns and not deaf else 0
                self.ticked_ns = at_ns
                for name, bot_policy in bots.items():
                    self.quiet_ns[name] = self.quiet_ns.get(name, 0) + gap_ns
                    if self.quiet_ns[name] >= int(bot_policy.silent_after_s * SECOND_NS) - SECOND_NS:
                        self.names.add(name)
            case _:
                pass
