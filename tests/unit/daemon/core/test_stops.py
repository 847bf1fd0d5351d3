"""Life of a guard stop: placed, confirmed, moved, resized, replaced, cleared up."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from config.policy import ForeignStops, Policy, StopPolicy, StopStyle
from connectors.vocabulary import OrderSide, OrderStatus, Trigger
from daemon.core import events as e
from daemon.core.commands import (
    AmendStop,
    CancelOrder,
    FindOrders,
    PlaceStop,
    RaiseAlert,
    ReadPicture,
    ReduceAtMarket,
)
from daemon.core.degraded import Degraded
from daemon.core.protecting.shared import STANDS_NS
from daemon.core.reasons import Reason
from tests.builders import SECOND, a_margin, a_position, a_stop, an_instrument
from tests.driven import MS, Driven

WRITES = (PlaceStop, AmendStop, CancelOrder, ReduceAtMarket)


def covered() -> Driven:
    """A long of 100 that opened while the guard ran, and whose stop is confirmed."""
    guard = Driven().up()
    guard.position(a_position())
    guard.rest()
    return guard


def test_a_new_position_gets_its_stop_in_the_same_step() -> None:
    """P2: row in, PlaceStop out, triggered between mark and liquidation, on the closing side, for all of it."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    assert place.side is OrderSide.SELL
    assert place.quantity == 100
    assert place.stop_price == Decimal(918)
    assert place.client_order_id == "sw-7-XBTUSDT-L-s1"
    assert place.reason is Reason.COVER_MISSING


def test_a_short_gets_its_stop_above_the_mark() -> None:
    """P2: the mirror image; the trigger is rounded toward the mark."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position(-100, liquidation_price=Decimal("1100.3"))))
    assert place.side is OrderSide.BUY
    assert place.stop_price == Decimal(1078)


def test_an_answer_alone_is_not_cover() -> None:
    """P2: HTTP 200 with New is submitted; only the order stream makes it covered, once, with the time it took."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    guard.give(e.RequestAnswered(at_ns=guard.now, command_id=place.command_id, order=guard.row_of(place)))
    assert not guard.guarded().covered_ns
    guard.now += 20 * MS
    guard.order(guard.row_of(place))
    assert guard.guarded().covered_ns == guard.now
    assert dict(guard.alerts("covered")[0].facts)["took_ms"] == "20"
    assert guard.alerts("covered")[0].reason is Reason.FACT
    guard.order(guard.row_of(place))
    assert len(guard.alerts("covered")) == 1


def test_the_stream_may_confirm_before_the_answer() -> None:
    """The row overtakes the HTTP reply: covered at once, and the late reply changes nothing."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    guard.order(guard.row_of(place))
    assert guard.guarded().covered_ns
    assert guard.guarded().write is None
    commands = guard.give(e.RequestAnswered(at_ns=guard.now, command_id=place.command_id, order=guard.row_of(place)))
    assert guard.some(PlaceStop, commands) == []


def test_late_confirmation_is_asked_for() -> None:
    """A stop that the stream does not confirm in time is asked for by its id, and a query confirms as well."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    row = guard.row_of(place)
    guard.give(e.RequestAnswered(at_ns=guard.now, command_id=place.command_id, order=row))
    find = guard.only(FindOrders, guard.wait(2 * SECOND))
    assert find.client_order_ids == (place.client_order_id,)
    assert find.reason is Reason.CONFIRMATION_LATE
    guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=(row,)))
    assert guard.guarded().covered_ns


def test_an_unanswered_placement_is_asked_for_before_anything_else() -> None:
    """P5: time-out, question, not found: then the same id goes out again, never a new one."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    commands = guard.give(e.RequestUnanswered(at_ns=guard.now, command_id=place.command_id, reason="time-out"))
    assert guard.some(PlaceStop, commands) == []
    find = guard.only(FindOrders, commands)
    assert find.reason is Reason.OUTCOME_UNKNOWN
    again = guard.only(PlaceStop, guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=())))
    assert again.client_order_id == place.client_order_id


def test_an_unanswered_placement_that_rests_is_adopted() -> None:
    """P5: the reply was lost, the stop is there."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    find = guard.only(
        FindOrders, guard.give(e.RequestUnanswered(at_ns=guard.now, command_id=place.command_id, reason="x"))
    )
    commands = guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=(guard.row_of(place),)))
    assert guard.guarded().covered_ns
    assert guard.some(PlaceStop, commands) == []


