"""Alerts are delivered at least once: kept until every channel took them, across restarts, for a stated time (P10).

Why: each channel has a worker of its own (`worker.py`), so none waits for another; here is what they share. Raising an
alert only puts it into memory. The file follows beside it: a full or hanging disk delays nothing and loses nothing that
can be delivered, and is written anew, whole, as soon as it takes bytes again.

Nobody is told what a crash could make the guard forget: before an alert leaves, the journal is on disk (a latch that
was set, a position that was covered). While the journal is known to be failing, people are told all the same.

Units: seconds; times in nanoseconds since 1970 UTC.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import structlog

from daemon.core.commands import Severity
from daemon.core.reasons import Reason
from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.outbox_file import ENDED_REMEMBERED, Kept, Line, OutboxFile
from daemon.shell.alerts.worker import FIRST_PAUSE_S, Outcome, Outlet, Worker
from daemon.shell.clock import Clock

COMPACT_AFTER_LINES = 5_000
CHANNEL_GROUP = "channel:"
"""What is told of a channel itself is in a group of this beginning and its name."""
JOURNAL_WITHIN_S = 0.5
"""An alert waits no longer than this for the disk: a late alert is worse than a forgotten one."""
TROUBLE_EVERY_NS = 600 * 10**9
SAVE_AGAIN_AFTER_S = 5.0
"""So long a disk that refused is left alone."""

log = structlog.get_logger("alerts")


@dataclass(kw_only=True, slots=True)
class _Open:
    """An alert that somebody still has to deliver."""

    alert: Alert
    to: dict[str, None]
    """Every channel that was ever meant to have it, in order."""
    owing: set[str]
    """Those of them that are not done with it."""
    number: int
    """Counts what was put, so that one wait for the journal serves all that came before it."""


class AlertOutbox:
    """What waits for the channels."""

    def __init__(
        self,
        *,
        outlets: Sequence[Outlet],
        file: OutboxFile,
        clock: Clock,
        retry_for_s: float,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._outlets = {each.name: each for each in outlets}
        self.workers = tuple(
            Worker(each, ledger=self, clock=clock, retry_for_s=retry_for_s, first_pause_s=first_pause_s)
            for each in outlets
        )
        self._by_name = {each.name: each for each in self.workers}
        self._file = file
        self._clock = clock
        self._retry_for_ns = int(retry_for_s * 1e9)
        self._open: dict[str, _Open] = {}
        self._ended: dict[str, None] = {}
        self._held: dict[str, tuple[Alert, ...]] = {}
        self._unsaved: list[Line] = []
        self._lines_in_file = 0
        self._is_file_ok = True
        self._work = asyncio.Event()
        self._loaded = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._saved = asyncio.Event()
        self._journal = _JournalGate()
        self._put = 0
        self._troubles: dict[str, int] = {}
        self._troubled: set[str] = set()
        self._totals = dict.fromkeys(Outcome, 0)

    @property
    def waiting(self) -> int:
        """How many alerts are still to be delivered by somebody."""
        return len(self._open)

    @property
    def delivered(self) -> int:
        """Deliveries so far, over all channels."""
        return self._totals[Outcome.DELIVERED]

    @property
    def lost(self) -> int:
        """Alerts that a channel gave up, over all channels."""
        return self._totals[Outcome.LOST]

    @property
    def figures(self) -> dict[str, object]:
        """Counters for status and metrics, in all and of each channel."""
        return {
            "waiting": self.waiting,
            "delivered": self.delivered,
            "lost": self.lost,
            "saved": self._is_file_ok,
            "channels": {each.name: each.figures for each in self.workers},
        }

    # ------------------------------------------------------------ what comes in

    def put_nowait(self, alert: Alert, to: Iterable[str] = ()) -> None:
        """Keep an alert until it is delivered. One that already waits under the same id is the same alert.

        Args:
            alert: What to tell.
            to: Names of channels; those that the settings do not know are left out. Nobody left: all channels.
        """
        if alert.alert_id in self._open or not self._by_name:
            return
        names = tuple(dict.fromkeys(name for name in to if name in self._by_name)) or tuple(self._by_name)
        self._note(Line(put=alert, to=names))
        self._begin(alert, names, owing=names)

    def _begin(self, alert: Alert, to: Iterable[str], owing: Iterable[str]) -> None:
        self._put += 1
        names = tuple(owing)
        self._open[alert.alert_id] = _Open(alert=alert, to=dict.fromkeys(to), owing=set(names), number=self._put)
        self._empty.clear()
        for name in names:
            self._by_name[name].put_nowait(alert)

    def deliver_after(self, wait_durable: Callable[[float], bool]) -> None:
        """Let alerts leave when `wait_durable` says that what they tell is on disk, or after a short time."""
        self._journal.wait_with(wait_durable)

    async def restore(self, journalled: Iterable[tuple[Alert, tuple[str, ...]]]) -> None:
        """Take over alerts of the journal that an earlier process had no time to put into the file.

        Each comes with the names of its channels (see `put_nowait`).
        """
        await self._loaded.wait()
        oldest_ns = self._clock.now_ns() - self._retry_for_ns
        for alert, to in journalled:
            if alert.alert_id not in self._ended and alert.raised_ns > oldest_ns:
                self.put_nowait(alert, to)

    async def wait_empty(self) -> None:
        """Wait until nothing is left to deliver, and the file knows it. The caller sets the deadline."""
        await self._empty.wait()
        await self.wait_saved()

    async def wait_saved(self) -> None:
        """Wait until the file knows everything, as far as the disk takes anything. The caller sets the deadline."""
        await self._saved.wait()

    # ------------------------------------------------------------ what the workers say

    async def wait_durable(self, alert: Alert) -> None:
        """Wait until the journal has on disk what the alert tells, or for as long as that may take."""
        known = self._open.get(alert.alert_id)
        if known is not None:
            await self._journal.wait(known.number, newest=self._put)

    def note_over(self, name: str, alert: Alert, outcome: Outcome) -> None:
        """One channel is done with an alert; the alert is over when all are."""
        self._totals[outcome] += 1
        known = self._open.get(alert.alert_id)
        if known is None or name not in known.owing:
            return
        known.owing.discard(name)
        if known.owing:
            self._note(Line(done=alert.alert_id, by=name))
            return
        del self._open[alert.alert_id]
        self._ended[alert.alert_id] = None
        while len(self._ended) > ENDED_REMEMBERED:
            del self._ended[next(iter(self._ended))]
        self._note(Line(ended=alert.alert_id))
        if not self._open:
            self._empty.set()

    def hand_over(self, name: str, alert: Alert) -> None:
        """Let the fallback of a channel deliver an alert too, unless it had it already."""
        fallback, known = self._outlets[name].fallback, self._open.get(alert.alert_id)
        if fallback not in self._by_name or known is None or fallback in known.to:
            return
        known.to[fallback] = None
        known.owing.add(fallback)
        self._note(Line(give=alert.alert_id, by=fallback))
        self._by_name[fallback].put_nowait(alert)

    def note_held(self, name: str, held: tuple[Alert, ...]) -> None:
        """A channel has to renew something else than before."""
        self._held[name] = held
        self._note(Line(held=held, by=name))

    def note_trouble(self, name: str, why: str) -> None:
        """Tell people, through the other channels, that this one fails; not again and again of one that flaps.

        It is asked at every failure, so one that dies soon after its return is told when it has not come back by then.
        """
        if name in self._troubled:
            return
        now_ns = self._clock.now_ns()
        if now_ns - self._troubles.get(name, -TROUBLE_EVERY_NS) >= TROUBLE_EVERY_NS:
            self._troubles[name] = now_ns
            self._troubled.add(name)
            self._tell_of_channel(name, "failing", f"The alert channel {name} does not deliver: {why}.")

    def is_troubled(self, name: str) -> bool:
        """Whether people were told that a channel fails, and not yet that it works again."""
        return name in self._troubled

    def note_well(self, name: str) -> None:
        """Tell them that it works again."""
        if name in self._troubled:
            self._troubled.discard(name)
            self._tell_of_channel(name, "well", f"The alert channel {name} delivers again.")

    def _tell_of_channel(self, name: str, state: str, text: str) -> None:
        others = [each.name for each in self.workers if each.name != name]
        if not others:
            return
        now_ns = self._clock.now_ns()
        alert = Alert(
            alert_id=f"channel:{state}:{name}:{now_ns}",
            severity=Severity.WARNING,
            topic="channel",
            state=state,
            symbol="",
            text=text,
            reason=Reason.DEGRADED.value,
            account=0,
            raised_ns=now_ns,
            group=f"{CHANNEL_GROUP}{name}",
            will="What it could not deliver is tried again, and goes to its fallback where it has one.",
            you_can=f"Run `seawall alert test {name}`.",
            is_resolved=state == "well",
        )
        self.put_nowait(alert, others)

    # ------------------------------------------------------------ the file

    async def run(self) -> None:
        """Load what an earlier process left, then keep the file up to date, until cancelled."""
        if not self._loaded.is_set():
            await self._load()
        await self._compact()
        while True:
            await self._work.wait()
            self._work.clear()
            await self._save()

    def _note(self, line: Line) -> None:
        """Let a change reach the file as soon as the disk takes it."""
        self._unsaved.append(line)
        if self._is_file_ok:
            self._saved.clear()
        self._work.set()

    async def _load(self) -> None:
        try:
            kept = await asyncio.to_thread(self._file.read)
        except OSError as error:
            self._note_file_failure(error)
            kept = Kept()
        self._ended = {**kept.ended, **self._ended}
        for name, held in kept.held.items():
            if name in self._by_name and name not in self._held:
                self._held[name] = held
                self._by_name[name].take_held(held)
        for alert in kept.pending.values():
            self._resume(alert, kept)
        self._loaded.set()

    def _resume(self, alert: Alert, kept: Kept) -> None:
        """Go on where an earlier process was; the settings may know other channels by now."""
        if alert.alert_id in self._open or not self._by_name:
            return
        to = [name for name in kept.to[alert.alert_id] if name in self._by_name] or list(self._by_name)
        owing = [name for name in to if name not in kept.done[alert.alert_id]]
        if owing:
            self._begin(alert, to, owing)
        else:
            self._ended[alert.alert_id] = None

    async def _save(self) -> None:
        """Write what changed; while the disk refuses, alerts live in memory only, and that is said once."""
        if not self._is_file_ok or self._lines_in_file > COMPACT_AFTER_LINES:
            await self._compact()
            return
        unsaved, self._unsaved = self._unsaved, []
        if not unsaved or await self._try_file(self._file.append, unsaved):
            self._lines_in_file += len(unsaved)
        else:
            self._work.set()  # it is tried again until the disk takes it, although nothing more may happen
        self._note_saved()

    async def _compact(self) -> None:
        """Rewrite the file with what counts. What is unsaved is in memory and therefore in it too."""
        was_ok, self._unsaved = self._is_file_ok, []
        is_written = await self._try_file(self._file.rewrite, list(self._lines()))
        self._lines_in_file = 0
        self._note_saved()
        if not was_ok and is_written:
            log.info("the alert outbox is kept on disk again")
        if not is_written:
            await asyncio.sleep(SAVE_AGAIN_AFTER_S)
            self._work.set()

    def _note_saved(self) -> None:
        """As far as the disk takes anything, the file knows all."""
        if not self._unsaved or not self._is_file_ok:
            self._saved.set()

    def _lines(self) -> Iterator[Line]:
        yield from (Line(ended=alert_id) for alert_id in self._ended)
        yield from (Line(held=held, by=name) for name, held in self._held.items() if held)
        for alert_id, known in self._open.items():
            yield Line(put=known.alert, to=tuple(known.to))
            yield from (Line(done=alert_id, by=name) for name in known.to if name not in known.owing)

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


class _JournalGate:
    """Lets alerts leave when the journal has what they tell; one wait serves every channel."""

    def __init__(self) -> None:
        self._wait_durable: Callable[[float], bool] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._passed = 0

    def wait_with(self, wait_durable: Callable[[float], bool]) -> None:
        self._wait_durable = wait_durable

    async def wait(self, number: int, *, newest: int) -> None:
        async with self._one_at_a_time:
            if self._wait_durable is not None and number > self._passed:
                with suppress(TimeoutError):
                    async with asyncio.timeout(2 * JOURNAL_WITHIN_S):  # no thread may be free to wait in
                        await asyncio.to_thread(self._wait_durable, JOURNAL_WITHIN_S)
                self._passed = max(self._passed, newest)


class FileChange(Protocol):
    """A way of writing lines."""

    def __call__(self, lines: Iterable[Line], /) -> None:
        """Write them, or raise OSError."""
