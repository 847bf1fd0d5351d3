"""What each answer, refusal or silence means for the write it belongs to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.vocabulary import Order, OrderStatus
from daemon.core import events as e
from daemon.core.commands import AmendStop, CancelOrder, FindOrders, PlaceStop, ReduceAtMarket
from daemon.core.degraded import Degraded
from daemon.core.memory.orders import WriteState
from tests.builders import SECOND, a_position, a_stop, an_order
from tests.driven import MS, Driven


def placing() -> tuple[Driven, PlaceStop]:
    """A long whose stop has just been asked for."""
    guard = Driven().up()
    return guard, guard.only(PlaceStop, guard.position(a_position()))


def covered() -> tuple[Driven, Order]:
    """A long of 100 and its confirmed stop, resting for a while."""
    guard, place = placing()
    row = guard.rest(place)
    guard.wait(2 * SECOND)
    return guard, row


def answered(guard: Driven, command_id: int, order: Order | None) -> tuple[object, ...]:
    """A write is answered."""
    return guard.give(e.RequestAnswered(at_ns=guard.now, command_id=command_id, order=order))


def refused(guard: Driven, command_id: int, **changes: object) -> tuple[object, ...]:
    """A request is refused."""
    event = e.RequestRefused(at_ns=guard.now, command_id=command_id, reason="because")
    return guard.give(replace(event, **changes))


# ---------------------------------------------------------------------- answers


def test_an_open_row_is_submitted_only() -> None:
    """P2: the answer moves the write on; it stays open until somebody shows the order."""
    guard, place = placing()
    answered(guard, place.command_id, guard.row_of(place))
    write = guard.guarded().write
    assert write is not None
    assert write.state is WriteState.SUBMITTED


def test_a_placement_answered_without_a_row_is_asked_for() -> None:
    """P5: 200 and no order: unknown, so the venue is asked."""
    guard, place = placing()
    assert guard.only(FindOrders, answered(guard, place.command_id, None)).client_order_ids == (place.client_order_id,)


@pytest.mark.parametrize(("text", "words"), [("nothing to reduce", "nothing to reduce"), ("", "canceled")])
def test_a_cancelled_row_in_a_200_is_a_refusal_with_its_words(text: str, words: str) -> None:
    """P12: the row is already dead: told in the venue's words, tried again after a pause, and the account is read."""
    guard, place = placing()
    commands = answered(guard, place.command_id, guard.row_of(place, status=OrderStatus.CANCELED, text=text))
    assert guard.some(PlaceStop, commands) == []
    assert words in guard.alerts(Degraded.COVER_REFUSED.value)[0].text
    assert guard.some(PlaceStop, guard.wait(600 * MS))


def test_an_answer_that_nobody_awaits_still_tells_its_row() -> None:
    """Declared late, then it comes: the row counts, the write does not move twice."""
    guard, place = placing()
    guard.wait(16 * SECOND)
    answered(guard, place.command_id, guard.row_of(place))
    assert len(guard.state.orders["XBTUSDT"]) == 1


def test_questions_that_get_no_answer_come_later_each_time() -> None:
    """P8: answers that cannot be read: half a second, one, two, and no longer; the next answer ends that."""
    guard, place = placing()
    lost = e.RequestUnanswered(at_ns=guard.now, command_id=place.command_id, reason="unreadable")
    find, pauses = guard.only(FindOrders, guard.give(lost)), []
    for _ in range(4):
        unread = e.RequestNotSent(at_ns=guard.now, command_id=find.command_id, reason="unreadable", retry_after_ns=0)
        guard.give(unread)
        pauses.append(-guard.state.asking["XBTUSDT"] - guard.now)
        guard.now = -guard.state.asking["XBTUSDT"]
        find = guard.only(FindOrders, guard.give(e.TimerFired(at_ns=guard.now)))
    assert pauses == [SECOND // 2, SECOND, 2 * SECOND, 2 * SECOND]
    guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=()))
    assert guard.state.in_vain == {}


def test_a_cancel_that_found_nothing_doubts_the_stop() -> None:
    """P5: 404 on a cancel of ours: how it ended has to be asked before it is forgotten."""
    guard = Driven().up([a_position()], [a_stop("a", "sw-7-XBTUSDT-L-s1"), a_stop("b", "sw-7-XBTUSDT-L-s2")])
    cancel = guard.only(CancelOrder, guard.all)
    find = guard.only(FindOrders, answered(guard, cancel.command_id, None))
    assert find.client_order_ids == (cancel.client_order_id,)
    guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=()))
    assert list(guard.state.orders["XBTUSDT"]) == ["b"]


