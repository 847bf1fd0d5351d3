"""One decision: `step(state, event)`, the only place where what the guard knows changes.

Pure, synchronous and total: it reads no clock, raises nothing but `InvariantBroken`, and the same state and event give
the same state and commands, so a journal can be replayed (P9).
"""

from __future__ import annotations

from dataclasses import dataclass

from daemon.core.commands import Command
from daemon.core.events import Event
from daemon.core.state import GuardState


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What one event led to."""

    state: GuardState
    commands: tuple[Command, ...]


def step(state: GuardState, event: Event) -> Step:
    """Fold `event` into `state` and say what is to be done.

    Args:
        state: All that is known.
        event: What happened; `event.at_ns` is now.

    Returns:
        The next state and the commands, in the order in which they are to be handed over.

    Raises:
        InvariantBroken: The core contradicts itself; the process has to end.
    """
    raise NotImplementedError(event)
