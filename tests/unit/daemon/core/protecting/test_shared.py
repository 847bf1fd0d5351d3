"""Stops that two guards of one account keep: who clears up, and when a form is let be (P1, P4)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from config.policy import Policy, StopPolicy, StopStyle
from connectors.vocabulary import Order, OrderStatus, Side
from daemon.core import events as e
from daemon.core.commands import AmendStop, CancelOrder, FindOrders, PlaceStop
from daemon.core.operator_requests import SetStop
from daemon.core.protecting.shared import NEWER_RESTS_NS, STANDS_NS
from tests.builders import SECOND, a_position, a_stop
from tests.driven import MS, Driven


def closing(order_id: str, number: int) -> Order:
    """A Close stop under a name of ours."""
    return a_stop(order_id, f"sw-7-XBTUSDT-L-s{number}", quantity=None, is_close=True)


def gone(order: Order) -> Order:
    """The same, cancelled."""
    return replace(order, status=OrderStatus.CANCELED)


def test_the_older_goes_when_the_newer_has_stood_for_a_moment() -> None:
    """P4: the other guard placed it; whoever sees both cancels the same one."""
    guard = Driven().up([a_position()], [a_stop("a")])
    guard.order(a_stop("b", "sw-7-XBTUSDT-L-s2"))
    assert guard.some(CancelOrder, guard.wait(STANDS_NS - MS)) == []
    assert guard.only(CancelOrder, guard.wait(2 * MS)).order_id == "a"


def test_a_newer_one_that_protects_nothing_goes_late() -> None:
    """P1: it may be another guard's on its way to its price, which cancels the older one meanwhile."""
    guard = Driven().up([a_position()], [a_stop("a")])
    guard.order(a_stop("b", "sw-7-XBTUSDT-L-s2", stop_price=a_position().liquidation_price))
    assert guard.some(CancelOrder, guard.wait(NEWER_RESTS_NS - MS)) == []
    assert guard.only(CancelOrder, guard.wait(2 * MS)).order_id == "b"


@pytest.mark.parametrize(("older", "cancelled"), [(904, ["a"]), (906, ["a"]), (908, [])])
def test_of_two_that_both_stand_too_far_off_the_one_that_adds_nothing_goes(older: int, cancelled: list[str]) -> None:
    """P4: the mark is beyond the trigger that is wanted, so neither can be moved there."""
    stops = [a_stop("a", stop_price=Decimal(older)), a_stop("b", "sw-7-XBTUSDT-L-s2", stop_price=Decimal(906))]
    guard = Driven().up([a_position()], stops, mark=915)
    assert [each.order_id for each in guard.some(CancelOrder, guard.all)] == cancelled


def test_a_restart_between_two_stops_keeps_to_the_tighter_one() -> None:
    """P3: without a journal the tighter of them is the ratchet; the newest is moved there before the other goes."""
    tight, newest = a_stop("a", stop_price=Decimal(930)), a_stop("b", "sw-7-XBTUSDT-L-s2")
    guard = Driven().up([a_position()], [tight, newest])
    amend = guard.only(AmendStop, guard.all)
    assert (amend.order_id, amend.stop_price) == ("b", 930)
    moved = replace(newest, stop_price=Decimal(930))
    guard.give(e.RequestAnswered(at_ns=guard.now, command_id=amend.command_id, order=moved))
    assert guard.only(CancelOrder, guard.order(moved)).order_id == "a"


def test_nothing_goes_while_the_account_stream_is_down() -> None:
    """P1: a position that grew behind its back needs the other one; when the stream is back, it goes (seed 9950251)."""
    old, newest = a_stop("a"), a_stop("b", "sw-7-XBTUSDT-L-s2")
    guard = Driven().up([a_position()], [old])
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.ACCOUNT, reason="reset"))
    guard.give(e.OrderSeen(at_ns=guard.now, order=newest, source=e.Source.QUERY))
    assert guard.some(CancelOrder, guard.wait(4 * SECOND)) == []
    guard.connect([a_position()], [old, newest])
    guard.picture([a_position()], [old, newest])
    assert guard.only(CancelOrder, guard.all).order_id == "a"


