"""Fixed: a price of the settings, or one that somebody gave."""

from __future__ import annotations

from decimal import Decimal

from config.policy import FixedPolicy, StopPolicy
from connectors.vocabulary import Side
from daemon.core.stop_rules.fixed import RULE
from tests.unit.daemon.core.stop_rules.rule_cases import a_case, said

D = Decimal
STOP = StopPolicy(fixed=FixedPolicy(long={"XBTUSDT": D(950)}, short={"XBTUSDT": D(1050), "OTHER": D(5)}))


def test_the_settings_speak_by_symbol_and_side() -> None:
    """A long and a short have prices of their own; other symbols have none."""
    assert said(RULE, a_case(stop=STOP)).price == D(950)
    assert said(RULE, a_case(Side.SHORT, STOP)).price == D(1050)
    assert RULE.propose(a_case(stop=STOP, symbol="OTHER")) is None
    assert RULE.propose(a_case()) is None


def test_an_operators_price_replaces_that_of_the_settings() -> None:
    """For the open position, even where it is the looser one; the reason says by whom."""
    word = said(RULE, a_case(stop=STOP, given_price=D(940), given_by="operator anna"))
    assert (word.price, word.why) == (D(940), "940 given by operator anna")
