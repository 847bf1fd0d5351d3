"""Keeps the newest picture of the guard, for any number of browsers, at one question a second.

Why one place: the guard has better things to do than to answer browsers. However many look, it is asked at most once
in `EVERY_S`, and not at all while nobody looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from daemon.shell.control.client import DaemonUnreachable

EVERY_S: Final = 1.0
TIMEOUT_S: Final = 3.0
"""For each part of an answer."""
LONGEST_S: Final = 2 * TIMEOUT_S
"""For all of it: then browsers are told, and the question goes on."""

Ask = Callable[[str], tuple[int, bytes]]
"""Target -> status and body. Blocks; raises DaemonUnreachable if nobody answers."""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser is told."""

    problem: str
    """Why the guard does not answer; empty while it does."""
    age_s: float | None
    """How old state and alerts are at most, from when they were asked for; None if there have never been any."""
    state: msgspec.Raw
    """As the guard said it, or null. The newest that was ever heard: with a `problem`, a memory."""
    alerts: msgspec.Raw
    """Likewise."""


class _Heard(NamedTuple):
    """One whole answer."""

    state: msgspec.Raw
    alerts: msgspec.Raw
    at_s: float | None
    """When it was asked for, by the clock; None: never."""


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
        self._question: asyncio.Task[_Heard] | None = None
        self._asked_s = float("-inf")
        self._problem = "not asked yet"
        self._newest = _Heard(state=msgspec.Raw(b"null"), alerts=msgspec.Raw(b"null"), at_s=None)

    async def picture(self) -> Picture:
        """Return the newest picture, at most `EVERY_S` old while the guard answers."""
        async with self._turn:
            if self._clock() - self._asked_s >= EVERY_S:
                await self._look()
                self._asked_s = self._clock()
        newest = self._newest
        age_s = None if newest.at_s is None else round(self._clock() - newest.at_s, 1)
        return Picture(problem=self._problem, age_s=age_s, state=newest.state, alerts=newest.alerts)

    async def _look(self) -> None:
        if self._question is None:
            self._question = asyncio.create_task(self._hear())  # noqa: TID251 - outlives whoever asked first
        question = self._question
        await asyncio.wait({question}, timeout=LONGEST_S)
        if not question.done():  # a second question would only make it worse
            self._problem = f"its answer takes longer than {LONGEST_S:g} s"
            return
        self._question = None
        try:
            self._newest = question.result()
        except (DaemonUnreachable, ValueError) as error:
            self._problem = str(error) or type(error).__name__
            return
        self._problem = ""

    async def _hear(self) -> _Heard:
        begun_s = self._clock()
        state, alerts = await self._read("/v1/state"), await self._read("/v1/alerts")
        return _Heard(state=state, alerts=alerts, at_s=begun_s)

    async def _read(self, target: str) -> msgspec.Raw:
        status, body = await asyncio.to_thread(self._ask, target)
        if status != 200:
            raise DaemonUnreachable(f"the guard answered {target} with {status}")
        msgspec.json.decode(body)  # a half answer must not reach the browsers
        return msgspec.Raw(body)
