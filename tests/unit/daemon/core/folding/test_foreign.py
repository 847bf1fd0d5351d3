"""Orders that are not the guard's: recognised, counted, named once, left alone (P1, P12)."""

from __future__ import annotations

import pytest

from connectors.vocabulary import Order, OrderSide
from daemon.core.commands import AmendStop, CancelOrder, CancelOrders, Severity
from daemon.core.folding import foreign
from daemon.core.folding.foreign import Count
from tests.builders import ACCOUNT, SECOND, a_position, a_stop, an_order
from tests.driven import Driven

OTHERS = {
    "a quote": (an_order("b-1", "bot-1"), Count(adding=1)),
    "no name at all": (an_order("b-1", ""), Count(adding=1)),
    "a reduce-only stop": (a_stop("b-1", "bot-1"), Count(stops=1)),
    "a reduce-only limit": (an_order("b-1", "bot-1", is_reduce_only=True, side=OrderSide.SELL), Count(shrinking=1)),
    "another account's guard": (a_stop("b-1", "sw-8-XBTUSDT-L-s1"), Count(stops=1)),
    "our prefix, not our name": (a_stop("b-1", f"sw-{ACCOUNT}-hello"), Count(strange=1)),
}


@pytest.mark.parametrize(("order", "count"), OTHERS.values(), ids=OTHERS)
def test_each_kind_is_recognised_counted_and_left_alone(order: Order, count: Count) -> None:
    """P1: nothing of it is amended or cancelled, for as long as no policy asks for it."""
    guard = Driven().up([a_position()], [a_stop(), order])
    assert foreign.counted(guard.state) == {"XBTUSDT": count}
    guard.wait(5 * SECOND)
    touched = [*guard.some(CancelOrder, guard.all), *guard.some(AmendStop, guard.all)]
    assert [command for command in touched if command.order_id == "b-1"] == []
    assert guard.some(CancelOrders, guard.all) == []


def test_ours_are_not_counted() -> None:
    """Stops of ours are no strangers."""
    guard = Driven().up([a_position()], [a_stop()])
    assert foreign.counted(guard.state) == {}
    assert guard.alerts("foreign") == []


def test_others_are_named_once_a_symbol() -> None:
    """P10: the first is named; a bot that quotes all day is no news."""
    guard = Driven().up([a_position()], [a_stop()])
    for number in range(5):
        guard.order(an_order(f"b-{number}", f"bot-{number}"))
    (alert,) = guard.alerts("foreign")
    assert "the first seen: bot-0" in alert.text
    assert alert.severity is Severity.NOTE
    guard.order(an_order("e-1", "bot-9", symbol="ETHUSDT"))
    assert len(guard.alerts("foreign")) == 2


def test_somebody_under_our_prefix_is_a_warning() -> None:
    """P12: another build, or an imitation: it is no stop of ours, and that is said."""
    guard = Driven().up([a_position()], [a_stop()])
    guard.order(a_stop("b-1", f"sw-{ACCOUNT}-hello"))
    guard.order(a_stop("b-2", f"sw-{ACCOUNT}-again"))
    (alert,) = guard.alerts("strange")
    assert alert.severity is Severity.WARNING
    assert f"sw-{ACCOUNT}-hello" in alert.text


def test_those_that_were_there_at_the_start_are_named_too() -> None:
    """The list of a new connection tells them."""
    guard = Driven().up([], [an_order("b-1", "bot-1"), an_order("b-2", "bot-2")])
    assert len(guard.alerts("foreign")) == 1
    guard.wait(60 * SECOND)
    assert len(guard.alerts("foreign")) == 1
