"""Trailing: behind the best mark, in steps."""

from __future__ import annotations

from decimal import Decimal

import pytest

from config.modes import RuleMode
from config.policy import StopPolicy, TrailingPolicy
from connectors.vocabulary import Side
from daemon.core.stop_rules import Silence
from daemon.core.stop_rules.trailing import RULE, distance_percent
from tests.unit.daemon.core.stop_rules.rule_cases import a_case, said

D = Decimal


def policy(**changes: object) -> StopPolicy:
    """Four percent behind, in steps of one percent."""
    base = {"mode": RuleMode.ON, "distance_percent": D(4), "step_percent": D(1)}
    return StopPolicy(trailing=TrailingPolicy(**(base | changes)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("side", "best", "price"),
    [
        (Side.LONG, None, "960"),
        (Side.LONG, "1009", "960"),
        (Side.LONG, "1010", "969.6"),
        (Side.LONG, "1119", "1065.6"),
        (Side.LONG, "950", "960"),
        (Side.SHORT, None, "1040"),
        (Side.SHORT, "991", "1040"),
        (Side.SHORT, "990", "1029.6"),
        (Side.SHORT, "1050", "1040"),
    ],
)
def test_four_percent_behind_the_best_in_steps_of_one(side: Side, best: str | None, price: str) -> None:
    """Between two steps nothing moves; a mark worse than the entry is not the best."""
    assert said(RULE, a_case(side, policy(), best_mark=None if best is None else D(best))).price == D(price)


def test_silent_until_it_has_gained_enough() -> None:
    """Activation at five percent."""
    stop = policy(activate_percent=D(5))
    assert RULE.propose(a_case(stop=stop, best_mark=D(1049))) is None
    assert said(RULE, a_case(stop=stop, best_mark=D(1050))).price == D(1008)


@pytest.mark.parametrize(
    ("hourly", "kept"), [(None, "4"), ("0.5", "4"), ("2", "6"), ("2.1", "7"), ("2.33", "7"), ("2.34", "8")]
)
def test_the_wider_of_percent_and_volatility_in_whole_steps(hourly: str | None, kept: str) -> None:
    """Three hourly volatilities, up to the grid: an estimate that creeps moves nothing; unknown is not calm."""
    given = a_case(stop=policy(distance_volatility=D(3)), hourly_percent=None if hourly is None else D(hourly))
    assert distance_percent(given) == D(kept)


def test_a_market_too_wild_for_a_trail_has_none() -> None:
    """A distance of the whole price is no stop."""
    assert RULE.propose(a_case(stop=policy(distance_volatility=D(10)), hourly_percent=D(10))) is None


def test_the_next_step_is_what_the_guard_wants_to_hear_of() -> None:
    """The band of the shell has to end where the next step begins."""
    assert list(RULE.marks(a_case(stop=policy(), best_mark=D(1015)))) == [D(1020)]
    assert list(RULE.marks(a_case(Side.SHORT, policy(), best_mark=D(985)))) == [D(980)]
    assert list(RULE.marks(a_case(stop=policy(activate_percent=D(5)), best_mark=D(1015)))) == [D(1050)]


def test_without_an_entry_price_it_says_so() -> None:
    """P12: silence with a reason."""
    assert isinstance(RULE.propose(a_case(stop=policy(), entry_price=None)), Silence)
