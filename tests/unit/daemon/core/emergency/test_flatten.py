"""Flatten: closes, proves, and only then takes the stops away; and keeps it that way."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest

from config.policy import Policy
from connectors.vocabulary import Execution, ExecutionKind, Order, OrderKind, OrderSide, OrderStatus, Position, Trigger
from daemon.core import events as e
from daemon.core.choke_point.danger import refusal
from daemon.core.commands import CancelOrder, CancelOrders, FindOrders, NamedOrder, PlaceStop, ReduceAtMarket
from daemon.core.operator_requests import FlattenAsked, LiftLatch
from daemon.core.reasons import Reason
from tests.builders import ACCOUNT, SECOND, a_position, an_instrument, an_order
from tests.driven import MS, Driven
from tests.unit.daemon.core.restraint.test_latches import ask


def flat(row: Position) -> Position:
    """The same position, gone."""
    return replace(row, quantity=0, liquidation_price=None)


def filled(guard: Driven, close: ReduceAtMarket, quantity: int, *, status: OrderStatus = OrderStatus.FILLED) -> None:
    """The close is answered and seen on the stream."""
    row = an_order(
        f"v-{close.client_order_id}",
        close.client_order_id,
        side=close.side,
        kind=OrderKind.MARKET,
        status=status,
        price=None,
        quantity=quantity,
        filled_quantity=quantity,
        is_reduce_only=True,
        timestamp_ns=guard.now,
    )
    guard.give(e.RequestAnswered(at_ns=guard.now, command_id=close.command_id, order=row))
    guard.order(row)


def fill_told(guard: Driven, close: ReduceAtMarket, quantity: int, price: str) -> None:
    """The execution of a close."""
    execution = Execution(
        execution_id=f"x-{close.client_order_id}",
        order_id="v",
        client_order_id=close.client_order_id,
        account=ACCOUNT,
        symbol=close.key.symbol,
        kind=ExecutionKind.TRADE,
        side=close.side,
        quantity=quantity,
        price=Decimal(price),
    )
    guard.give(e.ExecutionSeen(at_ns=guard.now, execution=execution))


def covered(*orders: Order, position: Position | None = None, policy: Policy | None = None) -> tuple[Driven, Order]:
    """A guard whose long is covered."""
    guard = Driven(policy).up([position or a_position()], orders)
    stop = guard.rest(guard.some(PlaceStop, guard.all)[-1])
    return guard, stop


def read(guard: Driven, positions: list[Position], orders: list[Order]) -> list[object]:
    """Answer pictures as long as they are asked for, a second at most."""
    commands: list[object] = []
    for _ in range(4):
        if guard.state.pictures.command_id is not None:
            commands += guard.picture(positions, orders)
        commands += guard.wait(250 * MS)
    return commands


def until_clean(guard: Driven, reads: int, orders: list[Order]) -> list[object]:
    """Answer pictures, flat ones, until that many count."""
    commands: list[object] = []
    for _ in range(8):
        if guard.state.latches["operator-flatten"].clean_reads >= reads:
            return commands
        if guard.state.pictures.command_id is not None:
            commands += guard.picture([], orders)
        else:
            commands += guard.wait(100 * MS)
    raise AssertionError("no clean read")


def test_the_order_of_things_is_cancel_close_prove_stops_and_it_stays_latched() -> None:
    """P1, P12: the stop rests until two reads and the stream say flat; then all stops go; a report ends it."""
    quote = an_order("q-1")
    theirs = an_order(
        "ts", side=OrderSide.SELL, kind=OrderKind.STOP_MARKET, stop_price=Decimal(940), trigger=Trigger.MARK,
        price=None, is_reduce_only=True,
    )  # fmt: skip
    guard, stop = covered(quote, theirs)
    guard.now += SECOND
    commands = list(ask(guard, FlattenAsked()))
    assert [each.order_id for each in guard.only(CancelOrders, commands).orders] == ["q-1"]
    assert guard.some(ReduceAtMarket, commands) == [], "not on one message alone"
    close = guard.only(ReduceAtMarket, read(guard, [a_position()], [stop, theirs, quote]))
    assert (close.quantity, close.side, close.reason) == (None, OrderSide.SELL, Reason.FLATTEN)
    assert refusal(close, guard.state) is None
    filled(guard, close, 100)
    fill_told(guard, close, 100, "999")
    commands = list(guard.position(flat(a_position())))
    assert guard.some(CancelOrder, commands) == []
    commands = until_clean(guard, 1, [stop, theirs])
    assert guard.some(CancelOrder, commands) == [] == guard.some(CancelOrders, commands)
    commands = until_clean(guard, 2, [stop, theirs])
    assert guard.state.latches["operator-flatten"].proven_ns
    commands += guard.wait(150 * MS)
    assert guard.only(CancelOrder, commands).order_id == stop.order_id
    assert guard.some(CancelOrders, commands) == [], "theirs was first looked at now: one read more"
    left = guard.only(CancelOrders, [*commands, *read(guard, [], [theirs])])
    assert [each.order_id for each in left.orders] == ["ts"]
    assert refusal(left, guard.state) is None
    (report,) = guard.alerts("flat")
    assert "XBTUSDT 100 contracts closed, fees 0.000075 USDT, slippage 0.0001 USDT" in report.text
    assert "operator-flatten" in guard.state.latches


def test_a_position_larger_than_one_order_goes_in_pieces_that_follow_each_other() -> None:
    """Pieces need no picture and no growing pause: the rows show what the last one left."""
    whole = a_position(250)
    guard = Driven()
    guard.start()
    guard.connect([whole], instruments=[an_instrument(max_order_quantity=100)])
    read(guard, [whole], [])
    guard.now += SECOND
    commands = list(ask(guard, FlattenAsked())) + read(guard, [whole], [])
    close, left, sent = guard.only(ReduceAtMarket, commands), 250, []
    while left:
        sent.append(close.quantity)
        left -= close.quantity or left
        guard.position(replace(whole, quantity=left))
        filled(guard, close, 100)
        guard.wait(150 * MS)
        close = guard.some(ReduceAtMarket, guard.all)[-1]
    assert sent == [100, 100, None]
    assert guard.guarded().position.quantity == 0


def test_a_close_that_changed_nothing_is_asked_about_and_tried_again_with_pauses() -> None:
    """P5, P12: an empty book: cancelled unfilled, again and again; pauses grow, the stop stays, and it is named."""
    guard, stop = covered()
    guard.now += SECOND
    commands = list(ask(guard, FlattenAsked()))
    tries: list[int] = []
    for _ in range(200):
        if guard.state.pictures.command_id is not None:
            commands += guard.picture([a_position()], [stop])
        for close in guard.some(ReduceAtMarket, commands):
            tries.append(guard.now)
            filled(guard, close, 0, status=OrderStatus.CANCELED)
        commands = guard.wait(250 * MS)
    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert gaps[0] < SECOND
    assert gaps[-1] >= 4 * SECOND
    assert guard.some(CancelOrder, guard.all) == []
    assert "still open: XBTUSDT +100" in guard.alerts("flatten_stuck")[0].text


def test_a_lost_answer_is_asked_about_before_another_close() -> None:
    """P5: the close may have been carried out; the venue is asked by client order id."""
    guard, stop = covered()
    guard.now += SECOND
    commands = list(ask(guard, FlattenAsked())) + read(guard, [a_position()], [stop])
    close = guard.only(ReduceAtMarket, commands)
    commands = list(guard.give(e.RequestUnanswered(at_ns=guard.now, command_id=close.command_id, reason="time-out")))
    find = guard.only(FindOrders, commands)
    assert find.client_order_ids == (close.client_order_id,)
    commands = read(guard, [a_position()], [stop])
    assert guard.some(ReduceAtMarket, commands) == []
    commands = list(guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=())))
    again = guard.some(ReduceAtMarket, commands + read(guard, [a_position()], [stop]))
    assert len(again) == 1


def test_a_restart_in_the_middle_comes_to_the_same_end() -> None:
    """P7: killed after the close left: the latch holds, the close is asked about, flat is proved anew."""
    guard, stop = covered()
    guard.now += SECOND
    commands = list(ask(guard, FlattenAsked())) + read(guard, [a_position()], [stop])
    close = guard.only(ReduceAtMarket, commands)
    guard.now += SECOND
    guard.start()
    guard.connect([], [stop])
    found = an_order(
        "v-1", close.client_order_id, side=close.side, kind=OrderKind.MARKET, status=OrderStatus.FILLED,
        filled_quantity=100, is_reduce_only=True, timestamp_ns=guard.now,
    )  # fmt: skip
    for _ in range(10):
        for find in guard.some(FindOrders, guard.all[-30:]):
            guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=(found,)))
        read(guard, [], [stop])
    assert guard.state.latches["operator-flatten"].proven_ns
    assert guard.some(CancelOrder, guard.all)[-1].order_id == stop.order_id


def waits_of_rounds(guard: Driven, stop: Order, rounds: int) -> list[int]:
    """How long each close took while a bot opens the position again and again; all stops are refused or lost."""
    waits: list[int] = []
    commands = read(guard, [a_position()], [stop])
    for round_ in range(rounds):
        opened_ns = guard.now
        for _ in range(80):
            closes = guard.some(ReduceAtMarket, commands)
            if closes:
                break
            if guard.state.pictures.command_id is not None:
                commands = list(guard.picture([a_position()], []))
            else:
                commands = guard.wait(250 * MS)
        waits.append(guard.now - opened_ns)
        filled(guard, closes[0], 100)
        guard.position(flat(a_position()))
        read(guard, [], [])
        if round_ < rounds - 1:
            commands = list(guard.position(a_position()))
    return waits


def test_a_position_that_comes_back_is_closed_again_after_pauses_that_grow() -> None:
    """A bot in a loop burns fees slowly and audibly, and is covered meanwhile."""
    guard, stop = covered()
    guard.now += SECOND
    ask(guard, FlattenAsked())
    waits = waits_of_rounds(guard, stop, 6)
    assert waits[1] < 1.5 * SECOND
    assert waits[2:] == sorted(waits[2:])
    assert waits[-1] >= 8 * SECOND
    assert len(guard.alerts("reopened")) == 5
    assert "time 6" in guard.alerts("reopened")[-1].text


def test_so_near_liquidation_that_no_stop_can_rest_it_is_closed_again_at_once() -> None:
    """P2: fees are cheaper than a liquidation: the pauses are for positions that have a stop meanwhile."""
    guard, stop = covered()
    guard.now += SECOND
    ask(guard, FlattenAsked())
    guard.mark("900.5")
    waits = waits_of_rounds(guard, stop, 6)
    assert max(waits) < 1.5 * SECOND


def test_a_pause_lapses_when_the_mark_comes_near_under_it() -> None:
    """P2: what could have a stop when it was opened again, and lost the room for one, is not left to wait."""
    guard, stop = covered()
    guard.now += SECOND
    ask(guard, FlattenAsked())
    waits_of_rounds(guard, stop, 5)
    commands = list(guard.position(a_position()))
    commands += guard.wait(SECOND)
    assert guard.some(ReduceAtMarket, commands) == []
    commands = list(guard.mark("900.5")) + read(guard, [a_position()], [])
    assert guard.some(ReduceAtMarket, commands)


def test_flat_needs_two_reads_after_the_last_change_and_one_that_differs_starts_anew() -> None:
    """P12: a picture that still shows it, or one asked before, does not count."""
    guard, stop = covered()
    guard.now += SECOND
    close = guard.only(ReduceAtMarket, list(ask(guard, FlattenAsked())) + read(guard, [a_position()], [stop]))
    filled(guard, close, 100)
    guard.position(flat(a_position()))
    until_clean(guard, 1, [stop])
    guard.wait(250 * MS)
    guard.picture([a_position(50)], [stop])
    assert guard.state.latches["operator-flatten"].clean_reads == 0
    assert not guard.state.latches["operator-flatten"].proven_ns


def test_while_the_account_stream_is_down_it_closes_by_reads_and_does_not_prove() -> None:
    """P12: positions known by REST only are closed after two reads; flat has to wait for the stream's word."""
    guard, stop = covered()
    guard.now += SECOND
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.ACCOUNT, reason="cut"))
    commands = list(ask(guard, FlattenAsked())) + read(guard, [a_position()], [stop])
    close = guard.only(ReduceAtMarket, commands)
    row = an_order(
        "v-1", close.client_order_id, side=close.side, kind=OrderKind.MARKET, status=OrderStatus.FILLED,
        filled_quantity=100, is_reduce_only=True, timestamp_ns=guard.now,
    )  # fmt: skip
    guard.give(e.RequestAnswered(at_ns=guard.now, command_id=close.command_id, order=row))
    for _ in range(40):
        read(guard, [], [stop])
    assert not guard.state.latches["operator-flatten"].proven_ns
    assert len(guard.some(ReduceAtMarket, guard.all)) == 1
    assert guard.alerts("flatten_stuck")
    guard.connect([], [stop])
    read(guard, [], [stop])
    read(guard, [], [stop])
    assert guard.state.latches["operator-flatten"].proven_ns


