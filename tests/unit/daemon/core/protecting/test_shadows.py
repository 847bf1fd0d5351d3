"""Rules in shadow: told once, twice at most, and nothing is ever moved."""

from __future__ import annotations

from decimal import Decimal

import pytest

from config.modes import RuleMode
from config.policy import FixedPolicy, MaxLossPolicy, Policy, StopPolicy, TimeStopPolicy, TrailingPolicy
from daemon.core.commands import AmendStop, PlaceStop, RaiseAlert, ReduceAtMarket, SetBand
from daemon.core.reasons import Reason
from tests.builders import START_NS, a_position
from tests.driven import Driven
from tests.unit.daemon.core.test_stop_stories import HOUR, opened

D = Decimal
LOSS = MaxLossPolicy(mode=RuleMode.SHADOW, equity_percent=D("0.3"))


def shadows(guard: Driven) -> list[RaiseAlert]:
    """What was told of rules in shadow."""
    return [each for each in guard.some(RaiseAlert, guard.all) if each.topic == "shadow"]


def test_a_nearer_place_is_told_once_and_nothing_moves() -> None:
    """The loss rule would rest at 972.5; the stop rests at the buffer's 918."""
    guard = opened(max_loss=LOSS)
    for price in (1001, 1002, 999):
        guard.mark(price)
    (told,) = shadows(guard)
    assert (told.reason, told.state) == (Reason.SHADOW, "would_rest")
    assert "max_loss (in shadow) would rest at 972.5" in told.text
    facts = dict(told.facts)
    assert (facts["rule"], facts["price"], facts["mark"], facts["quantity"]) == ("max_loss", "972.5", "1000", "100")
    assert guard.guarded().ratchet == D(918)


def test_a_looser_place_is_not_told() -> None:
    """A rule that would change nothing has nothing to say."""
    guard = opened(max_loss=MaxLossPolicy(mode=RuleMode.SHADOW, equity_percent=D(2)))
    assert shadows(guard) == []
    assert guard.guarded().shadows[0].rule == "max_loss"


def test_the_mark_at_its_trigger_is_told_once() -> None:
    """Would have fired at 972.5: said when the mark is there, not again when it returns; nothing is reduced."""
    guard = opened(max_loss=LOSS)
    bands = guard.some(SetBand, guard.all)
    assert bands[-1].low == D(973)
    for price in ("972.5", "980", "960", "1000"):
        guard.mark(price)
    states = [each.state for each in shadows(guard)]
    assert states == ["would_rest", "would_fire"]
    assert "would have fired at 972.5, mark 972.5" in shadows(guard)[1].text
    assert not guard.some(AmendStop, guard.all)
    assert not guard.some(ReduceAtMarket, guard.all)


def test_it_has_a_ratchet_of_its_own() -> None:
    """Half is sold, the rule would ask for less; the stop that it stands for would not have moved back."""
    guard = opened(max_loss=LOSS)
    guard.position(a_position(50))
    assert guard.guarded().shadows[0].price == D("972.5")


def test_an_exit_in_shadow_is_told_and_not_made() -> None:
    """A day over without a gain."""
    guard = opened(time_stop=TimeStopPolicy(mode=RuleMode.SHADOW))
    guard.now = START_NS + 25 * HOUR
    guard.mark(1001)
    guard.mark(1001)
    (told,) = shadows(guard)
    assert told.state == "would_fire"
    assert "would have closed the position" in told.text
    assert guard.guarded().exit_ns == 0


@pytest.mark.parametrize("mark", [960, 972])
def test_a_position_first_seen_beyond_it_is_left_out(mark: int) -> None:
    """The rule would only alert, so a backtest must not count it as stopped."""
    guard = Driven(Policy(stop=StopPolicy(max_loss=LOSS))).up([a_position()], mark=mark)
    assert shadows(guard) == []
    assert guard.some(PlaceStop, guard.all)[0].stop_price == D(918)


def test_a_new_position_is_told_anew() -> None:
    """Once per rule and episode."""
    guard = opened(max_loss=LOSS, trailing=TrailingPolicy(mode=RuleMode.SHADOW))
    guard.position(a_position(-100))
    kinds = [(dict(each.facts)["rule"], dict(each.facts)["quantity"]) for each in shadows(guard)]
    assert kinds == [("max_loss", "100"), ("trailing", "100"), ("max_loss", "-100"), ("trailing", "-100")]


def test_a_fixed_price_in_shadow() -> None:
    """Also what the settings give may be tried out first."""
    guard = opened(fixed=FixedPolicy(mode=RuleMode.SHADOW, long={"XBTUSDT": D(990)}))
    assert dict(shadows(guard)[0].facts)["price"] == "990.0"
