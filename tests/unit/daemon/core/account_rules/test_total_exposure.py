"""Total exposure: the worth of everything over equity, per settlement currency."""

from __future__ import annotations

from decimal import Decimal

from config.account_rules import TotalExposurePolicy
from connectors.vocabulary import ContractKind
from daemon.core.account_rules.total_exposure import judge
from daemon.core.account_rules.verdict import Level
from daemon.core.memory.witnesses import KnownOrder
from tests.builders import START_NS, a_margin, a_position, a_stop, an_instrument, an_order
from tests.unit.daemon.core.account_rules.rule_cases import a_guarded, a_view, levels, only

TEN = TotalExposurePolicy(equity_multiple=Decimal(10))
ETH = an_instrument("ETHUSDT")


def test_longs_and_shorts_are_added() -> None:
    """200 contracts of 1000 in two directions: 200,000; ten times 20,000 is allowed, of 19,999 it is not."""
    both = (a_guarded(), a_guarded(a_position(-100, "ETHUSDT")))
    for equity, expected in ((40_000, {}), (20_000, {"USDt": Level.NEAR}), (19_999, {"USDt": Level.OVER})):
        view = a_view(*both, instruments=[an_instrument(), ETH], margins=[a_margin(margin_balance_sat=equity)])
        assert levels(judge(view, TEN)) == expected


def test_currencies_are_judged_apart() -> None:
    """Equity in one currency does not stand for positions in another."""
    inverse = an_instrument("XBTUSD", kind=ContractKind.INVERSE, settlement_currency="XBt", multiplier=-100_000_000)
    held = (a_guarded(), a_guarded(a_position(1000, "XBTUSD", currency="XBt")))
    margins = [a_margin(margin_balance_sat=5_000), a_margin(currency="XBt", margin_balance_sat=10**9)]
    view = a_view(*held, instruments=[an_instrument(), inverse], margins=margins)
    assert levels(judge(view, TEN)) == {"USDt": Level.OVER}


def test_orders_count_if_asked_for() -> None:
    """A resting order counts at its price as if filled; what can only shrink a position never does."""
    book = {
        each.order_id: KnownOrder(order=each, taken_ns=START_NS, is_confirmed=True)
        for each in (an_order(quantity=50, leaves_quantity=50, price=Decimal(1000)), a_stop(leaves_quantity=100))
    }
    changes = {"orders": {"XBTUSDT": book}, "adding": {"XBTUSDT": 1}, "margins": [a_margin(margin_balance_sat=12_000)]}
    assert not judge(a_view(a_guarded(), **changes), TEN)
    verdict = only(judge(a_view(a_guarded(), **changes), TotalExposurePolicy(counts_orders=True)))
    assert verdict.level is Level.OVER
    assert dict(verdict.facts)["orders"] == 50_000


def test_a_part_that_is_not_known_is_never_read_as_nothing() -> None:
    """One mark is missing: within the limit nothing is said; what is known may be over it already."""
    pair = {"instruments": [an_instrument()]}
    unseen = a_guarded(a_position(100, "ETHUSDT"))
    assert levels(judge(a_view(a_guarded(), unseen, **pair), TEN)) == {"USDt": Level.UNKNOWN}
    poor = a_view(a_guarded(), unseen, margins=[a_margin(margin_balance_sat=1_000)], **pair)
    assert levels(judge(poor, TEN)) == {"USDt": Level.OVER}


def test_without_margin_row_the_rule_cannot_judge() -> None:
    """Positions in a currency whose equity is not known."""
    view = a_view(a_guarded(), margins=[a_margin(currency="XBt")])
    assert levels(judge(view, TEN)) == {"USDt": Level.UNKNOWN}


def test_the_remedy_is_what_is_too_much() -> None:
    """100,000 where 50,000 are allowed: trim to 95 % of that, so that the breach is over."""
    remedy = only(judge(a_view(a_guarded(), margins=[a_margin(margin_balance_sat=5_000)]), TEN)).remedy
    assert remedy is not None
    assert (remedy.currency, remedy.excess_sat) == ("USDt", 52_500)
