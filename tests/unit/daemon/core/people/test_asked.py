"""Acknowledgements and silences as an operator's requests: carried out once, kept over a restart (P7, P10)."""

from __future__ import annotations

import msgspec

from daemon.core import events as e
from daemon.core.commands import Command, Exit, Notify
from daemon.core.operator_requests import AcknowledgeAsked, OperatorRequest, SilenceAsked
from daemon.core.operators.operator import outcome, refusal
from daemon.core.state import GuardState
from tests.builders import SECOND, a_position
from tests.driven import Driven


def near() -> Driven:
    """A covered long in an emergency, which people were told."""
    guard = Driven().up()
    guard.position(a_position())
    guard.rest()
    guard.mark(903)
    guard.wait(SECOND)
    guard.wait(SECOND)
    return guard


def ask(guard: Driven, request: OperatorRequest, name: str = "r-1") -> tuple[Command, ...]:
    """One request of a person."""
    return guard.give(e.OperatorAsked(at_ns=guard.now, request_id=name, who="ann", request=request))


def notices(guard: Driven) -> list[Notify]:
    """What people got."""
    return guard.some(Notify, guard.all)


def test_an_emergency_of_the_real_core_is_told_with_its_figures() -> None:
    """P10: mark, liquidation price and room stand in the message, with units."""
    told = next(each for each in notices(near()) if each.group == "distance")
    assert (told.level, told.symbol, told.cause) == ("emergency", "XBTUSDT", "news")
    assert "mark 903, liquidation 900, room 0.33 %" in told.text
    assert told.did == "The open position has a confirmed resting stop."
    assert dict(told.facts)["mark"] == "903"


def test_an_acknowledgement_is_carried_out_once_and_survives_a_restart() -> None:
    """P7: the same id again changes nothing; the state read back from its bytes still knows who has it."""
    guard = near()
    ask(guard, AcknowledgeAsked(key="distance", comment="adding margin"))
    first = guard.state.people
    guard.now += SECOND
    ask(guard, AcknowledgeAsked(key="distance", comment="again"))
    assert guard.state.people.groups["distance"].comment == first.groups["distance"].comment == "adding margin"
    again = msgspec.json.decode(msgspec.json.encode(guard.state), type=GuardState)
    assert again.people == guard.state.people
    assert again.people.groups["distance"].acknowledged_by == "ann"


def test_what_it_came_to_is_said() -> None:
    """In one sentence for the person who asked."""
    guard = near()
    assert refusal(guard.state, AcknowledgeAsked(key="nonsense")).startswith("no alert is called nonsense")
    ask(guard, AcknowledgeAsked(key="distance"))
    assert outcome(guard.state, AcknowledgeAsked(key="distance")).startswith("acknowledged: distance;")
    silence = SilenceAsked(seconds=600, comment="deploying")
    ask(guard, silence, "r-2")
    assert outcome(guard.state, silence) == "silence s1 holds for 600 s: emergencies are told all the same"


def test_what_waits_to_be_gathered_is_told_before_the_end_of_the_process() -> None:
    """P10: an orderly stop takes no message along; the end stays the last command."""
    guard = Driven().up()
    guard.wait(60 * SECOND)
    guard.position(a_position())
    guard.rest()
    for _ in range(3):
        commands = guard.give(e.StopAsked(at_ns=guard.now))
        if any(isinstance(command, Exit) for command in commands):
            break
        guard.wait(10 * SECOND)
    last = guard.all[-1] if isinstance(guard.all[-1], Exit) else None
    assert last is not None
    assert any("covered" in each.text for each in notices(guard))
