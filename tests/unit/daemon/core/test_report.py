"""The status picture: everything a person asks for, in builtins."""

from __future__ import annotations

import json

from connectors.vocabulary import Execution, ExecutionKind
from daemon.core import events as e
from daemon.core.report import view
from tests.builders import a_position, a_stop
from tests.driven import Driven


def test_the_view_of_a_covered_position() -> None:
    """Mark, liquidation, room, stop, cover and tier are there, and JSON takes it."""
    guard = Driven().up([a_position()], [a_stop()])
    seen = json.loads(json.dumps(view(guard.state)))
    assert seen["mode"] == "guarding"
    position = seen["positions"][0]
    assert position["mark_price"] == "1000"
    assert position["liquidation_price"] == "900"
    assert position["room_percent"] == "10.0000"
    assert position["covered"] is True
    assert position["stops"][0]["stop_price"] == "918"
    assert seen["counters"]["positions"] == 1


def test_the_view_of_a_guard_that_knows_nothing() -> None:
    """Before the first event."""
    assert view(Driven().state)["positions"] == []


def test_a_liquidation_is_told_once() -> None:
    """The venue takes the position over in several executions: one message."""
    guard = Driven().up([a_position()], [a_stop()])
    for number in range(3):
        execution = Execution(
            execution_id=f"x{number}",
            order_id="",
            client_order_id="",
            account=7,
            symbol="XBTUSDT",
            kind=ExecutionKind.LIQUIDATION,
            side=None,
            quantity=50,
            price=None,
        )
        guard.give(e.ExecutionSeen(at_ns=guard.now, execution=execution))
    assert len(guard.alerts("liquidated")) == 1
