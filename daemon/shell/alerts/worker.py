"""One channel at work: its own queue, time-out, growing pause and figures. It waits for nobody but the other end.

Why: a dead channel is the ordinary state of channels in a crash of the market, and whoever waits behind one hears
nothing. So what cannot be delivered at the first attempt is handed over to the fallback while this worker goes on
trying, and whatever a channel dies of, its worker does not.

Units: seconds; times in nanoseconds since 1970 UTC.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import structlog

from daemon.core.commands import Severity
from daemon.shell.alerts.channel import Channel, DeliveryRefused, NotDelivered
from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.turns import Turns
from daemon.shell.alerts.waiting import Waiting
from daemon.shell.clock import Clock

MOST_WAITING = 1_000
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
LONGEST_ASKED_S = 120.0
"""The other end may ask for a longer pause, but not for ever."""
LEAST_PAUSE_S = 0.5
"""Even for what is critical, a dead channel is not tried more often than this."""
TROUBLE_AFTER = 3
"""So many failures in a row are told to people through the other channels."""
LONGEST_PROBLEM = 200
LOST_ONE_BY_ONE = 20
"""So many losses are logged one by one, then one in so many: a flood must not drown the log as well."""

log = structlog.get_logger("alerts")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlet:
    """A channel as the settings name it."""

    name: str
    channel: Channel
    kind: str = "webhook"
    timeout_s: float = 10.0
    """One attempt takes no longer, whatever the channel does."""
    fallback: str | None = None
    """Which channel gets what this one could not deliver at the first attempt."""


class Outcome(Enum):
    """How an alert ended at one channel."""

    DELIVERED = "delivered"
    LOST = "lost"
    REPLACED = "replaced"
    """A newer message of its group tells it."""


class Ledger(Protocol):
    """Who keeps account of all channels: the outbox."""

    async def wait_durable(self, alert: Alert) -> None:
        """Wait, for a short time at most, until the journal has on disk what the alert tells."""

    def note_over(self, name: str, alert: Alert, outcome: Outcome) -> None:
        """This channel is done with the alert."""

    def hand_over(self, name: str, alert: Alert) -> None:
        """This channel cannot deliver the alert for now, or at all: its fallback should."""

    def note_held(self, name: str, held: tuple[Alert, ...]) -> None:
        """This channel has to renew something else than before."""

    def note_trouble(self, name: str, why: str) -> None:
        """This channel has failed often, and failed again."""

    def note_well(self, name: str) -> None:
        """It works again."""


class Worker:
    """Delivers what waits for one channel, until cancelled."""

    def __init__(
        self, outlet: Outlet, *, ledger: Ledger, clock: Clock, retry_for_s: float, first_pause_s: float = FIRST_PAUSE_S
    ) -> None:
        self.name = outlet.name
        self._outlet = outlet
        self._channel = outlet.channel
        self._ledger = ledger
        self._clock = clock
        self._retry_for_ns = int(retry_for_s * 1e9)
        self._first_pause_s = first_pause_s
        self._waiting = Waiting(MOST_WAITING)
        self._turns = Turns()
        self._handed_over: set[str] = set()
        self._held: tuple[Alert, ...] = ()
        self._renewed_s = 0.0
        self._failures = 0
        """In a row, of those after which the channel is left alone for a while."""
        self._in_a_row = 0
        """Of all kinds: a channel that refuses every message is as dead as one that is gone."""
        self._work = asyncio.Event()
        self._urgent = asyncio.Event()
        self._counts = dict.fromkeys((*(each.value for each in Outcome), "failed", "handed_over"), 0)
        self._problem, self._problem_ns = "", 0

    @property
    def is_failing(self) -> bool:
        """Whether the last attempt failed; a refusal may be about the message, until several follow each other."""
        return self._failures > 0 or self._in_a_row >= TROUBLE_AFTER

    @property
    def figures(self) -> dict[str, object]:
        """Counters and the last problem, for status and metrics; nothing in them is secret."""
        figures: dict[str, object] = {
            "kind": self._outlet.kind,
            "failing": self.is_failing,
            "waiting": len(self._waiting),
            **self._counts,
        }
        if self._problem:
            ago_s = round(max(0, self._clock.now_ns() - self._problem_ns) / 1e9, 1)
            figures |= {"problem": self._problem, "problem_ago_s": ago_s}
        return figures

    # ------------------------------------------------------------ what comes in

    def put_nowait(self, alert: Alert) -> None:
        """Let an alert wait for this channel."""
        for told in self._waiting.told_by(alert):
            self._end(told, Outcome.REPLACED)
        if (least := self._waiting.put(alert)) is not None:
            self._lose(least, "too many alerts wait")
        if alert.severity is Severity.CRITICAL:
            self._urgent.set()
        self._work.set()
        if self.is_failing:
            self._hand_over(alert)

    def take_held(self, alerts: tuple[Alert, ...]) -> None:
        """Let the channel go on with what an earlier process held."""
        self._channel.take_held(alerts)
        self._held = self._channel.held
        self._work.set()

    # ------------------------------------------------------------ work

    async def run(self) -> None:
        """Deliver and renew until cancelled."""
        while True:
            await self._wait_work()
            if self._renewal_in_s() == 0.0:
                await self._renew()
            elif (alert := self._next()) is not None:
                await self._deliver(alert)

    async def _wait_work(self) -> None:
        if self._next() is not None:  # it may be due only since the last attempt: nobody would say so again
            await asyncio.sleep(0)
            return
        self._work.clear()
        aside_s = self._turns.due_in_s(asyncio.get_running_loop().time())
        idle_s = min((each for each in (self._renewal_in_s(), aside_s) if each is not None), default=None)
        with suppress(TimeoutError):
            async with asyncio.timeout(idle_s):
                await self._work.wait()

    def _next(self) -> Alert | None:
        return self._turns.next_of(self._waiting, asyncio.get_running_loop().time())

    def _renewal_in_s(self) -> float | None:
        every_s = self._channel.renew_every_s
        if every_s is None or not self._channel.held:
            return None
        return max(0.0, self._renewed_s + every_s - asyncio.get_running_loop().time())

    async def _renew(self) -> None:
        self._renewed_s = asyncio.get_running_loop().time()
        try:
            await self._attempt(self._channel.renew())
        except (DeliveryRefused, NotDelivered) as failure:
            await self._pause(failure)
        else:
            self._note_well()
        self._note_held()

    async def _deliver(self, alert: Alert) -> None:
        """Try one alert; it may be replaced, or make room, while it is on its way."""
        if self._clock.now_ns() - alert.raised_ns > self._retry_for_ns:
            self._lose(alert, "it could not be delivered in time")
            return
        self._urgent.clear()
        await self._ledger.wait_durable(alert)
        try:
            await self._attempt(self._channel.deliver(alert))
        except DeliveryRefused as refusal:
            self._note_failure(str(refusal))
            if alert.alert_id in self._waiting:
                self._lose(alert, str(refusal))
        except NotDelivered as failure:
            self._hand_over(alert)
            self._turns.note_failed(alert.alert_id, asyncio.get_running_loop().time())
            await self._pause(failure)
        else:
            self._note_well()
            self._turns.note_passed(alert.alert_id, asyncio.get_running_loop().time())
            self._end(alert, Outcome.DELIVERED)
            self._note_held()

    async def _attempt(self, delivery: Awaitable[None]) -> None:
        """Let the channel try, within its time, and know its failures from ours."""
        timeout_s = self._outlet.timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                await delivery
        except (DeliveryRefused, NotDelivered):
            raise
        except TimeoutError as error:
            raise NotDelivered(f"no answer within {timeout_s:g} s") from error
        except Exception as error:  # whatever a channel dies of, it is tried again
            raise NotDelivered(f"failed with {type(error).__name__}") from error

    async def _pause(self, failure: Exception) -> None:
        """Leave a dead channel alone for a while, unless something critical comes in."""
        self._note_failure(str(failure))
        self._failures += 1
        pause_s = min(LONGEST_PAUSE_S, self._first_pause_s * 2.0 ** min(self._failures - 1, 10))
        asked_s = failure.retry_after_s if isinstance(failure, NotDelivered) else None
        pause_s = max(pause_s, min(asked_s or 0.0, LONGEST_ASKED_S))
        await asyncio.sleep(min(pause_s, LEAST_PAUSE_S))
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s - LEAST_PAUSE_S):
                await self._urgent.wait()

    # ------------------------------------------------------------ keeping account

    def _note_failure(self, why: str) -> None:
        self._counts["failed"] += 1
        self._problem, self._problem_ns = why[:LONGEST_PROBLEM], self._clock.now_ns()
        if self._failures == 0:
            log.warning("alerts cannot be delivered", channel=self.name, why=why, waiting=len(self._waiting))
        self._in_a_row += 1
        if self._in_a_row >= TROUBLE_AFTER:
            self._ledger.note_trouble(self.name, self._problem)

    def _note_well(self) -> None:
        failures, self._failures, self._in_a_row = self._in_a_row, 0, 0
        if failures:
            log.info("alerts can be delivered again", channel=self.name, failures=failures)
        if failures >= TROUBLE_AFTER:
            self._ledger.note_well(self.name)

    def _note_held(self) -> None:
        if self._channel.held != self._held:
            self._held = self._channel.held
            self._ledger.note_held(self.name, self._held)

    def _hand_over(self, alert: Alert) -> None:
        """Give an alert to the fallback, once."""
        if self._outlet.fallback is None or alert.alert_id in self._handed_over or alert.alert_id not in self._waiting:
            return
        self._handed_over.add(alert.alert_id)
        self._counts["handed_over"] += 1
        self._ledger.hand_over(self.name, alert)

    def _lose(self, alert: Alert, why: str) -> None:
        lost = self._counts[Outcome.LOST.value] + 1
        if lost <= LOST_ONE_BY_ONE or lost % LOST_ONE_BY_ONE == 0:
            log.error("alert lost", channel=self.name, alert_id=alert.alert_id, text=alert.text, why=why, lost=lost)
        if self._outlet.fallback is not None and alert.alert_id not in self._handed_over:
            self._ledger.hand_over(self.name, alert)
        self._end(alert, Outcome.LOST)

    def _end(self, alert: Alert, outcome: Outcome) -> None:
        self._counts[outcome.value] += 1
        self._waiting.remove(alert.alert_id)
        self._turns.forget(alert.alert_id)
        self._handed_over.discard(alert.alert_id)
        self._ledger.note_over(self.name, alert, outcome)
