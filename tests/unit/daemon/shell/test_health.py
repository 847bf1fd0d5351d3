"""The slow tick, the clock gauge, and who feeds the watchdog."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from connectors.ports import BudgetPicture, Feed
from daemon.core.errors import InvariantBroken
from daemon.core.events import Event, HealthTicked, LedgerRead
from daemon.core.ledger import BudgetFacts, StreamFacts
from daemon.shell import health
from daemon.shell.health import HealthTicker, SkewGauge
from daemon.shell.watchdog import ServiceNotifier
from tests.fakes import START_NS, FakeOrderEntry, FakeVenue, ManualClock


class Notifier(ServiceNotifier):
    """Counts completed cycles."""

    def __init__(self) -> None:
        super().__init__(None)
        self.cycles: list[str] = []
        self.waits: list[str] = []

    def waiting(self, status: str, *, more_s: float = 60.0) -> None:
        self.waits.append(status)

    def cycle_completed(self, status: str) -> None:
        self.cycles.append(status)


class Ages:
    """Feeds of fixed age."""

    def age_ns(self, feed: Feed) -> int:
        return 7 if feed is Feed.MARKET else 9

    def data_age_ns(self, feed: Feed) -> int:
        return 11 if feed is Feed.MARKET else 13

    def facts(self, feed: Feed) -> StreamFacts:
        return StreamFacts(connected_ns=1, pong_ns=2, data_ns=3 if feed is Feed.MARKET else 4)


class JournalState:
    """A journal that is as told."""

    problem: str | None = None


def a_ticker(
    take: object,
    budget: Callable[[], BudgetPicture | None] = lambda: None,
    is_whole: Callable[[], bool] = lambda: True,
    zone: Callable[[], str] = lambda: "UTC",
) -> tuple[HealthTicker, Notifier, JournalState]:
    """A ticker over fakes."""
    notifier, journal, clock = Notifier(), JournalState(), ManualClock()
    skew = SkewGauge(orders=FakeOrderEntry(FakeVenue()), clock=clock)
    ticker = HealthTicker(
        clock=clock,
        ages=Ages(),
        skew=skew,
        journal=journal,
        notifier=notifier,
        take=take,
        headline=lambda: "well",  # type: ignore[arg-type]
        budget=budget,
        is_whole=is_whole,
        zone=zone,
    )
    return ticker, notifier, journal


def test_a_tick_says_everything_and_then_feeds_the_watchdog() -> None:
    """Ages, lag and journal go to the core first; the watchdog only hears of a completed cycle."""
    taken: list[Event] = []
    ticker, notifier, journal = a_ticker(taken.append)
    journal.problem = "disk full"
    ticker.tick(loop_lag_ns=5)
    assert taken[1:] == [
        HealthTicked(
            at_ns=START_NS,
            market_age_ns=7,
            account_age_ns=9,
            loop_lag_ns=5,
            clock_skew_ns=0,
            journal_ok=False,
            market_data_age_ns=11,
        )
    ]
    assert notifier.cycles == ["well"]


def test_a_tick_brings_the_offset_of_the_zone_that_the_policy_names() -> None:
    """P10: the core counts the quiet hours by it, and follows a reload of the settings with the next tick."""
    taken: list[Event] = []
    zones = iter(["Asia/Kolkata", "UTC"])
    ticker, _, _ = a_ticker(taken.append, zone=lambda: next(zones))
    ticker.tick(loop_lag_ns=0)
    ticker.tick(loop_lag_ns=0)
    assert [each.zone_offset_s for each in taken if isinstance(each, HealthTicked)] == [19_800, 0]


def test_ready_waits_for_the_first_whole_picture() -> None:
    """Until the account was read whole the service manager is asked for time; from then on it hears of cycles."""
    whole: list[bool] = []
    ticker, notifier, _ = a_ticker([].append, is_whole=lambda: bool(whole))
    ticker.tick(loop_lag_ns=0)
    assert (notifier.cycles, notifier.waits) == ([], ["the account was not read whole yet; well"])
    whole.append(True)
    ticker.tick(loop_lag_ns=0)
    assert notifier.cycles == ["well"]


def test_a_core_that_fails_does_not_feed_the_watchdog() -> None:
    """The cycle was not completed, so the service manager hears nothing."""

    def broken(_event: Event) -> None:
        raise InvariantBroken("no")

    ticker, notifier, _ = a_ticker(broken)
    with pytest.raises(InvariantBroken):
        ticker.tick(loop_lag_ns=0)
    assert notifier.cycles == []


async def test_ticks_come_by_themselves() -> None:
    """The ticker runs as a task; the first tick does not wait a whole second."""
    came = asyncio.Event()
    ticks: list[Event] = []

    def take(event: Event) -> None:
        ticks.append(event)
        came.set()

    ticker, _, _ = a_ticker(take)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(ticker.run())
        async with asyncio.timeout(5):
            await came.wait()
        running.cancel()
    assert [type(tick) for tick in ticks] == [LedgerRead, HealthTicked]


@pytest.mark.parametrize(("off_ns", "way_ns", "skew_ns"), [(3_000, 0, 3_000), (-3_000, 400, -2_800), (150, 400, 0)])
async def test_what_the_way_explains_is_no_skew(off_ns: int, way_ns: int, skew_ns: int) -> None:
    """A slow answer must not look like a wrong clock."""
    clock, venue = ManualClock(), FakeVenue()
    venue.skew_ns = off_ns + way_ns // 2

    class Slow(FakeOrderEntry):
        async def server_time_ns(self) -> int:
            clock.at_ns += way_ns
            return await super().server_time_ns()

    gauge = SkewGauge(orders=Slow(venue), clock=clock)
    assert await gauge.measure() == skew_ns
    assert gauge.is_measured


async def test_a_wall_clock_that_jumps_is_noticed_before_the_next_measurement() -> None:
    """P6: signatures and stamps go wrong at once, so the skew follows our own clock between two measurements."""
    clock, venue = ManualClock(), FakeVenue()
    gauge = SkewGauge(orders=FakeOrderEntry(venue), clock=clock)
    await gauge.measure()
    assert abs(gauge.skew_ns) < 10**9
    clock.advance_s(3600)
    assert -3601 * 10**9 < gauge.skew_ns < -3599 * 10**9


async def test_a_jump_is_measured_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine slept, or somebody set its clock: the next measurement does not wait for a minute."""
    monkeypatch.setattr(health, "JUMP_LOOK_S", 0.01)
    clock, venue = ManualClock(), FakeVenue()
    asked: asyncio.Queue[None] = asyncio.Queue()

    class Counting(FakeOrderEntry):
        async def server_time_ns(self) -> int:
            asked.put_nowait(None)
            return await super().server_time_ns()

    gauge = SkewGauge(orders=Counting(venue), clock=clock)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(gauge.run())
        async with asyncio.timeout(5):
            await asked.get()
            await asyncio.sleep(0)
            clock.advance_s(60)
            await asked.get()
        running.cancel()


def test_the_ledger_is_told_every_few_seconds_and_at_once_of_a_ban() -> None:
    """P8, P12: three facts of each stream and the budget; a ban does not wait for the next reading."""
    left = [BudgetPicture(tokens=80, capacity=120, reserve=30, paused_for_s=0.0, is_banned=False)]
    taken: list[Event] = []
    ticker, _, _ = a_ticker(taken.append, lambda: left[0])

    def told() -> list[LedgerRead]:
        return [event for event in taken if isinstance(event, LedgerRead)]

    ticker.tick(loop_lag_ns=0)
    ticker.tick(loop_lag_ns=0)
    assert [event.market for event in told()] == [StreamFacts(connected_ns=1, pong_ns=2, data_ns=3)]
    assert told()[0].budget == BudgetFacts(tokens=80, capacity=120, reserve=30)
    left[0] = BudgetPicture(tokens=0, capacity=120, reserve=30, paused_for_s=120.0, is_banned=True)
    ticker.tick(loop_lag_ns=0)
    ticker.tick(loop_lag_ns=0)
    assert len(told()) == 2
    assert told()[1].budget == BudgetFacts(
        tokens=0, capacity=120, reserve=30, paused_until_ns=START_NS + 120 * 10**9, is_banned=True
    )
