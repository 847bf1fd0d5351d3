"""Whether a trouble still stands, for a channel that is told what is the case and not what happened.

The core's book knows its groups, the outbox the channels that fail. Before there is a core nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable

from daemon.core.state import GuardState
from daemon.shell.alerts.outbox import CHANNEL_GROUP, AlertOutbox


class Troubles:
    """Answers by the group of an alert."""

    def __init__(self) -> None:
        self._state: Callable[[], GuardState] | None = None
        self._outbox: AlertOutbox | None = None

    def watch(self, *, state: Callable[[], GuardState] | None = None, outbox: AlertOutbox | None = None) -> None:
        """Ask these from now on."""
        self._state = state or self._state
        self._outbox = outbox or self._outbox

    def stands(self, group: str) -> bool | None:
        """Return whether the trouble of a group stands; None: nobody knows yet."""
        if group.startswith(CHANNEL_GROUP):
            return None if self._outbox is None else self._outbox.is_troubled(group.removeprefix(CHANNEL_GROUP))
        return None if self._state is None else group in self._state().people.groups
