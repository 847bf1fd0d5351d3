"""Takes operators' requests: checked, journalled, on disk, and only then acknowledged (P7).

Why on disk first: a person who was told "frozen" goes away. If the process is killed a moment later, the next one has
to know. The decision itself does not wait for the disk: it is carried out at once, and a disk that does not take it is
said in the acknowledgement. One request must not be carried out without its record: a stop that is let move away from
the mark has to have a name to it (P3), so while the journal is not written it is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from daemon.core.events import Event, OperatorAsked
from daemon.core.operator_requests import OperatorRequest, SetStop
from daemon.core.operators.operator import outcome, refusal, repeat_refusal
from daemon.core.state import GuardState
from daemon.shell.clock import Clock

DURABLE_WITHIN_S = 2.0
"""Twice this is below the deadline of a connection."""
_NOT_RECORDED = (
    "the journal cannot be written at the moment, and a stop is not loosened without a record of who asked for it;"
    " nothing was done"
)


class Core(Protocol):
    """What the desk needs of the runner."""

    @property
    def state(self) -> GuardState:
        """The newest state."""

    def take(self, event: Event) -> None:
        """Take an event in."""


class OperatorDesk:
    """Carries out what a person asks for."""

    def __init__(self, *, core: Core, clock: Clock, wait_durable: Callable[[float], bool]) -> None:
        """Prepare the desk of one guard.

        Args:
            core: Decides.
            clock: Stamps the event.
            wait_durable: Blocks until the journal is on disk; False if it is not within that many seconds.
        """
        self._core = core
        self._clock = clock
        self._wait_durable = wait_durable

    async def operate(self, who: str, request_id: str, request: OperatorRequest, *, via: str = "") -> dict[str, object]:
        """Carry out one request; the same id again is only acknowledged again.

        Returns:
            `done` with what holds now, or `error` with what would have been possible.
        """
        if _loosens(request) and not await asyncio.to_thread(self._wait_durable, DURABLE_WITHIN_S):
            return {"error": _NOT_RECORDED}
        state = self._core.state
        is_repeat = request_id in state.operator_ids
        words = repeat_refusal(state, request_id, request) if is_repeat else refusal(state, request)
        if words:
            return {"error": words}
        if not is_repeat:
            asked = OperatorAsked(at_ns=self._clock.now_ns(), request_id=request_id, who=who, via=via, request=request)
            self._core.take(asked)
        is_durable = await asyncio.to_thread(self._wait_durable, DURABLE_WITHIN_S)
        return {"done": outcome(self._core.state, request), "who": who, "is_repeat": is_repeat, "on_disk": is_durable}


def _loosens(request: OperatorRequest) -> bool:
    return isinstance(request, SetStop) and request.may_loosen
