"""Once a second: how fresh the feeds are, how late the loop is, how far the clock is off; then the watchdog is fed.

Why: the watchdog must mean "a decision cycle was completed", so it is fed right after the core has taken the tick and
from nowhere else. What the core concludes, blindness included, does not matter to it: an outage of the venue must not
become a restart loop.

Units: nanoseconds, seconds where a name ends in `_s`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from config.zones import UTC_NAME, offset_s
from connectors.errors import VenueError
from connectors.ports import BudgetPicture, Feed, OrderEntry
from daemon.core.events import Event, HealthTicked, LedgerRead
from daemon.core.ledger import BudgetFacts, StreamFacts
from daemon.shell.clock import Clock
from daemon.shell.watchdog import ServiceNotifier

TICK_S = 1.0
FIRST_TICK_S = 0.2
LEDGER_EVERY_NS = 5 * 10**9
SKEW_EVERY_S = 60.0
SKEW_RETRY_S = 10.0
JUMP_LOOK_S = 1.0
JUMP_NS = 500_000_000
"""Our wall clock ran this much faster or slower than the steady one: somebody set it."""

log = structlog.get_logger("health")


def _no_budget() -> BudgetPicture | None:
    return None


def _budget_facts(left: BudgetPicture, now_ns: int) -> BudgetFacts:
    return BudgetFacts(
        tokens=left.tokens,
        capacity=left.capacity,
        reserve=left.reserve,
        paused_until_ns=now_ns + int(left.paused_for_s * 1e9) if left.paused_for_s > 0 else 0,
        is_banned=left.is_banned,
    )


class FeedAges(Protocol):
    """Who knows when the feeds last gave a sign of life."""

    def age_ns(self, feed: Feed) -> int:
        """Time since the last sign of life."""

    def data_age_ns(self, feed: Feed) -> int:
        """Time since the last frame that was no pong."""

    def facts(self, feed: Feed) -> StreamFacts:
        """The three facts about a stream, and its topics one by one."""


class JournalHealth(Protocol):
    """Who knows whether the journal is in order."""

    @property
    def problem(self) -> str | None:
        """Why it is not, or None."""


class SkewGauge:
    """Measures the venue's clock against this machine's, on a slow cycle."""

    def __init__(self, *, orders: OrderEntry, clock: Clock) -> None:
        self._orders = orders
        self._clock = clock
        self.is_measured = False
        self._measured_ns = 0
        self._steady_s: Callable[[], float] | None = None
        self._offset_ns = 0
        """Our wall clock less the steady one at that moment."""

    @property
    def skew_ns(self) -> int:
        """Venue less ours: as last measured, and what our wall clock has jumped since then; 0 before that."""
        return self._measured_ns - self._jumped_ns()

    def _jumped_ns(self) -> int:
        return 0 if self._steady_s is None else self._clock.wall_ns() - int(self._steady_s() * 1e9) - self._offset_ns

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            is_measured = await self._try_measure()
            await self._wait(SKEW_EVERY_S if is_measured else SKEW_RETRY_S)

    async def _wait(self, longest_s: float) -> None:
        """Wait for the next measurement: less long if our own clock jumps, or the machine was asleep."""
        give_up_s = asyncio.get_running_loop().time() + longest_s
        while asyncio.get_running_loop().time() < give_up_s:
            before_ns = self._jumped_ns()
            await asyncio.sleep(min(JUMP_LOOK_S, longest_s))
            if abs(self._jumped_ns() - before_ns) > JUMP_NS:
                return

    async def measure(self) -> int:
        """Return the skew now. What the answer's way may explain is not counted as skew.

        Raises:
            VenueError: If the venue does not say its time.
        """
        sent_ns = self._clock.wall_ns()
        venue_ns = await self._orders.server_time_ns()
        received_ns = self._clock.wall_ns()
        apart_ns = venue_ns - (sent_ns + received_ns) // 2
        explained_ns = abs(received_ns - sent_ns) // 2
        self._measured_ns = max(0, apart_ns - explained_ns) + min(0, apart_ns + explained_ns)
        self._steady_s = asyncio.get_running_loop().time
        self._offset_ns = received_ns - int(self._steady_s() * 1e9)
        self.is_measured = True
        return self._measured_ns

    async def _try_measure(self) -> bool:
        try:
            await self.measure()
        except VenueError as error:
            log.debug("the venue's clock could not be read", why=error.reason)
            return False
        return True


class HealthTicker:
    """The slow tick, as a vital task."""

    def __init__(
        self,
        *,
        clock: Clock,
        ages: FeedAges,
        skew: SkewGauge,
        journal: JournalHealth,
        notifier: ServiceNotifier,
        take: Callable[[Event], None],
        headline: Callable[[], str],
        deaf: Callable[[], str] = str,
        budget: Callable[[], BudgetPicture | None] = _no_budget,
        is_whole: Callable[[], bool] = lambda: True,
        zone: Callable[[], str] = lambda: UTC_NAME,
    ) -> None:
        self._clock = clock
        self._ages = ages
        self._skew = skew
        self._journal = journal
        self._notifier = notifier
        self._take = take
        self._headline = headline
        self._deaf = deaf
        self._is_whole = is_whole
        self._zone = zone
        self._budget = budget
        self._ledger_due_ns = 0
        self._was_banned = False
        self._journal_problem: str | None = None

    async def run(self) -> None:
        """Tick until cancelled."""
        loop = asyncio.get_running_loop()
        due_s = loop.time() + FIRST_TICK_S
        while True:
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            lag_s = max(0.0, loop.time() - due_s)
            self.tick(loop_lag_ns=int(lag_s * 1e9))
            due_s = max(due_s, loop.time() - TICK_S) + TICK_S

    def tick(self, *, loop_lag_ns: int) -> None:
        """Complete one decision cycle."""
        self._say_journal_health()
        tick = HealthTicked(
            at_ns=self._clock.now_ns(),
            market_age_ns=self._ages.age_ns(Feed.MARKET),
            account_age_ns=self._ages.age_ns(Feed.ACCOUNT),
            loop_lag_ns=loop_lag_ns,
            clock_skew_ns=self._skew.skew_ns,
            journal_ok=self._journal_problem is None,
            deaf=self._deaf(),
            market_data_age_ns=self._ages.data_age_ns(Feed.MARKET),
            zone_offset_s=offset_s(self._zone(), self._clock.now_ns()),
        )
        self._read_ledger()
        self._take(tick)
        if self._is_whole():
            self._notifier.cycle_completed(self._headline())
        else:
            self._notifier.waiting(f"the account was not read whole yet; {self._headline()}")

    def _read_ledger(self) -> None:
        """Tell the core of the ledger every few seconds, and at once of a ban that begins or ends."""
        now_ns, left = self._clock.now_ns(), self._budget()
        is_banned = left is not None and left.is_banned
        if now_ns < self._ledger_due_ns and is_banned == self._was_banned:
            return
        self._ledger_due_ns, self._was_banned = now_ns + LEDGER_EVERY_NS, is_banned
        market, account = self._ages.facts(Feed.MARKET), self._ages.facts(Feed.ACCOUNT)
        budget = None if left is None else _budget_facts(left, now_ns)
        self._take(LedgerRead(at_ns=now_ns, market=market, account=account, budget=budget))

    def _say_journal_health(self) -> None:
        problem = self._journal.problem
        if problem is not None and self._journal_problem is None:
            log.critical("the journal cannot be written; protection goes on without it", why=problem)
        if problem is None and self._journal_problem is not None:
            log.warning("the journal is written again")
        self._journal_problem = problem
