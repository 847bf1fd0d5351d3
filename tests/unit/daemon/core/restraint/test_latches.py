"""Latches: set once, told once, kept through restarts, lifted by whom they may be lifted."""

from __future__ import annotations

import msgspec
import pytest

from config.modes import Lift
from config.policy import Policy
from daemon.core import events as e
from daemon.core.draft import Draft
from daemon.core.memory.interventions import LatchKind
from daemon.core.operator_requests import FlattenAsked, FreezeAsked, LiftLatch, OperatorRequest
from daemon.core.operators.operator import refusal
from daemon.core.restraint import latches
from daemon.core.state import GuardState
from daemon.core.step import Step
from tests.builders import SECOND, a_position
from tests.driven import Driven


def ask(guard: Driven, request: OperatorRequest, request_id: str = "r-1") -> tuple[object, ...]:
    """A person asks."""
    return guard.give(e.OperatorAsked(at_ns=guard.now, request_id=request_id, who="ada", request=request))


def within(guard: Driven, deed: object) -> Step:
    """Do something to a draft of the guard's state, as a rule would in a step."""
    draft = Draft(guard.state, guard.now)
    assert callable(deed)
    deed(draft)
    guard.state = draft.finish()
    guard.all += draft.commands
    return Step(state=guard.state, commands=tuple(draft.commands))


def test_a_freeze_is_set_once_and_told_once() -> None:
    """P10: level-triggered: the rule calls at every judgement, people hear it once, with how it ends."""
    guard = Driven().up()

    def freeze(draft: Draft) -> None:
        latches.freeze(draft, "daily_loss", text="Lost 10.4 % today", lift=Lift.OPERATOR)

    within(guard, freeze)
    within(guard, freeze)
    (told,) = guard.alerts("freeze")
    assert told.text == (
        "Lost 10.4 % today. The account is frozen: orders that may add exposure are cancelled as they appear, until it"
        " is lifted (seawall lift daily_loss)."
    )


def test_a_latch_survives_the_journal_and_a_restart_and_is_told_again() -> None:
    """P7: what the state holds comes back from JSON as it was, and the start says that it holds."""
    guard = Driven().up()
    ask(guard, FreezeAsked())
    guard.state = msgspec.json.decode(msgspec.json.encode(guard.state), type=GuardState)
    guard.start()
    assert guard.state.latches["operator"].kind is LatchKind.FREEZE
    assert "Still latched after the restart: freeze operator" in guard.alerts("held")[0].text


def test_a_freeze_until_the_next_day_ends_by_itself() -> None:
    """NEXT_DAY: lifted at the end of the account's day, and people hear that new exposure is let through."""
    guard = Driven().up()
    ends_ns = guard.now + 10 * SECOND
    within(guard, lambda d: latches.freeze(d, "trades", text="x", lift=Lift.NEXT_DAY, day_ends_ns=ends_ns))
    guard.tick()
    guard.wait(9 * SECOND)
    assert "trades" in guard.state.latches
    guard.wait(2 * SECOND)
    assert guard.state.latches == {}
    assert "lifted by the next day" in guard.alerts("lifted")[0].text


def test_a_freeze_becomes_a_flatten_and_a_flatten_grows_but_never_shrinks() -> None:
    """Precedence: the stronger and the wider of two wishes under one name holds."""
    guard = Driven().up()
    within(guard, lambda d: latches.freeze(d, "rule", text="x", lift=Lift.CLEARED))
    within(guard, lambda d: latches.flatten(d, "rule", symbols=("XBTUSD",), text="y"))
    assert guard.state.latches["rule"].symbols == ("XBTUSD",)
    within(guard, lambda d: latches.flatten(d, "rule", symbols=("ETHUSD",), text="y"))
    assert guard.state.latches["rule"].symbols == ("ETHUSD", "XBTUSD")
    within(guard, lambda d: latches.flatten(d, "rule", text="y"))
    assert guard.state.latches["rule"].symbols == ()
    within(guard, lambda d: latches.flatten(d, "rule", symbols=("XBTUSD",), text="y"))
    within(guard, lambda d: latches.freeze(d, "rule", text="x", lift=Lift.CLEARED))
    held = guard.state.latches["rule"]
    assert (held.symbols, held.kind, held.lift) == ((), LatchKind.FLATTEN, Lift.OPERATOR)


def test_a_request_that_comes_twice_is_carried_out_once() -> None:
    """The acknowledgement was lost and the person's tool asks again: a lift in between is not undone."""
    guard = Driven().up()
    ask(guard, FreezeAsked(), "a")
    ask(guard, LiftLatch(name="operator"), "b")
    ask(guard, FreezeAsked(), "a")
    assert guard.state.latches == {}


def test_lift_all_ends_every_latch_and_names_the_person() -> None:
    """`seawall lift --all`."""
    guard = Driven().up()
    ask(guard, FreezeAsked(), "a")
    ask(guard, FlattenAsked(), "b")
    ask(guard, LiftLatch(name=""), "c")
    assert guard.state.latches == {}
    assert all("by ada" in told.text for told in guard.alerts("lifted"))


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (LiftLatch(name="nothing"), "no latch is called nothing; latched: operator"),
        (FlattenAsked(symbols=("NOPE",)), "no such symbol: NOPE; positions are open in XBTUSDT"),
        (FlattenAsked(symbols=("XBTUSDT",)), ""),
        (FlattenAsked(), ""),
        (LiftLatch(name="operator"), ""),
        (LiftLatch(name=""), ""),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_could(request_: OperatorRequest, words: str) -> None:
    """P12: an unknown name lists the known ones, an unknown symbol the open positions."""
    guard = Driven().up([a_position()])
    ask(guard, FreezeAsked())
    assert refusal(guard.state, request_) == words


def test_an_observing_guard_keeps_the_latch_and_says_that_it_does_nothing() -> None:
    """Observe: people see what would happen."""
    guard = Driven(Policy(observe=True)).up()
    ask(guard, FreezeAsked())
    assert "Observing only; would act" in guard.alerts("freeze")[0].text
