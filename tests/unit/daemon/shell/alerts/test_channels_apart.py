"""Channels share nothing but the file: what one does, or the disk, delays and loses nothing for another (P10)."""

from __future__ import annotations

import asyncio
import errno
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from daemon.core.commands import Severity
from daemon.shell.alerts import outbox as outbox_module
from daemon.shell.alerts import turns as turns_module
from daemon.shell.alerts import worker as worker_module
from daemon.shell.alerts.channel import Channel, DeliveryRefused, NotDelivered
from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.outbox import AlertOutbox
from daemon.shell.alerts.outbox_file import Line, OutboxFile
from daemon.shell.alerts.worker import Outlet
from tests.fakes import START_NS, ManualClock
from tests.unit.daemon.shell.alerts.test_outbox import FakeChannel, an_alert


class Hanging(Channel):
    """Never answers."""

    def __init__(self) -> None:
        self.attempts = 0

    async def deliver(self, alert: Alert) -> None:
        self.attempts += 1
        await asyncio.Event().wait()


class Crashing(Channel):
    """Dies of something nobody thought of."""

    async def deliver(self, alert: Alert) -> None:
        raise ZeroDivisionError("the token is secret-token")


def outlets(fallback: dict[str, str] | None = None, timeout_s: float = 5.0, **channels: Channel) -> list[Outlet]:
    """Name channels."""
    fallback = fallback or {}
    return [
        Outlet(name=name, channel=channel, timeout_s=timeout_s, fallback=fallback.get(name))
        for name, channel in channels.items()
    ]


@asynccontextmanager
async def running(
    folder: Path, named: list[Outlet], *, file: OutboxFile | None = None, clock: ManualClock | None = None
) -> AsyncIterator[AlertOutbox]:
    """Run an outbox and its workers, then end them as a kill would."""
    outbox = AlertOutbox(
        outlets=named,
        file=file or OutboxFile(folder / "alerts.jsonl"),
        clock=clock or ManualClock(),
        retry_for_s=60,
        first_pause_s=0.001,
    )
    async with asyncio.TaskGroup() as tasks:
        working = [tasks.create_task(work()) for work in (outbox.run, *(each.run for each in outbox.workers))]
        yield outbox
        for each in working:
            each.cancel()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that several tasks lead to."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - many things, few of which could set an event
            await asyncio.sleep(0.002)


def saved(folder: Path) -> str:
    """What the file holds."""
    file = folder / "alerts.jsonl"
    return file.read_text() if file.exists() else ""


def figures(outbox: AlertOutbox, name: str) -> dict[str, object]:
    """What the status says of one channel."""
    return next(each.figures for each in outbox.workers if each.name == name)


async def test_a_well_channel_hears_at_once_whatever_the_others_do(tmp_path: Path) -> None:
    """P10: one is dead, one hangs, one crashes: the fourth gets all, in order, and each is counted for itself."""
    dead, well = FakeChannel(), FakeChannel()
    dead.is_dead = True
    named = outlets(dead=dead, hanging=Hanging(), crashing=Crashing(), well=well, timeout_s=0.05)
    async with running(tmp_path, named) as outbox:
        for number in range(20):
            outbox.put_nowait(an_alert(f"a{number:02}", raised_ns=START_NS + number))
        await until(lambda: [each for each in well.got if each[0] == "a"] == [f"a{number:02}" for number in range(20)])
        await until(lambda: all(figures(outbox, name)["failed"] for name in ("dead", "hanging", "crashing")))
        assert figures(outbox, "hanging")["problem"] == "no answer within 0.05 s"
        assert figures(outbox, "crashing")["problem"] == "failed with ZeroDivisionError"
        assert figures(outbox, "well")["failed"] == 0
        assert outbox.waiting >= 20


async def test_the_fallback_gets_what_failed_once_and_the_channel_goes_on(tmp_path: Path) -> None:
    """P10: handed over after the first failure, at once while it is known to fail; both deliver in the end."""
    phone, mail = FakeChannel(), FakeChannel()
    phone.is_dead = True
    async with running(tmp_path, outlets({"phone": "mail"}, phone=phone, mail=mail)) as outbox:
        outbox.put_nowait(an_alert("first"), to=("phone",))
        await until(lambda: "first" in mail.got)
        outbox.put_nowait(an_alert("second", raised_ns=START_NS + 1), to=("phone",))
        await until(lambda: "second" in mail.got)
        await until(lambda: phone.attempts >= 5)
        assert [each for each in mail.got if "channel" not in each] == ["first", "second"]
        assert figures(outbox, "phone")["handed_over"] == 2
        phone.is_dead = False
        await until(lambda: outbox.waiting == 0)
    assert sorted(phone.got)[:2] == ["first", "second"]


