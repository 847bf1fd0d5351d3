"""Naked: no confirmed stop for too long."""

from __future__ import annotations

from decimal import Decimal

from config.account_rules import NakedPolicy
from daemon.core.account_rules.naked import judge
from daemon.core.account_rules.verdict import Level
from daemon.core.state import Need
from tests.builders import SECOND, START_NS
from tests.unit.daemon.core.account_rules.rule_cases import a_guarded, a_view, levels, only

THIRTY = NakedPolicy(for_s=Decimal(30))


def test_a_stop_may_take_some_time() -> None:
    """29 s without a stop are allowed, 30 s are not."""
    for seconds, expected in ((29, {}), (30, {"XBTUSDT": Level.OVER})):
        guarded = a_guarded(covered_ns=0, uncovered_ns=START_NS - seconds * SECOND)
        assert levels(judge(a_view(guarded, mark=None), THIRTY)) == expected


def test_the_text_says_what_keeps_the_stop_away() -> None:
    """The refusal of the venue belongs to the alert."""
    guarded = a_guarded(covered_ns=0, uncovered_ns=START_NS - 60 * SECOND, refusal="the venue refused it: no")
    assert "refused it: no" in only(judge(a_view(guarded), THIRTY)).text


def test_what_cannot_be_liquidated_needs_no_stop() -> None:
    """No liquidation in range and no stop rule asks: nothing is missing."""
    guarded = a_guarded(need=Need.NOTHING, covered_ns=0, uncovered_ns=START_NS - 60 * SECOND)
    assert not judge(a_view(guarded), THIRTY)


def test_before_the_orders_are_listed_nothing_is_known() -> None:
    """A stop may rest that is not known yet."""
    guarded = a_guarded(covered_ns=0, uncovered_ns=START_NS - 60 * SECOND)
    assert levels(judge(a_view(guarded, orders_known=False), THIRTY)) == {"": Level.UNKNOWN}
