"""What waits for a channel, in which order, and what goes when there is no room (P10)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daemon.core.commands import Severity
from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.waiting import Waiting


def an_alert(
    name: str,
    severity: Severity = Severity.WARNING,
    *,
    at: int = 0,
    group: str = "",
    level: str = "",
    over: bool = False,
) -> Alert:
    """An alert with what the order depends on."""
    return Alert(
        alert_id=name,
        severity=severity,
        topic="tier",
        state="warn",
        symbol="XBTUSD",
        text=name,
        reason="tier_changed",
        account=1,
        raised_ns=at,
        group=group,
        level=level,
        is_resolved=over,
    )


def drained(waiting: Waiting) -> list[str]:
    """Take out everything in order."""
    order = []
    while (alert := next(waiting.by_urgency(), None)) is not None:
        order.append(alert.alert_id)
        waiting.remove(alert.alert_id)
    return order


def test_the_gravest_first_then_the_oldest_then_the_first() -> None:
    """P10: an emergency before what is critical, the older before the younger, and of one moment the first."""
    waiting = Waiting(10)
    waiting.put(an_alert("note", Severity.NOTE))
    waiting.put(an_alert("late", Severity.CRITICAL, at=2))
    waiting.put(an_alert("z first of its moment", Severity.CRITICAL, at=1))
    waiting.put(an_alert("a second of its moment", Severity.CRITICAL, at=1))
    waiting.put(an_alert("emergency", Severity.CRITICAL, at=9, level="emergency"))
    order = ["emergency", "z first of its moment", "a second of its moment", "late", "note"]
    assert drained(waiting) == order


def test_the_oldest_of_the_least_grave_makes_room() -> None:
    """A flood of notes never pushes out what is grave, and a note that finds only graver ones goes itself."""
    waiting = Waiting(2)
    assert waiting.put(an_alert("critical", Severity.CRITICAL)) is None
    assert waiting.put(an_alert("old note", Severity.NOTE, at=1)) is None
    gone = waiting.put(an_alert("new note", Severity.NOTE, at=2))
    assert gone is not None
    assert gone.alert_id == "old note"
    gone = waiting.put(an_alert("warning"))
    assert gone is not None
    assert gone.alert_id == "new note"
    gone = waiting.put(an_alert("newest note", Severity.NOTE, at=3))
    assert gone is not None
    assert gone.alert_id == "newest note"
    assert drained(waiting) == ["critical", "warning"]


def test_a_newer_message_of_a_group_tells_the_older() -> None:
    """P10: a flood of one cause is one message; but the end of a trouble replaces nothing, nor does a milder word."""
    waiting = Waiting(10)
    first = an_alert("first", group="XBTUSD:tier", at=1)
    waiting.put(first)
    assert waiting.told_by(an_alert("second", group="XBTUSD:tier", at=2)) == (first,)
    assert waiting.told_by(an_alert("graver", Severity.CRITICAL, group="XBTUSD:tier", at=2)) == (first,)
    assert waiting.told_by(an_alert("milder", Severity.NOTE, group="XBTUSD:tier", at=2)) == ()
    assert waiting.told_by(an_alert("over", group="XBTUSD:tier", at=2, over=True)) == ()
    assert waiting.told_by(an_alert("older", group="XBTUSD:tier", at=0)) == ()
    assert waiting.told_by(an_alert("other", group="ETHUSD:tier", at=2)) == ()
    assert waiting.told_by(an_alert("alone", at=2)) == ()
    waiting.remove("first")
    assert waiting.told_by(an_alert("second", group="XBTUSD:tier", at=2)) == ()


def test_an_end_is_made_needless_by_a_new_beginning_and_by_a_newer_end() -> None:
    """P10: whatever the new beginning's level; the beginning that was graver than it stays, in front."""
    waiting = Waiting(10)
    waiting.put(an_alert("grave", Severity.CRITICAL, group="distance", at=1))
    over = an_alert("over", Severity.NOTE, group="distance", at=2, level="emergency", over=True)
    waiting.put(over)
    assert waiting.told_by(an_alert("over again", Severity.NOTE, group="distance", at=3, over=True)) == (over,)
    assert waiting.told_by(an_alert("anew", Severity.WARNING, group="distance", at=3)) == (over,)
    assert waiting.told_by(an_alert("of before", Severity.WARNING, group="distance", at=1)) == ()
    waiting.remove("over")
    assert waiting.told_by(an_alert("anew", Severity.WARNING, group="distance", at=3)) == ()


@given(
    st.lists(
        st.tuples(
            st.integers(0, 12),
            st.sampled_from(Severity),
            st.integers(0, 3),
            st.sampled_from(["", "g", "h"]),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_nothing_vanishes_and_the_order_holds(steps: list[tuple[int, Severity, int, str, bool]]) -> None:
    """Whatever is put, replaced, removed or crowded out: what is left comes out once each, in order."""
    waiting, model = Waiting(6), dict[str, Alert]()
    for number, severity, at, group, is_removal in steps:
        name = f"a{number}"
        if is_removal:
            assert (waiting.remove(name) is None) == (model.pop(name, None) is None)
            continue
        alert = an_alert(name, severity, at=at, group=group)
        if name in model:
            assert waiting.put(alert) is None
            continue
        for told in waiting.told_by(alert):
            waiting.remove(told.alert_id)
            del model[told.alert_id]
        model[name] = alert
        gone = waiting.put(alert)
        if gone is not None:
            assert gone.rank == min(each.rank for each in model.values())
            del model[gone.alert_id]
    left = {name: (-alert.rank, alert.raised_ns) for name, alert in model.items()}
    order = drained(waiting)
    assert sorted(order) == sorted(left)
    assert [left[name] for name in order] == sorted(left.values())
