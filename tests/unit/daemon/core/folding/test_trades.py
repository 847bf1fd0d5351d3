"""What executions tell."""

from __future__ import annotations

from dataclasses import replace

from connectors.vocabulary import Execution, ExecutionKind
from daemon.core import events as e
from daemon.core.commands import RaiseAlert
from tests.builders import a_position, a_stop
from tests.driven import Driven


def an_execution(number: int, kind: ExecutionKind = ExecutionKind.LIQUIDATION, account: int = 7) -> Execution:
    """Return one execution of XBTUSDT."""
    return Execution(
        execution_id=f"x{number}",
        order_id="",
        client_order_id="",
        account=account,
        symbol="XBTUSDT",
        kind=kind,
        side=None,
        quantity=50,
        price=None,
    )


def test_a_liquidation_is_told_once() -> None:
    """The venue takes the position over in several executions: one message (P10), and the account is read again."""
    guard = Driven().up([a_position()], [a_stop()])
    for number in range(3):
        guard.give(e.ExecutionSeen(at_ns=guard.now, execution=an_execution(number)))
    assert len(guard.alerts("liquidated")) == 1
    assert guard.state.pictures.wanted_ns or guard.state.pictures.command_id is not None


def test_trades_and_other_accounts_say_nothing() -> None:
    """Only a liquidation of this account is news here."""
    guard = Driven().up([a_position()], [a_stop()])
    for execution in (an_execution(1, ExecutionKind.TRADE), an_execution(2, account=8)):
        assert guard.some(RaiseAlert, guard.give(e.ExecutionSeen(at_ns=guard.now, execution=execution))) == []


def test_a_settlement_is_told_while_its_position_is_known() -> None:
    """P12: the contract ended, and with it the position: people hear what became of it; an old row is no news."""
    guard = Driven().up([a_position()], [a_stop()])
    settled = an_execution(1, ExecutionKind.SETTLEMENT)
    guard.give(e.ExecutionSeen(at_ns=guard.now, execution=settled))
    guard.position(a_position(0))
    guard.give(e.ExecutionSeen(at_ns=guard.now, execution=replace(settled, execution_id="x2")))
    assert len(guard.alerts("settled")) == 1


def test_a_position_that_was_liquidated_is_not_said_to_be_stopped_out() -> None:
    """The stop fired, no price was left to fill it, and the venue took over: only that is the story."""
    guard = Driven().up([a_position()], [a_stop()])
    guard.order(replace(a_stop(), is_triggered=True, timestamp_ns=guard.now))
    guard.give(e.ExecutionSeen(at_ns=guard.now, execution=an_execution(1)))
    guard.position(a_position(0))
    assert len(guard.alerts("fired")) == 1
    assert len(guard.alerts("liquidated")) == 1
    assert guard.alerts("stopped") == []
