"""What moves by itself: the tape, the timers, and rows that only prices moved.

Why: three loops over the venue, each waiting on real time. A step of the tape lasts its real time
divided by the operator's factor; while the tape stands still (paused, ended, or a long step), the
last prices are published again, because a market that is quiet at the venue is not a silent feed.

Units: milliseconds of real time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Protocol

import structlog

from connectors.simulated.engine.inputs import SetPrices, SymbolPrices
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.lister import Lister
from connectors.simulated.server.script import Script
from connectors.simulated.server.settings import ClockKind
from connectors.simulated.server.state import TapeState
from connectors.simulated.server.venue import Venue
from connectors.simulated.tape.scenario_script import Timed
from connectors.simulated.tape.tape import Step

_log = structlog.get_logger()
_MS_PER_S = 1_000
SHORTEST_REFRESH_MS = 10
_LAG_BYTES = 256 * 1024  # beyond which a tape without waits waits for its readers
_PATIENCE_S = 1.0
_CATCH_UP_S = 0.05  # of lateness that is made good
_LOOK_S = 0.001
_COMPACTION_S = 1.0  # between two looks at the length of the journal


class Steps(Protocol):
    """What the player needs of a tape."""

    def steps(self, start: int = 0) -> Iterator[Step]:
        """Yield the steps from an index on."""


class Player:
    """Plays a tape into the venue.

    Attributes:
        has_ended: The last step has been played.
        script: What happens on the tape besides prices.
    """

    def __init__(
        self, venue: Venue, tape: Steps, lister: Lister | None = None, *, script: Sequence[Timed] = ()
    ) -> None:
        """Get ready to play; a tape that has not begun shows its first prices at once.

        Args:
            venue: What is played into.
            tape: Prices.
            lister: Lists and prices what the tape does not carry; None for the tape's own contracts only.
            script: What else happens on the tape, in order of time.
        """
        self._venue = venue
        self.script = Script(venue, script)
        self._lister = lister
        self._steps = tape.steps(venue.step + 1)
        self._changed = asyncio.Event()
        self._is_on_tape = venue.settings.clock is ClockKind.TAPE  # then nothing may depend on real time
        self.has_ended = False
        if venue.step < 0:
            self._play_next()
        self.script.catch_up()  # a killed exchange may not have come to what its last step set off

    def control(self, *, is_playing: bool | None = None, factor: float | None = None) -> None:
        """Pause, play or change the speed, from now on."""
        now = self._venue.tape
        self._venue.set_tape(
            TapeState(
                is_playing=now.is_playing if is_playing is None else is_playing,
                factor=now.factor if factor is None else factor,
            )
        )
        self._changed.set()

    def advance(self, count: int) -> int:
        """Play this many steps at once, paused or not; return how many there were."""
        played = 0
        while played < count and self._play_next() is not None:
            played += 1
        return played

    async def run(self) -> None:
        """Play until cancelled."""
        loop = asyncio.get_running_loop()
        before, left_s = loop.time(), 0.0  # what is left of the current step, at factor 1
        while True:
            if not self._venue.tape.is_playing or self.has_ended:
                await self._stand_still()
                before = loop.time()
                continue
            factor = self._venue.tape.factor
            if left_s <= 0:
                step = self._play_next()
                left_s = max(left_s, -_CATCH_UP_S) + (step.real_ms / _MS_PER_S if step else 0)
                await self._give_turns()
            else:
                await self._wait(left_s / factor)
            now = loop.time()
            left_s -= (now - before) * factor
            before = now

    def _play_next(self) -> Step | None:
        step = next(self._steps, None)
        if step is None:
            self.has_ended = True
            return None
        before_ms = self._venue.clock()
        value = SetPrices(tape_ms=step.tape_ms, prices=self._prices(step))
        try:
            self._venue.submit(value, step=step.index)
        except Refused as refusal:  # a recording may hold what no market can be; the next step may be sane again
            _log.warning("step of the tape refused", step=step.index, reason=refusal.message)
        self.script.catch_up()
        if self._is_refresh_due(before_ms):
            _refresh_all(self._venue)
        return step

    def _is_refresh_due(self, before_ms: int) -> bool:
        """Return whether a step publishes rows that only prices moved: each does, or the tape's clock came to it."""
        period_ms = self._venue.settings.position_refresh_ms
        if not period_ms:
            return True
        return self._is_on_tape and before_ms // period_ms != self._venue.clock() // period_ms

    def _prices(self, step: Step) -> tuple[SymbolPrices, ...]:
        """Return what a step moves, once what is due by then is listed."""
        if self._lister is None:
            return step.prices
        if self._is_on_tape:
            self._venue.clock.advance_to(step.tape_ms)
        at_ms = self._venue.clock()
        new = self._lister.due(at_ms)
        if new is not None:
            self._venue.submit(new)
        return self._lister.prices(step, at_ms=at_ms)

    async def _wait(self, left_s: float) -> None:
        """Wait for the next step, at most a beat, and publish the last prices again if it is longer."""
        beat_s = self._venue.settings.heartbeat_ms / _MS_PER_S
        if not await self._is_changed(min(left_s, beat_s)) and left_s > beat_s:
            self._beat()

    async def _give_turns(self) -> None:
        """Let everyone else run between two steps, however fast the tape."""
        await asyncio.sleep(0)
        await self._wait_for_readers()

    async def _wait_for_readers(self) -> None:
        """Let clients catch up, so that a tape as fast as possible is one they can follow."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _PATIENCE_S
        while self._venue.hub.backlog() > _LAG_BYTES:
            if loop.time() > until:
                self._venue.hub.give_up_beyond(_LAG_BYTES)
                return
            await asyncio.sleep(_LOOK_S)

    async def _stand_still(self) -> None:
        if not await self._is_changed(self._venue.settings.heartbeat_ms / _MS_PER_S):
            self._beat()

    def _beat(self) -> None:
        if not self._is_on_tape:
            self._venue.repeat_prices()

    async def _is_changed(self, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True


async def run_timers(venue: Venue) -> None:
    """Let each `cancelAllAfter` fire when it is due, until cancelled."""
    while True:
        venue.timers_changed.clear()
        due_ms = venue.exchange.next_timer_ms()
        try:
            async with asyncio.timeout(None if due_ms is None else max(0, due_ms - venue.clock()) / _MS_PER_S):
                await venue.timers_changed.wait()
        except TimeoutError:
            venue.pass_time()


async def run_compaction(venue: Venue) -> None:
    """Keep the state directory short, until cancelled."""
    while True:
        await asyncio.sleep(_COMPACTION_S)
        venue.compact()


async def run_refresher(venue: Venue) -> None:
    """Publish the rows that only prices moved, at the venue's slow pace, until cancelled.

    Without a pace there is nothing to do: they are published with each step of the tape. On the tape's clock
    the player sees to them.
    """
    while venue.settings.position_refresh_ms:
        await asyncio.sleep(max(SHORTEST_REFRESH_MS, venue.settings.position_refresh_ms) / _MS_PER_S)
        _refresh_all(venue)


def _refresh_all(venue: Venue) -> None:
    for account in venue.exchange.accounts():
        venue.refresh(account)