def test_a_flatten_of_one_symbol_leaves_the_others_alone() -> None:
    """`seawall flatten XBTUSDT`: the other position keeps its stop and its quotes."""
    other = a_position(symbol="ETHUSDT")
    guard = Driven()
    guard.start()
    guard.connect([a_position(), other], instruments=[an_instrument(), an_instrument("ETHUSDT")])
    read(guard, [a_position(), other], [])
    guard.order(an_order("q-eth", symbol="ETHUSDT"))
    guard.now += SECOND
    commands = list(ask(guard, FlattenAsked(symbols=("XBTUSDT",)))) + read(guard, [a_position(), other], [])
    assert {each.key.symbol for each in guard.some(ReduceAtMarket, commands)} == {"XBTUSDT"}
    assert guard.some(CancelOrders, commands) == []


def test_a_lift_in_the_middle_ends_it_and_the_stop_stays() -> None:
    """The person changes their mind: nothing more is closed, the position is guarded as before."""
    guard, stop = covered()
    guard.now += SECOND
    ask(guard, FlattenAsked())
    ask(guard, LiftLatch(name="operator-flatten"), "r-2")
    commands = read(guard, [a_position()], [stop])
    assert guard.some(ReduceAtMarket, commands) == []
    assert guard.guarded().covered_ns