async def test_two_that_are_each_others_fallback_do_not_play_ball(tmp_path: Path) -> None:
    """Both are dead: each alert is tried at both, none goes round in circles."""
    one, two = FakeChannel(), FakeChannel()
    one.is_dead = two.is_dead = True
    async with running(tmp_path, outlets({"one": "two", "two": "one"}, one=one, two=two)) as outbox:
        outbox.put_nowait(an_alert("first"), to=("one",))
        await until(lambda: one.attempts >= 3 and two.attempts >= 3)
        one.is_dead = two.is_dead = False
        await until(lambda: outbox.waiting == 0)
    assert one.got.count("first") == two.got.count("first") == 1


async def test_what_a_channel_loses_goes_to_its_fallback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P10: no room any more at a channel that hangs: what is crowded out is delivered elsewhere, and counted here."""
    monkeypatch.setattr(worker_module, "MOST_WAITING", 2)
    mail = FakeChannel()
    async with running(tmp_path, outlets({"phone": "mail"}, phone=Hanging(), mail=mail)) as outbox:
        for number in range(4):
            outbox.put_nowait(an_alert(f"a{number}", raised_ns=START_NS + number), to=("phone",))
        await until(lambda: mail.got == ["a0", "a1"])
        assert figures(outbox, "phone")["lost"] == 2


async def test_each_channel_goes_on_where_it_was_after_a_kill(tmp_path: Path) -> None:
    """P7, P10: one had it, the other had not, and its fallback was given it: nobody gets it twice but who has to."""
    well, dead, spare = FakeChannel(), FakeChannel(), FakeChannel()
    dead.is_dead = True
    named = outlets({"dead": "spare"}, well=well, dead=dead, spare=spare)
    async with running(tmp_path, named) as outbox:
        await until((tmp_path / "alerts.jsonl").exists)  # from now on the file is appended to
        outbox.put_nowait(an_alert("one"), to=("well", "dead"))
        await until(lambda: well.got == spare.got[:1] == ["one"])
        await until(lambda: '"done":"one","by":"spare"' in saved(tmp_path))
        await until(lambda: '"done":"one","by":"well"' in saved(tmp_path))
    dead.is_dead = False
    async with running(tmp_path, named) as outbox:
        await until(lambda: "one" in dead.got)
        async with asyncio.timeout(5):
            await outbox.wait_empty()
    assert [each.got.count("one") for each in (well, dead, spare)] == [1, 1, 1]


async def test_a_file_of_an_earlier_build_still_counts(tmp_path: Path) -> None:
    """What waited for the one webhook of that build waits for every channel now; what had ended has."""
    old = {
        name: json.loads(msgspec.json.encode(an_alert(name)))
        | {"level": None}  # a key that is taken out again below: the old build did not know any of the new ones
        for name in ("waits", "done")
    }
    new = {"level", "group", "title", "did", "will", "you_can", "is_resolved", "started_ns", "count"}
    lines = [{"put": {key: value for key, value in alert.items() if key not in new}} for alert in old.values()]
    text = "".join(json.dumps(line) + "\n" for line in (*lines, {"ended": "done"}))
    (tmp_path / "alerts.jsonl").write_text(text)
    phone, mail = FakeChannel(), FakeChannel()
    async with running(tmp_path, outlets(phone=phone, mail=mail)):
        await until(lambda: bool(phone.got) and bool(mail.got))
    assert phone.got == mail.got == ["waits"]


async def test_channels_that_the_settings_do_not_name_any_more_lose_nothing(tmp_path: Path) -> None:
    """The settings were changed between two starts: what waited for a channel that is gone goes to those there are."""
    gone, there = Hanging(), FakeChannel()
    async with running(tmp_path, outlets(gone=gone)) as outbox:
        outbox.put_nowait(an_alert("one"), to=("gone",))
        await until(lambda: '"to":["gone"]' in saved(tmp_path))
    async with running(tmp_path, outlets(there=there)) as outbox:
        await until(lambda: there.got == ["one"])
        outbox.put_nowait(an_alert("two"), to=("gone", "misspelt"))
        await until(lambda: len(there.got) > 1)
    assert there.got == ["one", "two"]


async def test_a_channel_that_comes_back_tells_what_counts_now(tmp_path: Path) -> None:
    """P10: fifty messages of one group wait at a dead channel: one arrives, the newest; then that it is over."""
    channel = FakeChannel()
    channel.is_dead = True
    async with running(tmp_path, outlets(phone=channel)) as outbox:
        for number in range(50):
            alert = an_alert(f"a{number:02}", raised_ns=START_NS + number)
            outbox.put_nowait(msgspec.structs.replace(alert, group="XBTUSD:tier"))
        over = msgspec.structs.replace(an_alert("over", raised_ns=START_NS + 50), group="XBTUSD:tier", is_resolved=True)
        outbox.put_nowait(over)
        await until(lambda: channel.attempts >= 2)
        assert (outbox.waiting, figures(outbox, "phone")["replaced"]) == (2, 49)
        channel.is_dead = False
        await until(lambda: outbox.waiting == 0)
    assert channel.got == ["a49", "over"]
    assert outbox.lost == 0


async def test_the_last_word_is_that_it_stands_when_it_began_again(tmp_path: Path) -> None:
    """P10: it began, was over and began anew while the channel was dead: "over" is not the last word."""
    channel = FakeChannel()
    channel.is_dead = True
    of_group = [
        an_alert("began", Severity.CRITICAL, raised_ns=START_NS),
        msgspec.structs.replace(an_alert("over", Severity.NOTE, raised_ns=START_NS + 1), is_resolved=True),
        an_alert("began anew", Severity.CRITICAL, raised_ns=START_NS + 2),
    ]
    async with running(tmp_path, outlets(phone=channel)) as outbox:
        for alert in of_group:
            outbox.put_nowait(msgspec.structs.replace(alert, group="distance"))
        await until(lambda: channel.attempts >= 2)
        channel.is_dead = False
        await until(lambda: outbox.waiting == 0)
    assert channel.got == ["began anew"]
    assert outbox.lost == 0


class StubbornFile(OutboxFile):
    """A disk with a mood."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.is_full = False
        self.hangs = threading.Event()
        self.hangs.set()

    def rewrite(self, lines: Iterable[Line]) -> None:
        self._refuse()
        super().rewrite(lines)

    def append(self, lines: Iterable[Line]) -> None:
        self._refuse()
        super().append(lines)

    def _refuse(self) -> None:
        self.hangs.wait(10)
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")


