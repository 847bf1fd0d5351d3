"""The leverage cap: worth over backing, isolated and cross."""

from __future__ import annotations

from decimal import Decimal

import pytest

from config.account_rules import LeverageCapPolicy
from daemon.core.account_rules.leverage_cap import judge
from daemon.core.account_rules.verdict import Level
from daemon.core.memory.rule_facts import RemedyKind
from daemon.core.state import Guarded
from tests.builders import a_margin, a_position, an_instrument
from tests.unit.daemon.core.account_rules.rule_cases import a_guarded, a_view, levels, only

CAP = LeverageCapPolicy(most=Decimal(10))


def isolated(margin_sat: int, *, quantity: int = 100, leverage: int = 20) -> Guarded:
    """100 contracts from 1000, worth 100,000 at the mark of 1000."""
    cost = 1000 * quantity
    return a_guarded(
        a_position(quantity, margin_sat=margin_sat, leverage=Decimal(leverage), cost_sat=cost, unrealised_cost_sat=cost)
    )


@pytest.mark.parametrize(
    ("margin_sat", "expected"),
    [(20_000, {}), (10_000, {"XBTUSDT": Level.NEAR}), (9_999, {"XBTUSDT": Level.OVER})],
    ids=["within", "at the cap", "above"],
)
def test_isolated_leverage_is_worth_over_margin(margin_sat: int, expected: dict[str, Level]) -> None:
    """Worth 100,000 over the position's own margin; exactly the cap is allowed."""
    assert levels(judge(a_view(isolated(margin_sat)), CAP)) == expected


def test_a_loss_raises_the_leverage() -> None:
    """The margin that backs an isolated position counts with its unrealised loss."""
    view = a_view(isolated(12_000), mark=950)
    assert levels(judge(view, CAP)) == {"XBTUSDT": Level.OVER}


def test_a_short_in_loss_with_nothing_left_has_boundless_leverage() -> None:
    """A margin that is used up is a breach in words, not a division by zero."""
    verdict = only(judge(a_view(isolated(1_000, quantity=-100), mark=1200), CAP))
    assert verdict.level is Level.OVER
    assert "boundless" in verdict.text


def test_a_cross_position_is_backed_by_the_equity() -> None:
    """Worth over the margin balance of its currency; no remedy, since a leverage would isolate it."""
    guarded = a_guarded(a_position(is_cross=True))
    assert not judge(a_view(guarded, margins=[a_margin(margin_balance_sat=20_000)]), CAP)
    verdict = only(judge(a_view(guarded, margins=[a_margin(margin_balance_sat=5_000)]), CAP))
    assert (verdict.level, verdict.remedy) == (Level.OVER, None)


def test_the_cap_of_a_symbol_goes_before_the_common_one() -> None:
    """`by_symbol` replaces `most` for the symbols it names."""
    policy = LeverageCapPolicy(most=Decimal(10), by_symbol={"XBTUSDT": Decimal(50)})
    assert not judge(a_view(isolated(5_000)), policy)


def test_the_remedy_is_a_setting_within_the_cap() -> None:
    """CORRECT lowers the setting a bit below the cap; a setting below the cap already leaves nothing to lower."""
    remedy = only(judge(a_view(isolated(5_000)), CAP)).remedy
    assert remedy is not None
    assert (remedy.kind, remedy.leverage) == (RemedyKind.LOWER_LEVERAGE, Decimal("9.50"))
    assert only(judge(a_view(isolated(5_000, leverage=5)), CAP)).remedy is None


def test_missing_figures_are_no_breach_and_no_safety() -> None:
    """Without mark, or contract, the rule says that it cannot judge."""
    for view in (a_view(isolated(1), mark=None), a_view(isolated(1), instruments=[an_instrument("ETHUSDT")])):
        assert levels(judge(view, CAP)) == {"XBTUSDT": Level.UNKNOWN}


def test_a_cross_position_without_margin_row_is_unknown() -> None:
    """No equity is known: the rule cannot judge."""
    view = a_view(a_guarded(a_position(is_cross=True)), margins=[a_margin(currency="XBt")])
    assert levels(judge(view, CAP)) == {"XBTUSDT": Level.UNKNOWN}
