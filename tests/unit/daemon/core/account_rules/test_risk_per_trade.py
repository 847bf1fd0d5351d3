"""Risk per trade: from the mark to the stop, with fees and slippage."""

from __future__ import annotations

from decimal import Decimal

from config.account_rules import RiskPerTradePolicy
from daemon.core.account_rules.risk_per_trade import judge, loss_sat
from daemon.core.account_rules.verdict import Level
from tests.builders import a_margin, a_position, an_instrument
from tests.unit.daemon.core.account_rules.rule_cases import a_guarded, a_view, levels, only

FREE = an_instrument(taker_fee=Decimal(0))
FIVE = RiskPerTradePolicy(equity_percent=Decimal(5), slippage_percent=Decimal(0))


def test_the_loss_to_the_stop_is_compared_with_equity() -> None:
    """100 contracts from 1000 to a stop at 950 lose 5000: 5 % of 100,000 is allowed, of 99,999 it is not."""
    for equity, expected in ((200_000, {}), (100_000, {"XBTUSDT": Level.NEAR}), (99_999, {"XBTUSDT": Level.OVER})):
        view = a_view(a_guarded(), instruments=[FREE], margins=[a_margin(margin_balance_sat=equity)])
        assert levels(judge(view, FIVE)) == expected


def test_fees_and_slippage_count() -> None:
    """The fill at 949.05 is worth 949 a contract, as the venue rounds; 0.075 % of that comes on top."""
    assert loss_sat(FREE, 100, Decimal(1000), Decimal(950), Decimal(0)) == 5000
    assert loss_sat(an_instrument(), 100, Decimal(1000), Decimal(950), Decimal("0.1")) == 5000 + 100 + 72


def test_a_short_loses_upward() -> None:
    """A short's stop lies above the mark."""
    guarded = a_guarded(a_position(-100), ruled=Decimal(1050), ratchet=None)
    view = a_view(guarded, instruments=[FREE], margins=[a_margin(margin_balance_sat=50_000)])
    assert levels(judge(view, FIVE)) == {"XBTUSDT": Level.OVER}


def test_the_tighter_stop_that_rests_goes_before_the_wanted_one() -> None:
    """What rests is what is lost at, not what the rules would want now."""
    guarded = a_guarded(ruled=Decimal(900), ratchet=Decimal(999))
    assert not judge(a_view(guarded, instruments=[FREE], margins=[a_margin(margin_balance_sat=10_000)]), FIVE)


def test_a_stop_that_was_passed_costs_from_the_mark() -> None:
    """Beyond its stop a position does not count as a gain."""
    guarded = a_guarded(ratchet=Decimal(1010))
    assert not judge(a_view(guarded, instruments=[FREE], margins=[a_margin(margin_balance_sat=10_000)]), FIVE)


def test_the_remedy_is_the_size_that_fits() -> None:
    """Half the equity allows half the size, in whole lots downward."""
    lots = an_instrument(taker_fee=Decimal(0), lot_size=20)
    view = a_view(a_guarded(), instruments=[lots], margins=[a_margin(margin_balance_sat=50_000)])
    remedy = only(judge(view, FIVE)).remedy
    assert remedy is not None
    assert remedy.contracts == 40


def test_missing_figures_are_no_breach_and_no_safety() -> None:
    """Without stop, mark or margin row the rule says that it cannot judge."""
    bare = a_guarded(ruled=None, ratchet=None)
    for view in (
        a_view(bare),
        a_view(a_guarded(), mark=None),
        a_view(a_guarded(), margins=[a_margin(currency="XBt")]),
        a_view(a_guarded(), margins=[a_margin(is_multi_asset=True)]),
    ):
        assert levels(judge(view, FIVE)) == {"XBTUSDT": Level.UNKNOWN}


def test_equity_of_nothing_is_a_breach() -> None:
    """No equity, or less: any loss is too much, and nothing fits."""
    for equity in (0, -5_000):
        verdict = only(judge(a_view(a_guarded(), margins=[a_margin(margin_balance_sat=equity)]), FIVE))
        assert verdict.level is Level.OVER
        assert verdict.remedy is not None
        assert verdict.remedy.contracts == 0
