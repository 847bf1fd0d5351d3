"""Virtual time: order, times that have passed, standing at the end."""

from __future__ import annotations

from daemon.backtest.agenda import Agenda


def test_deeds_are_done_in_order_of_time_and_then_of_entry() -> None:
    """Two at the same time go in the order in which they were entered, whatever was entered before."""
    agenda, done = Agenda(100), list[tuple[str, int]]()
    for name, when in (("late", 300), ("first", 200), ("second", 200)):
        agenda.at(when, lambda name=name: done.append((name, agenda.now_ns())))  # type: ignore[misc]
    agenda.run_until(250)
    assert done == [("first", 200), ("second", 200)]
    assert agenda.now_ns() == 250
    agenda.run_until(300)
    assert done[-1] == ("late", 300)


def test_what_was_due_before_now_is_done_now() -> None:
    """Time never runs backwards, and a deed may enter another one for the same instant."""
    agenda, done = Agenda(100), list[int]()
    agenda.at(200, lambda: agenda.at(50, lambda: done.append(agenda.now_ns())))
    agenda.run_until(200)
    assert done == [200]
    agenda.move_past(150)
    assert (agenda.now_ns(), agenda.wall_ns(), agenda.now_ms()) == (200, 200, 0)
