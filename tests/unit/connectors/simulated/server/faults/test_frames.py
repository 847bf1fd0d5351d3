"""Faults of frames that are set together: what one made of a frame is what the next one sees."""

from __future__ import annotations

import pytest

from connectors.simulated.engine.faults.board import ActiveFault
from connectors.simulated.engine.inputs import SetFault
from connectors.simulated.server.faults.frames import passed_on
from connectors.simulated.server.faults.keeper import Bite
from connectors.simulated.server.json_text import dump
from connectors.simulated.server.messages import Action, Kind, Message

PARTIAL = Message(
    kind=Kind.PARTIAL,
    table="order",
    account=1,
    action=Action.PARTIAL,
    payload=dump({"table": "order", "action": "partial", "keys": ["orderID"], "data": [{"orderID": "a"}]}),
)


def bite(name: str, number: int) -> Bite:
    """Return a fault that bites."""
    one = ActiveFault(number=number, fault=SetFault(name=name), set_ms=0)
    return Bite(name=name, parameters=one.parameters, one=one, memory={})


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        (("delta-first", "delta-first"), [Kind.DELTA, Kind.DELTA, Kind.PARTIAL]),
        (("frame-garbled", "delta-first"), [Kind.DELTA, Kind.PARTIAL]),
        (("frame-garbled", "field-unknown"), [Kind.PARTIAL]),
        (("delta-first", "partial-missing"), [Kind.DELTA]),
    ],
    ids=lambda each: " then ".join(map(str, each)),
)
def test_a_fault_is_about_what_the_one_before_left(names: tuple[str, ...], kinds: list[Kind]) -> None:
    """A delta that a fault put before a partial is no partial, and what makes a frame unreadable comes last."""
    bites = [bite(name, number) for number, name in enumerate(names, start=1)]
    said = passed_on(bites, object(), PARTIAL)  # type: ignore[arg-type]  # none of these speaks to the session
    assert [message.kind for message in said] == kinds
