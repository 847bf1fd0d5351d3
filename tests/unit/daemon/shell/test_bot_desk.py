"""The desk of the bots: heard once a second at most, answered from the newest state, halted while nothing is known."""

from __future__ import annotations

import pytest

from config.bots import BotPolicy, Heartbeat
from config.policy import Policy
from daemon.core.events import BotHeard, Event, HeardBy
from daemon.core.operator_requests import FreezeAsked
from daemon.core.state import GuardState
from daemon.shell.bot_desk import BotDesk, NotAsked, NotYet, UnknownBot
from tests.builders import SECOND
from tests.driven import Driven
from tests.fakes import ManualClock
from tests.unit.daemon.core.restraint.test_latches import ask
from tests.unit.daemon.core.test_bots import seconds_pass

BOTS = {"maker": BotPolicy(id_prefix="mm-"), "by-orders": BotPolicy(id_prefix="o-", heartbeat=Heartbeat.ORDERS)}


class Core:
    """A driven guard as the desk sees it, which counts what it is told."""

    def __init__(self) -> None:
        self.guard = Driven(Policy(bots=BOTS)).up()
        self.told: list[Event] = []

    @property
    def state(self) -> GuardState:
        return self.guard.state

    def take(self, event: Event) -> None:
        self.told.append(event)
        self.guard.give(event)


def a_desk() -> tuple[BotDesk, Core, ManualClock]:
    """An open desk over a guard that guards."""
    core = Core()
    clock = ManualClock(core.guard.now)
    desk = BotDesk(BOTS, clock=clock)
    desk.open(core)
    return desk, core, clock


def test_a_flood_of_calls_is_one_event_a_second() -> None:
    """A bot in a loop cannot fill the journal."""
    desk, core, clock = a_desk()
    for _ in range(3_000):
        desk.hear("maker", HeardBy.CALL)
        clock.at_ns += SECOND // 1_000
    assert desk.calls == 3_000
    assert len(core.told) == 3
    assert core.told[0] == BotHeard(at_ns=core.told[0].at_ns, bot="maker", how=HeardBy.CALL)


def test_the_call_of_a_bot_that_is_taken_for_dead_is_passed_on_at_once() -> None:
    """It ends something, and must not wait for its second."""
    desk, core, clock = a_desk()
    desk.hear("maker", HeardBy.CALL)
    seconds_pass(core.guard, 31)
    desk._told_ns["maker"] = clock.at_ns = core.guard.now
    answer = desk.hear("maker", HeardBy.CALL)
    assert (answer["was_silent"], answer["halted"]) == (True, False)
    assert not core.state.bots["maker"].is_silent


def test_whom_it_does_not_hear() -> None:
    """A name that is not in the settings, a bot that is heard by its orders, and anybody while the guard opens."""
    desk, core, _ = a_desk()
    with pytest.raises(UnknownBot, match="known: by-orders, maker"):
        desk.hear("marker", HeardBy.CALL)
    with pytest.raises(NotAsked, match='"orders"'):
        desk.hear("by-orders", HeardBy.CALL)
    with pytest.raises(NotYet):
        BotDesk(BOTS, clock=ManualClock()).hear("maker", HeardBy.CALL)
    assert core.told == []


def test_the_flag_says_why_since_when_and_how_old_it_is() -> None:
    """For machines and for people."""
    desk, core, clock = a_desk()
    assert desk.describe_halt()["halted"] is False
    ask(core.guard, FreezeAsked())
    clock.at_ns = core.guard.now + 2 * SECOND
    flag = desk.describe_halt(symbol="XBTUSDT")
    (reason,) = flag["reasons"]  # type: ignore[misc]
    assert (flag["halted"], flag["whole_account"], flag["symbols"]) == (True, True, [])
    assert flag["age_s"] == 2.0
    assert flag["since"] == reason["since"]  # type: ignore[has-type]
    assert (reason["kind"], reason["name"], reason["for_s"]) == ("latch", "operator", 2.0)  # type: ignore[has-type]


def test_while_the_guard_opens_it_is_halted() -> None:
    """Nothing is known, so nothing is allowed."""
    desk = BotDesk(BOTS, clock=ManualClock())
    flag = desk.describe_halt()
    assert (flag["halted"], flag["age_s"]) == (True, None)
    assert desk.describe_health()[0] is False
    assert [each["standing"] for each in desk.describe_bots()] == ["unheard", "unheard"]


def test_a_bot_that_asks_under_a_wrong_name_is_told_so() -> None:
    """Rather than answered as if it were nobody in particular."""
    desk, _, _ = a_desk()
    with pytest.raises(UnknownBot):
        desk.describe_halt(bot="marker")


def test_health_is_that_of_a_guard_that_looked_at_itself_lately() -> None:
    """A stalled guard is not healthy, whatever its mode was."""
    desk, core, clock = a_desk()
    clock.at_ns = core.guard.now
    assert desk.describe_health()[0] is True
    clock.at_ns += 60 * SECOND
    is_guarding, described = desk.describe_health()
    assert (is_guarding, described["mode"], described["age_s"]) == (False, "guarding", 60.0)