def test_an_observing_guard_says_that_it_would_flatten() -> None:
    """P1: observe sends nothing."""
    guard = Driven(Policy(observe=True)).up([a_position()])
    ask(guard, FlattenAsked())
    read(guard, [a_position()], [])
    assert guard.some(ReduceAtMarket, guard.all) == []


@pytest.mark.parametrize("has_stream", [True, False])
def test_without_any_picture_two_rows_of_a_fresh_stream_are_enough(has_stream: bool) -> None:
    """P8, P12: a bot drains the budget of reads: after five seconds a second row of the stream decides."""
    guard = Driven().up()
    ask(guard, FlattenAsked())
    guard.position(a_position())
    commands: list[object] = []
    for _ in range(32):
        if guard.state.pictures.command_id is not None:
            command_id = guard.state.pictures.command_id
            commands += guard.give(
                e.RequestNotSent(at_ns=guard.now, command_id=command_id, reason="no budget", retry_after_ns=0)
            )
        commands += guard.wait(250 * MS)
        if has_stream:
            commands += guard.position(a_position(unrealised_pnl_sat=guard.now % 97))
    assert bool(guard.some(ReduceAtMarket, commands)) is has_stream


def test_a_position_that_opens_on_a_flat_account_is_told_and_closed() -> None:
    """Latched while nothing was open: the first one that comes is named as opened under the latch."""
    guard = Driven().up()
    ask(guard, FlattenAsked())
    until_clean(guard, 2, [])
    assert "no position was open" in guard.alerts("flat")[0].text
    guard.now += SECOND
    guard.position(a_position())
    commands = read(guard, [a_position()], [])
    assert guard.only(ReduceAtMarket, commands).quantity is None
    assert "opened although operator-flatten keeps it flat (time 1)" in guard.alerts("reopened")[0].text


