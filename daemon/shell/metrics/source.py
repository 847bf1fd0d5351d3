"""Where the figures come from: the parts of one guard, as far as metrics look at them, and the one way to look.

A snapshot is taken in one go between two events, so all of it is of the same moment. It costs some copies of counters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from connectors.ports import Feed
from daemon.core.ledger import StreamFacts
from daemon.core.state import GuardState
from daemon.shell.clock import Clock
from daemon.shell.metrics.meter import Meter, Tracer
from daemon.shell.metrics.snapshot import JournalFigures, Running, Snapshot
from daemon.version import VERSION


class Core(Protocol):
    """Who knows the state."""

    @property
    def state(self) -> GuardState:
        """The newest."""


class Ears(Protocol):
    """Who hears the streams."""

    marks_received: int
    marks_told: int

    def facts(self, feed: Feed) -> StreamFacts:
        """The three facts about a stream, and its topics one by one."""

    def is_live(self, feed: Feed) -> bool:
        """Whether it is complete on its present connection."""


class Records(Protocol):
    """Who numbers the journal's records."""

    @property
    def records(self) -> int:
        """How many there ever were."""

    @property
    def problem(self) -> str | None:
        """Why it is not in order, or None."""


class Disk(Protocol):
    """Who brings them to the disk."""

    @property
    def lag(self) -> tuple[int, float]:
        """Records that are not there yet, and how many seconds the oldest has waited."""


class Source:
    """One guard's figures, from before it is open until it ends."""

    def __init__(
        self,
        *,
        clock: Clock,
        venue: str,
        alerts: Callable[[], Mapping[str, object]],
        reloads: Callable[[], Mapping[str, object]] = dict,
        tracer: Tracer | None = None,
    ) -> None:
        """Prepare.

        Args:
            clock: What time it is.
            venue: Which venue is guarded, as the settings call it.
            alerts: The figures of the alert desk.
            reloads: The figures of reloads of the settings.
            tracer: Follows decisions as well.
        """
        self.meter = Meter(tracer)
        self._clock = clock
        self._venue = venue
        self._alerts = alerts
        self._reloads = reloads
        self._started_ns = clock.now_ns()
        self._parts: tuple[Core, Ears, Records, Disk] | None = None

    def open(self, core: Core, ears: Ears, records: Records, disk: Disk) -> None:
        """The guard is open: from now on there is a state."""
        self._parts = core, ears, records, disk

    def take(self) -> Snapshot:
        """Take a snapshot."""
        now_ns = self._clock.now_ns()
        return Snapshot(
            now_ns=now_ns,
            version=VERSION,
            venue=self._venue,
            started_ns=self._started_ns,
            alerts=self._alerts(),
            reloads=self._reloads(),
            counts=self.meter.read(now_ns),
            running=self._running(),
        )

    def _running(self) -> Running | None:
        if self._parts is None:
            return None
        core, ears, records, disk = self._parts
        waiting, lag_s = disk.lag
        return Running(
            state=core.state,
            market=ears.facts(Feed.MARKET),
            account=ears.facts(Feed.ACCOUNT),
            live={"market": ears.is_live(Feed.MARKET), "account": ears.is_live(Feed.ACCOUNT)},
            marks_received=ears.marks_received,
            marks_told=ears.marks_told,
            journal=JournalFigures(
                records=records.records, waiting=waiting, lag_s=lag_s, is_ok=records.problem is None
            ),
        )
