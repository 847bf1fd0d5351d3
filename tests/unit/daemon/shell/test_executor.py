"""Commands to ports: order, choke point, slots, and the outcome as an event."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from structlog.testing import capture_logs

from connectors.errors import DuplicateClientOrderId, Misconfigured, OutcomeUnknown, Rejected, Unavailable
from connectors.ports import SwitchReceipt
from connectors.vocabulary import OrderSide, PositionKey
from daemon.core.commands import (
    Command,
    DisarmSwitch,
    Exit,
    FeedSwitch,
    PlaceStop,
    RaiseAlert,
    ReadPicture,
    SetBand,
)
from daemon.core.events import (
    Event,
    PictureRead,
    RequestAnswered,
    RequestMisconfigured,
    RequestNotSent,
    RequestRefused,
    RequestUnanswered,
    SwitchAnswered,
)
from daemon.core.reasons import Reason
from daemon.core.state import GuardState
from daemon.shell import executor as executor_module
from daemon.shell.calls import Calls
from daemon.shell.executor import Executor
from daemon.shell.outbox import Outbox
from tests.fakes import ACCOUNT, SYMBOL, FakeDropCopy, FakeOrderEntry, FakeVenue, ManualClock
from tests.lives import a_life

KEY = PositionKey(account=ACCOUNT, symbol=SYMBOL)


class Core:
    """Collects outcomes."""

    def __init__(self, state: GuardState) -> None:
        self.state = state
        self.taken: list[Event] = []
        self.came = asyncio.Event()

    def take(self, event: Event) -> None:
        self.taken.append(event)
        self.came.set()

    async def wait_for(self, count: int) -> list[Event]:
        async with asyncio.timeout(30):
            while len(self.taken) < count:
                self.came.clear()
                await self.came.wait()
        return self.taken


class Signals:
    """Collects what never reaches the venue."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def set_timer(self, at_ns: int) -> None:
        self.seen.append(at_ns)

    def set_band(self, command: SetBand) -> None:
        self.seen.append(command)

    def clear_band(self, symbol: str) -> None:
        self.seen.append(symbol)

    def renew_account_stream(self) -> None:
        self.seen.append("renew")

    def raise_alert(self, alert: RaiseAlert) -> None:
        self.seen.append(alert)


class Bench:
    """An executor at work on a fake venue."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self.venue = FakeVenue()
        self.orders, self.drop_copy = FakeOrderEntry(self.venue), FakeDropCopy(self.venue, sink=Sinkless())  # type: ignore[arg-type]
        self.core, self.signals, self.outbox = Core(a_life().state), Signals(), Outbox()
        clock = ManualClock()

        self.spawned: list[asyncio.Task[None]] = []

        def spawn(work: Coroutine[Any, Any, None], name: str) -> object:
            self.spawned.append(tasks.create_task(work, name=name))
            return None

        self.executor = Executor(
            core=self.core,
            calls=Calls(orders=self.orders, drop_copy=self.drop_copy, clock=clock),
            signals=self.signals,
            outbox=self.outbox,
            clock=clock,
            spawn=spawn,
        )

    async def outcome(self, command: Command) -> Event:
        """Carry one command and return what became of it."""
        before = len(self.core.taken)
        self.outbox.put_nowait(command)
        return (await self.core.wait_for(before + 1))[-1]


class Sinkless:
    """A sink nobody uses."""


@asynccontextmanager
async def a_bench() -> AsyncIterator[Bench]:
    """Run an executor for the length of a test."""
    async with asyncio.TaskGroup() as tasks:
        bench = Bench(tasks)
        running = tasks.create_task(bench.executor.run())
        yield bench
        for task in {running, *bench.spawned}:
            task.cancel()


@pytest.fixture
def no_danger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything pass: the choke point is not the subject."""
    monkeypatch.setattr(executor_module, "refusal", lambda _command, _state: None)


def place(command_id: int, *, symbol: str = SYMBOL) -> PlaceStop:
    """Place a stop."""
    return PlaceStop(
        command_id=command_id,
        reason=Reason.COVER_MISSING,
        client_order_id=f"sw-{command_id}",
        key=replace(KEY, symbol=symbol),
        side=OrderSide.SELL,
        quantity=1000,
        stop_price=Decimal(58_000),
    )


