"""A reload in the shell: everything that keeps it from changing anything, and what it changes in which order."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from config.compare import Change
from config.credentials import Credentials, KeyInUse, Secret
from config.load import SettingsError
from config.model import LogFormat, LogSettings, Settings, StateSettings
from config.policy import BotPolicy, Policy, StopPolicy, SwitchMode, SwitchPolicy
from config.secrets_from import CredentialsError
from config.venue import Environment, venue_settings
from daemon.core.commands import RaiseAlert
from daemon.core.events import Event, PolicyChanged
from daemon.core.state import GuardState, initial_state
from daemon.core.step import step
from daemon.shell.clock import SystemClock
from daemon.shell.reload import Fresh, Reloader, Renewal, why_at_start

OLD = Credentials(key_id="old-key", secret=Secret("old-secret-word"))
NEW = Credentials(key_id="new-key", secret=Secret("new-secret-word"))
SETTINGS = Settings(venue=venue_settings(Environment.TESTNET))


def tighter(settings: Settings = SETTINGS) -> Settings:
    """The same with another buffer."""
    return replace(settings, policy=replace(settings.policy, stop=StopPolicy(buffer_percent=Decimal(4))))


class Bench:
    """A reloader with everything around it played."""

    def __init__(self, fresh: Settings | Exception, *, pair: Credentials = OLD, problem: str = "") -> None:
        self.fresh = fresh
        self.pair = pair
        self.problem = problem
        self.durable = True
        self.done: list[str] = []
        self.events: list[Event] = []
        self.told: list[RaiseAlert] = []
        self.grades: list[str] = []
        self.key = KeyInUse(OLD)
        self.hung_up, self.was_told, self.was_changed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._state = initial_state(7, SETTINGS.policy)
        self.reloader = Reloader(
            settings=SETTINGS,
            renewal=Renewal(
                read=self.read, key=self.key, prove=self.prove, hide=self.hide, log_from=self.grades.append
            ),
            clock=SystemClock(),
            wait_durable=lambda _seconds: self.durable,
            tell=self.tell,
            hung_up=self.hung_up,
        )
        self.reloader.open(self, self.renewed)

    @property
    def state(self) -> GuardState:
        """What the core knows."""
        return self._state

    def take(self, event: Event) -> None:
        """Decide, as the runner does."""
        self.done.append("event")
        self.events.append(event)
        self.was_changed.set()
        self._state = step(self._state, event).state

    def tell(self, alert: RaiseAlert) -> None:
        """People hear."""
        self.told.append(alert)
        self.was_told.set()

    def read(self) -> Fresh:
        """What stands in the file now."""
        if isinstance(self.fresh, Exception):
            raise self.fresh
        return Fresh(settings=self.fresh, credentials=self.pair)

    async def prove(self, fresh: Fresh, account: int) -> str:
        """Try a key."""
        assert (fresh.credentials, account) == (self.pair, 7)
        assert self.key.pair == OLD, "proved before it is used"
        self.done.append("proved")
        return self.problem

    def hide(self, word: str) -> None:
        """Keep a word out of the logs."""
        assert word == self.pair.secret.reveal()
        self.done.append("hidden")

    def renewed(self, _reason: str) -> None:
        """The account stream signs in anew."""
        assert self.key.pair == NEW
        self.done.append("renewed")


async def refused(bench: Bench, **options: Any) -> dict[str, Any]:
    """Reload, and be refused: nothing may have changed."""
    before = bench.state
    answer = await bench.reloader.reload("anna", **options)
    assert "error" in answer
    assert "done" not in answer
    assert bench.state == before
    assert bench.events == []
    assert bench.key.pair == OLD
    assert bench.reloader.settings == SETTINGS
    assert bench.grades == []
    return answer


async def test_a_new_policy_is_in_force_and_told_with_its_differences() -> None:
    """The event holds all of it, and who asked."""
    bench = Bench(tighter())
    answer = await bench.reloader.reload("anna")
    assert answer["changes"] == ["stop.buffer_percent: 2 -> 4"]
    assert answer["on_disk"] is True
    (event,) = bench.events
    assert isinstance(event, PolicyChanged)
    assert (event.who, event.policy, event.may_loosen) == ("anna", tighter().policy, False)
    assert bench.state.policy == tighter().policy
    assert bench.reloader.figures["reloads"] == 1
    again = await bench.reloader.reload("anna")
    assert again["done"] == "nothing has changed"
    assert len(bench.events) == 1


async def test_a_policy_that_cannot_work_is_taken_and_said_to_be_one() -> None:
    """It was asked for, so it is in force; whoever asked hears at once what `seawall check` would have said."""
    policy = Policy(switch=SwitchPolicy(timeout_s=Decimal(13)))
    bench = Bench(replace(SETTINGS, policy=policy))
    answer: dict[str, Any] = await bench.reloader.reload("anna")
    assert bench.state.policy == policy
    assert [each.split(" ")[0] for each in answer["warnings"]] == ["switch.timeout_s"]
    assert (await bench.reloader.reload("anna"))["warnings"] == []


async def test_the_log_can_be_made_to_say_more_while_it_runs() -> None:
    """Somebody looks for a fault: the grade is set, the difference journalled, and nothing else happens."""
    bench = Bench(replace(SETTINGS, log=LogSettings(level="debug")))
    answer = await bench.reloader.reload("anna")
    assert answer["changes"] == ['log.level: "info" -> "debug"']
    assert bench.grades == ["debug"]
    assert bench.done == ["hidden", "event"]
    assert bench.state.policy == SETTINGS.policy


@pytest.mark.parametrize("error", [SettingsError(("one thing", "another")), CredentialsError("the file is not there")])
async def test_what_cannot_be_read_changes_nothing(error: Exception) -> None:
    """All problems are in the answer."""
    answer = await refused(Bench(error))
    assert "nothing was changed" in answer["error"]
    if isinstance(error, SettingsError):
        assert answer["problems"] == ["one thing", "another"]


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        (replace(SETTINGS, state=StateSettings(directory="elsewhere")), "state.directory"),
        (replace(SETTINGS, log=LogSettings(format=LogFormat.JSON)), "log.format"),
        (replace(SETTINGS, venue=venue_settings(Environment.PRODUCTION)), "venue.environment"),
        (replace(SETTINGS, accept_unreadable_rights=True), "guard.accept_unreadable_rights"),
        (replace(SETTINGS, policy=Policy(observe=True)), "guard.observe"),
        (replace(SETTINGS, policy=Policy(switch=SwitchPolicy(mode=SwitchMode.OFF))), "switch.mode"),
        (replace(SETTINGS, policy=Policy(bots={"maker": BotPolicy()})), "bots.maker.heartbeat"),
    ],
)
async def test_what_needs_a_restart_is_refused_by_name_and_nothing_else_changes(settings: Settings, place: str) -> None:
    """P2: half of a file would be a policy that nobody wrote."""
    answer = await refused(Bench(tighter(settings) if place == "state.directory" else settings))
    assert any(each.startswith(f"{place}: ") for each in answer["problems"])
    assert "restart" in answer["error"]


def test_the_switch_may_change_its_times_and_its_kind() -> None:
    """Only whether it is used at all is settled at the start."""
    assert not why_at_start(Change(place="switch.mode", before='"auto"', after='"always"'))
    assert not why_at_start(Change(place="switch.timeout_s", before="60", after="120"))
    assert why_at_start(Change(place="switch.mode", before='"off"', after='"auto"'))


async def test_another_key_is_proved_before_it_signs() -> None:
    """Hidden from the logs, tried, journalled, used, and then the stream signs in with it."""
    bench = Bench(tighter(), pair=NEW)
    answer = await bench.reloader.reload("anna")
    assert bench.done == ["hidden", "proved", "event", "renewed"]
    assert answer["changes"] == ["stop.buffer_percent: 2 -> 4", "key: old-key -> new-key"]
    assert "word" not in str(answer)


async def test_a_key_alone_is_journalled_too() -> None:
    """The policy is the same; whoever reads the journal sees when the key changed."""
    bench = Bench(SETTINGS, pair=NEW)
    await bench.reloader.reload("anna")
    (event,) = bench.events
    assert isinstance(event, PolicyChanged)
    assert event.changes == ("key: old-key -> new-key",)
    assert "word" not in str(event)


async def test_a_key_that_fails_its_proof_changes_nothing() -> None:
    """Neither does the policy that came with it."""
    answer = await refused(Bench(tighter(), pair=NEW, problem="it may withdraw"))
    assert "it may withdraw" in answer["error"]
    assert "the one in use stays" in answer["error"]


async def test_stops_are_not_loosened_without_a_record() -> None:
    """P3: the journal cannot be written; a reload that loosens nothing goes through, and says so."""
    bench = Bench(tighter())
    bench.durable = False
    assert "journal" in (await refused(bench, may_loosen=True))["error"]
    assert (await bench.reloader.reload("anna"))["on_disk"] is False


async def test_before_the_account_is_known_there_is_nothing_to_change() -> None:
    """The venue does not answer yet."""
    bench = Bench(tighter())
    bench.reloader._core = None
    assert "account" in (await refused(bench))["error"]


async def test_a_guard_without_a_file_says_so() -> None:
    """As in a test, or inside another program."""
    bench = Bench(tighter())
    bench.reloader._renewal = None
    assert "file" in (await refused(bench))["error"]


async def test_the_signal_reloads_and_a_refusal_reaches_people() -> None:
    """Nobody waits for the answer of a signal."""
    bench = Bench(SettingsError(("one thing",)))
    task = asyncio.get_running_loop().create_task(bench.reloader.run())
    bench.hung_up.set()
    await asyncio.wait_for(bench.was_told.wait(), 5)
    assert bench.told[0].state == "reload_refused"
    bench.fresh = tighter()
    bench.hung_up.set()
    await asyncio.wait_for(bench.was_changed.wait(), 5)
    assert isinstance(bench.events[0], PolicyChanged)
    assert bench.events[0].who == "SIGHUP"
    task.cancel()


async def test_two_reloads_at_once_go_one_after_the_other() -> None:
    """A signal and a person in the same moment: one change, one "nothing has changed"."""
    bench = Bench(tighter())
    async with asyncio.TaskGroup() as tasks:
        both = [tasks.create_task(bench.reloader.reload(who)) for who in ("anna", "ben")]
    assert sorted("nothing" in str(each.result()["done"]) for each in both) == [False, True]
    assert len(bench.events) == 1


async def test_what_was_turned_at_run_time_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard in shadow is not woken by a reload of something else."""
    bench = Bench(tighter())
    monkeypatch.setattr(bench, "_state", replace(bench.state, policy=replace(SETTINGS.policy, observe=True)))
    await bench.reloader.reload("anna")
    assert bench.state.policy.observe
    assert bench.state.policy.stop.buffer_percent == 4
