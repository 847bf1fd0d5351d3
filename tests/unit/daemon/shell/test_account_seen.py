"""The account as the guard knows it, for whoever asks over the local socket."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import pytest

from config.policy import Policy
from daemon.core.memory.witnesses import KnownOrder
from daemon.core.state import Guarded, Mark, initial_state
from daemon.shell.account_seen import account_seen, describe_account
from tests.builders import a_margin, a_position, a_stop, an_instrument


def test_what_is_told_can_be_read_again() -> None:
    """Over JSON and back: rows, orders and marks to the last digit; flat positions are left out."""
    held, flat = a_position(100), a_position(0, symbol="ETHUSDT")
    contract, margin, stop = an_instrument(), a_margin(), a_stop()
    mark = Mark(price=contract.tick_size * 1234567, at_ns=5)
    state = replace(
        initial_state(7, Policy()),
        positions={"XBTUSDT": Guarded(position=held, taken_ns=1), "ETHUSDT": Guarded(position=flat, taken_ns=1)},
        instruments={"XBTUSDT": contract, "ETHUSDT": an_instrument("ETHUSDT")},
        margins={margin.currency: margin},
        orders={"XBTUSDT": {stop.order_id: KnownOrder(order=stop, taken_ns=1, is_confirmed=True)}},
        marks={"XBTUSDT": mark},
    )
    told = msgspec.json.encode(describe_account(state))
    seen = account_seen(json.loads(told))
    assert seen.positions == (held,)
    assert seen.instruments == (contract,)
    assert seen.margins == (margin,)
    assert seen.orders == (stop,)
    assert seen.marks == {"XBTUSDT": mark.price}
    assert seen.mode == state.mode.value


def test_what_is_not_known_yet_is_missing_and_not_made_up() -> None:
    """A position without contract and mark: whoever asked has to see that."""
    state = replace(initial_state(7, Policy()), positions={"XBTUSDT": Guarded(position=a_position(100), taken_ns=1)})
    seen = account_seen(describe_account(state))
    assert (seen.instruments, seen.marks, seen.margins) == ((), {}, ())


def test_another_answer_is_refused() -> None:
    """A daemon of another version, or something else behind the socket."""
    with pytest.raises(msgspec.ValidationError):
        account_seen({"mode": "guarding"})
