"""Isolated margin only."""

from __future__ import annotations

from config.account_rules import IsolatedOnlyPolicy
from daemon.core.account_rules.isolated_only import judge
from daemon.core.account_rules.verdict import Level
from daemon.core.memory.rule_facts import RemedyKind
from tests.builders import a_position
from tests.unit.daemon.core.account_rules.rule_cases import a_guarded, a_view, only


def test_isolated_and_flat_positions_are_within_the_rule() -> None:
    """Only an open position in cross margin breaks it."""
    flat = a_guarded(a_position(0, "ETHUSDT", is_cross=True))
    assert not judge(a_view(a_guarded(), flat), IsolatedOnlyPolicy())


def test_a_cross_position_is_to_be_isolated() -> None:
    """A cross position breaks it, marks or no marks; CORRECT isolates it."""
    verdict = only(judge(a_view(a_guarded(a_position(is_cross=True)), mark=None), IsolatedOnlyPolicy()))
    assert verdict.level is Level.OVER
    assert verdict.remedy is not None
    assert verdict.remedy.kind is RemedyKind.ISOLATE
