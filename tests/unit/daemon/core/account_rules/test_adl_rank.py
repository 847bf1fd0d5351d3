"""Auto-deleveraging rank."""

from __future__ import annotations

import pytest

from config.account_rules import AdlRankPolicy
from daemon.core.account_rules.adl_rank import judge
from daemon.core.account_rules.verdict import Level
from tests.builders import a_position
from tests.unit.daemon.core.account_rules.rule_cases import a_guarded, a_view, levels


@pytest.mark.parametrize(
    ("rank", "expected"),
    [(3, {}), (4, {"XBTUSDT": Level.OVER}), (5, {"XBTUSDT": Level.OVER}), (None, {"XBTUSDT": Level.UNKNOWN})],
)
def test_the_rank_is_compared(rank: int | None, expected: dict[str, Level]) -> None:
    """From the rank that is set on; a rank that the venue does not tell is unknown."""
    view = a_view(a_guarded(a_position(adl_rank=rank)), mark=None)
    assert levels(judge(view, AdlRankPolicy(rank=4))) == expected
