"""The whole daemon in this process, on a fake venue: what ends it, and in which order it ends."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.model import AlertSettings, Settings, StateSettings
from config.policy import Policy
from config.venue import Environment, venue_settings
from connectors.errors import Unavailable
from connectors.ports import StopRequest
from daemon.app import run_guard
from daemon.core.errors import InvariantBroken
from daemon.run import leaves
from daemon.shell import runner as runner_module
from daemon.shell.control.client import SOCKET_NAME, DaemonUnreachable, ask_status
from daemon.shell.crew import VitalPartEnded
from daemon.shell.journal_file import segments_in
from daemon.shell.lock import AlreadyRunning
from daemon.shell.recover import recover
from daemon.shell.watchdog import ServiceNotifier
from tests.fakes import FakeMarketData, FakeVenue, a_long
from tests.unit.daemon.shell.alerts.test_webhook import Receiver, a_receiver

DEADLINE_S = 15.0


def settings_for(folder: Path, **changes: Any) -> Settings:
    """Settings whose state lives in a folder of the test."""
    return replace(
        Settings(venue=venue_settings(Environment.TESTNET), state=StateSettings(directory=str(folder / "state"))),
        **changes,
    )


@asynccontextmanager
async def a_running_guard(folder: Path, venue: FakeVenue, **changes: Any) -> AsyncIterator[asyncio.Task[None]]:
    """Run the daemon in a task; afterwards it is stopped by SIGTERM if it has not ended."""
    loop = asyncio.get_running_loop()
    guard = loop.create_task(run_guard(settings_for(folder, **changes), venue, notifier=ServiceNotifier(None)))
    try:
        yield guard
    finally:
        if not guard.done():
            os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(DEADLINE_S):
            with suppress(Exception):
                await guard


async def wait_request(venue: FakeVenue, is_it: Callable[[object], bool]) -> object:
    """Wait until the venue got a request of a kind."""
    async with asyncio.timeout(DEADLINE_S):
        while not (found := [each for each in venue.sent if is_it(each)]):
            venue.changed.clear()
            await venue.changed.wait()
    return found[0]


def is_stop(request: object) -> bool:
    """Whether a request places a stop."""
    return isinstance(request, StopRequest)


def end_of(guard: asyncio.Task[None]) -> list[BaseException]:
    """What the daemon ended with, out of all groups."""
    error = guard.exception()
    return [] if error is None else list(leaves(error))


async def wait_end(guard: asyncio.Task[None]) -> list[BaseException]:
    """Wait until the daemon has ended by itself."""
    async with asyncio.timeout(DEADLINE_S):
        await asyncio.wait([guard])
    return end_of(guard)


async def test_a_position_is_covered_and_the_stop_is_orderly(tmp_path: Path) -> None:
    """Open, cover, SIGTERM: connections closed, journal durable, and its replay knows the covered position."""
    venue = FakeVenue(positions=[a_long()])
    async with a_running_guard(tmp_path, venue) as guard:
        request = await wait_request(venue, is_stop)
        assert isinstance(request, StopRequest)
        assert request.quantity == 1000
        os.kill(os.getpid(), signal.SIGTERM)
        assert await wait_end(guard) == []
    assert venue.closed
    state = recover(tmp_path / "state" / "journal").state
    assert state is not None
    assert [guarded.position.quantity for guarded in state.positions.values()] == [1000]


async def test_a_vital_part_that_ends_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The market stream's loop returns: the guard ends rather than go on without eyes, and the journal is closed."""

    async def returns(_self: object) -> None:
        return

    monkeypatch.setattr(FakeMarketData, "run", returns)
    venue = FakeVenue()
    async with a_running_guard(tmp_path, venue) as guard:
        assert [type(each) for each in await wait_end(guard)] == [VitalPartEnded]
    assert venue.closed
    assert recover(tmp_path / "state" / "journal").problem is None


async def test_a_broken_invariant_ends_the_process_with_its_event_on_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P7: the core contradicts itself on a row: the process ends; the next one starts from the venue and lives."""
    real = runner_module.step
    venue = FakeVenue(positions=[a_long()])

    def broken(state: Any, event: Any) -> Any:
        if type(event).__name__ == "PositionsListed":
            raise InvariantBroken("two and two are five")
        return real(state, event)

    monkeypatch.setattr(runner_module, "step", broken)
    async with a_running_guard(tmp_path, venue) as guard:
        assert InvariantBroken in [type(each) for each in await wait_end(guard)]
    monkeypatch.setattr(runner_module, "step", real)
    async with a_running_guard(tmp_path, venue):
        await wait_request(venue, is_stop)


async def test_a_journal_that_cannot_be_written_stops_no_protection(tmp_path: Path) -> None:
    """The journal's folder is a file: the position is covered, and the status names the problem."""
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / "journal").write_text("in the way")
    venue = FakeVenue(positions=[a_long()])
    async with a_running_guard(tmp_path, venue):
        await wait_request(venue, is_stop)
        status = await wait_status(tmp_path, lambda found: bool(found.get("degraded")))
        assert "journal_failed" in [each["state"] for each in status["degraded"]]
        assert status["journal"]["problem"] is not None


