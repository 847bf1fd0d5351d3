"""People answer what they are told, among everything else; and what P10 says of that, from both sides."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from config.alerting import Level
from config.policy import Policy
from daemon.core.altered import altered
from daemon.core.commands import Notify, Severity, Told
from daemon.core.memory.alert_book import AlertBook, Fact, Silence
from daemon.core.operator_requests import AcknowledgeAsked, UnsilenceAsked
from daemon.core.reasons import Reason
from daemon.core.state import initial_state
from tests.simulation.plans import plan_of
from tests.simulation.promises.messages import Messages
from tests.simulation.troubles.people import OPERATOR_ANSWERS
from tests.simulation.world import play

SECOND = 10**9


def a_guard(*silences: Silence) -> Any:
    """What the judge asks of a guard: its settings, its clock, and what is silenced."""
    people = SimpleNamespace(silences={each.name: each for each in silences}, facts={})
    clock = SimpleNamespace(is_just_set=lambda _: False)
    guard = SimpleNamespace(state=SimpleNamespace(people=people, now_ns=0), clock=clock)
    return SimpleNamespace(guard=guard, policy=Policy())


def a_message(cause: str, at_s: int, *, level: str = "critical", group: str = "distance") -> Notify:
    """One message about one fact."""
    told = Told(
        topic="tier", state=level, symbol="XBTUSD", level=level, since_ns=0, text="XBTUSD is near.", is_over=False
    )
    return Notify(
        reason=Reason.FACT,
        notification_id=f"{group}:{at_s * SECOND}:1",
        cause=cause,
        level=level,
        route=level,
        severity=Severity.CRITICAL,
        group=group,
        title="near",
        topic="tier",
        state=level,
        symbol="XBTUSD",
        text="XBTUSD is near.",
        did="nothing",
        will="nothing",
        you_can="nothing",
        is_resolved=False,
        started_ns=0,
        count=1,
        members=(told,),
    )


def test_what_somebody_took_on_is_not_said_to_him_again() -> None:
    """P10: a repeat within the four hours is a breach; one after them, and news, are none."""
    judge, guard = Messages(), a_guard()
    assert judge.told(guard, a_message("news", 10), 10) == ""
    judge.asked(AcknowledgeAsked(key="distance"), 20)
    assert "after somebody took it on" in judge.told(guard, a_message("repeat", 920), 920)
    late, guard = Messages(), a_guard()
    late.told(guard, a_message("news", 10), 10)
    late.asked(AcknowledgeAsked(), 20)
    assert late.told(guard, a_message("repeat", 14_430), 14_430) == ""
    worse, guard = Messages(), a_guard()
    worse.told(guard, a_message("news", 10), 10)
    worse.asked(AcknowledgeAsked(), 20)
    assert worse.told(guard, a_message("news", 60, level="emergency"), 60) == ""
    assert worse.told(guard, a_message("repeat", 1_000, level="emergency"), 1_000) == ""


@pytest.mark.parametrize(
    ("symbol", "level", "at_s", "is_breach"),
    [
        ("XBTUSD", "critical", 50, True),
        ("XBT*", "critical", 50, True),
        ("ETHUSD", "critical", 50, False),
        ("XBTUSD", "emergency", 50, False),
        ("XBTUSD", "critical", 100, False),
    ],
)
def test_what_somebody_silenced_is_in_no_message(symbol: str, level: str, at_s: int, *, is_breach: bool) -> None:
    """P10: while the silence lasts, unless it is of something else, or an emergency."""
    silence = Silence(name="s1", symbol=symbol, since_ns=0, until_ns=100 * SECOND, comment="I know", who="ada")
    said = Messages().told(a_guard(silence), a_message("news", at_s, level=level), at_s)
    assert ("silenced as s1" in said) is is_breach


@pytest.mark.parametrize(
    ("name", "at_s", "is_breach"), [("", 50, False), ("s1", 50, False), ("s2", 50, True), ("", 49, True)]
)
def test_a_silence_that_is_ended_in_the_same_step_holds_nothing_back(name: str, at_s: int, *, is_breach: bool) -> None:
    """P10: what waited is told at once; the silence of another name, or one ended without effect, excuses nothing."""
    judge, guard = Messages(), a_guard(Silence(name="s1", who="ada", comment="c", since_ns=0, until_ns=100 * SECOND))
    judge.asked(UnsilenceAsked(name=name), at_s)
    assert ("silenced as s1" in judge.told(guard, a_message("news", 50), 50)) is is_breach


@pytest.mark.parametrize("is_silenced", [True, False])
def test_what_came_and_went_while_silenced_is_not_owed(*, is_silenced: bool) -> None:
    """P10: the book forgets it, and nobody wanted to hear of it; without the silence somebody has to be told."""
    judge, name = Messages(), "tier::XBTUSD:"
    fact = Fact(
        group="distance",
        topic="tier",
        state="critical",
        symbol="XBTUSD",
        level=Level.CRITICAL,
        text="near",
        since_ns=0,
        over_ns=5 * SECOND,
    )
    silence = Silence(name="s1", symbol="XBTUSD", since_ns=0, until_ns=10**15, comment="I know", who="ada")
    book = AlertBook(facts={name: fact}, silences={"s1": silence} if is_silenced else {})
    state = altered(initial_state(1, Policy()), people=book, now_ns=5 * SECOND)
    facts: Any = SimpleNamespace(guard=SimpleNamespace(state=state), policy=Policy(), free_s=1_000.0)
    judge.owed[name] = 0.0
    assert judge.late(facts, 6.0) == ""
    facts.guard.state = altered(state, people=AlertBook())
    said = [judge.late(facts, float(now_s)) for now_s in range(7, 100)]
    assert any("nobody was told" in each for each in said) is not is_silenced


def test_people_who_answer_among_everything_that_goes_wrong() -> None:
    """P1 to P12: two guards, kills, faults, and somebody who acknowledges, silences, pauses and goes on."""
    report = play(plan_of(9_600_018, minutes=2))
    assert report.hits[OPERATOR_ANSWERS] >= 3
    assert not report.violations, str(report)
