"""Margin used."""

from __future__ import annotations

from decimal import Decimal

from config.account_rules import MarginUsedPolicy
from daemon.core.account_rules.margin_used import judge
from daemon.core.account_rules.verdict import Level
from tests.builders import a_margin
from tests.unit.daemon.core.account_rules.rule_cases import a_guarded, a_view, levels, only

EIGHTY = MarginUsedPolicy(percent=Decimal(80))


def test_initial_and_maintenance_margin_count_together() -> None:
    """Of a balance of 1000, 750 is fine, 799 is near, and exactly 800 breaks the rule."""
    for orders, expected in ((350, {}), (399, {"USDt": Level.NEAR}), (400, {"USDt": Level.OVER})):
        margin = a_margin(margin_balance_sat=1000, initial_margin_sat=orders, maintenance_margin_sat=400)
        assert levels(judge(a_view(margins=[margin]), EIGHTY)) == expected


def test_an_empty_account_uses_nothing() -> None:
    """Nothing of nothing is no breach; something of nothing is."""
    assert not judge(a_view(margins=[a_margin(margin_balance_sat=0)]), EIGHTY)
    margin = a_margin(margin_balance_sat=-5, maintenance_margin_sat=10)
    assert "more than all" in only(judge(a_view(margins=[margin]), EIGHTY)).text


def test_a_currency_without_row_cannot_be_judged() -> None:
    """A position in a currency whose margin row is missing."""
    view = a_view(a_guarded(), margins=[a_margin(currency="XBt")])
    assert levels(judge(view, EIGHTY)) == {"USDt": Level.UNKNOWN}
