"""When a stop is not enough: through, stuck, incomplete."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from config.policy import Policy, StartBreach, StopPolicy
from connectors.vocabulary import Order, OrderStatus
from daemon.core import events as e
from daemon.core.commands import AmendStop, FindOrders, PlaceStop, ReadPicture, ReduceAtMarket
from daemon.core.degraded import Degraded
from daemon.core.reasons import Reason
from tests.builders import SECOND, a_position, an_order
from tests.driven import MS, Driven


def covered() -> tuple[Driven, Order]:
    """A long of 100 with its stop at 918 resting."""
    guard = Driven().up()
    guard.position(a_position())
    row = guard.rest()
    guard.wait(2 * SECOND)
    return guard, row


def test_a_position_opened_beyond_its_trigger_is_reduced_after_a_second_witness() -> None:
    """Already through: a picture is asked first, and once it agrees the position is reduced at the market."""
    guard = Driven().up(mark=910)
    commands = guard.position(a_position())
    assert guard.some(PlaceStop, commands) == []
    assert guard.only(ReadPicture, commands).reason is Reason.THROUGH_TRIGGER
    reduce = guard.only(ReduceAtMarket, guard.picture([a_position()]))
    assert reduce.quantity == 100
    assert reduce.client_order_id == "sw-7-XBTUSDT-L-r1"
    assert reduce.reason is Reason.THROUGH_TRIGGER
    assert guard.alerts("reducing")


def test_a_picture_that_shows_it_flat_stops_the_reduction() -> None:
    """Never on one message alone: the second witness does not see the position."""
    guard = Driven().up(mark=910)
    guard.position(a_position())
    assert guard.some(ReduceAtMarket, guard.picture([a_position(0)])) == []


def test_agreeing_witnesses_do_when_no_picture_can_be_had() -> None:
    """The picture fails: without any second witness nothing is sold, however long."""
    guard = Driven().up(mark=910)
    read = guard.only(ReadPicture, guard.position(a_position()))
    guard.give(e.RequestNotSent(at_ns=guard.now, command_id=read.command_id, reason="x", retry_after_ns=0))
    assert guard.some(ReduceAtMarket, guard.wait(5 * SECOND)) == []


def test_a_position_first_seen_at_start_is_not_sold() -> None:
    """P12: at the start a breach alerts and rests the nearest valid stop, half way to liquidation."""
    guard = Driven().up([a_position()], mark=910)
    assert guard.some(ReduceAtMarket, guard.all) == []
    assert guard.only(PlaceStop, guard.all).stop_price == 905
    assert len(guard.alerts("breach")) == 1


def test_a_breach_at_start_is_sold_where_policy_says_so() -> None:
    """`on_start_breach = "reduce"`."""
    guard = Driven(Policy(stop=StopPolicy(on_start_breach=StartBreach.REDUCE))).up([a_position()], mark=910)
    assert guard.only(ReduceAtMarket, guard.all).quantity == 100


def test_a_breach_heals_when_the_mark_comes_back() -> None:
    """The stand-in is moved to where the rules want it as soon as the mark allows; then a breach would be sold."""
    guard = Driven().up([a_position()], mark=910)
    row = guard.rest(guard.only(PlaceStop, guard.all))
    amend = guard.only(AmendStop, guard.mark(950))
    assert amend.stop_price is not None
    assert amend.stop_price >= 918
    guard.order(replace(row, stop_price=amend.stop_price, timestamp_ns=guard.now + 1))
    assert not guard.guarded().is_from_start


def test_no_room_for_any_stop_is_said() -> None:
    """P12: first seen at liquidation's door: worthless, a named state."""
    guard = Driven().up([a_position()], mark="900.5")
    assert guard.some(PlaceStop, guard.all) == []
    assert guard.alerts(Degraded.STOP_WORTHLESS.value)


def test_a_stuck_stop_is_helped() -> None:
    """The mark stays beyond the resting trigger and nothing fires: after `stuck_after_s` the position is reduced."""
    guard, row = covered()
    guard.mark(917)
    commands = guard.wait(1100 * MS)
    assert guard.only(ReadPicture, commands).reason is Reason.STOP_STUCK
    guard.picture([a_position()], [row])
    assert guard.some(ReduceAtMarket, guard.wait(500 * MS)) == []
    assert guard.only(ReduceAtMarket, guard.wait(500 * MS)).reason is Reason.STOP_STUCK


def test_a_mark_that_comes_back_in_time_changes_nothing() -> None:
    """A spike shorter than the patience."""
    guard, _ = covered()
    guard.mark(917)
    guard.wait(SECOND)
    guard.mark(930)
    assert guard.some(ReduceAtMarket, guard.wait(10 * SECOND)) == []


def test_a_stale_mark_never_sells() -> None:
    """Blind is not a reason to act at the market: the market stream is lost while the mark is beyond."""
    guard, _ = covered()
    guard.mark(917)
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.MARKET, reason="x"))
    assert guard.some(ReduceAtMarket, guard.wait(10 * SECOND)) == []