def test_tries_that_change_nothing_are_told_less_and_less_often() -> None:
    """P10: an empty book for two minutes: one message for the first, second, fourth, eighth try and so on."""
    guard, stop = covered()
    guard.now += SECOND
    commands = list(ask(guard, FlattenAsked()))
    tries = 0
    for _ in range(480):
        if guard.state.pictures.command_id is not None:
            commands += guard.picture([a_position()], [stop])
        for close in guard.some(ReduceAtMarket, commands):
            tries += 1
            filled(guard, close, 0, status=OrderStatus.CANCELED)
        commands = guard.wait(250 * MS)
    assert tries > 15
    assert len([a for a in guard.alerts("reducing") if a.topic == "position"]) <= 6


def test_a_second_flatten_that_reaches_farther_goes_on_with_the_first() -> None:
    """`seawall flatten XBTUSDT`, then `seawall flatten`: one close, no false word of a position that came back."""
    guard, stop = covered()
    guard.now += SECOND
    ask(guard, FlattenAsked(symbols=("XBTUSDT",)))
    close = guard.only(ReduceAtMarket, read(guard, [a_position()], [stop]))
    commands = list(ask(guard, FlattenAsked(), request_id="r-2")) + read(guard, [a_position()], [stop])
    assert guard.some(ReduceAtMarket, commands) == []
    assert guard.alerts("reopened") == []
    filled(guard, close, 100)
    guard.position(flat(a_position()))
    until_clean(guard, 2, [stop])
    assert guard.state.latches["operator-flatten"].symbols == ()
    assert guard.state.closings["XBTUSDT"].rounds == 1


