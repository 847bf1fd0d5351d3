"""The choke point's rule (P1): nothing that adds exposure, loosens cover or removes the last of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from config.modes import RuleMode
from config.policy import Policy, SwitchMode, SwitchPolicy, TakeProfitPolicy
from connectors.vocabulary import OrderSide
from daemon.core.choke_point.danger import refusal
from daemon.core.commands import (
    AmendStop,
    CancelOrder,
    DisarmSwitch,
    FeedSwitch,
    FindOrders,
    PlaceStop,
    PlaceTakeProfit,
    ReadPicture,
    ReduceAtMarket,
)
from daemon.core.reasons import Reason
from daemon.core.state import GuardState, with_policy
from tests.builders import SECOND, a_key, a_position, a_stop
from tests.driven import Driven


def held() -> GuardState:
    """A long of 100, mark 1000, liquidation 900, stop at 918 resting as order v."""
    return Driven().up([a_position()], [a_stop("v")]).state


def place(**changes: object) -> PlaceStop:
    """A sound placement."""
    base = PlaceStop(
        command_id=1,
        reason=Reason.COVER_MISSING,
        client_order_id="sw-7-XBTUSDT-L-s2",
        key=a_key(),
        side=OrderSide.SELL,
        quantity=100,
        stop_price=Decimal(920),
    )
    return replace(base, **changes)


def amend(**changes: object) -> AmendStop:
    """A sound amend."""
    base = AmendStop(
        command_id=1,
        reason=Reason.COVER_TOO_FAR,
        order_id="v",
        client_order_id="sw-7-XBTUSDT-L-s1",
        key=a_key(),
        side=OrderSide.SELL,
        stop_price=Decimal(920),
        quantity=None,
    )
    return replace(base, **changes)


def reduce(**changes: object) -> ReduceAtMarket:
    """A sound reduction."""
    base = ReduceAtMarket(
        command_id=1,
        reason=Reason.STOP_STUCK,
        client_order_id="sw-7-XBTUSDT-L-r1",
        key=a_key(),
        side=OrderSide.SELL,
        quantity=100,
    )
    return replace(base, **changes)


def cancel(**changes: object) -> CancelOrder:
    """A cancel of the one stop."""
    base = CancelOrder(
        command_id=1, reason=Reason.COVER_SURPLUS, order_id="v", client_order_id="sw-7-XBTUSDT-L-s1", key=a_key()
    )
    return replace(base, **changes)


@pytest.mark.parametrize("command", [place(), place(quantity=None), amend(), reduce()])
def test_what_shrinks_may_go(command: PlaceStop | AmendStop | ReduceAtMarket) -> None:
    """P1: sound commands pass."""
    assert refusal(command, held()) is None


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (place(side=OrderSide.BUY), "grow"),
        (place(quantity=101), "fit"),
        (place(quantity=0), "fit"),
        (place(stop_price=Decimal(0)), "no trigger"),
        (place(stop_price=Decimal("NaN")), "no trigger"),
        (place(stop_price=Decimal(1000)), "beyond"),
        (place(stop_price=Decimal(900)), "liquidation"),
        (place(stop_price=Decimal(910)), "looser"),
        (place(client_order_id="bot-1"), "ours"),
        (place(key=a_key("ETHUSDT")), "no such open"),
        (place(key=a_key(account=8)), "another account"),
        (place(key=a_key(strategy="Long")), "no such open"),
        (amend(stop_price=Decimal(917)), "looser"),
        (amend(stop_price=Decimal("NaN")), "no trigger"),
        (amend(quantity=200), "fit"),
        (amend(quantity=50), "without cover"),
        (amend(quantity=99, stop_price=None), "without cover"),
        (amend(side=OrderSide.BUY), "grow"),
        (amend(order_id="unknown"), "no such open order"),
        (reduce(side=OrderSide.BUY), "grow"),
        (reduce(quantity=101), "fit"),
        (reduce(quantity=-100), "fit"),
        (cancel(), "remove cover"),
        (cancel(client_order_id="bot-1"), "ours"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_danger_is_refused(command: PlaceStop | AmendStop | ReduceAtMarket | CancelOrder, why: str) -> None:
    """P1, P3: each way of adding danger has its refusal."""
    found = refusal(command, held())
    assert found is not None
    assert why in found


def test_a_stop_may_be_cut_as_far_as_the_position_and_the_others_allow() -> None:
    """P1: one of 200 down to the 100 there are; half of one while another holds everything."""
    large = Driven().up([a_position()], [a_stop("v", quantity=200, leaves_quantity=200)]).state
    assert refusal(amend(quantity=100), large) is None
    assert refusal(amend(quantity=99), large) is not None
    both = Driven().up([a_position()], [a_stop("v"), a_stop("w", "sw-7-XBTUSDT-L-s2")]).state
    assert refusal(amend(quantity=50), both) is None


def test_a_close_stop_is_not_cut_to_a_part() -> None:
    """P1: it has no quantity and holds everything; half of it would leave half of the position without cover."""
    closing = a_stop("v", quantity=None, leaves_quantity=0, is_close=True, is_reduce_only=False)
    state = Driven().up([a_position()], [closing]).state
    assert refusal(amend(quantity=50), state) is not None
    assert refusal(amend(quantity=100), state) is None


def test_surplus_may_go_while_the_rest_covers() -> None:
    """P1: of two whole stops one may be cancelled, of two halves none."""
    both = Driven().up([a_position()], [a_stop("v"), a_stop("w", "sw-7-XBTUSDT-L-s2")]).state
    assert refusal(cancel(), both) is None
    halves = Driven().up([a_position()], [a_stop("v"), a_stop("w", "sw-7-XBTUSDT-L-s2", quantity=50)]).state
    assert refusal(cancel(), halves) is not None


def test_a_flat_positions_stop_may_go() -> None:
    """Nothing to protect."""
    assert refusal(cancel(), Driven().up([], [a_stop("v")]).state) is None


def test_reads_always_may_go() -> None:
    """A question harms nobody, whatever the state."""
    guard = Driven(Policy(observe=True))
    assert refusal(FindOrders(command_id=1, reason=Reason.DOUBT, client_order_ids=("x",)), guard.state) is None
    assert refusal(ReadPicture(command_id=1, reason=Reason.DOUBT), guard.state) is None


def test_an_observing_guard_sends_nothing() -> None:
    """Observe: every write is refused."""
    state = with_policy(held(), Policy(observe=True))
    feed = FeedSwitch(command_id=1, reason=Reason.SWITCH_FEED, timeout_ns=60 * SECOND)
    disarm = DisarmSwitch(command_id=1, reason=Reason.SWITCH_DISARM)
    assert all(refusal(command, state) for command in (place(), amend(), reduce(), cancel(), feed, disarm))


def test_the_switch_is_fed_only_while_guarding() -> None:
    """P6: a feed that was made just before blindness does not leave any more."""
    feed = FeedSwitch(command_id=1, reason=Reason.SWITCH_FEED, timeout_ns=60 * SECOND)
    state = held()
    assert refusal(feed, state) is None
    assert refusal(feed, Driven().state) is not None
    assert refusal(replace(feed, timeout_ns=0), state) is not None
    assert refusal(feed, with_policy(state, Policy(switch=SwitchPolicy(mode=SwitchMode.OFF)))) is not None


def test_a_stop_in_reserve_is_placed_only_where_the_tighter_one_was_passed() -> None:
    """P2, P3: beyond the mark nothing as tight can rest; before that, looser than what was confirmed is refused."""
    guard = Driven().up([a_position()], [a_stop("v")])
    assert guard.guarded().ratchet == Decimal(918)
    assert "looser" in str(refusal(place(stop_price=Decimal(910)), guard.state))
    guard.mark(915)
    assert refusal(place(stop_price=Decimal(910)), guard.state) is None
    assert "looser" in str(refusal(amend(stop_price=Decimal(910)), guard.state))


@pytest.mark.parametrize(("mode", "is_refused"), [(RuleMode.ON, False), (RuleMode.SHADOW, True), (RuleMode.OFF, True)])
def test_a_stage_that_waited_over_a_reload_stays_here(mode: RuleMode, *, is_refused: bool) -> None:
    """P1: a rule in shadow does nothing, also where the order was decided while it was on (seed 9960037)."""
    state = with_policy(held(), Policy(take_profit=TakeProfitPolicy(mode=mode)))
    rung = PlaceTakeProfit(
        command_id=1,
        reason=Reason.TAKE_PROFIT,
        client_order_id="sw-7-XBTUSDT-L-t1",
        key=a_key(),
        side=OrderSide.SELL,
        quantity=10,
        price=Decimal(1100),
    )
    assert (refusal(rung, state) is not None) is is_refused
