"""Drawdown: steps below the highest, told one by one; the last acts."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from config.account_rules import DrawdownPolicy
from config.modes import Action
from tests.unit.daemon.core.account_rules.rule_cases import Ruled, a_state, an_account, topics

STEPS = DrawdownPolicy(action=Action.FREEZE, alert_at_percent=(Decimal(10), Decimal(20), Decimal(30)))


def falling(policy: DrawdownPolicy = STEPS) -> Ruled:
    """A million, first seen; one tick old."""
    ruled = Ruled(a_state(policy=an_account(drawdown=policy)))
    ruled.tick()
    return ruled


def to(ruled: Ruled, equity: int) -> list[tuple[str, str]]:
    """Two rows show this equity; what was told."""
    return topics([*ruled.margin(margin_balance_sat=equity), *ruled.margin(margin_balance_sat=equity)])


def test_each_step_is_told_when_it_is_first_passed_and_the_last_acts() -> None:
    """Alerts at 10 and 20 %, a freeze at 30 %; going back and forth over a step says nothing more."""
    ruled = falling()
    assert not to(ruled, 900_001)
    assert to(ruled, 900_000) == [("rule", "drawdown")]
    assert not to(ruled, 850_000)
    assert to(ruled, 800_000) == [("rule", "drawdown")]
    assert not to(ruled, 850_000)
    assert not to(ruled, 799_000)
    assert to(ruled, 700_000) == [("latch", "freeze")]


def test_the_highest_needs_two_witnesses_too() -> None:
    """One row far up is no new highest: the fall from it is none."""
    ruled = falling()
    ruled.margin(margin_balance_sat=9_000_000)
    assert not to(ruled, 1_000_000)
    assert ruled.state.day_books["USDt"].peak_sat == 1_000_000


def test_the_highest_follows_gains_and_survives_midnight_and_restart() -> None:
    """P7: after a gain to two millions the first step is at 1.8; a new day does not forget it."""
    ruled = falling()
    to(ruled, 2_000_000)
    ruled.restart()
    ruled.tick(100_000)
    assert to(ruled, 1_800_000) == [("rule", "drawdown")]


def test_withdrawals_are_taken_out_of_the_highest() -> None:
    """Money that is taken out is no fall."""
    ruled = falling()
    ruled.wallet(0, 1_000_000)
    ruled.wallet(-500_000, 500_000)
    ruled.margin(margin_balance_sat=500_000, amount_sat=500_000)
    assert not to(ruled, 500_000)
    assert to(ruled, 450_000) == [("rule", "drawdown")]


def test_a_lift_forgets_the_highest() -> None:
    """Lifted at 30 %: no freeze again before a further 30 %, counted from there."""
    ruled = falling()
    to(ruled, 700_000)
    ruled.lift("drawdown")
    ruled.tick(600)
    assert not ruled.state.latches
    assert ruled.state.day_books["USDt"].peak_sat == 700_000
    to(ruled, 490_000)
    assert "drawdown" in ruled.state.latches


def test_two_steps_at_once_are_one_message() -> None:
    """A fall through two steps names the deeper one."""
    ruled = falling(replace(STEPS, action=Action.ALERT))
    assert to(ruled, 750_000) == [("rule", "drawdown")]
    assert "step 2 of 3" in ruled.said[-1].text


def test_a_withdrawal_below_the_highest_passes_no_further_step() -> None:
    """Ten percent down, then half is taken out: still ten percent down."""
    ruled = falling()
    ruled.wallet(0, 1_000_000)
    assert to(ruled, 900_000) == [("rule", "drawdown")]
    ruled.wallet(-500_000, 500_000)
    ruled.margin(margin_balance_sat=400_000, amount_sat=500_000)
    assert not to(ruled, 400_000)
    assert ruled.state.day_books["USDt"].peak_sat == 444_444
    assert to(ruled, 355_000) == [("rule", "drawdown")]