async def wait_status(folder: Path, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Ask the daemon until its status is as wanted."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            with suppress(DaemonUnreachable):
                found: dict[str, Any] = await asyncio.to_thread(ask_status, folder / "state" / SOCKET_NAME)
                if is_it(found):
                    return found
            await asyncio.sleep(0.02)


async def test_a_request_that_is_not_sent_is_tried_again(tmp_path: Path) -> None:
    """The venue is overloaded twice: the core asks again with a pause, and the stop rests in the end."""
    venue = FakeVenue(positions=[a_long()])
    failures = [Unavailable("overloaded", retry_after_s=0.01), Unavailable("overloaded", retry_after_s=0.01)]
    real = venue.note

    def note(request: object) -> None:
        if is_stop(request) and failures:
            venue.sent.append(request)
            raise failures.pop()
        real(request)

    venue.note = note  # type: ignore[method-assign]
    async with a_running_guard(tmp_path, venue):
        status = await wait_status(tmp_path, lambda found: any(each["stops"] for each in found.get("positions", [])))
        assert status["positions"][0]["covered_since"] is not None
    assert len([each for each in venue.sent if is_stop(each)]) == 3


async def test_a_second_guard_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    """The lock is held for as long as the first one lives."""
    async with a_running_guard(tmp_path, FakeVenue()):
        await wait_status(tmp_path, bool)
        with pytest.raises(AlreadyRunning):
            await run_guard(settings_for(tmp_path), FakeVenue(), notifier=ServiceNotifier(None))


async def test_people_hear_through_the_webhook_even_if_it_was_dead(tmp_path: Path) -> None:
    """P10: the webhook answers 503 at first, then works: the news that the position is covered arrives."""
    async with a_receiver() as receiver:
        receiver.status = 503
        alerts = AlertSettings(webhook_url=receiver.url)
        async with a_running_guard(tmp_path, FakeVenue(positions=[a_long()]), alerts=alerts):
            await wait_bodies(receiver, lambda: bool(receiver.bodies))
            receiver.status = 200
            receiver.bodies.clear()
            await wait_bodies(receiver, lambda: "covered" in [body["state"] for body in receiver.bodies])
    (covered,) = {body["alert_id"] for body in receiver.bodies if body["state"] == "covered"}
    assert covered.startswith("notes:")


async def wait_bodies(receiver: Receiver, condition: Callable[[], bool]) -> None:
    """Wait for something the receiver got."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - the receiver is a bare server without events
            await asyncio.sleep(0.02)
    assert receiver.bodies


async def test_observing_writes_nothing(tmp_path: Path) -> None:
    """`--observe`: a position without a stop leads to words, never to a request that changes something."""
    venue = FakeVenue(positions=[a_long()])
    async with a_running_guard(tmp_path, venue, policy=Policy(observe=True)):
        await wait_status(tmp_path, lambda found: found.get("mode") == "guarding")
    assert [each for each in venue.sent if each not in ("picture", "key rights", "server time")] == []


async def test_another_account_s_journal_is_not_used(tmp_path: Path) -> None:
    """The key is exchanged for one of another account over the same folder: that is said, and nothing is mixed up."""
    async with a_running_guard(tmp_path, FakeVenue(positions=[a_long()])):
        await wait_status(tmp_path, lambda found: bool(found.get("positions")))
    other = FakeVenue()
    other.rights = replace(other.rights, account=99)
    async with a_running_guard(tmp_path, other):
        status = await wait_status(tmp_path, lambda found: found.get("mode") == "guarding")
        assert status["account"] == 99
        assert status["positions"] == []


async def test_each_start_begins_a_segment_of_its_own(tmp_path: Path) -> None:
    """Two lives are two segments with numbers that go on."""
    for _ in range(2):
        async with a_running_guard(tmp_path, FakeVenue()):
            await wait_status(tmp_path, lambda found: found.get("mode") == "guarding")
    first, second = (number for number, _ in segments_in(tmp_path / "state" / "journal"))
    assert first == 1 < second