async def test_a_full_disk_loses_nothing_and_is_caught_up_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P10: alerts are delivered from memory; when the disk has room again the file holds what still waits, whole."""
    monkeypatch.setattr(outbox_module, "SAVE_AGAIN_AFTER_S", 0.01)
    file, well = StubbornFile(tmp_path / "alerts.jsonl"), FakeChannel()
    hanging = Hanging()
    async with running(tmp_path, outlets(well=well, hanging=hanging), file=file) as outbox:
        await until((tmp_path / "alerts.jsonl").exists)
        file.is_full = True
        outbox.put_nowait(an_alert("one"), to=("well",))
        outbox.put_nowait(an_alert("two"), to=("hanging",))
        await until(lambda: well.got == ["one"])
        await until(lambda: outbox.figures["saved"] is False)
        file.is_full = False
        await until(lambda: outbox.figures["saved"] is True)
    kept = OutboxFile(tmp_path / "alerts.jsonl").read()
    assert (list(kept.pending), list(kept.ended)) == (["two"], ["one"])


async def test_what_a_full_disk_refused_is_written_although_nothing_more_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P10: one alert, one refusal, and then silence: a crash an hour later must not lose it."""
    monkeypatch.setattr(outbox_module, "SAVE_AGAIN_AFTER_S", 0.01)
    file = StubbornFile(tmp_path / "alerts.jsonl")
    async with running(tmp_path, outlets(hanging=Hanging()), file=file) as outbox:
        await until((tmp_path / "alerts.jsonl").exists)
        file.is_full = True
        outbox.put_nowait(an_alert("one"))
        await until(lambda: outbox.figures["saved"] is False)
        file.is_full = False
        await until(lambda: outbox.figures["saved"] is True)
    assert list(OutboxFile(tmp_path / "alerts.jsonl").read().pending) == ["one"]


