"""The ladder: each tier's steps in order, with cost beforehand, with a cool-down, and quiet where it shall be."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from config.ladder import LadderPolicy, Step
from config.modes import Lift, RuleMode
from config.policy import Policy, Tier
from connectors.vocabulary import Position
from daemon.core import events as e
from daemon.core.commands import AddMargin, AmendStop, CancelOrders, PlaceStop, ReduceAtMarket
from daemon.core.emergency import ladder
from daemon.core.reasons import Reason
from tests.builders import SECOND, a_position, an_order
from tests.driven import MS, Driven
from tests.unit.daemon.core.emergency.test_flatten import filled, read


def climbing(*steps: Step, tier: str = "watch", position: Position | None = None, **changes: object) -> Driven:
    """A covered long under a ladder whose one tier has these steps."""
    base = {"watch": (), "warn": (), "critical": (), "emergency": (), tier: steps}
    row = position or a_position()
    guard = Driven(Policy(ladder=LadderPolicy(**{**base, **changes}))).up([row])  # type: ignore[arg-type]
    for place in guard.some(PlaceStop, guard.all)[-1:]:
        guard.rest(place)
    guard.now += SECOND
    return guard


WATCH = "940"
"""4.3 % above liquidation at 900, and above the stop at 918."""


def test_the_default_ladder_only_tells_and_freezes_at_the_end() -> None:
    """`careful`: nothing is traded; at EMERGENCY what may add exposure goes, until every position is calm."""
    guard = Driven().up([a_position()], [an_order("q-1")])
    guard.now += SECOND
    guard.mark("911")
    assert guard.some(CancelOrders, guard.all) == []
    guard.mark("905")
    assert guard.some(CancelOrders, guard.all)[-1].reason is Reason.FROZEN
    assert guard.state.latches["ladder"].lift is Lift.CLEARED
    guard.mark("930")
    assert "ladder" in guard.state.latches, "WATCH is not calm"
    guard.mark("1000")
    assert guard.state.latches == {}
    assert "every position is calm" in guard.alerts("lifted")[0].text


def test_a_freeze_ends_when_the_position_is_gone() -> None:
    """CLEARED: flat counts as calm."""
    guard = climbing(Step.FREEZE)
    guard.mark(WATCH)
    assert "ladder" in guard.state.latches
    guard.position(replace(a_position(), quantity=0, liquidation_price=None))
    assert guard.state.latches == {}


def test_a_trim_is_told_with_its_cost_then_taken_and_again_after_the_cool_down() -> None:
    """A quarter of what is there, the cost before it leaves; the next one a minute later while the tier lasts."""
    guard = climbing(Step.TRIM)
    close = guard.only(ReduceAtMarket, guard.mark(WATCH))
    assert (close.quantity, close.reason) == (25, Reason.LADDER)
    (told,) = [alert for alert in guard.alerts("reducing") if alert.topic == "correction"]
    assert "25 XBTUSDT closed, cost 0.000043 USDT" in told.text
    assert guard.all.index(told) < guard.all.index(close)
    filled(guard, close, 25)
    rest = a_position(75)
    guard.position(rest)
    stop = next(iter(guard.state.orders["XBTUSDT"].values())).order
    sent: list[int] = []
    for _ in range(70):
        commands = guard.wait(SECOND) + list(guard.mark(WATCH))
        if guard.state.pictures.command_id is not None:
            commands += guard.picture([rest], [stop])
        sent += [c.quantity or 0 for c in guard.some(ReduceAtMarket, commands)]
    assert sent == [19]


def test_a_step_that_takes_time_is_waited_for_before_the_next() -> None:
    """TRIM, then FLATTEN: the trim may be all that was needed; if the tier falls, the next is not taken."""
    guard = climbing(Step.TRIM, Step.FLATTEN)
    close = guard.only(ReduceAtMarket, guard.mark(WATCH))
    filled(guard, close, 25)
    guard.position(a_position(75))
    guard.wait(2 * SECOND)
    assert guard.state.latches == {}
    guard.mark("990")
    guard.wait(5 * SECOND)
    assert guard.state.latches == {}


def test_the_next_step_follows_if_the_tier_lasts() -> None:
    """TRIM did not help: FLATTEN closes everything and stays latched until an operator lifts it."""
    guard = climbing(Step.TRIM, Step.FLATTEN)
    filled(guard, guard.only(ReduceAtMarket, guard.mark(WATCH)), 25)
    guard.position(a_position(75))
    guard.wait(4 * SECOND)
    assert guard.state.latches["ladder-flatten"].lift is Lift.OPERATOR
    assert "at about" in guard.alerts("flatten")[0].text


def test_tighten_moves_the_stop_through_the_usual_path() -> None:
    """P3: half of the way to the mark, as a rule's proposal, and never back."""
    guard = climbing(Step.TIGHTEN)
    commands = [*guard.mark("940"), *guard.wait(MS)]
    amend = guard.only(AmendStop, commands)
    assert amend.stop_price is not None
    assert Decimal(929) <= amend.stop_price < Decimal(932)
    assert "the stop moves from 918" in guard.alerts("tighten")[0].text


