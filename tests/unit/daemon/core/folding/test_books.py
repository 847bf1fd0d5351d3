"""Order rows, late, repeated or out of order: what is believed of them, and what became of ours."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from config.policy import Policy, StopPolicy, StopStyle
from connectors.vocabulary import Execution, ExecutionKind, Order, OrderKind, OrderStatus
from daemon.core import events as e
from daemon.core.adding import may_add_exposure
from daemon.core.commands import AmendStop, CancelOrder, FindOrders, PlaceStop, ReduceAtMarket
from daemon.core.memory.under_way import PendingKind
from daemon.core.memory.witnesses import KnownOrder
from daemon.core.protecting.shared import STANDS_NS
from tests.builders import SECOND, START_NS, a_position, a_stop, an_order
from tests.driven import MS, Driven


def placing() -> tuple[Driven, PlaceStop]:
    """A long whose stop has just been asked for."""
    guard = Driven().up()
    return guard, guard.only(PlaceStop, guard.position(a_position()))


def covered() -> tuple[Driven, Order]:
    """A long of 100 whose stop has rested for two seconds."""
    guard, place = placing()
    row = guard.rest(place)
    guard.wait(2 * SECOND)
    return guard, row


def queried(guard: Driven, row: Order) -> tuple[object, ...]:
    """A query shows an order."""
    return guard.give(e.OrderSeen(at_ns=guard.now, order=row, source=e.Source.QUERY))


def known(guard: Driven, order_id: str) -> KnownOrder:
    """What is known of an order."""
    return guard.state.orders["XBTUSDT"][order_id]


# ---------------------------------------------------------------------- which row is believed


def test_the_newer_stamp_wins_whoever_brings_it() -> None:
    """Out of order: an older row, from the stream or a query, changes nothing."""
    guard = Driven().up()
    guard.order(an_order(leaves_quantity=60, timestamp_ns=START_NS + 2))
    guard.order(an_order(leaves_quantity=100, timestamp_ns=START_NS + 1))
    queried(guard, an_order(leaves_quantity=100, timestamp_ns=START_NS + 1))
    assert known(guard, "o-1").order.leaves_quantity == 60
    queried(guard, an_order(leaves_quantity=30, timestamp_ns=START_NS + 3))
    assert known(guard, "o-1").order.leaves_quantity == 30


def test_an_order_that_ended_never_comes_back() -> None:
    """A picture that was read before it ended, a repeated row: finished stays finished, for a minute and more."""
    guard = Driven().up()
    quote = an_order()
    guard.order(quote)
    guard.order(replace(quote, status=OrderStatus.CANCELED, timestamp_ns=START_NS + 1))
    guard.order(quote)
    queried(guard, replace(quote, timestamp_ns=START_NS + 2))
    assert guard.state.orders == {}
    assert guard.state.adding == {}


def test_a_finished_row_is_the_last_word_whatever_its_stamp() -> None:
    """The venue's clocks differ by a little between its machines."""
    guard = Driven().up()
    guard.order(an_order(timestamp_ns=START_NS + 5))
    guard.order(an_order(status=OrderStatus.FILLED, timestamp_ns=START_NS + 1))
    assert guard.state.orders == {}


def test_orders_of_another_account_are_nobodys() -> None:
    """A key that sees subaccounts."""
    guard = Driven().up()
    guard.order(an_order(account=8))
    assert guard.state.orders == {}


def test_an_answer_never_takes_confirmation_back() -> None:
    """P2: the stream confirmed first; the late HTTP row says no more than that."""
    guard, place = placing()
    row = guard.row_of(place)
    guard.order(row)
    later = replace(row, timestamp_ns=row.timestamp_ns + 1)
    guard.give(e.RequestAnswered(at_ns=guard.now, command_id=place.command_id, order=later))
    assert known(guard, row.order_id).is_confirmed


def test_a_repeated_row_ends_a_doubt() -> None:
    """P5: a list left it out; an equal or older row from anywhere shows that it is there."""
    guard, row = covered()
    guard.now += MS
    guard.give(e.OrdersListed(at_ns=guard.now, orders=()))
    assert known(guard, row.order_id).is_doubted
    queried(guard, replace(row, timestamp_ns=row.timestamp_ns - 1))
    assert not known(guard, row.order_id).is_doubted


