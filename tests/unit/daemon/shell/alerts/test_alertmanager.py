"""The Alertmanager channel: labels that hold, times that say what is the case, and pushing again before it expires."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.credentials import Secret
from config.policy import Policy
from daemon.core.commands import Severity
from daemon.core.memory.alert_book import AlertBook, Group
from daemon.core.state import initial_state
from daemon.shell.alerts.alertmanager import Alertmanager, labels, push_address, words_about
from daemon.shell.alerts.channel import DeliveryRefused
from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.outbox import AlertOutbox
from daemon.shell.alerts.outbox_file import OutboxFile
from daemon.shell.alerts.troubles import Troubles
from daemon.shell.alerts.worker import Outlet
from tests.fakes import START_NS, ManualClock
from tests.unit.daemon.shell.alerts.test_waiting import an_alert
from tests.unit.daemon.shell.alerts.test_webhook import Receiver, a_receiver

RENEW_S = 60.0


def firing(
    name: str, clock: ManualClock, *, level: str = "warn", group: str = "XBTUSD:tier", over: bool = False
) -> Alert:
    """A message of a group."""
    severity = Severity.CRITICAL if level == "critical" else Severity.WARNING
    alert = an_alert(name, severity, at=clock.now_ns(), group=group, level=level, over=over)
    return msgspec.structs.replace(alert, started_ns=START_NS)


@asynccontextmanager
async def pushing(receiver: Receiver, clock: ManualClock) -> AsyncIterator[Alertmanager]:
    """A channel to a receiver that plays an Alertmanager."""
    url = Secret(receiver.url)
    async with Alertmanager(url, timeout_s=2, renew_every_s=RENEW_S, clock=clock) as channel:
        yield channel


def rows(receiver: Receiver) -> list[dict[str, Any]]:
    """The newest push."""
    return receiver.bodies[-1]  # type: ignore[return-value] # an Alertmanager is sent lists


async def test_what_fires_ends_in_the_future_and_what_is_over_has_ended() -> None:
    """P10: labels name the trouble, annotations tell it; its end follows once, under the same labels."""
    clock = ManualClock()
    async with a_receiver() as receiver, pushing(receiver, clock) as channel:
        await channel.deliver(firing("one", clock))
        (row,) = rows(receiver)
        assert row["labels"] == {
            "alertname": "Seawall_XBTUSD_tier",
            "severity": "warn",
            "account": "1",
            "group": "XBTUSD:tier",
        }
        assert row["annotations"]["description"] == "one"
        began, ends = row["startsAt"], row["endsAt"]
        assert began < ends
        clock.advance_s(90)
        await channel.deliver(firing("two", clock, over=True))
        (over,) = rows(receiver)
        assert (over["labels"], over["startsAt"]) == (row["labels"], began)
        assert began < over["endsAt"] < ends
    assert receiver.paths[-1] == "/hooks/token-that-is-secret/api/v2/alerts"


async def test_a_trouble_that_grows_ends_under_its_old_labels() -> None:
    """From warn to critical the severity label changes: the old alert is ended in the same push, or it would linger."""
    clock = ManualClock()
    async with a_receiver() as receiver, pushing(receiver, clock) as channel:
        await channel.deliver(firing("one", clock))
        clock.advance_s(5)
        await channel.deliver(firing("two", clock, level="critical"))
        old, new = rows(receiver)
        assert (old["labels"]["severity"], new["labels"]["severity"]) == ("warn", "critical")
        assert old["endsAt"] < new["endsAt"]
        assert [each.alert_id for each in channel.held] == ["two"]


async def test_what_holds_is_pushed_again_and_its_end_for_a_while() -> None:
    """Each renewal moves the end on; what is over is told for five more renewals, then forgotten."""
    clock = ManualClock()
    async with a_receiver() as receiver, pushing(receiver, clock) as channel:
        await channel.deliver(firing("one", clock))
        first = rows(receiver)[0]["endsAt"]
        clock.advance_s(60)
        await channel.renew()
        assert rows(receiver)[0]["endsAt"] > first
        await channel.deliver(firing("two", clock, over=True))
        pushes = len(receiver.bodies)
        for _ in range(7):
            clock.advance_s(60)
            await channel.renew()
        assert len(receiver.bodies) == pushes + 4
        assert channel.held == ()


async def test_what_an_earlier_process_pushed_is_renewed() -> None:
    """P7: over a restart; what was pushed since then is the newer."""
    clock = ManualClock()
    async with a_receiver() as receiver, pushing(receiver, clock) as channel:
        await channel.deliver(firing("newer", clock, group="b"))
        channel.take_held((firing("older", clock, group="b"), firing("kept", clock, group="a")))
        assert [each.alert_id for each in channel.held] == ["kept", "newer"]


async def test_a_message_that_stands_alone_is_shown_for_a_while() -> None:
    """It tells of a moment: nothing to renew, and nothing that lingers."""
    clock = ManualClock()
    async with a_receiver() as receiver, pushing(receiver, clock) as channel:
        await channel.deliver(an_alert("alone", at=clock.now_ns()))
        assert channel.held == ()
        assert rows(receiver)[0]["labels"]["group"] == "tier:warn:XBTUSD"


async def test_a_push_that_fails_changes_nothing_held() -> None:
    """Refused for good: it is not renewed either."""
    clock = ManualClock()
    async with a_receiver() as receiver, pushing(receiver, clock) as channel:
        receiver.status = 400
        with pytest.raises(DeliveryRefused):
            await channel.deliver(firing("one", clock))
        assert channel.held == ()


@pytest.mark.parametrize(
    ("given", "pushed"),
    [
        ("http://127.0.0.1:9093", "http://127.0.0.1:9093/api/v2/alerts"),
        ("http://127.0.0.1:9093/", "http://127.0.0.1:9093/api/v2/alerts"),
        ("https://user:word@host/am/api/v2/alerts", "https://user:word@host/am/api/v2/alerts"),
    ],
)
def test_the_address_is_that_of_the_alertmanager(given: str, pushed: str) -> None:
    """Its own, or the whole one."""
    assert push_address(given) == pushed


def test_labels_do_not_change_while_the_trouble_lasts() -> None:
    """Text, figures and time are no part of what an alert is."""
    clock = ManualClock()
    one = firing("one", clock)
    clock.advance_s(60)
    assert labels(one) == labels(
        msgspec.structs.replace(firing("two", clock), text="other", symbol="ETHUSD", topic="cover")
    )


def test_names_are_those_that_it_takes() -> None:
    """Seen with a real one: a blank or a sign beyond letters in an annotation's name refuses the whole push."""
    alert = msgspec.structs.replace(firing("one", ManualClock()), facts={"mark price €": "1", "room_percent": "2"})
    names = {*labels(alert), *words_about(alert)}
    assert {"fact_mark_price__", "fact_room_percent"} <= names
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) for name in names)


