"""Insurance fund: its fall within a day."""

from __future__ import annotations

from decimal import Decimal

from config.account_rules import InsuranceFundPolicy
from connectors.vocabulary import Insurance
from daemon.core.account_rules.insurance_fund import judge
from daemon.core.account_rules.verdict import Level
from tests.builders import SECOND, START_NS
from tests.unit.daemon.core.account_rules.rule_cases import a_guarded, a_view, levels

TEN = InsuranceFundPolicy(drawdown_percent=Decimal(10))
HOUR = 3600 * SECOND


def fund(*samples: tuple[int, int]) -> dict[str, tuple[Insurance, ...]]:
    """Publications as hours before now and balance."""
    return {
        "USDt": tuple(
            Insurance(currency="USDt", balance_sat=balance, timestamp_ns=START_NS - hours * HOUR)
            for hours, balance in samples
        )
    }


def test_the_fall_within_a_day_is_compared() -> None:
    """From 1000 to 910 is near, to 900 it is the limit; what was higher two days ago does not count."""
    for balance, expected in ((980, {}), (902, {"USDt": Level.NEAR}), (900, {"USDt": Level.OVER})):
        view = a_view(a_guarded(), insurance=fund((49, 5000), (25, 1000), (1, balance)))
        assert levels(judge(view, TEN)) == expected


def test_without_positions_in_the_currency_it_does_not_matter() -> None:
    """Only currencies held are judged."""
    assert not judge(a_view(insurance=fund((25, 1000), (1, 10))), TEN)


def test_what_is_not_published_is_not_known() -> None:
    """No publication, an old one, or a topic that is missing: the rule cannot judge."""
    assert levels(judge(a_view(a_guarded()), TEN)) == {"USDt": Level.UNKNOWN}
    assert levels(judge(a_view(a_guarded(), insurance=fund((100, 1000), (80, 10))), TEN)) == {"USDt": Level.UNKNOWN}
    view = a_view(a_guarded(), insurance=fund((25, 1000), (1, 10)), missing_topics={"insurance": "refused"})
    assert levels(judge(view, TEN)) == {"": Level.UNKNOWN}


def test_an_empty_fund_divides_by_nothing() -> None:
    """A fund of zero that stays at zero has not fallen."""
    assert not judge(a_view(a_guarded(), insurance=fund((25, 0), (1, 0))), TEN)