def test_a_duplicate_is_never_taken_for_protection() -> None:
    """P4: the journal is lost and the id was used; probing finds it finished at 3, so the next is 4."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    find = guard.only(
        FindOrders,
        guard.give(
            e.RequestRefused(at_ns=guard.now, command_id=place.command_id, reason="Duplicate", is_duplicate=True)
        ),
    )
    assert len(find.client_order_ids) == 16
    old = a_stop("old", "sw-7-XBTUSDT-L-s3", status=OrderStatus.CANCELED, timestamp_ns=1)
    place = guard.only(PlaceStop, guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=(old,))))
    assert place.client_order_id == "sw-7-XBTUSDT-L-s4"


def test_a_duplicate_that_fired_long_ago_is_not_this_positions_stop() -> None:
    """P4: an old filled order under the id must not look as if our stop had fired now."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    find = guard.only(
        FindOrders,
        guard.give(
            e.RequestRefused(at_ns=guard.now, command_id=place.command_id, reason="Duplicate", is_duplicate=True)
        ),
    )
    old = a_stop("old", place.client_order_id, status=OrderStatus.FILLED, filled_quantity=100, timestamp_ns=1)
    place = guard.only(PlaceStop, guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=(old,))))
    assert guard.guarded().fired_ns == 0
    assert place.client_order_id == "sw-7-XBTUSDT-L-s2"


def test_a_memory_longer_than_its_answers_is_skipped() -> None:
    """P4: refused as duplicate, yet no order of the id is shown: the numbers probed are skipped."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    find = guard.only(
        FindOrders,
        guard.give(
            e.RequestRefused(at_ns=guard.now, command_id=place.command_id, reason="Duplicate", is_duplicate=True)
        ),
    )
    place = guard.only(PlaceStop, guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=())))
    assert place.client_order_id == "sw-7-XBTUSDT-L-s17"


def test_a_200_with_a_cancelled_row_is_read_again_and_retried() -> None:
    """P12: a 200 carrying Canceled is a refusal: picture, pause, next number, and it is said."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    row = guard.row_of(place, status=OrderStatus.CANCELED, text="Canceled: no reason")
    commands = guard.give(e.RequestAnswered(at_ns=guard.now, command_id=place.command_id, order=row))
    assert guard.some(ReadPicture, commands) or guard.state.pictures.wanted_ns
    assert guard.some(PlaceStop, commands) == []
    assert guard.alerts(Degraded.COVER_REFUSED.value)
    again = guard.only(PlaceStop, guard.wait(600 * MS))
    assert again.client_order_id == "sw-7-XBTUSDT-L-s2"


def test_refusals_grow_the_pause_and_are_said_once() -> None:
    """P12: a venue that keeps refusing is a named state, not a flood of requests or messages."""
    guard = Driven().up()
    commands = [*guard.position(a_position())]
    for _ in range(60):
        for place in guard.some(PlaceStop, commands):
            guard.give(e.RequestRefused(at_ns=guard.now, command_id=place.command_id, reason="10 stops per contract"))
        commands = []
        if guard.state.pictures.command_id is not None:
            commands += guard.picture([a_position()])
        commands += guard.wait(500 * MS)
    places = guard.some(PlaceStop, guard.all)
    assert 5 <= len(places) <= 12
    assert len(guard.alerts(Degraded.COVER_REFUSED.value)) == 1
    assert len(guard.alerts(Degraded.UNCOVERED.value)) == 1


def test_a_vanished_stop_is_put_back_at_once() -> None:
    """P2: somebody cancelled it (or the switch fired): the next number rests again in the same step, and it is said."""
    guard = covered()
    guard.wait(5 * SECOND)
    row = next(iter(guard.state.orders["XBTUSDT"].values())).order
    commands = guard.order(replace(row, status=OrderStatus.CANCELED, timestamp_ns=guard.now))
    assert guard.only(PlaceStop, commands).client_order_id == "sw-7-XBTUSDT-L-s2"
    assert guard.alerts("vanished")
    assert len(guard.alerts("covered")) == 1
    guard.now += 30 * MS
    guard.rest(guard.only(PlaceStop, commands))
    again = guard.alerts("covered")[1]
    assert "covered again" in again.text
    assert dict(again.facts)["took_ms"] == "31"
    guard.wait(60 * SECOND)
    assert len(guard.alerts("covered")) == 2