async def test_a_disk_that_hangs_delays_nobody(tmp_path: Path) -> None:
    """P10: the write never returns; the alert has long been delivered."""
    file, well = StubbornFile(tmp_path / "alerts.jsonl"), FakeChannel()
    async with running(tmp_path, outlets(well=well), file=file) as outbox:
        await until((tmp_path / "alerts.jsonl").exists)
        file.hangs.clear()
        outbox.put_nowait(an_alert("one"))
        outbox.put_nowait(an_alert("two"))
        await until(lambda: well.got == ["one", "two"])
        assert not file.hangs.is_set(), "the disk still hangs"
        file.hangs.set()


async def test_a_dead_channel_is_told_through_the_others_once(tmp_path: Path) -> None:
    """P10, P12: after three failures in a row people hear of it elsewhere, and of its return; flapping is no news."""
    dead, well = FakeChannel(), FakeChannel()
    dead.is_dead = True
    clock = ManualClock()
    async with running(tmp_path, outlets(dead=dead, well=well), clock=clock) as outbox:
        outbox.put_nowait(an_alert("one"), to=("dead",))
        await until(lambda: bool(well.got))
        dead.is_dead = False
        await until(lambda: len(well.got) == 2)
        dead.failures = [NotDelivered("down")] * 5
        outbox.put_nowait(an_alert("two"), to=("dead",))
        await until(lambda: outbox.waiting == 0)
    assert [each.split(":")[:3] for each in well.got] == [["channel", "failing", "dead"], ["channel", "well", "dead"]]


async def test_a_channel_that_dies_soon_after_its_return_is_told_again(tmp_path: Path) -> None:
    """P10, P12: "delivers again" must not be the last word about a channel that has been dead for long."""
    dead, well = FakeChannel(), FakeChannel()
    dead.failures = [NotDelivered("down")] * 3
    clock = ManualClock()
    async with running(tmp_path, outlets(dead=dead, well=well), clock=clock) as outbox:
        outbox.put_nowait(an_alert("one"), to=("dead",))
        await until(lambda: len(well.got) == 2)
        dead.is_dead, seen = True, dead.attempts
        outbox.put_nowait(an_alert("two", raised_ns=START_NS + outbox_module.TROUBLE_EVERY_NS), to=("dead",))
        await until(lambda: dead.attempts >= seen + 4)
        assert len(well.got) == 2, "it flaps: that is no news yet"
        clock.advance_s(outbox_module.TROUBLE_EVERY_NS / 1e9)
        await until(lambda: len(well.got) == 3)
    assert well.got[-1].split(":")[:3] == ["channel", "failing", "dead"]


async def test_a_channel_that_refuses_everything_is_told_through_the_others(tmp_path: Path) -> None:
    """P10, P12: a receiver that answers 400 to every message is as dead as one that is gone, and its return is told."""
    refusing, well = FakeChannel(), FakeChannel()
    refusing.failures = [DeliveryRefused("answered 400")] * 3
    async with running(tmp_path, outlets(refusing=refusing, well=well)) as outbox:
        for number in range(3):
            outbox.put_nowait(an_alert(f"a{number}", raised_ns=START_NS + number), to=("refusing",))
        await until(lambda: len(well.got) == 1)
        assert figures(outbox, "refusing")["failing"]
        outbox.put_nowait(an_alert("taken", raised_ns=START_NS + 9), to=("refusing",))
        await until(lambda: len(well.got) == 2)
    states = [each.split(":")[1] for each in well.got]
    assert states == ["failing", "well"]


async def test_the_return_is_told_whatever_the_last_failure_was(tmp_path: Path) -> None:
    """P12: two time-outs and a refusal made three: an Alertmanager must not be left with a channel that works."""
    mixed, well = FakeChannel(), FakeChannel()
    mixed.failures = [NotDelivered("down"), NotDelivered("down"), DeliveryRefused("answered 400")]
    async with running(tmp_path, outlets(mixed=mixed, well=well)) as outbox:
        outbox.put_nowait(an_alert("refused"), to=("mixed",))
        await until(lambda: len(well.got) == 1)
        outbox.put_nowait(an_alert("taken", raised_ns=START_NS + 1), to=("mixed",))
        await until(lambda: len(well.got) == 2)
        assert not outbox.is_troubled("mixed")


