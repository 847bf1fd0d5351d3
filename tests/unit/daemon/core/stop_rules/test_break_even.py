"""Break-even: entry, both fees, and a little more."""

from __future__ import annotations

from decimal import Decimal

import pytest

from config.modes import RuleMode
from config.policy import BreakEvenPolicy, StopPolicy
from connectors.vocabulary import Instrument, Side
from daemon.core.stop_rules import Silence
from daemon.core.stop_rules.break_even import RULE
from daemon.core.stop_rules.outcome import Trade, outcome_sat
from tests.builders import an_instrument
from tests.unit.daemon.core.stop_rules.rule_cases import a_case, inverse, quanto, said

D = Decimal


def policy(after: str = "2", lock: str = "0") -> StopPolicy:
    """After two percent, locking in nothing."""
    rule = BreakEvenPolicy(mode=RuleMode.ON, after_percent=D(after), lock_percent=D(lock))
    return StopPolicy(break_even=rule)


@pytest.mark.parametrize("instrument", [an_instrument(), inverse(), quanto()], ids=["linear", "inverse", "quanto"])
@pytest.mark.parametrize("side", list(Side))
def test_closing_there_costs_nothing_and_one_tick_farther_does(instrument: Instrument, side: Side) -> None:
    """Both fees in minor units, on inverse contracts too, where they change with one over the price."""
    best = D(1000) * (1 + side.sign * D("0.03"))
    price = said(RULE, a_case(side, policy(), instrument=instrument, best_mark=best)).price
    assert price is not None
    trade = Trade(instrument=instrument, quantity=100 * side.sign, entry_price=D(1000))
    assert outcome_sat(trade, price, opened_contracts=100) >= 0
    assert outcome_sat(trade, price - side.sign * instrument.tick_size, opened_contracts=100) < 0


def test_the_lock_comes_on_top() -> None:
    """A tenth of a percent of the entry price."""
    plain = said(RULE, a_case(stop=policy(), best_mark=D(1030))).price
    locked = said(RULE, a_case(stop=policy(lock="0.1"), best_mark=D(1030))).price
    assert plain is not None
    assert locked == plain + 1


@pytest.mark.parametrize(("side", "best"), [(Side.LONG, "1019.5"), (Side.SHORT, "980.5"), (Side.LONG, None)])
def test_silent_before_the_gain(side: Side, best: str | None) -> None:
    """Nothing moves before the best mark was good enough."""
    assert RULE.propose(a_case(side, policy(), best_mark=None if best is None else D(best))) is None


def test_a_gain_smaller_than_the_fees_moves_nothing() -> None:
    """After 0.1 % the price of no loss (0.15 % away) is beyond the mark: a stop there would fire at once."""
    stop = policy(after="0.1")
    assert RULE.propose(a_case(stop=stop, best_mark=D("1001.5"))) is None
    assert said(RULE, a_case(stop=stop, best_mark=D(1003))).price is not None


def test_the_gain_is_what_the_guard_wants_to_hear_of() -> None:
    """Once it is reached, the rule has nothing more to wait for."""
    assert D(1020) in list(RULE.marks(a_case(stop=policy())))
    assert list(RULE.marks(a_case(stop=policy(), best_mark=D(1030)))) == []


def test_without_figures_it_says_so() -> None:
    """P12: no entry price, no contract."""
    assert isinstance(RULE.propose(a_case(stop=policy(), entry_price=None)), Silence)
    assert isinstance(RULE.propose(a_case(stop=policy(), instrument=None, best_mark=D(1030))), Silence)
