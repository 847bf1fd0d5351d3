"""What is proved of a request, and what one that may still arrive holds back (P5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.venue import Environment, venue_settings
from connectors.vocabulary import Order, OrderSide, OrderStatus
from daemon.core import events as e
from daemon.core.commands import AmendStop, CancelOrder, FindOrders, PlaceStop
from daemon.core.memory.orders import WriteInput, WriteKind, WriteState, next_state
from daemon.core.memory.under_way import Pending, PendingKind, Unproved
from daemon.core.writes import outcomes
from daemon.core.writes.outcomes import TABLE, Outcome, Word, next_outcome
from tests.builders import SECOND, START_NS, a_position, a_stop
from tests.driven import MS, Driven

LIFE_NS = 18 * SECOND
"""Ten for the signature, three for the clock, five for the engine."""


def silent(guard: Driven, command_id: int) -> tuple[object, ...]:
    """A request got no verdict."""
    return guard.give(e.RequestUnanswered(at_ns=guard.now, command_id=command_id, reason="time-out"))


def found(guard: Driven, find: FindOrders, *orders: Order) -> tuple[object, ...]:
    """The venue answers a question."""
    return guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=orders))


def covered() -> tuple[Driven, Order]:
    """A long of 100 and its confirmed stop, resting for a while."""
    guard = Driven().up()
    row = guard.rest(guard.only(PlaceStop, guard.position(a_position())))
    guard.wait(2 * SECOND)
    return guard, row


def lost_placement() -> tuple[Driven, PlaceStop, tuple[object, ...]]:
    """A placement without a verdict, asked for at once and not found; with what the guard did then."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    find = guard.only(FindOrders, silent(guard, place.command_id))
    return guard, place, found(guard, find)


def lost_amend() -> tuple[Driven, Order, AmendStop]:
    """An amend to 250 contracts without a verdict; asked for, the stop is found as it was. The repeat is answered."""
    guard, row = covered()
    amend = guard.only(AmendStop, guard.position(a_position(250)))
    find = guard.only(FindOrders, silent(guard, amend.command_id))
    again = guard.only(AmendStop, found(guard, find, row))
    assert (again.quantity, again.stop_price) == (amend.quantity, amend.stop_price)
    grown = replace(row, quantity=250, leaves_quantity=250, timestamp_ns=row.timestamp_ns + 1)
    guard.give(e.RequestAnswered(at_ns=guard.now, command_id=again.command_id, order=grown))
    guard.order(grown)
    return guard, grown, amend


# ---------------------------------------------------------------------- the table


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("word", list(Word))
def test_every_pair_is_foreseen(outcome: Outcome, word: Word) -> None:
    """Whatever is heard of a request in whatever standing, the table knows what is proved then."""
    assert next_outcome(outcome, word) is TABLE[outcome, word]


@pytest.mark.parametrize("word", [Word.TIME, Word.SILENCE, Word.ABSENT])
def test_what_may_exist_never_ends_by_time_or_silence(word: Word) -> None:
    """P5: nor by an answer that came too early to prove anything."""
    assert next_outcome(Outcome.MAY_EXIST, word) is Outcome.MAY_EXIST


def test_what_is_proved_accepted_stays_so() -> None:
    """An ended order is no longer shown, and its echo is refused: it was there all the same."""
    assert {next_outcome(Outcome.PROVED_ACCEPTED, word) for word in Word} == {Outcome.PROVED_ACCEPTED}


def test_what_is_seen_outweighs_a_proof_that_it_cannot_be() -> None:
    """P12: a venue that accepts against its own expiry is believed by what it shows."""
    assert next_outcome(Outcome.PROVED_REFUSED, Word.SEEN) is Outcome.PROVED_ACCEPTED
    assert next_outcome(Outcome.PROVED_REFUSED, Word.TIME) is Outcome.PROVED_REFUSED


def test_the_core_knows_how_long_a_signature_is_good_for() -> None:
    """The expiry that the connector signs is no longer than the one the core counts on."""
    for environment in (Environment.PRODUCTION, Environment.TESTNET):
        assert venue_settings(environment).expires_after_s * SECOND <= outcomes.EXPIRES_AFTER_NS


# ---------------------------------------------------------------------- a placement that may still arrive


def test_a_placement_not_found_goes_out_again_under_its_name_and_may_still_exist() -> None:
    """P4, P5: protection does not wait for the proof: the same id can exist only once."""
    guard, place, then = lost_placement()
    assert guard.only(PlaceStop, then).client_order_id == place.client_order_id
    (entry,) = guard.state.unproved.values()
    assert (entry.kind, entry.client_order_id) == (WriteKind.PLACE, place.client_order_id)


