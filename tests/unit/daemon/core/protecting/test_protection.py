"""The proof that a position is covered, and what is said while there is none (P2, P10)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.policy import ForeignStops, Policy, StopPolicy, Tier
from connectors.vocabulary import OrderSide, OrderStatus
from daemon.core import events as e
from daemon.core.commands import PlaceStop, Severity
from daemon.core.degraded import Degraded
from daemon.core.protecting import protection
from daemon.core.protecting.protection import Stage
from tests.builders import SECOND, START_NS, a_position, a_stop
from tests.driven import MS, Driven


def placed() -> tuple[Driven, PlaceStop]:
    """A long of 100 whose stop has just been asked for."""
    guard = Driven().up()
    return guard, guard.only(PlaceStop, guard.position(a_position()))


def stage(guard: Driven) -> Stage:
    """Where its position stands."""
    return protection.stage(guard.state, guard.guarded())


def test_the_proof_names_order_side_trigger_size_and_witness() -> None:
    """P2: which resting order covers it, read from the venue, by whom and when."""
    guard, place = placed()
    row = guard.rest(place)
    (protector,) = protection.proof(guard.state, guard.guarded())
    assert (protector.order_id, protector.client_order_id) == (row.order_id, row.client_order_id)
    assert (protector.side, protector.trigger, protector.quantity) == (OrderSide.SELL, place.stop_price, 100)
    assert (protector.seen_by, protector.seen_ns, protector.is_ours) == ("stream", guard.now, True)
    assert stage(guard) is Stage.PROVED


def test_a_read_that_shows_the_stop_renews_the_proof() -> None:
    """P2: the slow cycle reads the orders: the witness is the question, and counts from when it was asked."""
    guard, place = placed()
    row = guard.rest(place)
    guard.wait(31 * SECOND)
    asked_ns = guard.state.pictures.asked_ns
    guard.picture([a_position()], [row])
    (protector,) = protection.proof(guard.state, guard.guarded())
    assert (protector.seen_by, protector.seen_ns) == ("query", asked_ns)


def test_an_answer_alone_proves_nothing() -> None:
    """P2: HTTP 200 is submitted: naked until stream or query show it."""
    guard, place = placed()
    guard.give(e.RequestAnswered(at_ns=guard.now, command_id=place.command_id, order=guard.row_of(place)))
    assert protection.proof(guard.state, guard.guarded()) == ()
    assert stage(guard) is Stage.REPAIRING


def test_an_answer_does_not_take_a_witness_away() -> None:
    """P2: the stream showed the stop, then the late answer comes: the proof is the stream's."""
    guard, place = placed()
    row = guard.row_of(place)
    guard.order(row)
    guard.give(e.RequestAnswered(at_ns=guard.now, command_id=place.command_id, order=row))
    (protector,) = protection.proof(guard.state, guard.guarded())
    assert protector.seen_by == "stream"


def test_stops_of_others_prove_it_where_policy_adopts_them() -> None:
    """P2: two halves of somebody else's: both are named, and told apart from ours."""
    halves = [
        a_stop(f"b-{n}", f"bot-{n}", quantity=50, leaves_quantity=50, stop_price=a_stop().stop_price) for n in (1, 2)
    ]
    guard = Driven(replace(Policy(), stop=StopPolicy(foreign=ForeignStops.ADOPT))).up([a_position()], halves)
    found = protection.proof(guard.state, guard.guarded())
    assert [each.order_id for each in found] == ["b-1", "b-2"]
    assert not any(each.is_ours for each in found)


@pytest.mark.parametrize(
    "change",
    [
        {"status": OrderStatus.CANCELED, "leaves_quantity": 0},
        {"is_triggered": True},
        {"quantity": 40, "leaves_quantity": 40},
    ],
    ids=["cancelled", "fired", "cut down"],
)
def test_the_proof_ends_with_what_it_rests_on(change: dict[str, object]) -> None:
    """P2: gone, at work, or too small: naked from that moment, and timed."""
    guard, place = placed()
    row = guard.rest(place)
    guard.now += 5 * SECOND
    guard.order(replace(row, timestamp_ns=guard.now, **change))  # type: ignore[arg-type]
    assert protection.proof(guard.state, guard.guarded()) == ()
    assert guard.guarded().protected_by == ()
    assert guard.guarded().uncovered_ns == guard.now


