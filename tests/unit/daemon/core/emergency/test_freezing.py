"""While a latch holds, what may add exposure goes as it appears, at a pace, and nothing else is touched."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from config.policy import Policy
from connectors.vocabulary import Order, OrderKind, OrderSide, OrderStatus, Trigger
from daemon.core import events as e
from daemon.core.choke_point.danger import refusal
from daemon.core.commands import CancelOrders, DisarmSwitch, FeedSwitch, NamedOrder, PlaceStop
from daemon.core.operator_requests import FlattenAsked, FreezeAsked, LiftLatch
from daemon.core.reasons import Reason
from daemon.core.state import SwitchState
from tests.builders import SECOND, a_position, an_order
from tests.driven import MS, Driven
from tests.unit.daemon.core.restraint.test_latches import ask
from tests.unit.daemon.core.test_switch import answer


def names(command: CancelOrders) -> list[str]:
    """The order ids of a cancel."""
    return [each.order_id for each in command.orders]


def cancelled(guard: Driven, command: CancelOrders, *, gone: tuple[str, ...] = ()) -> tuple[object, ...]:
    """The venue cancels them, but for those that had ended."""
    rows = []
    for each in command.orders:
        if each.order_id not in gone:
            row = guard.state.orders[each.symbol][each.order_id].order
            rows.append(replace(row, status=OrderStatus.CANCELED, timestamp_ns=guard.now))
    return guard.give(e.OrdersCancelled(at_ns=guard.now, command_id=command.command_id, orders=tuple(rows)))


def test_a_flood_is_cancelled_in_a_few_requests_and_shrinking_orders_stay() -> None:
    """P1, P8: 200 quotes go in two requests; reduce-only and Close orders of the same bot stay."""
    quotes = [an_order(f"q-{number:03}") for number in range(200)]
    keep = [an_order("tp", side=OrderSide.SELL, is_reduce_only=True), an_order("close", is_close=True)]
    guard = Driven().up(orders=[*quotes, *keep])
    commands = list(ask(guard, FreezeAsked()))
    commands += guard.wait(300 * MS)
    sent = guard.some(CancelOrders, commands)
    assert [len(each.orders) for each in sent] == [100, 100]
    assert all(each.reason is Reason.FROZEN and refusal(each, guard.state) is None for each in sent)
    for each in sent:
        cancelled(guard, each)
    assert sorted(guard.state.orders["XBTUSDT"]) == ["close", "tp"]
    assert guard.state.latches["operator"].cancelled == 200
    assert guard.some(CancelOrders, guard.wait(10 * SECOND)) == []


def test_before_maintenance_a_freeze_ends_with_the_switch_disarmed_and_told() -> None:
    """P6: what may add goes by id, then the countdown, so that no time-out can meet a venue that is closed."""
    guard = Driven().up()
    answer(guard, guard.only(DisarmSwitch, guard.all))
    answer(guard, guard.only(FeedSwitch, guard.order(an_order("q-1"))))
    assert guard.state.switch.state is SwitchState.ARMED
    cancelled(guard, guard.only(CancelOrders, ask(guard, FreezeAsked())))
    answer(guard, guard.some(DisarmSwitch, guard.all)[-1])
    assert guard.state.switch.state is SwitchState.DISARMED
    guard.wait(61 * SECOND)
    assert "outlive the guard" in guard.alerts(SwitchState.DISARMED.value)[-1].text
    assert guard.some(FeedSwitch, guard.wait(60 * SECOND)) == []


def test_a_new_order_goes_as_it_appears_and_after_the_lift_it_stays() -> None:
    """The freeze holds until it is lifted."""
    guard = Driven().up()
    ask(guard, FreezeAsked())
    assert names(guard.only(CancelOrders, guard.order(an_order("q-1")))) == ["q-1"]
    ask(guard, LiftLatch(name="operator"), "r-2")
    guard.wait(SECOND)
    assert guard.some(CancelOrders, guard.order(an_order("q-2"))) == []


def test_a_bot_that_quotes_without_end_cannot_use_up_the_requests() -> None:
    """P8: after a burst of ten there is one request every two seconds, whatever the bot does."""
    guard = Driven().up()
    ask(guard, FreezeAsked())
    sent: list[CancelOrders] = []
    for number in range(1_200):
        commands = list(guard.order(an_order(f"q-{number}"))) + guard.wait(50 * MS)
        for command in guard.some(CancelOrders, commands):
            sent.append(command)
            cancelled(guard, command)
    assert 35 <= len(sent) <= 42
    assert len(guard.state.frozen_orders) <= 45
    assert guard.state.latches["operator"].cancelled >= 1_150


@pytest.mark.parametrize("failure", ["refused", "not sent", "unanswered"])
def test_a_cancel_without_effect_is_sent_again_and_then_named(failure: str) -> None:
    """P5, P12: tried again after pauses, and after ten seconds a degraded state says what stands in the way."""
    guard = Driven().up(orders=[an_order("q-1")])
    commands = list(ask(guard, FreezeAsked()))
    sent = 0
    for _ in range(60):
        for command in guard.some(CancelOrders, commands):
            sent += 1
            base = {"at_ns": guard.now, "command_id": command.command_id, "reason": "overloaded"}
            match failure:
                case "refused":
                    guard.give(e.RequestRefused(**base))
                case "not sent":
                    guard.give(e.RequestNotSent(**base, retry_after_ns=0))
                case _:
                    guard.give(e.RequestUnanswered(**base))
        commands = guard.wait(250 * MS)
    assert 3 <= sent <= 12
    assert "overloaded" in guard.alerts("freeze_stuck")[0].text


def test_one_that_had_ended_is_forgotten_and_does_not_come_back() -> None:
    """The bot was faster: the answer leaves it out, or says nothing was there."""
    guard = Driven().up(orders=[an_order("q-1"), an_order("q-2")])
    command = guard.only(CancelOrders, ask(guard, FreezeAsked()))
    cancelled(guard, command, gone=("q-2",))
    assert guard.state.orders == {}
    assert guard.some(CancelOrders, guard.wait(5 * SECOND)) == []


def test_a_plain_stop_that_might_protect_waits_for_our_cover() -> None:
    """P1, P2: a stop of somebody on the closing side may be all there is until ours is confirmed."""
    plain = an_order(
        "ps", side=OrderSide.SELL, kind=OrderKind.STOP_MARKET, stop_price=Decimal(950), trigger=Trigger.MARK, price=None
    )
    guard = Driven().up([a_position()], [plain])
    place = guard.some(PlaceStop, guard.all)[-1]
    assert guard.some(CancelOrders, ask(guard, FreezeAsked())) == []
    named = NamedOrder(symbol="XBTUSDT", order_id="ps", client_order_id="")
    early = CancelOrders(command_id=99, reason=Reason.FROZEN, orders=(named,))
    assert "no picture was asked for since" in (refusal(early, guard.state) or "")
    guard.wait(SECOND)
    guard.picture([a_position()], [plain])
    assert "no confirmed cover" in (refusal(early, guard.state) or "")
    guard.rest(place)
    commands = [c for c in guard.all if isinstance(c, CancelOrders)]
    assert names(guard.only(CancelOrders, commands)) == ["ps"]


def bulk(order: Order) -> CancelOrders:
    """A cancel of one order."""
    named = NamedOrder(symbol=order.symbol, order_id=order.order_id, client_order_id=order.client_order_id)
    return CancelOrders(command_id=99, reason=Reason.FROZEN, orders=(named,))


def test_the_choke_point_allows_exactly_what_a_latch_is_for() -> None:
    """P1: no latch, a shrinking order, one of ours, an unknown one, another symbol: each is refused."""
    quote, shrinking = an_order("q-1"), an_order("tp", is_reduce_only=True)
    ours = an_order("s-9", "sw-7-XBTUSDT-L-s9", side=OrderSide.SELL, is_reduce_only=True)
    other = an_order("q-eth", symbol="ETHUSDT")
    guard = Driven().up(orders=[quote, shrinking, ours, other])
    assert "no latch" in (refusal(bulk(quote), guard.state) or "")
    ask(guard, FlattenAsked(symbols=("XBTUSDT",)))
    assert refusal(bulk(quote), guard.state) is None
    assert "only shrink" in (refusal(bulk(shrinking), guard.state) or "")
    assert "order of ours" in (refusal(bulk(ours), guard.state) or "")
    assert "not known" in (refusal(bulk(an_order("ghost")), guard.state) or "")
    assert "no latch" in (refusal(bulk(other), guard.state) or "")


def test_an_observing_guard_cancels_nothing() -> None:
    """P1: observe sends nothing, latched or not."""
    guard = Driven(Policy(observe=True)).up(orders=[an_order("q-1")])
    ask(guard, FreezeAsked())
    guard.wait(20 * SECOND)
    assert guard.some(CancelOrders, guard.all) == []
    assert guard.alerts("freeze_stuck") == []


def test_the_freeze_works_while_blind() -> None:
    """The account stream is down: what a picture shows goes all the same."""
    guard = Driven().up()
    ask(guard, FreezeAsked())
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.ACCOUNT, reason="cut"))
    guard.wait(SECOND)
    commands = list(guard.picture((), [an_order("q-1")])) + guard.wait(500 * MS)
    assert names(guard.only(CancelOrders, commands)) == ["q-1"]
