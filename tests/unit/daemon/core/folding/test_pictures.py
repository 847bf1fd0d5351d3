"""Reads of the whole account: when they are asked for, how often, and what they change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.policy import HealthPolicy, Policy
from connectors.vocabulary import OrderStatus
from daemon.core import events as e
from daemon.core.commands import CancelOrder, FindOrders, ReadPicture
from daemon.core.folding.pictures import MIN_GAP_NS
from daemon.core.reasons import Reason
from tests.builders import SECOND, a_margin, a_position, a_stop, an_order
from tests.driven import MS, Driven


def not_sent(guard: Driven, read: ReadPicture, retry_after_ns: int = 0) -> tuple[object, ...]:
    """A read did not get through."""
    return guard.give(
        e.RequestNotSent(at_ns=guard.now, command_id=read.command_id, reason="busy", retry_after_ns=retry_after_ns)
    )


# ---------------------------------------------------------------------- when


def test_the_start_asks_at_once() -> None:
    """Before any stream is up."""
    guard = Driven()
    guard.start()
    assert guard.only(ReadPicture).reason is Reason.RECONCILE


def test_the_slow_cycle() -> None:
    """Nothing happens for `reconcile_every_s`: a picture is asked for, one at a time."""
    guard = Driven(Policy(health=HealthPolicy(reconcile_every_s=10))).up()
    assert guard.some(ReadPicture, guard.wait(8 * SECOND)) == []
    assert guard.only(ReadPicture, guard.wait(2 * SECOND)).reason is Reason.RECONCILE
    assert guard.some(ReadPicture, guard.wait(4 * SECOND)) == []


def test_without_the_account_stream_the_cycle_is_faster() -> None:
    """Pictures are the only witness then: every five seconds."""
    guard = Driven().up()
    guard.wait(SECOND)
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.ACCOUNT, reason="reset"))
    guard.wait(MIN_GAP_NS)
    if guard.state.pictures.command_id is not None:
        guard.picture()
    guard.wait(MIN_GAP_NS)
    if guard.state.pictures.command_id is not None:
        guard.picture()
    assert guard.some(ReadPicture, guard.wait(4 * SECOND)) == []
    assert guard.some(ReadPicture, guard.wait(SECOND))


def test_pressing_pictures_keep_a_gap() -> None:
    """P8: reads share the bots' budget: two reconnects within a moment are one more picture, a little later."""
    guard = Driven().up()
    guard.wait(SECOND)
    first = guard.give(e.FeedLive(at_ns=guard.now, feed=e.FeedName.ACCOUNT))
    assert guard.some(ReadPicture, first)
    guard.now += MS
    assert guard.some(ReadPicture, guard.give(e.FeedLive(at_ns=guard.now, feed=e.FeedName.ACCOUNT))) == []
    assert guard.some(ReadPicture, guard.picture()) == []
    assert guard.some(ReadPicture, guard.wait(MIN_GAP_NS))


