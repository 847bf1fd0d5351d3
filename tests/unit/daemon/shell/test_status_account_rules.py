"""What the status says of the account rules."""

from __future__ import annotations

from dataclasses import replace

from config.account_rules import AdlRankPolicy, NakedPolicy, QuietHoursPolicy
from config.modes import Action, RuleMode
from daemon.core.state import Feed
from daemon.shell.status_account_rules import account_rule_lines, describe_account_rules
from tests.builders import a_position
from tests.unit.daemon.core.account_rules.rule_cases import Ruled, a_guarded, a_state, an_account


def judged(rank: int | None, **rules: object) -> Ruled:
    """One position at this place in the queue, judged once."""
    policy = an_account(**({"adl_rank": AdlRankPolicy(action=Action.FREEZE)} | rules))
    ruled = Ruled(a_state(a_guarded(a_position(adl_rank=rank)), policy=policy))
    ruled.tick()
    return ruled


def test_a_breach_stands_in_the_status() -> None:
    """Mode, action, subject, since when, the figures and the latch that holds for it."""
    (rule,) = describe_account_rules(judged(5).state)
    assert (rule["rule"], rule["mode"], rule["action"], rule["cannot_judge"]) == ("adl_rank", "on", "freeze", None)
    (line,) = account_rule_lines([rule])
    assert line.startswith("rule adl_rank since 2023-11-14T22:13:21+00:00: XBTUSDT +100 stands at 5 of 5")
    assert line.endswith("latch adl_rank:XBTUSDT")


def test_rules_that_are_off_are_left_out_and_shadows_are_named() -> None:
    """A quiet account has no line."""
    ruled = judged(5, adl_rank=AdlRankPolicy(mode=RuleMode.SHADOW))
    (line,) = account_rule_lines(describe_account_rules(ruled.state))
    assert "adl_rank (shadow)" in line
    assert not list(account_rule_lines(describe_account_rules(judged(1).state)))


def test_what_cannot_be_judged_says_why_and_blind_is_one_line() -> None:
    """P12: one rule lacks a figure; all of them lack the account."""
    ruled = judged(None, naked=NakedPolicy(), quiet_hours=QuietHoursPolicy())
    (line,) = account_rule_lines(describe_account_rules(ruled.state))
    assert line == "rule adl_rank cannot judge: XBTUSDT: the venue does not tell the rank"
    ruled.tick(health=replace(ruled.state.health, account=Feed(is_live=False, reason="gone")))
    lines = list(account_rule_lines(describe_account_rules(ruled.state)))
    assert lines == ["rules cannot judge: the account stream is not fresh"]
