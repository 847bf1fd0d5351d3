"""Alerts are delivered at least once, whatever the channel or the process does (P10)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemon.core.commands import Severity
from daemon.shell.alerts import outbox as outbox_module
from daemon.shell.alerts import worker as worker_module
from daemon.shell.alerts.channel import Channel, DeliveryRefused, NotDelivered
from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.outbox import AlertOutbox
from daemon.shell.alerts.outbox_file import OutboxFile
from daemon.shell.alerts.worker import Outlet
from tests.fakes import START_NS, ManualClock

PAUSE_S = 0.001


def an_alert(name: str, severity: Severity = Severity.WARNING, *, raised_ns: int = START_NS) -> Alert:
    """An alert of a given name."""
    return Alert(
        alert_id=name,
        severity=severity,
        topic="tier",
        state="warn",
        symbol="XBTUSD",
        text=f"about {name}",
        reason="tier_changed",
        account=1,
        raised_ns=raised_ns,
    )


class FakeChannel(Channel):
    """Takes alerts, or fails as told."""

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.is_dead = False
        self.attempts = 0
        self.got: list[str] = []
        self.changed = asyncio.Event()

    async def deliver(self, alert: Alert) -> None:
        self.attempts += 1
        self.changed.set()
        if self.is_dead:
            raise NotDelivered("dead")
        if self.failures:
            raise self.failures.pop(0)
        self.got.append(alert.alert_id)

    async def wait(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def running(
    folder: Path, channel: FakeChannel, *, clock: ManualClock | None = None, journalled: list[Alert] | None = None
) -> AsyncIterator[AlertOutbox]:
    """Run an outbox over the file of a folder, then end it as a kill would: without a farewell."""
    outbox = AlertOutbox(
        outlets=[Outlet(name="webhook", channel=channel)],
        file=OutboxFile(folder / "alerts.jsonl"),
        clock=clock or ManualClock(),
        retry_for_s=60,
        first_pause_s=PAUSE_S,
    )
    async with asyncio.TaskGroup() as tasks:
        working = [tasks.create_task(work()) for work in (outbox.run, *(each.run for each in outbox.workers))]
        async with asyncio.timeout(5):
            await outbox.restore((alert, ()) for alert in journalled or [])
        yield outbox
        for each in working:
            each.cancel()


async def wait_empty(outbox: AlertOutbox) -> None:
    """Wait until everything is delivered or lost."""
    async with asyncio.timeout(5):
        await outbox.wait_empty()


async def test_a_dead_channel_that_revives_gets_everything(tmp_path: Path) -> None:
    """P10: the channel is down for some attempts; afterwards every alert arrived, none twice."""
    channel = FakeChannel()
    channel.is_dead = True
    async with running(tmp_path, channel) as outbox:
        outbox.put_nowait(an_alert("one"))
        outbox.put_nowait(an_alert("two"))
        await channel.wait(lambda: channel.attempts >= 4)
        channel.is_dead = False
        await wait_empty(outbox)
    assert sorted(channel.got) == ["one", "two"]
    assert (outbox.delivered, outbox.lost) == (2, 0)


async def test_the_worst_goes_first(tmp_path: Path) -> None:
    """A channel that comes back is told of the emergency before it hears of old notes."""
    channel = FakeChannel()
    channel.is_dead = True
    async with running(tmp_path, channel) as outbox:
        outbox.put_nowait(an_alert("note", Severity.NOTE))
        outbox.put_nowait(an_alert("late critical", Severity.CRITICAL, raised_ns=START_NS + 1))
        outbox.put_nowait(an_alert("critical", Severity.CRITICAL))
        channel.is_dead = False
        await wait_empty(outbox)
    assert channel.got == ["critical", "late critical", "note"]


async def test_a_critical_alert_does_not_wait_for_the_pause_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The channel failed and is left alone for long; an emergency is tried at once all the same."""
    monkeypatch.setattr("tests.unit.daemon.shell.alerts.test_outbox.PAUSE_S", 3_600)
    monkeypatch.setattr(worker_module, "LEAST_PAUSE_S", 0.01)
    channel = FakeChannel()
    channel.failures = [NotDelivered("down")]
    async with running(tmp_path, channel) as outbox:
        outbox.put_nowait(an_alert("warning"))
        await channel.wait(lambda: channel.attempts == 1)
        outbox.put_nowait(an_alert("critical", Severity.CRITICAL))
        await wait_empty(outbox)
    assert channel.got == ["critical", "warning"]


async def test_undelivered_alerts_survive_the_process(tmp_path: Path) -> None:
    """P10: killed with a dead channel: the next process delivers what waited, and not what had arrived."""
    channel = FakeChannel()
    async with running(tmp_path, channel) as outbox:
        outbox.put_nowait(an_alert("arrived"))
        await wait_empty(outbox)
        channel.is_dead = True
        outbox.put_nowait(an_alert("waiting"))
        await channel.wait(lambda: channel.attempts >= 3)
        await outbox.wait_saved()
    channel.is_dead = False
    async with running(tmp_path, channel) as outbox:
        await wait_empty(outbox)
    assert channel.got == ["arrived", "waiting"]