def test_failures_grow_the_pause_up_to_ten_times() -> None:
    """P8: 0.5, 1, 2, 4, 5, 5 seconds: no storm of reads at a venue in trouble."""
    guard = Driven()
    guard.start()
    read, pauses = guard.only(ReadPicture), []
    for _ in range(6):
        failed_ns = guard.now
        commands: list[object] = [*not_sent(guard, read)]
        while not guard.some(ReadPicture, commands):
            commands = [*guard.wait(100 * MS)]
        pauses.append((guard.now - failed_ns) // (100 * MS))
        read = guard.only(ReadPicture, commands)
    assert pauses == [5, 10, 20, 40, 50, 50]


def test_the_venues_own_pause_is_respected_within_reason() -> None:
    """P8: three seconds are waited for; an hour is not: people would be left without a picture."""
    guard = Driven()
    guard.start()
    not_sent(guard, guard.only(ReadPicture), retry_after_ns=3 * SECOND)
    assert guard.some(ReadPicture, guard.wait(2900 * MS)) == []
    read = guard.only(ReadPicture, guard.wait(100 * MS))
    not_sent(guard, read, retry_after_ns=3600 * SECOND)
    assert guard.some(ReadPicture, guard.wait(5 * SECOND))


def test_a_lost_answer_is_given_up() -> None:
    """P5: no outcome for fifteen seconds: asked again."""
    guard = Driven()
    guard.start()
    assert guard.some(ReadPicture, guard.wait(14 * SECOND)) == []
    guard.wait(SECOND)
    assert guard.some(ReadPicture, guard.wait(SECOND))


# ---------------------------------------------------------------------- what


def test_a_picture_that_is_not_awaited_any_more_is_too_old_to_count() -> None:
    """The answer of a read that was given up, or of an earlier life, changes nothing."""
    guard = Driven().up()
    stray = e.PictureRead(
        at_ns=guard.now,
        command_id=4711,
        asked_ns=guard.now,
        positions=(a_position(),),
        open_orders=(an_order(),),
        recent_orders=(),
        margins=(),
    )
    before = guard.state
    guard.give(stray)
    assert guard.state.positions == {}
    assert guard.state.orders == {}
    assert guard.state.pictures == before.pictures


def test_a_picture_older_than_what_is_wanted_leaves_the_want() -> None:
    """The account stream came back after the read was asked: another one is needed."""
    guard = Driven()
    guard.start()
    guard.now += SECOND
    guard.connect()
    assert guard.some(ReadPicture, guard.picture())
    guard.picture()
    assert guard.state.pictures.wanted_ns == 0


def test_numbers_are_learnt_from_recent_orders() -> None:
    """P4: an old finished stop of ours in the picture: the next one gets the number after it."""
    guard = Driven()
    guard.start()
    guard.connect()
    guard.picture(recent=[a_stop("old", "sw-7-XBTUSDT-L-s41", status=OrderStatus.CANCELED)])
    assert guard.state.numbers == {"sw-7-XBTUSDT-L-s": 41}


def test_the_picture_brings_positions_orders_and_margins() -> None:
    """P2: with the streams down it is enough to cover what is open."""
    guard = Driven()
    guard.start()
    guard.picture([a_position()], [an_order("q")], margins=[a_margin(wallet_balance_sat=5)])
    assert guard.guarded().position.quantity == 100
    assert guard.state.adding == {"XBTUSDT": 1}
    assert guard.state.margins["USDt"].wallet_balance_sat == 5
    assert guard.state.was_whole


def test_a_stop_of_ours_without_any_position_becomes_a_flat_ones() -> None:
    """P7: its position went while no guard ran: kept until three witnesses agree, then cancelled."""
    guard = Driven()
    guard.start()
    guard.picture([], [a_stop("v")])
    assert guard.guarded().position.quantity == 0
    assert guard.some(CancelOrder, guard.all) == []
    guard.connect(orders=[a_stop("v")])
    guard.wait(SECOND)
    guard.picture([], [a_stop("v")])
    assert guard.some(CancelOrder, guard.all) == []
    guard.wait(SECOND)
    guard.picture([], [a_stop("v")])
    assert guard.only(CancelOrder, guard.all).order_id == "v"


def test_a_stop_that_ended_between_the_two_lists_of_a_picture_is_asked_for() -> None:
    """P1: the newest orders still show it open, the open ones, read later, do not: the other guard's one stays."""
    guard = Driven()
    guard.start()
    guard.connect()
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.ACCOUNT, reason="reset"))
    old, new = a_stop("old", "sw-7-XBTUSDT-L-s1"), a_stop("new", "sw-7-XBTUSDT-L-s2")
    guard.picture([a_position()], [new], recent=[old])
    assert guard.some(CancelOrder) == []
    assert guard.only(FindOrders).client_order_ids == ("sw-7-XBTUSDT-L-s1",)


@pytest.mark.parametrize("name", ["bot-1", "", "sw-7-XBTUSDT-L-r1", "sw-8-XBTUSDT-L-s1"])
def test_only_stops_of_ours_are_adopted(name: str) -> None:
    """P1: orders of bots, reductions, and stops of another account's guard are left alone."""
    guard = Driven().up([], [a_stop("v", name)])
    assert guard.state.positions == {}
    assert guard.some(CancelOrder, guard.all) == []


def test_a_stream_row_that_came_while_the_read_was_under_way_outranks_it() -> None:
    """P2: the read was asked before the position grew."""
    guard = Driven().up([a_position()], [a_stop("v")])
    guard.wait(31 * SECOND)
    guard.now += MS
    guard.position(a_position(300))
    guard.picture([a_position(100)], [a_stop("v")])
    assert guard.guarded().position.quantity == 300


def test_an_empty_account_is_a_picture_too() -> None:
    """Nothing open, nothing owed: whole all the same."""
    guard = Driven()
    guard.start()
    guard.picture()
    assert guard.state.was_whole
    assert guard.state.orders_known
    assert replace(guard.state.pictures, taken_ns=0).command_id is None


def test_before_the_start_nothing_is_asked() -> None:
    """Rows that come before Started are folded only."""
    guard = Driven()
    guard.give(e.FeedLive(at_ns=guard.now, feed=e.FeedName.ACCOUNT))
    assert guard.last == ()


def test_a_late_failure_of_a_read_that_was_given_up_changes_nothing() -> None:
    """The pause grows once per failure of the read that is awaited."""
    guard = Driven()
    guard.start()
    read = guard.only(ReadPicture)
    not_sent(guard, read)
    pictures = guard.state.pictures
    not_sent(guard, read)
    assert guard.state.pictures == pictures