# ---------------------------------------------------------------------- whole lists


def test_what_a_list_leaves_out_is_gone_if_it_is_not_ours() -> None:
    """A bot's quote went while the stream was down: dropped, and the switch need not be fed for it."""
    guard = Driven().up(orders=[an_order()])
    assert guard.state.adding == {"XBTUSDT": 1}
    guard.now += MS
    guard.give(e.OrdersListed(at_ns=guard.now, orders=()))
    assert guard.state.orders == {}
    assert guard.state.adding == {}


def test_what_a_list_leaves_out_is_doubted_if_it_is_ours() -> None:
    """P5: cover is not taken as lost, nor as there, before the venue was asked."""
    guard, row = covered()
    guard.now += MS
    assert guard.some(FindOrders, guard.give(e.OrdersListed(at_ns=guard.now, orders=())))
    assert known(guard, row.order_id).is_doubted
    assert not guard.guarded().covered_ns


def test_orders_heard_of_since_a_list_was_asked_for_are_not_judged_by_it() -> None:
    """The stop was placed while the picture was on its way."""
    guard = Driven().up()
    guard.wait(31 * SECOND)
    guard.now += MS
    row = guard.rest(guard.only(PlaceStop, guard.position(a_position())))
    guard.picture([a_position()], [])
    assert not known(guard, row.order_id).is_doubted
    assert guard.guarded().covered_ns


def test_the_first_list_lets_waiting_positions_be_covered() -> None:
    """P4: before it, and before the first picture, ids and stops of ours may be unknown: nothing is placed."""
    guard = Driven()
    guard.start()
    guard.give(e.FeedLive(at_ns=guard.now, feed=e.FeedName.MARKET))
    guard.connect(orders=())
    early = Driven()
    early.start()
    early.give(e.InstrumentSeen(at_ns=early.now, instrument=guard.state.instruments["XBTUSDT"]))
    assert early.some(PlaceStop, early.position(a_position())) == []
    assert early.some(PlaceStop, early.give(e.OrdersListed(at_ns=early.now, orders=()))) == []
    assert early.only(PlaceStop, early.picture((a_position(),)))


def test_a_first_picture_that_does_not_come_keeps_nothing_naked() -> None:
    """P2: three seconds after the start a stop is placed under the first id, whatever was read."""
    guard = Driven()
    guard.start()
    guard.connect((a_position(),))
    assert guard.some(PlaceStop) == []
    assert guard.only(PlaceStop, guard.wait(3 * SECOND))


@pytest.mark.parametrize(
    ("changes", "adds"),
    [
        ({}, True),
        ({"is_reduce_only": True}, False),
        ({"is_close": True}, False),
        ({"status": OrderStatus.PENDING}, True),
        ({"kind": OrderKind.MARKET, "price": None}, False),
        ({"kind": OrderKind.MARKET, "price": None, "status": OrderStatus.PENDING}, True),
    ],
)
def test_what_may_add_exposure(changes: dict[str, object], adds: bool) -> None:
    """P6: anything that can rest and is not reduce-only or Close, pending ones too; counted per symbol."""
    order = an_order(**changes)
    assert may_add_exposure(order) is adds
    assert Driven().up(orders=[order]).state.adding == ({"XBTUSDT": 1} if adds else {})


def test_what_the_venue_does_not_know_when_asked_is_dropped() -> None:
    """P5: left out of the list, and not found by its id: gone, and replaced under the next number."""
    guard, row = covered()
    guard.now += MS
    find = guard.only(FindOrders, guard.give(e.OrdersListed(at_ns=guard.now, orders=())))
    commands = guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=()))
    assert row.order_id not in guard.state.orders.get("XBTUSDT", {})
    assert guard.only(PlaceStop, commands).client_order_id == "sw-7-XBTUSDT-L-s2"


# ---------------------------------------------------------------------- denied by reads alone


def denied(guard: Driven) -> tuple[object, ...]:
    """A picture leaves out every stop, and so does the question that follows."""
    guard.wait(31 * SECOND)
    guard.picture([a_position()])
    return answered_nothing(guard)


def answered_nothing(guard: Driven) -> tuple[object, ...]:
    """The question that was asked last shows no order."""
    find = guard.only(FindOrders)
    guard.now += MS
    return guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=()))