async def test_two_thousand_alerts_in_a_moment_cost_the_loop_little(tmp_path: Path) -> None:
    """P10: a flood: the loop is not held, the queue of a dead channel stays bounded, everything is counted."""
    dead, well = Hanging(), FakeChannel()
    async with running(tmp_path, outlets(dead=dead, well=well)) as outbox:
        begun_s = time.perf_counter()
        for number in range(2_000):
            outbox.put_nowait(an_alert(f"a{number}", Severity.WARNING, raised_ns=START_NS + number))
        took_s = time.perf_counter() - begun_s
        assert took_s < 1.0, "half a millisecond an alert is far more than it takes"
        assert figures(outbox, "dead")["waiting"] == worker_module.MOST_WAITING
        await until(lambda: len(well.got) == 1_000)
        assert figures(outbox, "well")["lost"] == 1_000
        assert (well.got[0], well.got[-1]) == ("a1000", "a1999")


class Choking(FakeChannel):
    """Answers some alerts with a failure that looks like its own, and takes the others."""

    def __init__(self, *poison: str) -> None:
        super().__init__()
        self.poison = set(poison)

    async def deliver(self, alert: Alert) -> None:
        if alert.alert_id in self.poison:
            self.attempts += 1
            raise NotDelivered("answered 500")
        await super().deliver(alert)


async def test_a_message_that_a_receiver_chokes_on_holds_no_other(tmp_path: Path) -> None:
    """P10: the gravest of all is answered with a 500 again and again: those behind it are delivered meanwhile."""
    choking = Choking("poison")
    async with running(tmp_path, outlets(phone=choking)) as outbox:
        outbox.put_nowait(an_alert("poison", Severity.CRITICAL))
        await until(lambda: choking.attempts >= 2)
        for number in range(5):
            outbox.put_nowait(an_alert(f"a{number}", raised_ns=START_NS + number))
        await until(lambda: choking.got == [f"a{number}" for number in range(5)])
        choking.poison.clear()
        await until(lambda: choking.got[-1] == "poison")
        assert outbox.waiting == 0


class Mended(Choking):
    """Takes everything once it is mended, but is slow with the first."""

    def __init__(self, *poison: str) -> None:
        super().__init__(*poison)
        self.slow: asyncio.Event | None = None

    async def deliver(self, alert: Alert) -> None:
        if self.slow is not None:
            await self.slow.wait()
        await super().deliver(alert)


async def test_of_two_that_were_set_aside_the_second_needs_no_newcomer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P10: the second became due while the first was on its way: it follows at once, though nothing new comes in."""
    monkeypatch.setattr(turns_module, "FIRST_ASIDE_S", 0.05)
    channel = Mended("bad", "worse")
    async with running(tmp_path, outlets(phone=channel)) as outbox:
        turns = outbox.workers[0]._turns
        now_s = asyncio.get_running_loop().time
        outbox.put_nowait(an_alert("bad"))
        outbox.put_nowait(an_alert("worse"))
        for number in range(50):
            outbox.put_nowait(an_alert(f"a{number:02}", raised_ns=START_NS + number))
        await until(lambda: len(channel.got) == 50 and turns.next_of(outbox.workers[0]._waiting, now_s()) is None)
        channel.poison.clear()
        channel.slow = asyncio.Event()
        await until(lambda: turns.due_in_s(now_s()) is None)
        channel.slow.set()
        await until(lambda: outbox.waiting == 0)
    assert set(channel.got[50:]) == {"bad", "worse"}


async def test_what_the_other_end_asks_for_is_a_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 429 with Retry-After: not tried again before, unless something critical comes in."""
    monkeypatch.setattr(worker_module, "LEAST_PAUSE_S", 0.001)
    channel = FakeChannel()
    channel.failures = [NotDelivered("answered 429", retry_after_s=100)]
    async with running(tmp_path, outlets(phone=channel)) as outbox:
        outbox.put_nowait(an_alert("one"))
        await until(lambda: channel.attempts == 1)
        outbox.put_nowait(an_alert("two", raised_ns=START_NS + 1))
        await asyncio.sleep(0.02)
        assert channel.attempts == 1
        outbox.put_nowait(an_alert("critical", Severity.CRITICAL))
        await until(lambda: channel.got == ["critical", "one", "two"])
