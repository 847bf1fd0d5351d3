"""A guard that only observes says what it would do, once for each intention, and sends nothing."""

from __future__ import annotations

from decimal import Decimal

from config.policy import Policy
from connectors.vocabulary import OrderStatus
from daemon.core import events as e
from daemon.core.commands import AmendStop, CancelOrder, DisarmSwitch, FeedSwitch, PlaceStop, ReduceAtMarket
from tests.builders import SECOND, a_position, a_stop
from tests.driven import Driven

WRITES = (PlaceStop, AmendStop, CancelOrder, ReduceAtMarket, FeedSwitch, DisarmSwitch)


def observing() -> Driven:
    """An observing guard on an ordinary morning."""
    return Driven(Policy(observe=True)).up()


def said(guard: Driven) -> list[str]:
    """What it said it would do."""
    return [dict(alert.facts)["would"] for alert in guard.alerts("observed")]


def read(guard: Driven) -> None:
    """Answer the picture if one was asked for."""
    if guard.state.pictures.command_id is not None:
        guard.picture([guard.guarded().position])


def test_the_first_stop_is_named_with_its_figures() -> None:
    """What, how much and where."""
    guard = observing()
    guard.position(a_position())
    assert said(guard) == ["rest a stop for 100 at 918.0"]
    assert "observing only" in guard.alerts("observed")[0].text


def test_an_intention_is_said_once_however_its_figures_tick() -> None:
    """P10: growth and a creeping liquidation price are the same intention."""
    guard = observing()
    guard.position(a_position())
    guard.position(a_position(200))
    guard.position(a_position(liquidation_price=Decimal(905)))
    guard.wait(20 * SECOND)
    assert len(said(guard)) == 1


def test_what_somebody_else_puts_right_is_forgotten_and_said_again_when_it_goes() -> None:
    """A guard's own old stop covers; it is cancelled; the intention is news again."""
    guard = observing()
    guard.position(a_position())
    guard.order(a_stop("v"))
    assert guard.guarded().observed == ""
    guard.now += SECOND
    guard.order(a_stop("v", status=OrderStatus.CANCELED, timestamp_ns=guard.now))
    assert len(said(guard)) == 2


def test_a_reduction_is_another_intention() -> None:
    """The mark falls through the wanted trigger: it would reduce."""
    guard = observing()
    guard.position(a_position())
    guard.mark(910)
    read(guard)
    assert said(guard) == ["rest a stop for 100 at 918.0", "reduce at the market (through_trigger)"]
    guard.mark(1000)
    assert said(guard)[-1] == "rest a stop for 100 at 918.0"


def test_nothing_is_ever_sent() -> None:
    """P1: through opening, falling, turning, a restart and an orderly stop: not one write."""
    guard = observing()
    guard.position(a_position())
    guard.mark(910)
    read(guard)
    guard.mark(1000)
    guard.position(a_position(-100))
    guard.give(e.Started(at_ns=guard.now, account=7))
    guard.connect([a_position(-100)])
    guard.give(e.StopAsked(at_ns=guard.now))
    assert [command for command in guard.all if isinstance(command, WRITES)] == []