def test_a_tier_that_falls_is_forgotten_and_climbed_anew() -> None:
    """Hysteresis is the tier's; a second rise is a new rise."""
    guard = climbing(Step.TIGHTEN)
    guard.mark("940")
    assert list(guard.state.climbed) == ["XBTUSDT:watch:tighten"]
    guard.mark("1000")
    assert guard.state.climbed == {}


def test_a_shadow_ladder_says_once_per_tier_and_does_nothing() -> None:
    """`mode = "shadow"`: what it would do and what that would cost."""
    guard = climbing(Step.TRIM, Step.FLATTEN, mode=RuleMode.SHADOW)
    guard.mark(WATCH)
    for _ in range(150):
        guard.wait(SECOND)
        guard.mark(WATCH)
    assert guard.some(ReduceAtMarket, guard.all) == []
    assert guard.state.latches == {}
    said = [alert.text for alert in guard.alerts() if alert.topic == "ladder"]
    assert len(said) == 2
    assert said[0].startswith(
        "XBTUSDT is WATCH: the ladder would take the step trim: 25 XBTUSDT closed, cost 0.000043 USDT"
    )


def test_a_stale_mark_climbs_nothing() -> None:
    """Blind is neither safe nor a reason to trade: tiers are not judged on old prices."""
    guard = climbing(Step.TRIM)
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.MARKET, reason="cut"))
    guard.mark(WATCH)
    assert guard.some(ReduceAtMarket, guard.all) == []


@pytest.mark.parametrize("is_cross", [True, False])
def test_margin_is_never_promised_to_a_cross_position(is_cross: bool) -> None:
    """ADD_MARGIN: a cross position has none of its own, and people hear that the step cannot be taken."""
    guard = climbing(Step.ADD_MARGIN, position=a_position(is_cross=is_cross))
    guard.mark(WATCH)
    text = guard.alerts("add_margin")[0].text
    assert ("no margin of its own" in text) is is_cross
    assert guard.some(AddMargin, guard.all) == []


def test_the_plan_of_the_next_tier_can_be_shown_beforehand() -> None:
    """`seawall status`: what each step would do now, and at what cost."""
    guard = climbing(Step.ALERT, Step.TRIM, Step.FLATTEN)
    shown = [each.text for each in ladder.plans(guard.state, "XBTUSDT", Tier.WATCH)]
    assert shown[0] == "people are told"
    assert shown[1].startswith("25 XBTUSDT closed")
    assert shown[2].startswith("every position is closed, at about")
    assert guard.state.positions["XBTUSDT"].reduce is None


def test_a_trim_waits_for_the_second_witness() -> None:
    """P12: known by the stream alone, nothing is sold; the picture decides a moment later."""
    guard = Driven(Policy(ladder=LadderPolicy(watch=(Step.TRIM,)))).up()
    guard.mark(WATCH)
    guard.now += SECOND
    assert guard.some(ReduceAtMarket, guard.position(a_position())) == []
    commands = read(guard, [a_position()], [])
    assert guard.only(ReduceAtMarket, commands).quantity == 25


def test_a_step_that_cannot_be_taken_is_told_once_while_the_tier_lasts() -> None:
    """P10: ten cool-downs with the same obstacle are one message; a tier that is reached anew is a new one."""
    guard = climbing(Step.ADD_MARGIN, position=a_position(is_cross=True))
    for _ in range(600):
        guard.now += SECOND
        guard.mark(WATCH)
    assert len(guard.alerts("add_margin")) == 1
    guard.mark("1000")
    assert guard.state.climbed == {}
    guard.mark(WATCH)
    assert len(guard.alerts("add_margin")) == 2