def test_a_stop_that_is_listed_before_its_position_is_not_left_over() -> None:
    """P1: proved flat, then blind; a bot opened and put its stop; the stream that comes back lists orders first."""
    guard, stop = covered()
    guard.now += SECOND
    ask(guard, FlattenAsked())
    close = guard.only(ReduceAtMarket, read(guard, [a_position()], [stop]))
    filled(guard, close, 100)
    guard.position(flat(a_position()))
    read(guard, [], [])
    assert guard.state.latches["operator-flatten"].proven_ns
    guard.now += SECOND
    theirs = an_order(
        "ts", side=OrderSide.SELL, kind=OrderKind.STOP_MARKET, stop_price=Decimal(940), trigger=Trigger.MARK,
        price=None, is_reduce_only=True,
    )  # fmt: skip
    commands = list(guard.order(theirs))
    left = CancelOrders(
        command_id=99,
        reason=Reason.FLATTEN,
        orders=(NamedOrder(symbol=theirs.symbol, order_id="ts", client_order_id=""),),
    )
    assert "no picture" in (refusal(left, guard.state) or "")
    commands += guard.position(a_position())
    commands += read(guard, [a_position()], [theirs])
    assert guard.some(CancelOrders, commands) == []
    assert guard.some(ReduceAtMarket, commands), "closed again, with their stop beside it"


def test_the_cost_is_told_against_the_mark_of_that_moment() -> None:
    """The core's mark is seconds old and the market fell by 5 %: what the market took is not called slippage."""
    guard, stop = covered()
    guard.now += SECOND
    fallen = replace(a_position(), mark_price=Decimal(950))
    guard.position(fallen)
    ask(guard, FlattenAsked())
    close = guard.only(ReduceAtMarket, read(guard, [fallen], [stop]))
    filled(guard, close, 100)
    fill_told(guard, close, 100, "949")
    guard.position(flat(fallen))
    until_clean(guard, 2, [stop])
    (report,) = guard.alerts("flat")
    assert "slippage 0.0001 USDT" in report.text


def test_nothing_is_proved_by_what_a_broken_stream_said_before() -> None:
    """P12: nothing was open when the account stream broke; reads alone prove no flat, and nobody's stop goes."""
    theirs = an_order(
        "ts", side=OrderSide.SELL, kind=OrderKind.STOP_MARKET, stop_price=Decimal(940), trigger=Trigger.MARK,
        price=None, is_reduce_only=True,
    )  # fmt: skip
    guard = Driven().up([], [theirs])
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.ACCOUNT, reason="cut"))
    commands = list(ask(guard, FlattenAsked()))
    for _ in range(40):
        commands += read(guard, [], [theirs])
    assert not guard.state.latches["operator-flatten"].proven_ns
    assert guard.some(CancelOrders, commands) == []
    assert "the account stream is down, and has to agree" in guard.alerts("flatten_stuck")[0].text
    guard.connect([], [theirs])
    commands = read(guard, [], [theirs]) + read(guard, [], [theirs])
    assert guard.state.latches["operator-flatten"].proven_ns
    assert [each.order_id for each in guard.some(CancelOrders, commands)[0].orders] == ["ts"]