@pytest.mark.usefixtures("no_danger")
@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (Rejected("no"), RequestRefused),
        (Unavailable("overload", retry_after_s=2), RequestNotSent),
        (OutcomeUnknown("silence"), RequestUnanswered),
        (Misconfigured("bad key"), RequestMisconfigured),
    ],
)
async def test_each_way_to_fail_is_one_event(failure: Exception, kind: type) -> None:
    """P5: refused, not sent, unknown and misconfigured are told apart, and nothing is tried again by the shell."""
    async with a_bench() as bench:
        bench.venue.failures.append(failure)
        outcome = await bench.outcome(place(5))
        assert isinstance(outcome, kind)
        assert outcome.command_id == 5
        assert len(bench.venue.sent) == 1


@pytest.mark.usefixtures("no_danger")
async def test_the_log_says_what_was_sent_and_why_not() -> None:
    """An operator reads symbol, side, size and trigger of an order, and the reason of a refusal."""
    async with a_bench() as bench:
        bench.venue.failures.append(Rejected("too many stops"))
        with capture_logs() as lines:
            await bench.outcome(place(5))
    sent, answered = lines
    assert sent.items() >= {"event": "sent", "symbol": SYMBOL, "side": "sell", "stop_price": "58000"}.items()
    assert (sent["quantity"], sent["order"], sent["reason"]) == (1000, "sw-5", "cover_missing")
    assert (answered["outcome"], answered["why"]) == ("RequestRefused", "too many stops")


@pytest.mark.usefixtures("no_danger")
async def test_a_used_id_is_told_apart_from_other_refusals() -> None:
    """P4: "Duplicate clOrdID" means: ask what became of the first."""
    async with a_bench() as bench:
        bench.venue.failures.append(DuplicateClientOrderId("Duplicate clOrdID"))
        outcome = await bench.outcome(place(5))
        assert isinstance(outcome, RequestRefused)
        assert outcome.is_duplicate


@pytest.mark.usefixtures("no_danger")
async def test_a_stuck_request_becomes_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """P5: the call never returns; after its deadline it is unknown, for a read it simply was not read."""
    monkeypatch.setattr("daemon.shell.calls.WRITE_TIMEOUT_S", 0.01)
    monkeypatch.setattr("daemon.shell.calls.READ_TIMEOUT_S", 0.01)
    async with a_bench() as bench:
        bench.orders.place_stop = bench.orders.picture = _never  # type: ignore[method-assign, assignment]
        assert isinstance(await bench.outcome(place(5)), RequestUnanswered)
        assert isinstance(await bench.outcome(ReadPicture(command_id=6, reason=Reason.RECONCILE)), RequestNotSent)


async def _never(*_: object) -> Any:
    await asyncio.Event().wait()


async def test_danger_is_stopped_before_the_wire() -> None:
    """P1: a stop that would buy for a long never leaves; the core hears a refusal."""
    async with a_bench() as bench:
        outcome = await bench.outcome(replace(place(5), side=OrderSide.BUY))
        assert isinstance(outcome, RequestRefused)
        assert outcome.is_own
        assert bench.venue.sent == []
        assert bench.executor.refused_before_wire == 1


@pytest.mark.usefixtures("no_danger")
async def test_a_lost_answer_holds_nothing_up() -> None:
    """P5: a place never gets its answer; what the core decides next for the same position leaves all the same."""
    async with a_bench() as bench:
        gate, order = asyncio.Event(), asyncio.Event()
        bench.orders.place_stop = gated(bench, gate, order)  # type: ignore[method-assign]
        bench.outbox.put_nowait(place(1))
        bench.outbox.put_nowait(place(2))
        bench.outbox.put_nowait(place(3, symbol="ETHUSD"))
        first = {each.command_id for each in await bench.core.wait_for(2)}  # type: ignore[union-attr]
        assert first == {2, 3}
        gate.set()
        outcomes = await bench.core.wait_for(3)
        assert outcomes[-1].command_id == 1  # type: ignore[union-attr]