async def test_the_journal_fills_the_gap_before_the_file(tmp_path: Path) -> None:
    """P10: decided, journalled, and killed before the outbox wrote it: it comes out of the journal, others do not."""
    channel = FakeChannel()
    async with running(tmp_path, channel) as outbox:
        outbox.put_nowait(an_alert("known"))
        await wait_empty(outbox)
        await channel.wait(lambda: True)
    clock = ManualClock()
    journalled = [an_alert("known"), an_alert("gap"), an_alert("ancient", raised_ns=START_NS - 61_000_000_000)]
    async with running(tmp_path, channel, clock=clock, journalled=journalled) as outbox:
        await wait_empty(outbox)
    assert channel.got[1:] in (["gap"], ["known", "gap"], ["gap", "known"])
    assert "ancient" not in channel.got


async def test_what_the_receiver_refuses_is_counted_and_does_not_block(tmp_path: Path) -> None:
    """One alert is refused for good (a 400): it is lost, loudly, and the next one arrives."""
    channel = FakeChannel()
    channel.failures = [DeliveryRefused("answered 400")]
    async with running(tmp_path, channel) as outbox:
        outbox.put_nowait(an_alert("refused"))
        outbox.put_nowait(an_alert("fine"))
        await wait_empty(outbox)
    assert channel.got == ["fine"]
    assert outbox.lost == 1


async def test_an_alert_is_not_tried_for_ever(tmp_path: Path) -> None:
    """After the stated time an alert that never arrived is counted as lost."""
    channel, clock = FakeChannel(), ManualClock()
    channel.is_dead = True
    async with running(tmp_path, channel, clock=clock) as outbox:
        outbox.put_nowait(an_alert("old"))
        await channel.wait(lambda: channel.attempts >= 1)
        clock.advance_s(61)
        await wait_empty(outbox)
    assert outbox.lost == 1


async def test_the_number_of_waiting_alerts_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood against a dead channel: the least severe and oldest go, and each is counted."""
    monkeypatch.setattr(worker_module, "MOST_WAITING", 3)
    channel = FakeChannel()
    channel.is_dead = True
    async with running(tmp_path, channel) as outbox:
        outbox.put_nowait(an_alert("critical", Severity.CRITICAL))
        for number in range(6):
            outbox.put_nowait(an_alert(f"note {number}", Severity.NOTE, raised_ns=START_NS + number))
        assert (outbox.waiting, outbox.lost) == (3, 4)
        channel.is_dead = False
        await wait_empty(outbox)
    assert channel.got[0] == "critical"


async def test_a_disk_that_refuses_does_not_stop_delivery(tmp_path: Path) -> None:
    """The outbox file cannot be written: alerts are delivered from memory."""
    (tmp_path / "alerts.jsonl").mkdir()
    channel = FakeChannel()
    async with running(tmp_path, channel) as outbox:
        outbox.put_nowait(an_alert("one"))
        await wait_empty(outbox)
    assert channel.got == ["one"]


async def test_a_torn_line_is_left_out(tmp_path: Path) -> None:
    """Killed in the middle of a write: the whole lines count."""
    channel = FakeChannel()
    channel.is_dead = True
    async with running(tmp_path, channel) as outbox:
        outbox.put_nowait(an_alert("whole"))
        await channel.wait(lambda: channel.attempts >= 2)
        await outbox.wait_saved()
    tear(tmp_path / "alerts.jsonl")
    channel.is_dead = False
    async with running(tmp_path, channel) as outbox:
        await wait_empty(outbox)
    assert channel.got == ["whole"]


def tear(path: Path) -> None:
    """Append half a line."""
    with path.open("ab") as file:
        file.write(b'{"put":{"alert_id":"to')


async def test_a_rewritten_file_still_knows_what_was_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P10: the file is rewritten between delivery and a kill; what the journal brings back is not told again."""
    monkeypatch.setattr(outbox_module, "COMPACT_AFTER_LINES", 0)
    channel = FakeChannel()
    async with running(tmp_path, channel) as outbox:
        for name in ("one", "two"):
            outbox.put_nowait(an_alert(name))
            await wait_empty(outbox)
    async with running(tmp_path, channel, journalled=[an_alert("one"), an_alert("three")]) as outbox:
        await wait_empty(outbox)
    assert channel.got.count("one") == 1
    assert channel.got.count("three") == 1


async def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Alerts tell positions and prices: nobody else on the machine reads them."""
    async with running(tmp_path, FakeChannel()) as outbox:
        outbox.put_nowait(an_alert("one"))
        await wait_empty(outbox)
    assert (tmp_path / "alerts.jsonl").stat().st_mode & 0o777 == 0o600


async def test_nobody_is_told_what_a_crash_could_make_the_guard_forget(tmp_path: Path) -> None:
    """P7, P10: an alert leaves when the journal is on disk; should the disk not take it, it leaves all the same."""
    channel, asked = FakeChannel(), []

    def wait_durable(timeout_s: float) -> bool:
        asked.append((timeout_s, list(channel.got)))
        return False

    async with running(tmp_path, channel) as outbox:
        outbox.deliver_after(wait_durable)
        outbox.put_nowait(an_alert("latched"))
        await wait_empty(outbox)
    assert channel.got == ["latched"]
    assert asked == [(outbox_module.JOURNAL_WITHIN_S, [])]
