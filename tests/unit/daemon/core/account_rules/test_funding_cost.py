"""Funding cost: only what is paid, per day, as a share of the margin."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from config.account_rules import FundingCostPolicy
from connectors.vocabulary import Instrument
from daemon.core.account_rules.funding_cost import judge
from daemon.core.account_rules.verdict import Level
from daemon.core.state import Guarded
from tests.builders import SECOND, START_NS, a_margin, a_position, an_instrument
from tests.unit.daemon.core.account_rules.rule_cases import a_guarded, a_view, levels, only

FIVE = FundingCostPolicy(margin_percent_a_day=Decimal(5))
EIGHT_HOURS = 8 * 3600 * SECOND


def paying(rate: str = "0.001", **changes: Any) -> Instrument:
    """0.1 % every eight hours, due in two hours."""
    base = {"funding_at_ns": START_NS + 7200 * SECOND, "funding_interval_ns": EIGHT_HOURS}
    return an_instrument(funding_rate=Decimal(rate), **(base | changes))


def held(margin_sat: int, quantity: int = 100) -> Guarded:
    """Worth 100,000 at the mark."""
    return a_guarded(a_position(quantity, margin_sat=margin_sat))


def test_the_cost_of_a_day_is_compared_with_the_margin() -> None:
    """300 a day: 5 % of 6000, which is the limit and breaks it."""
    for margin, expected in ((7_000, {}), (6_100, {"XBTUSDT": Level.NEAR}), (6_000, {"XBTUSDT": Level.OVER})):
        assert levels(judge(a_view(held(margin), instruments=[paying()]), FIVE)) == expected


def test_the_text_names_the_next_payment() -> None:
    """People want to know what is due, and when."""
    text = only(judge(a_view(held(1_000), instruments=[paying()]), FIVE)).text
    assert "in 2 h 0 min" in text
    assert "30.00 % of its margin" in text


def test_receiving_is_never_a_breach() -> None:
    """A short receives while the rate is above zero, and a long while it is below."""
    assert not judge(a_view(held(1, -100), instruments=[paying()]), FIVE)
    assert not judge(a_view(held(1), instruments=[paying("-0.01")]), FIVE)
    assert levels(judge(a_view(held(1, -100), instruments=[paying("-0.01")]), FIVE)) == {"XBTUSDT": Level.OVER}


def test_a_rate_whose_stamp_has_passed_says_nothing() -> None:
    """The venue has not told the next rate for minutes: unknown."""
    late = paying(funding_at_ns=START_NS - 600 * SECOND)
    assert levels(judge(a_view(held(1), instruments=[late]), FIVE)) == {"XBTUSDT": Level.UNKNOWN}


def test_missing_figures_are_no_breach_and_no_safety() -> None:
    """Without mark or margin figure the rule says that it cannot judge; without a rate there is nothing to pay."""
    assert levels(judge(a_view(held(1), instruments=[paying()], mark=None), FIVE)) == {"XBTUSDT": Level.UNKNOWN}
    assert levels(judge(a_view(held(0), instruments=[paying()]), FIVE)) == {"XBTUSDT": Level.UNKNOWN}
    assert not judge(a_view(held(1)), FIVE)


def test_a_cross_position_pays_from_the_whole_equity() -> None:
    """300 a day of a million is little, whatever initial margin the row of a cross position shows."""
    for equity, expected in ((1_000_000, {}), (6_000, {"XBTUSDT": Level.OVER})):
        crossed = a_guarded(a_position(100, margin_sat=500, is_cross=True))
        view = a_view(crossed, instruments=[paying()], margins=[a_margin(margin_balance_sat=equity)])
        assert levels(judge(view, FIVE)) == expected
    assert "5.00 % of the equity" in only(judge(view, FIVE)).text
    bare = a_view(crossed, instruments=[paying()], margins=[a_margin(currency="XBt")])
    assert levels(judge(bare, FIVE)) == {"XBTUSDT": Level.UNKNOWN}