def test_growth_amends_the_quantity_in_place() -> None:
    """P2: the position grows, its stop follows without a second one."""
    guard = covered()
    amend = guard.only(AmendStop, guard.position(a_position(250)))
    assert amend.quantity == 250
    assert amend.stop_price is None
    assert amend.reason is Reason.COVER_TOO_SMALL


def test_growth_with_a_safer_liquidation_does_not_loosen() -> None:
    """P3: added to at a lower leverage, the rules would loosen; the tighter trigger stays."""
    guard = covered()
    amend = guard.only(AmendStop, guard.position(a_position(250, liquidation_price=Decimal(800))))
    assert amend.stop_price is None
    assert guard.guarded().ratchet == 918


def test_a_nearer_liquidation_tightens_a_step_ahead() -> None:
    """P3: liquidation comes nearer: the stop moves toward the mark, a little beyond what is needed."""
    guard = covered()
    amend = guard.only(AmendStop, guard.position(a_position(liquidation_price=Decimal(920))))
    assert amend.stop_price is not None
    assert Decimal("938.4") <= amend.stop_price <= Decimal(940)
    assert amend.reason is Reason.COVER_TOO_FAR


def test_a_shrunk_position_leaves_its_stop_alone() -> None:
    """A reduce-only stop that is too large is harmless and is left to the venue."""
    guard = covered()
    assert guard.some(AmendStop, guard.position(a_position(40))) == []
    assert guard.guarded().covered_ns


def _cut(guard: Driven, *, read: int) -> list[int | None]:
    """The sizes that the stop is amended to while the stream says 40 for slow cycles, and reads say `read`."""
    cut: list[AmendStop] = []
    guard.position(a_position(40))
    for _ in range(64):
        cut += guard.some(AmendStop, guard.wait(SECOND))
        if guard.state.pictures.command_id is not None:
            cut += guard.some(AmendStop, guard.picture([a_position(read)], [guard_order(guard)]))
        cut += guard.some(AmendStop, guard.position(a_position(40)))
    return [each.quantity for each in cut]


def test_a_stop_that_stays_too_large_is_cut_although_rows_keep_coming() -> None:
    """The venue sends a row with every move of the mark: the size has stood for a slow cycle all the same."""
    assert _cut(covered(), read=40) == [40]


def test_a_stop_is_not_cut_on_a_read_of_a_while_ago() -> None:
    """P1: the position may have grown since, and the stream tells nothing any more."""
    guard = covered()
    guard.position(a_position(40))
    guard.wait(29 * SECOND)
    guard.picture([a_position(40)], [guard_order(guard)])
    guard.wait(20 * SECOND)
    guard.position(a_position(40))
    assert not guard.some(AmendStop, guard.all)


def test_a_stop_is_not_cut_to_a_size_that_one_witness_tells_alone() -> None:
    """P1: the stream says 40 for longer than a slow cycle, reads say 100 as ever: the stop stays for 100."""
    assert _cut(covered(), read=100) == []


def test_flat_needs_three_witnesses_before_the_stop_goes() -> None:
    """The stream says zero: the stop is left until a read of position and margin agrees, then cancelled."""
    guard = covered()
    commands = guard.position(a_position(0))
    assert guard.some(CancelOrder, commands) == []
    guard.wait(SECOND)
    commands = guard.picture([a_position(0)], [guard_order(guard)], margins=[a_margin()])
    cancel = guard.only(CancelOrder, commands)
    assert cancel.reason is Reason.COVER_NEEDLESS


def guard_order(guard: Driven) -> object:
    """The one order that is open."""
    return next(iter(guard.state.orders["XBTUSDT"].values())).order


def test_an_empty_picture_alone_is_not_flat() -> None:
    """A picture without the position contradicts a live stream: doubt, another picture, and the stop stays."""
    guard = covered()
    guard.wait(31 * SECOND)
    commands = guard.picture([], [guard_order(guard)])
    assert guard.guarded().position.quantity == 100
    assert guard.some(CancelOrder, commands) == []
    assert guard.some(CancelOrder, guard.wait(2 * SECOND)) == []