# ---------------------------------------------------------------------- refusals


def test_the_venues_refusal_is_told_as_the_venues() -> None:
    """P12: who refused, and in which words."""
    guard, place = placing()
    refused(guard, place.command_id)
    assert "the venue refuses the stop: because" in guard.alerts(Degraded.COVER_REFUSED.value)[0].text


def test_our_own_checks_refusal_is_not_told_as_the_venues() -> None:
    """P12: the choke point held it back; nobody shall look for the fault at the venue."""
    guard, place = placing()
    refused(guard, place.command_id, is_own=True)
    text = guard.alerts(Degraded.COVER_REFUSED.value)[0].text
    assert "our own check holds the stop back: because" in text
    assert "venue" not in text
    guard.wait(3 * SECOND)
    assert "our own check" in guard.alerts(Degraded.UNCOVERED.value)[0].text


def test_our_own_checks_refusal_says_nothing_of_the_way_to_the_venue() -> None:
    """P12: a key that is disabled stays told: a command that never left proves no way to be open."""
    guard, place = placing()
    guard.give(e.RequestMisconfigured(at_ns=guard.now, command_id=place.command_id, reason="key disabled"))
    again = guard.only(PlaceStop, guard.wait(6 * SECOND))
    refused(guard, again.command_id, is_own=True)
    assert Degraded.MISCONFIGURED.value in guard.state.degraded
    again = guard.only(PlaceStop, guard.wait(6 * SECOND))
    refused(guard, again.command_id)
    assert Degraded.MISCONFIGURED.value not in guard.state.degraded


def test_a_refused_amend_is_asked_for_and_the_cover_still_counts() -> None:
    """P5: an amend refused: the stop may have gone; it is asked for before another is placed beside it."""
    guard, row = covered()
    amend = guard.only(AmendStop, guard.position(a_position(250)))
    find = guard.only(FindOrders, refused(guard, amend.command_id))
    guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=(row,)))
    assert guard.only(PlaceStop, guard.wait(SECOND)).quantity == 250


def test_not_sent_waits_as_long_as_the_venue_asks() -> None:
    """P8: overload with a time to wait: not before it is over."""
    guard, place = placing()
    late = e.RequestNotSent(at_ns=guard.now, command_id=place.command_id, reason="busy", retry_after_ns=4 * SECOND)
    guard.give(late)
    assert guard.some(PlaceStop, guard.wait(3900 * MS)) == []
    assert guard.some(PlaceStop, guard.wait(200 * MS))


def test_a_refusal_for_a_request_that_nobody_awaits_changes_nothing() -> None:
    """A repeated or stray outcome is ignored."""
    guard, _ = covered()
    before = guard.guarded()
    refused(guard, 4711)
    assert guard.guarded() == before


def test_a_refused_question_pauses_and_is_asked_again() -> None:
    """P5: the doubt stays until it is answered."""
    guard, place = placing()
    find = guard.only(
        FindOrders, guard.give(e.RequestUnanswered(at_ns=guard.now, command_id=place.command_id, reason="x"))
    )
    assert guard.some(FindOrders, refused(guard, find.command_id)) == []
    again = guard.only(FindOrders, guard.wait(600 * MS))
    assert again.client_order_ids == find.client_order_ids


def test_a_stream_refusal_of_somebody_elses_amend_is_not_ours() -> None:
    """Bots' amends fail too; empty client order ids never match."""
    guard, _ = covered()
    amend = guard.only(AmendStop, guard.position(a_position(250)))
    stray = e.RequestRefusedOnStream(at_ns=guard.now, client_order_id="", order_id="o-9", reason="Invalid")
    assert guard.give(stray) == ()
    write = guard.guarded().write
    assert write is not None
    assert write.command_id == amend.command_id


def test_a_stream_refusal_of_our_amend_is_asked_for() -> None:
    """P5: named by the order id: the write is settled as refused and the stop itself is looked at again."""
    guard, row = covered()
    amend = guard.only(AmendStop, guard.position(a_position(250)))
    refusal = e.RequestRefusedOnStream(at_ns=guard.now, client_order_id="", order_id=amend.order_id, reason="Invalid")
    find = guard.only(FindOrders, guard.give(refusal))
    assert guard.guarded().write is None
    assert "the venue refuses the stop: Invalid" in guard.guarded().refusal
    guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=(row,)))
    assert guard.only(PlaceStop, guard.wait(SECOND)).quantity == 250
    # The HTTP answer that comes all the same is only a row now.
    answered(guard, amend.command_id, replace(row, timestamp_ns=row.timestamp_ns + 1))
    assert guard.guarded().write is not None


