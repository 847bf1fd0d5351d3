"""Quiet hours around announced events."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from config.account_rules import QuietHoursPolicy, moments_ns
from config.checks import PolicyError
from daemon.core.account_rules.quiet_hours import judge
from daemon.core.account_rules.verdict import account_view
from tests.builders import SECOND
from tests.unit.daemon.core.account_rules.rule_cases import a_state

EVENT = "2023-11-15T19:00:00Z"
AT_NS = moments_ns((EVENT,))[0]
POLICY = QuietHoursPolicy(
    events_utc=("2024-01-01T00:00:00+00:00", EVENT), before_minutes=Decimal(30), after_minutes=Decimal(10)
)


@pytest.mark.parametrize(
    ("offset_s", "is_quiet"),
    [(-1801, False), (-1800, True), (0, True), (600, True), (601, False)],
    ids=["before", "its beginning", "the event", "its end", "after"],
)
def test_both_ends_of_the_window_belong_to_it(offset_s: int, is_quiet: bool) -> None:
    """Quiet from 30 minutes before to 10 minutes after, to the second."""
    view = account_view(replace(a_state(), now_ns=AT_NS + offset_s * SECOND))
    assert bool(judge(view, POLICY)) is is_quiet


def test_without_events_it_never_speaks() -> None:
    """The default has no moment."""
    assert not judge(account_view(replace(a_state(), now_ns=AT_NS)), QuietHoursPolicy())


def test_the_text_says_until_when() -> None:
    """Event and end, in UTC."""
    (verdict,) = judge(account_view(replace(a_state(), now_ns=AT_NS)), POLICY)
    assert "2023-11-15 19:00 UTC" in verdict.text
    assert "until 2023-11-15 19:10 UTC" in verdict.text


@pytest.mark.parametrize(
    "text", ["tomorrow", "2026-12-16T19:00:00", "2026-12-16T19:00:00+01:00", "", "2026-13-01T00:00Z"]
)
def test_a_moment_that_is_none_is_refused_when_the_policy_is_made(text: str) -> None:
    """A moment without a zone, or in another, would be quiet at the wrong hour."""
    with pytest.raises(PolicyError, match="events_utc"):
        QuietHoursPolicy(events_utc=(text,))
