"""Whose turn it is at a channel: no message holds the others, and a dead one is still asked with the gravest (P10)."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from daemon.core.commands import Severity
from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.turns import LONGEST_ASIDE_S, Turns
from daemon.shell.alerts.waiting import Waiting
from tests.unit.daemon.shell.alerts.test_waiting import an_alert


class Desk:
    """A channel that takes some alerts and fails on others, and a clock."""

    def __init__(self, *alerts: Alert, poison: set[str]) -> None:
        self.waiting, self.turns = Waiting(100), Turns()
        for alert in alerts:
            self.waiting.put(alert)
        self.poison = poison
        self.now_s = 0.0
        self.tried: list[str] = []

    def attempt(self) -> str:
        """One attempt; what was tried, empty if nothing could be."""
        alert = self.turns.next_of(self.waiting, self.now_s)
        if alert is None:
            return ""
        name = alert.alert_id
        self.tried.append(name)
        if name in self.poison:
            self.turns.note_failed(name, self.now_s)
        else:
            self.turns.note_passed(name, self.now_s)
            self.waiting.remove(name)
            self.turns.forget(name)
        return name


def test_every_other_attempt_at_a_dead_channel_is_the_gravest() -> None:
    """P10: nothing passes, so nothing is suspected: as soon as the channel lives the gravest goes, then the others."""
    names = {"grave", "b", "c"}
    desk = Desk(an_alert("grave", Severity.CRITICAL), an_alert("b", at=1), an_alert("c", at=2), poison=set(names))
    for _ in range(6):
        desk.attempt()
    assert desk.tried == ["grave", "b", "grave", "c", "grave", "b"]
    desk.poison.clear()
    rest = [desk.attempt() for _ in range(3)]
    assert rest.index("grave") <= 1
    assert set(rest) == names


def test_one_failure_amid_others_is_chance_and_two_are_not() -> None:
    """P10: what failed twice while others passed waits its own time, and no longer than that."""
    desk = Desk(
        an_alert("poison", Severity.CRITICAL), *(an_alert(f"a{each}", at=each) for each in range(4)), poison={"poison"}
    )
    assert [desk.attempt() for _ in range(6)] == ["poison", "a0", "poison", "a1", "a2", "a3"]
    assert desk.attempt() == ""
    assert desk.turns.due_in_s(desk.now_s) == 1.0
    desk.now_s += 1.0
    assert desk.attempt() == "poison"
    assert desk.turns.due_in_s(desk.now_s) == 2.0
    desk.now_s += 2.0
    desk.poison.clear()
    assert desk.attempt() == "poison"
    assert desk.turns.due_in_s(desk.now_s) is None


def test_the_end_of_a_trouble_does_not_overtake_its_beginning() -> None:
    """P10: a pager that hears "over" first would be left ringing by what comes after it."""
    begun = an_alert("begun", Severity.CRITICAL, group="g")
    over = an_alert("over", at=1, group="g", over=True)
    desk = Desk(begun, over, an_alert("other", at=2), poison={"begun"})
    assert [desk.attempt() for _ in range(5)] == ["begun", "other", "begun", "begun", "begun"]
    desk.poison.clear()
    assert [desk.attempt() for _ in range(2)] == ["begun", "over"]


@example(grades=[Severity.NOTE] * 10, poison={0, 1, 2}, step_s=30.0)
@given(
    grades=st.lists(st.sampled_from(Severity), min_size=1, max_size=12),
    poison=st.sets(st.integers(0, 11)),
    step_s=st.sampled_from([0.0, 0.5, LONGEST_ASIDE_S]),
)
def test_whatever_a_receiver_chokes_on_all_others_pass(grades: list[Severity], poison: set[int], step_s: float) -> None:
    """P10: each other message costs no more than two attempts at every one of those, and one at itself."""
    alerts = [an_alert(f"a{number}", each, at=number) for number, each in enumerate(grades)]
    desk = Desk(*alerts, poison={f"a{number}" for number in poison})
    bad = len({number for number in poison if number < len(alerts)})
    for _ in range(len(alerts) + 2 * bad * (len(alerts) - bad)):
        desk.attempt()
        desk.now_s += step_s
    assert {alert.alert_id for alert in desk.waiting.by_urgency()} <= desk.poison