def test_a_stream_refusal_while_placing_is_about_something_else() -> None:
    """Only amends and cancels fail on the stream."""
    guard, place = placing()
    stray = e.RequestRefusedOnStream(
        at_ns=guard.now, client_order_id=place.client_order_id, order_id="o-9", reason="Invalid"
    )
    guard.give(stray)
    write = guard.guarded().write
    assert write is not None
    assert write.command_id == place.command_id


# ---------------------------------------------------------------------- what was found


def test_an_order_found_pending_is_asked_for_again() -> None:
    """P5: the venue knows it and has not decided: neither there nor gone."""
    guard, place = placing()
    find = guard.only(
        FindOrders, guard.give(e.RequestUnanswered(at_ns=guard.now, command_id=place.command_id, reason="x"))
    )
    row = guard.row_of(place, status=OrderStatus.PENDING)
    commands = guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=(row,)))
    assert guard.some(PlaceStop, commands) == []
    assert guard.guarded().write is not None
    assert guard.some(FindOrders, guard.wait(600 * MS))


def test_ids_that_the_venue_remembers_and_does_not_show_are_skipped() -> None:
    """P4: duplicate, and none of the sixteen numbers is shown: go beyond all of them."""
    guard, place = placing()
    find = guard.only(FindOrders, refused(guard, place.command_id, is_duplicate=True))
    commands = guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=()))
    assert guard.only(PlaceStop, commands).client_order_id == "sw-7-XBTUSDT-L-s17"


def test_a_question_answered_about_another_account_finds_nothing() -> None:
    """A row of somebody else's account under our name does not settle our write as found."""
    guard, place = placing()
    find = guard.only(
        FindOrders, guard.give(e.RequestUnanswered(at_ns=guard.now, command_id=place.command_id, reason="x"))
    )
    stranger = guard.row_of(place, account=8)
    commands = guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=(stranger,)))
    assert guard.only(PlaceStop, commands).client_order_id == place.client_order_id


def test_an_answer_to_a_question_of_an_earlier_life_only_tells_rows() -> None:
    """The process restarted meanwhile: rows count, nothing else moves."""
    guard, _ = covered()
    stray = e.OrdersFound(at_ns=guard.now, command_id=4711, orders=(an_order("b-1"),))
    guard.give(stray)
    assert "b-1" in guard.state.orders["XBTUSDT"]


# ---------------------------------------------------------------------- silence


def test_a_write_without_any_outcome_becomes_unknown() -> None:
    """P5: the shell owes an outcome and lost it: after fifteen seconds the venue is asked."""
    guard, place = placing()
    assert guard.some(FindOrders, guard.wait(14 * SECOND)) == []
    assert guard.only(FindOrders, guard.wait(SECOND)).client_order_ids == (place.client_order_id,)


def test_a_question_without_any_outcome_is_asked_again() -> None:
    """P5: the same for a question; the stream is away, so that nothing but an answer will do."""
    guard, place = placing()
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.ACCOUNT, reason="closed"))
    guard.give(e.RequestUnanswered(at_ns=guard.now, command_id=place.command_id, reason="x"))
    assert guard.some(FindOrders, guard.wait(14 * SECOND)) == []
    assert guard.some(FindOrders, guard.wait(6 * SECOND))


def test_a_reduction_that_was_not_sent_is_tried_again_under_the_same_id() -> None:
    """P4: not carried out, so its number is free."""
    guard, row = covered()
    guard.order(replace(row, is_triggered=True, timestamp_ns=guard.now))
    commands: list[object] = []
    while not guard.some(ReduceAtMarket, commands):
        commands = [*guard.wait(250 * MS)]
        if guard.state.pictures.command_id is not None:
            commands += guard.picture([a_position()], [replace(row, is_triggered=True, timestamp_ns=guard.now)])
    reduce = guard.only(ReduceAtMarket, commands)
    guard.give(e.RequestNotSent(at_ns=guard.now, command_id=reduce.command_id, reason="busy", retry_after_ns=0))
    assert guard.guarded().reduce is None
    commands = []
    while not guard.some(ReduceAtMarket, commands):
        commands = [*guard.wait(250 * MS)]
        if guard.state.pictures.command_id is not None:
            commands += guard.picture([a_position()])
    assert guard.only(ReduceAtMarket, commands).client_order_id == reduce.client_order_id