def test_the_lost_placement_arrives_before_its_repeat() -> None:
    """P4: the repeat is refused as a duplicate, the stop is found, and nothing else is placed."""
    guard, place, then = lost_placement()
    again = guard.only(PlaceStop, then)
    row = guard.row_of(place)
    duplicate = e.RequestRefused(at_ns=guard.now, command_id=again.command_id, reason="Duplicate", is_duplicate=True)
    find = guard.only(FindOrders, guard.give(duplicate))
    assert guard.some(PlaceStop, found(guard, find, row)) == []
    assert guard.state.unproved == {}
    assert guard.guarded().covered_ns


def test_the_repeat_arrives_before_the_lost_placement() -> None:
    """P4: seen once, the name is taken: the other can only be refused."""
    guard, _, then = lost_placement()
    guard.rest(guard.only(PlaceStop, then))
    assert guard.state.unproved == {}


def test_a_refusal_of_the_repeat_proves_nothing_of_the_first() -> None:
    """P5: "insufficient balance" speaks of one request; the one before it may still arrive."""
    guard, _, then = lost_placement()
    again = guard.only(PlaceStop, then)
    guard.give(e.RequestRefused(at_ns=guard.now, command_id=again.command_id, reason="no"))
    assert len(guard.state.unproved) == 1


def test_time_alone_ends_nothing() -> None:
    """P5: a minute, an hour: as long as the venue has not been asked late enough, it may exist."""
    guard, _, then = lost_placement()
    silent(guard, guard.only(PlaceStop, then).command_id)
    for _ in range(60):
        guard.wait(60 * SECOND)
    assert len(guard.state.unproved) == 1


def test_a_question_asked_after_the_expiry_proves_that_it_never_was() -> None:
    """P5: the position is gone, the request was lost: asked for once more when it can no longer arrive."""
    guard, place, then = lost_placement()
    again = guard.only(PlaceStop, then)
    guard.give(e.RequestNotSent(at_ns=guard.now, command_id=again.command_id, reason="busy", retry_after_ns=0))
    guard.position(a_position(0))
    assert guard.some(FindOrders, guard.wait(LIFE_NS - SECOND)) == []
    find = guard.only(FindOrders, guard.wait(SECOND))
    assert find.client_order_ids == (place.client_order_id,)
    found(guard, find)
    assert guard.state.unproved == {}


@pytest.mark.parametrize(("skew_s", "extra_s"), [(-7, 7), (-1, 1), (2, 0)])
def test_a_venue_whose_clock_is_behind_accepts_longer(skew_s: int, extra_s: int) -> None:
    """P5: the expiry is compared with the venue's clock, so the proof waits for that one."""
    guard, _, then = lost_placement()
    again = guard.only(PlaceStop, then)
    guard.give(e.RequestNotSent(at_ns=guard.now, command_id=again.command_id, reason="busy", retry_after_ns=0))
    guard.tick(clock_skew_ns=skew_s * SECOND)
    guard.tick()  # The farthest behind that was seen counts, not the latest.
    (entry,) = guard.state.unproved.values()
    assert outcomes.expired_ns(guard.state, entry) == entry.since_ns + LIFE_NS + extra_s * SECOND


def test_a_flat_position_is_not_forgotten_while_its_stop_may_arrive() -> None:
    """P4: forgotten, the stop that arrives late would belong to nobody."""
    guard, _, then = lost_placement()
    again = guard.only(PlaceStop, then)
    guard.give(e.RequestNotSent(at_ns=guard.now, command_id=again.command_id, reason="busy", retry_after_ns=0))
    guard.position(a_position(0))
    guard.wait(300 * SECOND)
    assert "XBTUSDT" in guard.state.positions
    assert guard.state.unproved


def test_a_stop_that_arrives_after_the_position_went_is_cleared_up() -> None:
    """P4: seen on the stream: proved accepted, and needless once the witnesses agree."""
    guard, place, then = lost_placement()
    again = guard.only(PlaceStop, then)
    guard.give(e.RequestNotSent(at_ns=guard.now, command_id=again.command_id, reason="busy", retry_after_ns=0))
    guard.position(a_position(0))
    row = guard.row_of(place)
    guard.now += SECOND
    guard.order(row)
    assert guard.state.unproved == {}
    commands: list[object] = []
    for _ in range(5):
        commands += guard.wait(500 * MS)
        if guard.state.pictures.command_id is not None:
            commands += guard.picture([], [row])
    assert guard.some(CancelOrder, commands)


