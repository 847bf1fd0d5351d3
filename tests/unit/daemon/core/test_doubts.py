"""Ask about orders of ours whose fate is not known, one question per symbol at a time (P5)."""

from __future__ import annotations

from dataclasses import replace

from daemon.core import events as e
from daemon.core.commands import AmendStop, FindOrders, PlaceStop
from daemon.core.memory.orders import WriteState
from daemon.core.reasons import Reason
from tests.builders import SECOND, a_position, a_stop, an_instrument
from tests.driven import MS, Driven


def placing() -> tuple[Driven, PlaceStop]:
    """A long whose stop has just been asked for."""
    guard = Driven().up()
    return guard, guard.only(PlaceStop, guard.position(a_position()))


def unanswered(guard: Driven, command_id: int) -> tuple[object, ...]:
    """A request got no verdict."""
    return guard.give(e.RequestUnanswered(at_ns=guard.now, command_id=command_id, reason="time-out"))


def test_a_sound_position_raises_no_question() -> None:
    """Level-triggered: confirmed and settled: nothing to ask, ever."""
    guard, place = placing()
    guard.rest(place)
    guard.wait(20 * SECOND)
    assert guard.some(FindOrders, guard.all) == []


def test_an_accepted_stop_is_given_its_time_to_be_confirmed() -> None:
    """Submitted: asked for after `confirm_within_s`, not a moment earlier, and counted as unknown from then on."""
    guard, place = placing()
    guard.give(e.RequestAnswered(at_ns=guard.now, command_id=place.command_id, order=guard.row_of(place)))
    assert guard.some(FindOrders, guard.wait(1900 * MS)) == []
    find = guard.only(FindOrders, guard.wait(100 * MS))
    write = guard.guarded().write
    assert find.reason is Reason.CONFIRMATION_LATE
    assert find.client_order_ids == (place.client_order_id,)
    assert write is not None
    assert write.state is WriteState.UNKNOWN


def test_an_unanswered_write_goes_before_a_late_confirmation_in_the_reason() -> None:
    """P5: the question names the graver cause."""
    guard, place = placing()
    assert guard.only(FindOrders, unanswered(guard, place.command_id)).reason is Reason.OUTCOME_UNKNOWN


def test_one_question_at_a_time() -> None:
    """While one is under way, further news raises no second."""
    guard, place = placing()
    unanswered(guard, place.command_id)
    commands = [*guard.position(a_position(200)), *guard.wait(5 * SECOND)]
    assert guard.some(FindOrders, commands) == []
    assert guard.some(PlaceStop, commands) == []


def test_questions_about_two_symbols_do_not_wait_for_each_other() -> None:
    """P5: one per symbol, not one per account."""
    guard = Driven().up()
    guard.give(e.InstrumentSeen(at_ns=guard.now, instrument=an_instrument("ETHUSDT")))
    guard.mark(1000, "ETHUSDT")
    places = [guard.only(PlaceStop, guard.position(a_position(symbol=s))) for s in ("XBTUSDT", "ETHUSDT")]
    asked = [guard.only(FindOrders, unanswered(guard, place.command_id)) for place in places]
    assert {find.client_order_ids[0] for find in asked} == {place.client_order_id for place in places}


def test_a_question_that_could_not_be_sent_waits_and_is_repeated() -> None:
    """P8: the budget is empty: the doubt stays, the question pauses."""
    guard, place = placing()
    find = guard.only(FindOrders, unanswered(guard, place.command_id))
    guard.give(e.RequestNotSent(at_ns=guard.now, command_id=find.command_id, reason="budget", retry_after_ns=0))
    assert guard.some(FindOrders, guard.wait(400 * MS)) == []
    assert guard.only(FindOrders, guard.wait(200 * MS)).client_order_ids == find.client_order_ids


def test_a_duplicate_is_asked_for_with_the_numbers_after_it() -> None:
    """P4: which number is the last used?"""
    guard, place = placing()
    refused = e.RequestRefused(at_ns=guard.now, command_id=place.command_id, reason="Duplicate", is_duplicate=True)
    names = guard.only(FindOrders, guard.give(refused)).client_order_ids
    assert (names[0], names[-1], len(names)) == ("sw-7-XBTUSDT-L-s1", "sw-7-XBTUSDT-L-s16", 16)


def test_an_unanswered_amend_is_asked_for_by_the_stops_own_name() -> None:
    """P5: found as it was: the amend did not happen, and goes out again."""
    guard, place = placing()
    row = guard.rest(place)
    amend = guard.only(AmendStop, guard.position(a_position(250)))
    find = guard.only(FindOrders, unanswered(guard, amend.command_id))
    assert find.client_order_ids == (row.client_order_id,)
    commands = guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=(row,)))
    assert guard.only(AmendStop, commands).quantity == 250


def test_a_stop_that_a_list_left_out_is_asked_for_beside_an_unknown_write() -> None:
    """P5: both doubts in one question, each name once."""
    guard = Driven().up([a_position()], [a_stop("v")])
    amend = guard.only(AmendStop, guard.position(a_position(250)))
    guard.now += MS
    find = guard.only(FindOrders, guard.give(e.OrdersListed(at_ns=guard.now, orders=())))
    assert find.client_order_ids == (amend.client_order_id,)


def test_a_stop_seen_only_in_an_answer_of_an_earlier_life_is_asked_for() -> None:
    """P7: nobody awaits it, and nobody confirmed it: a late answer after a restart."""
    guard, place = placing()
    guard.now += SECOND
    guard.give(e.Started(at_ns=guard.now, account=7, unanswered=(place.command_id,)))
    find = guard.only(FindOrders)
    guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=()))
    late = guard.row_of(place)
    stray = e.RequestAnswered(at_ns=guard.now, command_id=place.command_id, order=replace(late, timestamp_ns=guard.now))
    assert guard.only(FindOrders, guard.give(stray)).client_order_ids == (late.client_order_id,)


def lost_and_asked_in_vain() -> tuple[Driven, PlaceStop]:
    """A placement without a verdict, and a question about it that was not answered either."""
    guard, place = placing()
    find = guard.only(FindOrders, unanswered(guard, place.command_id))
    unanswered(guard, find.command_id)
    return guard, place


def questions_fail_for(guard: Driven, span_ns: int) -> list[PlaceStop]:
    """Let every question fail for a while; return the stops placed meanwhile."""
    placed: list[PlaceStop] = []
    for _ in range(span_ns // (100 * MS)):
        commands = guard.wait(100 * MS)
        placed += guard.some(PlaceStop, commands)
        for find in guard.some(FindOrders, commands):
            placed += guard.some(PlaceStop, unanswered(guard, find.command_id))
    return placed


def test_a_placement_that_is_asked_for_in_vain_is_sent_again_under_its_name() -> None:
    """P2, P5: reads fail and placements may pass: the same one again is refused if it is there, and covers if not."""
    guard, place = lost_and_asked_in_vain()
    assert questions_fail_for(guard, 9 * SECOND) == []
    again = questions_fail_for(guard, 2 * SECOND)
    assert [each.client_order_id for each in again] == [place.client_order_id]
    assert f"place:{place.client_order_id}" in guard.state.unproved


def test_nothing_is_repeated_unasked_where_the_stream_could_not_have_told() -> None:
    """P4, P5: without the account's stream an order may have rested and fired unheard: only an answer will do."""
    guard, _ = lost_and_asked_in_vain()
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.ACCOUNT, reason="closed"))
    assert questions_fail_for(guard, 20 * SECOND) == []
