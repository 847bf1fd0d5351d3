"""Keeps the newest picture of the guard, for any number of browsers, at one question a second.

Why one place: the guard has better things to do than to answer browsers. However many look, it is asked at most once
in `EVERY_S`, and not at all while nobody looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from daemon.shell.control.client import DaemonUnreachable

EVERY_S: Final = 1.0
TIMEOUT_S: Final = 3.0

Ask = Callable[[str], tuple[int, bytes]]
"""Target -> status and body. Blocks; raises DaemonUnreachable if nobody answers."""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser is told."""

    problem: str
    """Why the guard does not answer; empty while it does."""
    age_s: float | None
    """How old the state is; None if there has never been one."""
    state: msgspec.Raw
    """As the guard said it, or null. The newest that was ever heard: with a `problem`, a memory."""
    alerts: msgspec.Raw
    """Likewise."""


class Follower:
    """Asks the guard behind one control socket."""

    def __init__(self, ask: Ask, *, clock: Callable[[], float]) -> None:
        """Prepare; nothing is asked yet.

        Args:
            ask: One question over its control socket.
            clock: Seconds that only grow.
        """
        self._ask = ask
        self._clock = clock
        self._turn = asyncio.Lock()
        self._asked_s = float("-inf")
        self._heard_s: float | None = None
        self._problem = "not asked yet"
        self._state = msgspec.Raw(b"null")
        self._alerts = msgspec.Raw(b"null")

    async def picture(self) -> Picture:
        """Return the newest picture, at most `EVERY_S` old while the guard answers."""
        async with self._turn:
            if self._clock() - self._asked_s >= EVERY_S:
                await self._look()
                self._asked_s = self._clock()
        age_s = None if self._heard_s is None else round(self._clock() - self._heard_s, 1)
        return Picture(problem=self._problem, age_s=age_s, state=self._state, alerts=self._alerts)

    async def _look(self) -> None:
        try:
            self._state = await self._read("/v1/state")
            self._alerts = await self._read("/v1/alerts")
        except (DaemonUnreachable, ValueError) as error:
            self._problem = str(error) or type(error).__name__
            return
        self._problem = ""
        self._heard_s = self._clock()

    async def _read(self, target: str) -> msgspec.Raw:
        status, body = await asyncio.to_thread(self._ask, target)
        if status != 200:
            raise DaemonUnreachable(f"the guard answered {target} with {status}")
        msgspec.json.decode(body)  # a half answer must not reach the browsers
        return msgspec.Raw(body)