def test_what_may_exist_survives_a_restart() -> None:
    """P7: the process died with a placement under way: asked for, not found, and not forgotten."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    guard.give(e.Started(at_ns=guard.now, account=7, unanswered=(place.command_id,)))
    find = guard.only(FindOrders)
    found(guard, find)
    assert [each.client_order_id for each in guard.state.unproved.values()] == [place.client_order_id]


# ---------------------------------------------------------------------- an amend that may still arrive


def test_seeing_the_figures_once_does_not_account_for_two_amends() -> None:
    """P5: one of the two took effect; the other may still be on its way."""
    guard, _, _ = lost_amend()
    assert len(guard.state.unproved) == 1


def test_seeing_the_figures_of_the_only_amend_proves_it() -> None:
    """P5: the reply was lost, the stream shows it done."""
    guard, row = covered()
    amend = guard.only(AmendStop, guard.position(a_position(250)))
    silent(guard, amend.command_id)
    guard.order(replace(row, quantity=250, leaves_quantity=250, timestamp_ns=row.timestamp_ns + 1))
    assert guard.state.unproved == {}


def test_other_figures_go_into_a_second_stop_while_an_amend_may_arrive() -> None:
    """P2, P3: a late amend to 250 would undo one to 400: the new stop cannot be reached by it."""
    guard, grown, _ = lost_amend()
    commands = guard.position(a_position(400))
    assert guard.some(AmendStop, commands) == []
    place = guard.only(PlaceStop, commands)
    assert place.quantity == 400
    guard.rest(place)
    cancel = guard.only(CancelOrder, [*guard.last, *guard.wait(SECOND)])
    assert cancel.order_id == grown.order_id


def test_amends_go_on_once_the_late_one_can_no_longer_arrive() -> None:
    """P5: asked late enough, whatever the stop shows then is what it stays."""
    guard, grown, _ = lost_amend()
    commands = guard.wait(LIFE_NS + SECOND)
    found(guard, guard.only(FindOrders, commands), grown)
    assert guard.state.unproved == {}
    assert guard.only(AmendStop, guard.position(a_position(400))).quantity == 400


def test_an_amended_stop_that_ended_takes_its_late_amend_along() -> None:
    """P5: nothing can change a finished order."""
    guard, grown, _ = lost_amend()
    guard.order(replace(grown, status=OrderStatus.CANCELED, leaves_quantity=0, timestamp_ns=grown.timestamp_ns + 1))
    assert guard.state.unproved == {}


# ---------------------------------------------------------------------- a cancel that may still arrive


def test_a_stop_whose_cancel_may_arrive_covers_nothing() -> None:
    """P2: the surplus stop was to be cancelled, nobody knows: if the kept one goes, it is no cover."""
    first, second = (a_stop(f"v-{n}", f"sw-7-XBTUSDT-L-s{n}", timestamp_ns=START_NS) for n in (1, 2))
    guard = Driven().up([a_position()], [first, second])
    cancel = guard.only(CancelOrder, guard.all)
    kept = next(each for each in (first, second) if each.order_id != cancel.order_id)
    doomed = next(each for each in (first, second) if each.order_id == cancel.order_id)
    find = guard.only(FindOrders, silent(guard, cancel.command_id))
    again = guard.only(CancelOrder, found(guard, find, doomed))
    guard.give(e.RequestNotSent(at_ns=guard.now, command_id=again.command_id, reason="busy", retry_after_ns=SECOND))
    guard.wait(2 * SECOND)
    guard.order(replace(kept, status=OrderStatus.CANCELED, leaves_quantity=0, timestamp_ns=guard.now))
    assert guard.guarded().covered_ns == 0
    assert guard.guarded().protected_by == ()


# ---------------------------------------------------------------------- names that were passed over


def test_a_stop_that_may_exist_under_a_passed_name_counts_against_the_two() -> None:
    """P4: another guard used the next number: the lost one can no longer be met by a repeat."""
    entry = Unproved(
        command_id=1,
        kind=WriteKind.PLACE,
        symbol="XBTUSDT",
        client_order_id="sw-7-XBTUSDT-L-s1",
        side=OrderSide.SELL,
        first_ns=1,
        since_ns=1,
    )
    guard = Driven().up()
    state = replace(guard.state, unproved={"place:sw-7-XBTUSDT-L-s1": entry})
    assert outcomes.unseen_stops(state, "XBTUSDT", "sw-7-XBTUSDT-L-s") == 0
    state = replace(state, numbers={"sw-7-XBTUSDT-L-s": 2})
    assert outcomes.unseen_stops(state, "XBTUSDT", "sw-7-XBTUSDT-L-s") == 1
    assert outcomes.unseen_stops(state, "XBTUSDT", "sw-7-XBTUSDT-S-s") == 0


def test_not_found_ends_no_write_that_is_under_way() -> None:
    """P5: a question about the stop is answered while a second placement is in flight: that one stays open."""
    assert next_state(WriteState.IN_FLIGHT, WriteInput.NOT_FOUND) is WriteState.IN_FLIGHT
    guard, _, then = lost_placement()
    again = guard.only(PlaceStop, then)
    late = Pending(kind=PendingKind.FIND, symbol="XBTUSDT", sent_ns=guard.now, ids=(again.client_order_id,))
    state = replace(guard.state, pending={**guard.state.pending, 999: late}, asking={"XBTUSDT": 999})
    guard.state = state
    guard.give(e.OrdersFound(at_ns=guard.now, command_id=999, orders=()))
    write = guard.guarded().write
    assert write is not None
    assert (write.command_id, write.state) == (again.command_id, WriteState.IN_FLIGHT)
    assert guard.state.unproved