def test_reads_alone_deny_a_stop_and_never_make_room_for_a_third() -> None:
    """P4: a copy that lags behind shows neither the stop nor its replacement; both may rest."""
    guard, row = covered()
    second = guard.rest(guard.only(PlaceStop, denied(guard)))
    cancel = guard.only(CancelOrder, guard.wait(STANDS_NS))
    assert cancel.order_id == row.order_id
    guard.give(e.RequestRefused(at_ns=guard.now, command_id=cancel.command_id, reason="no", is_duplicate=False))
    for _ in range(50):
        guard.wait(SECOND)
        if guard.state.pictures.command_id is not None:
            guard.picture([a_position()])
        for command_id in [n for n, each in guard.state.pending.items() if each.kind is PendingKind.FIND]:
            guard.give(e.OrdersFound(at_ns=guard.now, command_id=command_id, orders=()))
    placed = [place.client_order_id for place in guard.some(PlaceStop, guard.all)]
    assert placed == ["sw-7-XBTUSDT-L-s1", "sw-7-XBTUSDT-L-s2"]
    assert known(guard, row.order_id).denied_ns
    assert known(guard, second.order_id).denied_ns


def test_a_denied_stop_goes_once_its_replacement_rests() -> None:
    """P4: the engine is asked by a cancel, which finds nothing: two words, and it is forgotten."""
    guard, row = covered()
    guard.rest(guard.only(PlaceStop, denied(guard)))
    cancel = guard.only(CancelOrder, guard.wait(STANDS_NS))
    assert cancel.order_id == row.order_id
    guard.give(e.RequestAnswered(at_ns=guard.now, command_id=cancel.command_id, order=None))
    assert row.order_id not in guard.state.orders["XBTUSDT"]
    assert not guard.some(FindOrders)


def test_a_denied_stop_that_the_stream_lists_anew_counts_again() -> None:
    """P2: the stream was opened anew and shows it."""
    guard, row = covered()
    denied(guard)
    assert not guard.guarded().covered_ns
    guard.now += MS
    guard.give(e.OrdersListed(at_ns=guard.now, orders=(row,)))
    assert known(guard, row.order_id).is_settled
    assert guard.guarded().covered_ns


def test_a_denied_stop_that_the_stream_does_not_list_anew_is_gone() -> None:
    """P4: both witnesses say so."""
    guard, row = covered()
    denied(guard)
    guard.now += MS
    guard.give(e.OrdersListed(at_ns=guard.now, orders=()))
    assert row.order_id not in guard.state.orders.get("XBTUSDT", {})


def test_a_stop_that_every_read_denies_for_long_is_gone() -> None:
    """P2: the stream stays away; a position is not left naked for the sake of what may rest."""
    guard, row = covered()
    place = guard.only(PlaceStop, denied(guard))
    guard.give(e.RequestRefused(at_ns=guard.now, command_id=place.command_id, reason="no", is_duplicate=False))
    for _ in range(3):
        guard.wait(31 * SECOND)
        if guard.state.pictures.command_id is not None:
            guard.picture([a_position()])
    assert row.order_id not in guard.state.orders.get("XBTUSDT", {})


# ---------------------------------------------------------------------- our own


@pytest.mark.parametrize("status", [OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED])
def test_a_row_settles_the_placement_that_it_shows(status: OrderStatus) -> None:
    """P5: seen by its client order id, in whatever state but pending."""
    guard, place = placing()
    guard.order(guard.row_of(place, status=OrderStatus.PENDING))
    assert guard.guarded().write is not None
    guard.order(guard.row_of(place, status=status, timestamp_ns=guard.now + 1))
    write = guard.guarded().write
    assert write is None or write.command_id != place.command_id


def test_an_amend_is_settled_only_by_a_row_that_shows_it() -> None:
    """P5: a row as before the amend, then with the new size."""
    guard, row = covered()
    amend = guard.only(AmendStop, guard.position(a_position(250)))
    guard.order(replace(row, timestamp_ns=row.timestamp_ns + 1))
    assert guard.guarded().write is not None
    guard.order(replace(row, quantity=amend.quantity, timestamp_ns=row.timestamp_ns + 2))
    assert guard.guarded().write is None
    assert guard.guarded().covered_ns