def test_a_flat_position_needs_no_proof() -> None:
    """Nothing to protect."""
    guard, place = placed()
    guard.rest(place)
    guard.position(a_position(0))
    assert stage(guard) is Stage.NOT_NEEDED
    assert protection.proof(guard.state, guard.guarded()) == ()


# ---------------------------------------------------------------------- naked


def test_nakedness_is_told_louder_as_it_lasts() -> None:
    """P10: a warning after two seconds, critical after ten, again each minute, over when the stop rests."""
    guard, place = placed()
    for wanted, after_ns in ((Stage.REPAIRING, 1900 * MS), (Stage.LATE, 200 * MS), (Stage.GRAVE, 8 * SECOND)):
        guard.wait(after_ns)
        assert stage(guard) is wanted
    assert [each.severity for each in guard.alerts(Degraded.UNCOVERED.value)] == [Severity.WARNING]
    assert [each.severity for each in guard.alerts("still_naked")] == [Severity.CRITICAL]
    guard.wait(59 * SECOND)
    assert len(guard.alerts("still_naked")) == 1
    guard.wait(2 * SECOND)
    assert len(guard.alerts("still_naked")) == 2
    assert guard.guarded().naked_told_ns
    guard.rest(place)
    assert guard.guarded().naked_told_ns == 0
    assert stage(guard) is Stage.PROVED


def test_the_account_rule_is_the_last_step() -> None:
    """P2: after `naked.for_s` the policy's action is due; the default tells, in a rule of its own."""
    guard, _ = placed()
    for _ in range(32):
        guard.wait(SECOND)
    assert any("naked" in each for each in guard.state.rules)


def test_each_gap_is_timed_anew() -> None:
    """P10: covered in between: the next gap begins with a warning again."""
    guard, place = placed()
    guard.wait(11 * SECOND)
    row = guard.rest(place)
    guard.wait(30 * SECOND)
    guard.order(replace(row, status=OrderStatus.CANCELED, leaves_quantity=0, timestamp_ns=guard.now))
    guard.wait(9 * SECOND)
    assert len(guard.alerts("still_naked")) == 1
    guard.wait(2 * SECOND)
    assert len(guard.alerts("still_naked")) == 2


def test_near_liquidation_the_first_word_is_critical() -> None:
    """P10: two seconds without a stop are no small thing when the mark is nearly there."""
    guard, _ = placed()
    calm = guard.guarded()
    assert protection.severity(calm) is Severity.WARNING
    for tier in (Tier.CRITICAL, Tier.EMERGENCY):
        assert protection.severity(replace(calm, tier=tier)) is Severity.CRITICAL


def test_a_guard_that_only_observes_says_nothing_of_the_kind() -> None:
    """It places no stop, and said so."""
    guard = Driven(replace(Policy(), observe=True)).up([a_position()])
    guard.wait(30 * SECOND)
    assert guard.alerts("still_naked") == []


def test_a_state_of_an_older_build_has_no_witness_until_the_first_read() -> None:
    """P7: a checkpoint without the new fields loads: covered, and the proof is empty until something is read."""
    guard, place = placed()
    row = guard.rest(place)
    known = replace(guard.state.orders["XBTUSDT"][row.order_id], seen_ns=0, seen_by="")
    old = replace(
        guard.state,
        orders={"XBTUSDT": {row.order_id: known}},
        positions={"XBTUSDT": replace(guard.guarded(), protected_by=())},
    )
    assert protection.proof(old, old.positions["XBTUSDT"]) == ()
    assert guard.now > START_NS