async def test_its_worker_renews_by_itself(tmp_path: Path) -> None:
    """Nothing new comes in: the worker wakes up for the renewal alone."""
    clock = ManualClock()
    async with a_receiver() as receiver:
        url = Secret(receiver.url)
        async with Alertmanager(url, timeout_s=2, renew_every_s=0.02, clock=clock) as channel:
            file = OutboxFile(tmp_path / "alerts")
            outbox = AlertOutbox(outlets=[Outlet(name="am", channel=channel)], file=file, clock=clock, retry_for_s=60)
            async with asyncio.TaskGroup() as tasks, asyncio.timeout(5):
                working = tasks.create_task(outbox.workers[0].run())
                outbox.put_nowait(firing("one", clock))
                while len(receiver.bodies) < 4:  # noqa: ASYNC110 - the receiver is a bare server without events
                    await asyncio.sleep(0.005)
                working.cancel()
    assert outbox.delivered == 1


async def test_what_fires_goes_on_firing_after_a_kill(tmp_path: Path) -> None:
    """P7, P10: delivered, so nothing waits any more; the next process pushes it again all the same, from the file."""
    clock, path = ManualClock(), tmp_path / "alerts"

    async def live(receiver: Receiver, *alerts: Alert, pushes: int) -> None:
        async with pushing(receiver, clock) as channel:
            outlet = Outlet(name="am", channel=channel)
            outbox = AlertOutbox(outlets=[outlet], file=OutboxFile(path), clock=clock, retry_for_s=60)
            async with asyncio.TaskGroup() as tasks, asyncio.timeout(5):
                working = [tasks.create_task(work()) for work in (outbox.run, outbox.workers[0].run)]
                for alert in alerts:
                    outbox.put_nowait(alert)
                while len(receiver.bodies) < pushes:  # noqa: ASYNC110 - the receiver is a bare server without events
                    await asyncio.sleep(0.005)
                await outbox.wait_empty()
                for each in working:
                    each.cancel()

    async with a_receiver() as receiver:
        await live(receiver, firing("one", clock), pushes=1)
        clock.advance_s(30)
        await live(receiver, pushes=2)
        (row,) = rows(receiver)
        assert row["annotations"]["alert_id"] == "one"
        await live(receiver, firing("two", clock, over=True), pushes=3)
    assert {each.alert_id for each in OutboxFile(path).read().held["am"]} == {"two"}


async def test_what_no_longer_stands_is_ended_without_a_message() -> None:
    """A happening is forgotten, a message was too old: the next renewal pushes the end, under the same labels."""
    clock, standing = ManualClock(), {"notes": None, "distance": True}
    async with a_receiver() as receiver:
        url = Secret(receiver.url)
        async with Alertmanager(url, timeout_s=2, renew_every_s=RENEW_S, clock=clock, stands=standing.get) as channel:
            for group in standing:
                await channel.deliver(firing(group, clock, group=group))
            clock.advance_s(60)
            await channel.renew()
            assert all(row["endsAt"] > row["startsAt"] for row in rows(receiver)), "not known yet is not over"
            standing["notes"] = False
            clock.advance_s(60)
            await channel.renew()
            ended, lasting = rows(receiver)
            assert (ended["labels"]["group"], lasting["labels"]["group"]) == ("notes", "distance")
            assert ended["endsAt"] < lasting["endsAt"]
            first_end = ended["endsAt"]
            clock.advance_s(60)
            await channel.renew()
            assert rows(receiver)[0]["endsAt"] == first_end, "it ended once"


def test_who_knows_whether_a_trouble_stands() -> None:
    """The core's book for its groups, the outbox for channels; before they are there nobody does."""
    troubles = Troubles()
    assert troubles.stands("distance") is None
    assert troubles.stands("channel:phone") is None
    book = AlertBook(groups={"distance": Group(key="distance", since_ns=1, due_ns=1)})
    state = replace(initial_state(1, Policy()), people=book)
    troubles.watch(state=lambda: state)
    assert troubles.stands("distance") is True
    assert troubles.stands("notes") is False