def test_an_amended_trigger_is_settled_by_that_trigger() -> None:
    """P3: the ratchet follows what the stream shows, not what was asked for."""
    guard, row = covered()
    amend = guard.only(AmendStop, guard.position(a_position(liquidation_price=Decimal(920))))
    assert amend.stop_price is not None
    assert guard.guarded().ratchet == row.stop_price
    guard.order(replace(row, stop_price=amend.stop_price, timestamp_ns=row.timestamp_ns + 1))
    assert guard.guarded().write is None
    assert guard.guarded().ratchet == amend.stop_price


def test_a_cancel_is_settled_by_the_end_of_the_order_alone() -> None:
    """P5: still open in a late row: the cancel may yet arrive."""
    guard = Driven().up([a_position()], [a_stop("a"), a_stop("b", "sw-7-XBTUSDT-L-s2")])
    cancel = guard.only(CancelOrder, guard.all)
    row = known(guard, cancel.order_id).order
    guard.order(replace(row, timestamp_ns=START_NS + 1))
    assert guard.guarded().write is not None
    guard.order(replace(row, status=OrderStatus.CANCELED, timestamp_ns=START_NS + 2))
    assert guard.guarded().write is None


def test_a_fired_stop_is_told_once() -> None:
    """P10: triggered, then filled in parts: one message."""
    guard, row = covered()
    for n, changes in enumerate(({"is_triggered": True}, {"is_triggered": True, "filled_quantity": 50}), start=1):
        guard.order(replace(row, timestamp_ns=row.timestamp_ns + n, **changes))
    assert guard.guarded().fired_ns == guard.now
    assert len(guard.alerts("fired")) == 1


def test_an_old_fired_stop_of_ours_in_a_picture_is_no_news() -> None:
    """P7: its stamp lies long before this position became known."""
    guard = Driven()
    guard.start()
    guard.connect([a_position()])
    old = a_stop("old", "sw-7-XBTUSDT-L-s9", status=OrderStatus.FILLED, filled_quantity=100, timestamp_ns=1)
    guard.picture([a_position()], recent=[old])
    assert guard.guarded().fired_ns == 0
    assert guard.alerts("fired") == []


def test_a_fired_stop_of_the_other_direction_is_not_this_positions() -> None:
    """The short's stop filled and the row of the new long was there first."""
    guard, _ = covered()
    other = a_stop("x", "sw-7-XBTUSDT-S-s1", side=next(s for s in type(a_stop().side) if s is not a_stop().side))
    guard.order(replace(other, status=OrderStatus.FILLED, filled_quantity=100, timestamp_ns=guard.now))
    assert guard.guarded().fired_ns == 0


def test_a_stop_that_ends_as_soon_as_it_rests_is_put_back_with_a_pause() -> None:
    """P8: somebody cancels each at once: growing pauses, not a race."""
    guard, place = placing()
    row = guard.rest(place)
    commands = guard.order(replace(row, status=OrderStatus.CANCELED, timestamp_ns=guard.now))
    assert guard.some(PlaceStop, commands) == []
    assert guard.some(PlaceStop, guard.wait(600 * MS))


def test_a_stop_that_ends_before_it_ever_rests_is_told_as_a_refusal() -> None:
    """P12: the stream brings the dead row, the answer is still on its way: the venue's words are kept."""
    guard, place = placing()
    row = guard.row_of(place, status=OrderStatus.REJECTED, text="Account has insufficient Available Balance")
    assert guard.some(PlaceStop, guard.order(row)) == []
    assert "insufficient" in guard.alerts("cover_refused")[0].text
    assert guard.some(PlaceStop, guard.wait(600 * MS))


def test_a_stop_that_had_rested_is_put_back_at_once() -> None:
    """P2: the dead man's switch, or somebody's cancel-all."""
    guard, row = covered()
    assert guard.only(PlaceStop, guard.order(replace(row, status=OrderStatus.CANCELED, timestamp_ns=guard.now)))