def gated(bench: Bench, gate: asyncio.Event, started: asyncio.Event) -> Callable[..., Any]:
    """Hold back the first order until the gate opens."""
    place_stop = bench.orders.place_stop

    async def held(request: Any) -> Any:
        started.set()
        if request.client_order_id == "sw-1":
            await gate.wait()
        return await place_stop(request)

    return held


@pytest.mark.usefixtures("no_danger")
async def test_a_protective_request_never_waits_behind_reads() -> None:
    """P8: more reads than slots hang; a stop is placed all the same."""
    async with a_bench() as bench:
        bench.orders.picture = _never  # type: ignore[method-assign]
        for number in range(10, 30):
            bench.outbox.put_nowait(ReadPicture(command_id=number, reason=Reason.RECONCILE))
        assert isinstance(await bench.outcome(place(5)), RequestAnswered)


@pytest.mark.usefixtures("no_danger")
async def test_a_late_feed_cannot_overtake_the_disarming() -> None:
    """P6: the disarm waits until the feed before it has its answer, so nothing arms the switch again behind it."""
    async with a_bench() as bench:
        gate = asyncio.Event()
        bench.drop_copy.cancel_all_after = slow_feed(bench, gate)  # type: ignore[method-assign]
        bench.outbox.put_nowait(FeedSwitch(command_id=1, reason=Reason.SWITCH_FEED, timeout_ns=60_000_000_000))
        bench.outbox.put_nowait(DisarmSwitch(command_id=2, reason=Reason.STOPPING))
        for _ in range(20):  # turns of the loop: more than a disarm that did not wait would need
            await asyncio.sleep(0)
        assert bench.venue.sent == []
        gate.set()
        feed, disarm = await bench.core.wait_for(2)
        assert isinstance(feed, SwitchAnswered)
        assert isinstance(disarm, SwitchAnswered)
        assert (feed.timeout_ns, disarm.timeout_ns) == (60_000_000_000, 0)
        assert bench.venue.sent == [("switch over stream", 60_000), ("switch over stream", 0)]


def slow_feed(bench: Bench, gate: asyncio.Event) -> Callable[[int], Coroutine[Any, Any, SwitchReceipt]]:
    """Answer a feed only when the gate opens."""
    answer = bench.drop_copy.cancel_all_after

    async def slow(timeout_ms: int) -> SwitchReceipt:
        if timeout_ms:
            await gate.wait()
        return await answer(timeout_ms)

    return slow


@pytest.mark.usefixtures("no_danger")
async def test_the_switch_is_fed_over_rest_while_the_stream_is_down() -> None:
    """The stream says that nothing was sent: REST takes its place. An unknown outcome does not."""
    async with a_bench() as bench:
        bench.venue.failures.append(Unavailable("the account stream is not live"))
        feed = FeedSwitch(command_id=1, reason=Reason.SWITCH_FEED, timeout_ns=60_000_000_000)
        assert isinstance(await bench.outcome(feed), SwitchAnswered)
        assert bench.venue.sent[-1] == ("switch over rest", 60_000)
        bench.venue.failures.append(OutcomeUnknown("no answer"))
        assert isinstance(await bench.outcome(replace(feed, command_id=2)), RequestUnanswered)


async def test_reads_and_local_commands_reach_their_place() -> None:
    """A picture comes back with the time at which it was asked for; bands and the exit stay in the house."""
    async with a_bench() as bench:
        picture = await bench.outcome(ReadPicture(command_id=9, reason=Reason.RECONCILE))
        assert isinstance(picture, PictureRead)
        band = SetBand(symbol=SYMBOL, low=None, high=None)
        bench.outbox.put_nowait(band)
        bench.outbox.put_nowait(Exit(reason=Reason.STOPPING))
        async with asyncio.timeout(5):
            await bench.executor.exit_asked.wait()
        assert bench.signals.seen == [band]


@pytest.mark.usefixtures("no_danger")
async def test_a_change_that_waited_too_long_for_its_turn_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """P5: what the core gave up as unanswered must not leave after that; and what it was decided on is old."""
    monkeypatch.setattr(executor_module, "WAIT_AT_MOST_NS", 0)
    async with a_bench() as bench:
        outcome = await bench.outcome(place(5))
        assert isinstance(outcome, RequestNotSent)
        assert "waited too long" in outcome.reason
        assert bench.venue.sent == []
