"""All rules together: modes, the nearest wins, nobody is forgotten."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from config.modes import RuleMode
from config.policy import (
    BreakEvenPolicy,
    FixedPolicy,
    MaxLossPolicy,
    StopPolicy,
    TimeStopPolicy,
    TrailingPolicy,
)
from connectors.vocabulary import Side
from daemon.core.stop_rules import RULES, Proposal, ask, nearest
from tests.builders import START_NS
from tests.unit.daemon.core.stop_rules.rule_cases import HOUR, a_case

D = Decimal


def all_in(mode: RuleMode) -> StopPolicy:
    """Every rule in one mode, each with something to say of `speaking`."""
    return StopPolicy(
        max_loss=MaxLossPolicy(mode=mode),
        trailing=TrailingPolicy(mode=mode),
        fixed=FixedPolicy(mode=mode, long={"XBTUSDT": D(950)}, short={"XBTUSDT": D(1050)}),
        break_even=BreakEvenPolicy(mode=mode),
        time_stop=TimeStopPolicy(mode=mode),
    )


def speaking(side: Side, mode: RuleMode) -> dict[str, Proposal]:
    """What the rules say of a day-old position that gained three percent and lost them again, by rule."""
    best = D(1000) * (1 + side.sign * D("0.03"))
    said = ask(a_case(side, all_in(mode), best_mark=best, now_ns=START_NS + 30 * HOUR))
    words = said.proposals if mode is RuleMode.ON else said.shadows
    return {each.rule: each for each in words}


CONFIGURED = {"max_loss", "trailing", "fixed", "break_even", "time_stop"}


@pytest.mark.parametrize("side", list(Side))
def test_every_rule_that_is_on_speaks(side: Side) -> None:
    """All but the ladder's, which nobody asked for."""
    assert set(speaking(side, RuleMode.ON)) == CONFIGURED | {"liquidation_buffer"}


@pytest.mark.parametrize("name", sorted(CONFIGURED))
@pytest.mark.parametrize("side", list(Side))
def test_in_shadow_each_says_the_same_and_proposes_nothing(side: Side, name: str) -> None:
    """The same price and reason, kept apart from what moves a stop."""
    on, shadow = speaking(side, RuleMode.ON)[name], speaking(side, RuleMode.SHADOW)[name]
    assert on == shadow
    said = ask(a_case(side, all_in(RuleMode.SHADOW), now_ns=START_NS + 30 * HOUR))
    assert {each.rule for each in said.proposals} == {"liquidation_buffer"}


def test_off_is_not_even_asked() -> None:
    """The default: the buffer alone."""
    assert [each.rule for each in ask(a_case(stop=all_in(RuleMode.OFF))).proposals] == ["liquidation_buffer"]
    assert ask(a_case(stop=all_in(RuleMode.OFF))).shadows == ()


def test_a_silent_rule_is_named_when_it_is_on_only() -> None:
    """P12: in shadow or off nobody relies on it."""
    for mode, names in [(RuleMode.ON, ["max_loss"]), (RuleMode.SHADOW, []), (RuleMode.OFF, [])]:
        said = ask(a_case(stop=all_in(mode), equity_sat=None))
        assert [each.rule for each in said.silences] == names


@pytest.mark.parametrize(("side", "winner"), [(Side.LONG, "b"), (Side.SHORT, "a")])
def test_the_nearest_to_the_mark_wins(side: Side, winner: str) -> None:
    """The highest for a long, the lowest for a short; one without a price is no place for a stop."""
    words = [Proposal(rule=name, price=price, why="") for name, price in [("a", D(1)), ("b", D(2)), ("c", None)]]
    found = nearest(side, tuple(words))
    assert found is not None
    assert found[0].rule == winner
    assert nearest(side, (words[2],)) is None


def test_names_are_unique() -> None:
    """Alerts, status and journal tell rules apart by name."""
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert replace(a_case(), entry_price=None).best is None