def fire(guard: Driven, row: Order, filled: int) -> tuple[Order, tuple[object, ...]]:
    """The venue fires the stop."""
    status = OrderStatus.FILLED if filled == 100 else OrderStatus.PARTIALLY_FILLED
    guard.mark(917)
    fired = replace(row, status=status, is_triggered=True, filled_quantity=filled, timestamp_ns=guard.now)
    return fired, guard.order(fired)


def test_a_fired_stop_is_given_time() -> None:
    """The stop filled and the position row is on its way: no second stop, no reduction, one message when flat."""
    guard, row = covered()
    _, commands = fire(guard, row, 100)
    assert guard.some(PlaceStop, commands) == []
    assert guard.some(PlaceStop, guard.wait(SECOND)) == []
    guard.position(a_position(0))
    assert len(guard.alerts("fired")) == 1
    (flat,) = guard.alerts("stopped")
    assert flat.text == "XBTUSDT is flat after our stop fired."
    assert guard.some(ReduceAtMarket, guard.all) == []


def test_a_partly_filled_stop_is_followed_up() -> None:
    """STOP_INCOMPLETE: it fired, 60 are still open after the patience: ask, then reduce those."""
    guard, row = covered()
    fire(guard, row, 40)
    guard.position(a_position(60))
    commands = guard.wait(2 * SECOND)
    assert guard.some(ReduceAtMarket, commands) == []
    assert guard.some(ReadPicture, commands)
    reduce = guard.only(ReduceAtMarket, guard.picture([a_position(60)]))
    assert reduce.quantity == 60
    assert reduce.reason is Reason.STOP_INCOMPLETE
    guard.position(a_position(0))
    (flat,) = guard.alerts("stopped")
    assert flat.text == "XBTUSDT is flat after our stop fired and 1 market reduction(s) of ours were sent."


def test_what_a_fired_stop_could_not_fill_is_reduced_at_once() -> None:
    """P2, STOP_INCOMPLETE: the venue cancelled the rest of the stop, so there is nothing to be patient for."""
    guard, row = covered()
    fired, _ = fire(guard, row, 40)
    guard.position(a_position(60))
    commands = guard.order(replace(fired, status=OrderStatus.CANCELED, timestamp_ns=guard.now + 1))
    assert guard.some(ReadPicture, commands)
    assert guard.some(PlaceStop, commands) == []
    reduce = guard.only(ReduceAtMarket, guard.picture([a_position(60)]))
    assert reduce.quantity == 60
    assert reduce.reason is Reason.STOP_INCOMPLETE


def test_reductions_go_on_with_growing_pauses_and_new_witnesses() -> None:
    """A reduction that does not empty the position is repeated, each after a newer picture, ever slower."""
    guard = Driven().up(mark=910)
    commands = [*guard.position(a_position())]
    for _ in range(60):
        for reduce in guard.some(ReduceAtMarket, commands):
            row = an_order(
                f"r-{reduce.command_id}",
                reduce.client_order_id,
                side=reduce.side,
                status=OrderStatus.CANCELED,
                is_reduce_only=True,
            )
            guard.give(e.RequestAnswered(at_ns=guard.now, command_id=reduce.command_id, order=row))
        commands = []
        if guard.state.pictures.command_id is not None:
            commands += guard.picture([a_position()])
        commands += guard.wait(250 * MS)
    sent = guard.some(ReduceAtMarket, guard.all)
    assert 3 <= len(sent) <= 9
    assert len({r.client_order_id for r in sent}) == len(sent)


def test_an_unanswered_reduction_is_asked_for_first() -> None:
    """P5: a lost reply to a market order is never met with a second one before the question."""
    guard = Driven().up(mark=910)
    guard.position(a_position())
    reduce = guard.only(ReduceAtMarket, guard.picture([a_position()]))
    commands = guard.give(e.RequestUnanswered(at_ns=guard.now, command_id=reduce.command_id, reason="x"))
    find = guard.only(FindOrders, commands)
    assert find.client_order_ids == (reduce.client_order_id,)
    assert guard.some(ReduceAtMarket, guard.wait(3 * SECOND)) == []
    guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=()))
    commands = guard.wait(5 * SECOND)
    if guard.state.pictures.command_id is not None:
        commands += guard.picture([a_position()])
    assert guard.some(ReduceAtMarket, [*guard.all])[-1].client_order_id == reduce.client_order_id


def test_a_gap_through_a_looser_stop_reduces() -> None:
    """The wanted trigger jumps beyond the mark while the stop rests lower: reduce, after a second witness."""
    guard, row = covered()
    guard.mark(940)
    near = a_position(liquidation_price=Decimal(930), entry_price=Decimal(1000))
    guard.position(near)
    assert guard.some(AmendStop, guard.all) == []
    guard.wait(SECOND)
    reduce = [*guard.picture([near], [row])]
    assert guard.only(ReduceAtMarket, [*guard.all]).reason is Reason.THROUGH_TRIGGER, reduce