def test_a_reduction_seen_filled_is_settled() -> None:
    """P5: the stream shows the end of our market order before its answer comes."""
    guard, row = covered()
    guard.order(replace(row, is_triggered=True, timestamp_ns=guard.now))
    commands: list[object] = []
    while not guard.some(ReduceAtMarket, commands):
        commands = [*guard.wait(250 * MS)]
        if guard.state.pictures.command_id is not None:
            commands += guard.picture([a_position()], [replace(row, is_triggered=True, timestamp_ns=guard.now)])
    reduce = guard.only(ReduceAtMarket, commands)
    filled = an_order("r", reduce.client_order_id, side=reduce.side, is_reduce_only=True, timestamp_ns=guard.now)
    guard.order(filled)
    assert guard.guarded().reduce is not None
    guard.order(replace(filled, status=OrderStatus.FILLED, timestamp_ns=guard.now + 1))
    assert guard.guarded().reduce is None
    assert guard.guarded().reduced_ns == guard.now


def test_a_stop_of_ours_without_any_position_is_only_kept() -> None:
    """P7: its row comes before the position's: no write to settle, nothing to tell."""
    guard = Driven().up()
    guard.order(a_stop("v"))
    assert known(guard, "v").is_confirmed
    assert guard.alerts("fired") == []


def test_a_replacement_that_the_venue_refuses_late_takes_nothing_away() -> None:
    """P1: it is told as resting and, a moment later, as rejected: the stop that it was to replace has not gone."""
    guard = Driven(Policy(stop=StopPolicy(style=StopStyle.CLOSE))).up([a_position()], [a_stop("w")])
    row = guard.rest(guard.only(PlaceStop, guard.all))
    assert guard.guarded().covered_ns
    guard.now += STANDS_NS - MS
    guard.order(replace(row, status=OrderStatus.REJECTED, timestamp_ns=guard.now))
    guard.wait(5 * SECOND)
    assert guard.some(CancelOrder, guard.all) == []
    assert guard.guarded().covered_ns
    assert len(guard.some(PlaceStop, guard.all)) > 1


def _told_ended(guard: Driven, row: Order) -> tuple[object, ...]:
    """An execution tells that an order was cancelled."""
    execution = Execution(
        execution_id="x-1",
        order_id=row.order_id,
        client_order_id=row.client_order_id,
        account=row.account,
        symbol=row.symbol,
        kind=ExecutionKind.ENDED,
        side=row.side,
        quantity=0,
        price=None,
    )
    return guard.give(e.ExecutionSeen(at_ns=guard.now, execution=execution))


def test_a_stop_whose_end_only_an_execution_tells_is_put_back() -> None:
    """P2: its own row was unreadable, and reads come from a copy that lags behind: half a second, and another rests."""
    guard, row = covered()
    assert not guard.some(PlaceStop, _told_ended(guard, row))
    queried(guard, row)
    assert not guard.some(PlaceStop, guard.wait(400 * MS))
    place = guard.only(PlaceStop, guard.wait(200 * MS))
    assert place.client_order_id == "sw-7-XBTUSDT-L-s2"
    guard.rest(place)
    queried(guard, replace(row, timestamp_ns=guard.now))
    assert [known.order.client_order_id for known in guard.state.orders["XBTUSDT"].values()] == [place.client_order_id]


def test_the_row_itself_needs_no_waiting_and_is_heeded_once() -> None:
    """P4: execution first, the row a moment later: one stop is put back, and none half a second after."""
    guard, row = covered()
    _told_ended(guard, row)
    guard.now += 5 * MS
    place = guard.only(PlaceStop, guard.order(replace(row, status=OrderStatus.CANCELED, timestamp_ns=guard.now)))
    guard.rest(place)
    assert not guard.some(PlaceStop, guard.wait(2 * SECOND))


def test_a_row_that_is_older_than_its_end_does_not_bring_an_order_back() -> None:
    """P2: amended and cancelled in one breath: the row of the amendment comes after the word of the end."""
    guard, row = covered()
    _told_ended(guard, row)
    guard.order(replace(row, quantity=150, timestamp_ns=row.timestamp_ns + 1))
    assert guard.some(PlaceStop, guard.wait(SECOND))


def test_the_end_of_somebody_elses_order_is_told_by_its_row_alone() -> None:
    """A bot's order: what protects does not hang on it, and its row comes."""
    guard, _ = covered()
    theirs = an_order("o-9", "mm-1")
    guard.order(theirs)
    _told_ended(guard, theirs)
    guard.wait(SECOND)
    assert "o-9" in guard.state.orders["XBTUSDT"]
