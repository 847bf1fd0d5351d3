"""Alerts are delivered at least once: kept until the webhook took them, across restarts, for a stated time (P10).

Why: a dead channel is the ordinary state of channels in a crash of the market. So alerts wait in order of severity, are
tried again with growing pauses, and what is finally lost is counted and said loudly. Nothing here can hold up the core:
raising an alert only puts it into memory, the rest happens in a helpful task.

Nobody is told what a crash could make the guard forget: before an alert leaves, the journal is on disk (a latch that
was set, a position that was covered). While the journal is known to be failing, people are told all the same.

Units: seconds; times in nanoseconds since 1970 UTC.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

import structlog

from daemon.core.commands import Severity
from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.outbox_file import ENDED_REMEMBERED, Line, OutboxFile
from daemon.shell.alerts.webhook import DeliveryRefused, NotDelivered
from daemon.shell.clock import Clock

MOST_WAITING = 1_000
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
COMPACT_AFTER_LINES = 5_000
JOURNAL_WITHIN_S = 0.5
"""An alert waits no longer than this for the disk: a late alert is worse than a forgotten one."""

log = structlog.get_logger("alerts")


class Channel(Protocol):
    """Somewhere alerts can go."""

    async def deliver(self, alert: Alert) -> None:
        """Deliver one alert, or raise `NotDelivered` or `DeliveryRefused`."""


class AlertOutbox:
    """What waits for one channel."""

    def __init__(
        self,
        *,
        channel: Channel,
        file: OutboxFile,
        clock: Clock,
        retry_for_s: float,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._channel = channel
        self._file = file
        self._clock = clock
        self._retry_for_ns = int(retry_for_s * 1e9)
        self._first_pause_s = first_pause_s
        self._waiting: dict[str, Alert] = {}
        self._ended: dict[str, None] = {}
        self._unsaved: list[Line] = []
        self._lines_in_file = 0
        self._is_file_ok = True
        self._work = asyncio.Event()
        self._loaded = asyncio.Event()
        self._urgent = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._failures = 0
        self._wait_durable: Callable[[float], bool] | None = None
        self.delivered = 0
        self.lost = 0

    @property
    def waiting(self) -> int:
        """How many alerts are still to be delivered."""
        return len(self._waiting)

    def put_nowait(self, alert: Alert) -> None:
        """Keep an alert until it is delivered. One that already waits under the same id is the same alert."""
        if alert.alert_id in self._waiting:
            return
        self._waiting[alert.alert_id] = alert
        self._empty.clear()
        if alert.severity is Severity.CRITICAL:
            self._urgent.set()
        self._unsaved.append(Line(put=alert))
        if len(self._waiting) > MOST_WAITING:
            self._lose(min(self._waiting.values(), key=_least_worth), "too many alerts wait")
        self._work.set()

    def deliver_after(self, wait_durable: Callable[[float], bool]) -> None:
        """Let alerts leave when `wait_durable` says that what they tell is on disk, or after a short time."""
        self._wait_durable = wait_durable

    async def restore(self, journalled: Iterable[Alert]) -> None:
        """Take over alerts of the journal that an earlier process had no time to put into the file."""
        await self._loaded.wait()
        oldest_ns = self._clock.now_ns() - self._retry_for_ns
        for alert in journalled:
            if alert.alert_id not in self._ended and alert.raised_ns > oldest_ns:
                self.put_nowait(alert)

    async def run(self) -> None:
        """Load what an earlier process left, then save and deliver, until cancelled."""
        if not self._loaded.is_set():
            await self._load()
        await self._compact()
        while True:
            await self._work.wait()
            await self._save()
            if self._waiting:
                await self._deliver_one(max(self._waiting.values(), key=_most_urgent))
            if not self._waiting and not self._unsaved:
                self._work.clear()

    async def _load(self) -> None:
        try:
            waiting, ended = await asyncio.to_thread(self._file.read)
        except OSError as error:
            self._note_file_failure(error)
            waiting, ended = {}, []
        self._ended = dict.fromkeys([*ended, *self._ended])
        for alert in waiting.values():
            self.put_nowait(alert)
        self._loaded.set()

    async def wait_empty(self) -> None:
        """Wait until nothing is left to deliver. The caller sets the deadline."""
        await self._empty.wait()

    async def _deliver_one(self, alert: Alert) -> None:
        if self._clock.now_ns() - alert.raised_ns > self._retry_for_ns:
            self._lose(alert, "it could not be delivered in time")
            return
        self._urgent.clear()
        if self._wait_durable is not None:
            await asyncio.to_thread(self._wait_durable, JOURNAL_WITHIN_S)
        try:
            await self._channel.deliver(alert)
        except DeliveryRefused as refusal:
            self._lose(alert, str(refusal))
        except NotDelivered as failure:
            await self._pause(failure)
        else:
            self._note_delivered(alert)

    async def _pause(self, failure: NotDelivered) -> None:
        if self._failures == 0:
            log.warning("alerts cannot be delivered", why=str(failure), waiting=len(self._waiting))
        pause_s = min(LONGEST_PAUSE_S, self._first_pause_s * 2.0 ** min(self._failures, 10))
        self._failures += 1
        await self._save()
        await self._wait_pause(pause_s)

    async def _wait_pause(self, pause_s: float) -> None:
        """Leave a dead channel alone for a while, unless something critical comes in."""
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._urgent.wait()

    def _note_delivered(self, alert: Alert) -> None:
        if self._failures:
            log.info("alerts can be delivered again", failures=self._failures)
        self._failures = 0
        self.delivered += 1
        self._end(alert)

    def _lose(self, alert: Alert, why: str) -> None:
        self.lost += 1
        log.error("alert lost", alert_id=alert.alert_id, text=alert.text, why=why, lost=self.lost)
        self._end(alert)

    def _end(self, alert: Alert) -> None:
        self._waiting.pop(alert.alert_id, None)
        self._ended[alert.alert_id] = None
        while len(self._ended) > ENDED_REMEMBERED:
            del self._ended[next(iter(self._ended))]
        self._unsaved.append(Line(ended=alert.alert_id))
        self._work.set()
        if not self._waiting:
            self._empty.set()

    async def _save(self) -> None:
        """Write what changed; while the disk refuses, alerts live in memory only, and that is said once."""
        if self._lines_in_file > COMPACT_AFTER_LINES:
            await self._compact()
        unsaved, self._unsaved = self._unsaved, []
        if unsaved and await self._try_file(self._file.append, unsaved):
            self._lines_in_file += len(unsaved)

    async def _compact(self) -> None:
        """Rewrite the file with what counts. What is unsaved is in memory and therefore in it too."""
        self._unsaved = []
        lines = [Line(ended=alert_id) for alert_id in self._ended]
        lines += [Line(put=alert) for alert in self._waiting.values()]
        await self._try_file(self._file.rewrite, lines)
        self._lines_in_file = 0

    async def _try_file(self, change: FileChange, lines: list[Line]) -> bool:
        try:
            await asyncio.to_thread(change, lines)
        except OSError as error:
            self._note_file_failure(error)
            return False
        self._is_file_ok = True
        return True

    def _note_file_failure(self, error: OSError) -> None:
        if self._is_file_ok:
            log.error("the alert outbox cannot be kept on disk", why=error.strerror)
        self._is_file_ok = False


class FileChange(Protocol):
    """A way of writing lines."""

    def __call__(self, lines: Iterable[Line], /) -> None:
        """Write them, or raise OSError."""


def _most_urgent(alert: Alert) -> tuple[int, int]:
    return alert.rank, -alert.raised_ns


def _least_worth(alert: Alert) -> tuple[int, int]:
    return alert.rank, alert.raised_ns