def test_nothing_goes_while_a_request_may_still_change_the_one_that_stays() -> None:
    """P5: an amend of the newest got no verdict and went out again: the first may still arrive, so the older stays."""
    guard = Driven().up([a_position()], [a_stop("a")])
    guard.order(a_stop("b", "sw-7-XBTUSDT-L-s2", quantity=40))
    amend = guard.only(AmendStop, guard.all)
    find = guard.only(
        FindOrders, guard.give(e.RequestUnanswered(at_ns=guard.now, command_id=amend.command_id, reason="lost"))
    )
    small = a_stop("b", "sw-7-XBTUSDT-L-s2", quantity=40)
    again = guard.only(
        AmendStop, guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=(small,)))
    )
    whole = a_stop("b", "sw-7-XBTUSDT-L-s2")
    guard.give(e.RequestAnswered(at_ns=guard.now, command_id=again.command_id, order=whole))
    guard.order(whole)
    assert guard.some(CancelOrder, guard.wait(10 * SECOND)) == []
    find = guard.only(FindOrders, guard.wait(10 * SECOND))
    found = guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=(whole,)))
    assert guard.only(CancelOrder, found).order_id == "a"


def test_what_was_confirmed_of_a_stop_that_is_one_too_many_holds_for_the_one_that_stays() -> None:
    """P3: our amend of the older was confirmed after a newer one rested: that comes as near first, then the older goes.

    Dense seed 11000435: the next stop stood where the newer one had, and what was confirmed was forgotten.
    """
    guard = Driven().up([a_position()], [a_stop("a")])
    guard.order(a_stop("b", "sw-7-XBTUSDT-L-s2"))
    commands = guard.order(a_stop("a", stop_price=Decimal(930), timestamp_ns=guard.now))
    assert guard.guarded().ratchet == Decimal(930)
    amend = guard.only(AmendStop, commands)
    assert (amend.order_id, amend.stop_price) == ("b", Decimal(930))
    assert guard.some(CancelOrder, guard.wait(SECOND)) == []
    commands = guard.order(a_stop("b", "sw-7-XBTUSDT-L-s2", stop_price=Decimal(930), timestamp_ns=guard.now))
    assert guard.only(CancelOrder, commands).order_id == "a"


def test_a_stop_that_a_person_let_go_back_does_not_come_again_by_an_older_one() -> None:
    """P3: a newer one rests where a person wanted it; the tighter older one holds nothing while it waits to go."""
    guard = Driven().up([a_position()], [a_stop("a", stop_price=Decimal(930))])
    request = SetStop(symbol="XBTUSDT", side=Side.LONG, price=Decimal(918), may_loosen=True)
    guard.give(e.OperatorAsked(at_ns=guard.now, request_id="q-1", who="ada", request=request))
    guard.order(a_stop("b", "sw-7-XBTUSDT-L-s2"))
    assert guard.guarded().ratchet == Decimal(918)
    guard.now += SECOND
    commands = guard.position(a_position())
    assert guard.guarded().ratchet == Decimal(918)
    assert guard.some(AmendStop, commands) == []


def test_a_form_is_put_right_once_and_then_let_be() -> None:
    """P4: the other guard wants a Close, and says so again: two guards do not replace each other's stop for ever."""
    guard = Driven().up([a_position()], [closing("c", 1)])
    ours = guard.rest(guard.only(PlaceStop, guard.all))
    assert ours.quantity == 100
    guard.order(gone(closing("c", 1)))
    guard.order(closing("d", 3))
    guard.order(gone(ours))
    assert guard.some(PlaceStop, guard.wait(60 * SECOND)) == []
    assert guard.guarded().covered_ns


def test_a_form_of_before_is_put_right_again() -> None:
    """P2: ours is gone and an old Close rests: nobody has said anything new."""
    guard = Driven().up([a_position()], [closing("c", 1)])
    ours = guard.rest(guard.only(PlaceStop, guard.all))
    assert guard.only(PlaceStop, guard.order(gone(ours))).quantity == 100


def test_a_reload_that_changes_the_style_begins_anew() -> None:
    """The operator wants a Close by now: what rests is put right, whoever placed it."""
    guard = Driven(Policy(stop=StopPolicy(style=StopStyle.CLOSE))).up([a_position()], [a_stop("a")])
    ours = guard.rest(guard.only(PlaceStop, guard.all))
    guard.order(gone(a_stop("a")))
    other = a_stop("d", "sw-7-XBTUSDT-L-s3")
    guard.order(other)
    guard.order(gone(ours))
    assert guard.some(PlaceStop, guard.wait(5 * SECOND)) == []
    for style in (StopStyle.REDUCE_ONLY, StopStyle.CLOSE):
        policy = Policy(stop=StopPolicy(style=style))
        commands = guard.give(e.PolicyChanged(at_ns=guard.now, policy=policy, who="ada", changes=("stop.style",)))
    assert guard.only(PlaceStop, commands).quantity is None