def test_a_turned_position_gets_its_own_stop_and_loses_the_old() -> None:
    """Long to short in one row: the new stop at once, the old one cancelled when both witnesses agree."""
    guard = covered()
    old = guard_order(guard)
    place = guard.only(PlaceStop, guard.position(a_position(-100)))
    assert place.side is OrderSide.BUY
    assert place.client_order_id == "sw-7-XBTUSDT-S-s1"
    guard.rest(place)
    guard.wait(SECOND)
    new = guard.row_of(place)
    commands = guard.picture([a_position(-100)], [old, new])
    assert guard.only(CancelOrder, commands).order_id == old.order_id


def test_two_of_ours_keep_the_nearer() -> None:
    """P4: surplus after a race: the stop nearest the mark stays, the other is cancelled."""
    guard = Driven().up(
        [a_position()], [a_stop("a", "sw-7-XBTUSDT-L-s1"), a_stop("b", "sw-7-XBTUSDT-L-s2", stop_price=Decimal(925))]
    )
    cancel = guard.only(CancelOrder, guard.all)
    assert cancel.order_id == "a"
    assert cancel.reason is Reason.COVER_SURPLUS
    assert guard.guarded().ratchet == 925


def test_our_stop_with_the_wrong_trigger_is_replaced_before_it_goes() -> None:
    """P4: it reads back as last-price triggered: a second is placed and confirmed before the wrong one is cancelled."""
    wrong = a_stop("w", trigger=Trigger.LAST)
    guard = Driven().up([a_position()], [wrong])
    place = guard.only(PlaceStop, guard.all)
    assert place.reason is Reason.COVER_WRONG
    assert guard.some(CancelOrder, guard.all) == []
    guard.rest(place)
    assert guard.only(CancelOrder, guard.wait(STANDS_NS)).order_id == "w"


def test_a_change_of_style_replaces_make_before_break() -> None:
    """P4: policy asks for Close stops, a reduce-only one rests: new first, then the old one goes."""
    guard = Driven(Policy(stop=StopPolicy(style=StopStyle.CLOSE))).up([a_position()], [a_stop("w")])
    place = guard.only(PlaceStop, guard.all)
    assert place.quantity is None
    assert guard.guarded().covered_ns
    guard.rest(place)
    assert guard.only(CancelOrder, guard.wait(STANDS_NS)).order_id == "w"


def test_a_foreign_stop_counts_under_adopt() -> None:
    """P2: a sufficient stop of somebody else is enough under `adopt`, and is never touched."""
    foreign = a_stop("f", "their-own")
    guard = Driven(Policy(stop=StopPolicy(foreign=ForeignStops.ADOPT))).up([a_position()], [foreign])
    assert guard.some(PlaceStop, guard.all) == []
    assert guard.guarded().covered_ns
    commands = guard.order(replace(foreign, status=OrderStatus.CANCELED))
    assert guard.only(PlaceStop, commands)


