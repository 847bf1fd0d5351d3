"""What is asked of the venue and known of it survives a checkpoint, of this build and of those before (P7)."""

from __future__ import annotations

from typing import Any

import msgspec

from daemon.core import events as e
from daemon.core.commands import FindOrders, PlaceStop
from daemon.core.ledger import BudgetFacts, Ledger, StreamFacts
from daemon.core.state import GuardState
from daemon.core.step import step
from tests.builders import SECOND, a_position, an_order
from tests.driven import Driven

NEW_FIELDS = {
    "unproved", "named", "ledger",  # of the state
    "seen_ns", "seen_by", "is_told",  # of a known order
    "protected_by", "naked_told_ns", "denied_ns",  # of a position
    "before_ns", "stamp_ns", "is_contradictory",  # of a witness
    "data_age_ns", "mute", "mute_ns",  # of a stream
}  # fmt: skip
"""What the builds before did not write."""


def busy() -> Driven:
    """A covered long, a bot's order, a ledger, and a placement that may exist."""
    guard = Driven().up()
    guard.rest(guard.only(PlaceStop, guard.position(a_position())))
    guard.order(an_order("b-1", "bot-1"))
    facts = StreamFacts(connected_ns=1, pong_ns=2, data_ns=3, topics={"order": 4})
    budget = BudgetFacts(tokens=5, capacity=120, reserve=30)
    guard.give(e.LedgerRead(at_ns=guard.now, market=facts, account=facts, budget=budget))
    guard.give(e.InstrumentSeen(at_ns=guard.now, instrument=guard.state.instruments["XBTUSDT"]))
    guard.now += SECOND
    place = guard.only(PlaceStop, guard.position(a_position(symbol="XBTUSDT", quantity=-50)))
    find = guard.only(
        FindOrders, guard.give(e.RequestUnanswered(at_ns=guard.now, command_id=place.command_id, reason="x"))
    )
    guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=()))
    assert guard.state.unproved
    return guard


def written(state: GuardState) -> Any:
    """The state as a checkpoint writes it."""
    return msgspec.json.decode(msgspec.json.encode(state))


def without(value: Any, names: set[str]) -> Any:
    """The same without some fields, wherever they stand."""
    if isinstance(value, dict):
        return {key: without(each, names) for key, each in value.items() if key not in names}
    return [without(each, names) for each in value] if isinstance(value, list) else value


def test_what_may_exist_proofs_and_ledger_survive_a_checkpoint() -> None:
    """P7: read back equal, to the last entry."""
    state = busy().state
    assert msgspec.json.decode(msgspec.json.encode(state), type=GuardState) == state


def test_a_checkpoint_of_the_builds_before_loads() -> None:
    """P7: nothing of it is known yet, and the guard goes on from there."""
    guard = busy()
    plain = without(written(guard.state), NEW_FIELDS)
    old = msgspec.convert(plain, type=GuardState, strict=False)
    assert (old.unproved, old.named, old.ledger) == ({}, {}, Ledger())
    assert old.positions["XBTUSDT"].protected_by == ()
    later = step(old, e.Started(at_ns=guard.now + SECOND, account=7)).state
    tick = e.HealthTicked(
        at_ns=guard.now + 2 * SECOND, market_age_ns=0, account_age_ns=0, loop_lag_ns=0, clock_skew_ns=0
    )
    assert step(later, tick).state.now_ns == guard.now + 2 * SECOND
