"""What the status says of latches and of the ladder's next tier."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from config.ladder import LadderPolicy, Step
from config.policy import Policy
from daemon.core.operator_requests import FlattenAsked, FreezeAsked
from daemon.core.state import Guarded
from daemon.shell.status import describe_state, headline
from daemon.shell.status_latches import latch_lines, plan_line
from tests.builders import SECOND, a_position, an_order
from tests.driven import Driven
from tests.unit.daemon.core.restraint.test_latches import ask


def shown(guard: Driven) -> dict[str, object]:
    """The status now."""
    return describe_state(guard.state, now_ns=guard.now)


def lines(guard: Driven) -> list[str]:
    """The latches, for people."""
    found = shown(guard)["latches"]
    assert isinstance(found, list)
    return latch_lines(found)


def test_a_freeze_is_shown_with_what_it_did_and_how_to_lift_it() -> None:
    """P12: one line: scope, orders cancelled, since when, the cause, and the way out."""
    guard = Driven().up(orders=[an_order("q-1"), an_order("q-2")])
    ask(guard, FreezeAsked())
    guard.now += 5 * SECOND
    assert lines(guard) == [
        (
            "latch operator: frozen: the account, 2 orders cancelled, 2 to go, for 5 s (ada asked for it);"
            " until it is lifted (seawall lift operator)"
        )
    ]
    assert "latched: operator" in headline(guard.state)


def test_a_flatten_shows_what_is_still_open() -> None:
    """Until it is proved, what is open, or how many clean reads there are."""
    guard = Driven().up([a_position()])
    ask(guard, FlattenAsked(symbols=("XBTUSDT",)))
    assert "closing: XBTUSDT, 0 orders cancelled, still open: XBTUSDT +100" in lines(guard)[0]
    guard.position(a_position(0))
    assert "nothing known to be open, 0 of 2 clean reads" in lines(guard)[0]


def test_the_plan_names_the_next_tier_that_acts() -> None:
    """`seawall status`: what the ladder does next, with its cost; a tier that only tells is passed over."""
    policy = LadderPolicy(critical=(Step.ALERT, Step.TRIM))
    guard = Driven(Policy(ladder=policy)).up([a_position()])
    (position,) = shown(guard)["positions"]  # type: ignore[misc]
    (line,) = plan_line(position)
    assert line.startswith("XBTUSDT: at CRITICAL the ladder does alert: people are told; trim: 25 XBTUSDT closed, cost")


def test_without_a_tier_that_acts_there_is_no_plan() -> None:
    """A ladder of alerts alone says nothing here."""
    policy = LadderPolicy(emergency=(Step.ALERT,))
    guard = Driven(Policy(ladder=policy)).up([a_position()])
    (position,) = shown(guard)["positions"]  # type: ignore[misc]
    assert plan_line(position) == []


class Book(dict[str, Guarded]):
    """Positions that count how often one of them is looked at."""

    looks = 0

    def values(self) -> Any:
        for guarded in super().values():
            Book.looks += 1
            yield guarded


def test_a_thousand_positions_are_not_counted_for_each_of_them() -> None:
    """P2: who asks for the state of a large account holds the loop for the account once, not for its square."""
    guard = Driven().up([a_position()])
    guard.rest()
    (one,) = guard.state.positions.values()
    book = Book({f"S{number:04d}": one for number in range(1_000)})
    described = describe_state(replace(guard.state, positions=book), now_ns=guard.now)
    assert described["positions"][0]["ladder"]["steps"][0].keys() == {"step"}  # type: ignore[index]
    assert Book.looks < 50 * len(book)