@pytest.mark.parametrize(
    "changes",
    [
        {"trigger": Trigger.LAST},
        {"is_reduce_only": False},
        {"side": OrderSide.BUY},
        {"stop_price": Decimal(905)},
        {"stop_price": Decimal(890)},
        {"quantity": 50},
        {"is_triggered": True},
        {"status": OrderStatus.PENDING},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_an_insufficient_foreign_stop_is_complemented(changes: dict[str, object]) -> None:
    """P2: wrong trigger, side, kind, place or size: it does not count."""
    foreign = a_stop("f", "their-own", **changes)
    guard = Driven(Policy(stop=StopPolicy(foreign=ForeignStops.ADOPT))).up([a_position()], [foreign])
    assert guard.only(PlaceStop, guard.all).quantity == 100


def test_a_foreign_stop_is_complemented_under_own() -> None:
    """P2: the default adds ours beside theirs."""
    guard = Driven().up([a_position()], [a_stop("f", "their-own")])
    assert guard.only(PlaceStop, guard.all)


def test_a_stop_of_ours_without_a_position_is_cleared_at_start() -> None:
    """The position went while no guard ran: both witnesses say so, and the orphan is cancelled."""
    guard = Driven().up([], [a_stop()])
    assert guard.only(CancelOrder, guard.all).reason is Reason.COVER_NEEDLESS


def test_a_position_too_large_for_one_order_gets_a_close_stop() -> None:
    """P2: beyond the contract's largest order only a Close stop holds the whole."""
    guard = Driven().up()
    guard.give(e.InstrumentSeen(at_ns=guard.now, instrument=an_instrument(max_order_quantity=50)))
    place = guard.only(PlaceStop, guard.position(a_position()))
    assert place.quantity is None


def test_observing_sends_nothing_and_says_what_it_would_do() -> None:
    """Observe: no write ever, one message per intention."""
    guard = Driven(Policy(observe=True)).up()
    guard.position(a_position())
    guard.mark(905)
    guard.wait(10 * SECOND)
    assert [c for c in guard.all if isinstance(c, WRITES)] == []
    said = guard.alerts("observed")
    assert len(said) == 2
    assert "918" in said[0].text


def test_reconciling_again_asks_for_nothing() -> None:
    """Level-triggered: the same facts once more lead to no write and no message."""
    guard = covered()
    row = guard_order(guard)
    guard.wait(31 * SECOND)
    commands = [*guard.picture([a_position()], [row]), *guard.position(a_position()), *guard.order(row)]
    assert [c for c in commands if isinstance(c, (*WRITES, RaiseAlert, FindOrders))] == []


def test_a_stop_missing_from_a_list_is_asked_for_not_replaced() -> None:
    """P5: after a reconnect the list lacks our stop: the venue is asked by id before a second is placed."""
    guard = covered()
    row = guard_order(guard)
    guard.now += MS
    commands = guard.give(e.OrdersListed(at_ns=guard.now, orders=()))
    find = guard.only(FindOrders, commands)
    assert guard.some(PlaceStop, commands) == []
    guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=(row,)))
    assert guard.guarded().covered_ns


def test_a_stop_that_only_a_read_shows_again_takes_no_other_away() -> None:
    """P1: the live table has the second guard's stop instead of ours; the copy that is asked still shows ours."""
    guard = covered()
    row, new = guard_order(guard), a_stop("new", "sw-7-XBTUSDT-L-s2", stop_price=Decimal(918))
    guard.now += MS
    find = guard.only(FindOrders, guard.give(e.OrdersListed(at_ns=guard.now, orders=(new,))))
    guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=(row,)))
    assert guard.only(CancelOrder, guard.wait(STANDS_NS)).order_id == row.order_id


def test_a_stop_that_nobody_knows_any_more_is_put_back() -> None:
    """The list lacks it and the question finds nothing: gone, so the next number is placed."""
    guard = covered()
    guard.now += MS
    find = guard.only(FindOrders, guard.give(e.OrdersListed(at_ns=guard.now, orders=())))
    place = guard.only(PlaceStop, guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=())))
    assert place.client_order_id == "sw-7-XBTUSDT-L-s2"


def test_an_amend_refused_on_the_stream_is_asked_for() -> None:
    """P5: the stream says the amend failed; the order is asked for, and after a pause another is placed beside it."""
    guard = covered()
    amend = guard.only(AmendStop, guard.position(a_position(250)))
    row = guard_order(guard)
    refused = e.RequestRefusedOnStream(
        at_ns=guard.now, client_order_id=amend.client_order_id, order_id=amend.order_id, reason="Invalid"
    )
    find = guard.only(FindOrders, guard.give(refused))
    guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=(row,)))
    assert guard.only(PlaceStop, guard.wait(SECOND)).quantity == 250


def test_nothing_is_forgotten_too_early_nor_kept_for_ever() -> None:
    """A flat position is remembered for a minute, then everything about it is let go."""
    guard = Driven().up()
    guard.position(a_position())
    row = guard.rest()
    guard.position(a_position(0))
    guard.order(replace(row, status=OrderStatus.CANCELED, timestamp_ns=guard.now))
    guard.wait(SECOND)
    assert "XBTUSDT" in guard.state.positions
    guard.wait(70 * SECOND)
    assert guard.state.positions == {}
    assert guard.state.orders == {}
    assert guard.state.finished == {}
    assert guard.state.bands == {}


def test_a_position_is_covered_while_the_public_stream_is_down() -> None:
    """P2: the row has a mark of its own: nothing waits for a fresh market."""
    guard = Driven().up()
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.MARKET, reason="closed"))
    place = guard.only(PlaceStop, guard.position(a_position(mark_price=Decimal(1000))))
    guard.rest(place)
    assert guard.guarded().covered_ns
