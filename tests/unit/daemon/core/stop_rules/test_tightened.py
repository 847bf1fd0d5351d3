"""Tightened: where the ladder's step moved the stop."""

from __future__ import annotations

from decimal import Decimal

from daemon.core.stop_rules.tightened import RULE
from tests.unit.daemon.core.stop_rules.rule_cases import a_case, said


def test_the_ladders_place_is_a_proposal_like_any_other() -> None:
    """Nothing without one."""
    assert RULE.propose(a_case()) is None
    assert said(RULE, a_case(tightened=Decimal(960))).price == Decimal(960)
