"""Rules that cannot judge: told once it lasts, and when it is over."""

from __future__ import annotations

from typing import Any

from config.account_rules import AdlRankPolicy
from config.modes import RuleMode
from daemon.core.draft import Draft
from daemon.core.judgement import judge_account
from daemon.core.judging import unjudged
from daemon.core.state import GuardState
from tests.builders import SECOND
from tests.unit.daemon.core.account_rules.rule_cases import a_state, an_account

LACK = {"adl_rank": "the venue does not tell the rank"}


def after(state: GuardState, seconds: int, found: dict[str, str]) -> tuple[GuardState, list[tuple[str, str]]]:
    """The state some seconds later, when these rules cannot judge, and what was told."""
    draft = Draft(state, state.now_ns + seconds * SECOND)
    unjudged.note(draft, found)
    judge_account(draft)
    told: list[Any] = [each for each in draft.commands if getattr(each, "state", "") == "rule_unjudged"]
    return draft.finish(), [(each.severity.value, each.text) for each in told]


def test_a_lack_that_lasts_is_told_once_and_its_end_once() -> None:
    """P12: not within the minute, then one warning with rule and figure, silence, and the end."""
    state, told = after(a_state(), 0, LACK)
    assert not told
    state, told = after(state, 59, LACK)
    assert not told
    state, told = after(state, 1, LACK)
    assert told == [("warning", "Account 7: the rule adl_rank cannot judge: the venue does not tell the rank.")]
    state, told = after(state, 600, LACK)
    assert not told
    _, told = after(state, 1, {})
    assert told == [("note", "Account 7: rule_unjudged is over.")]


def test_short_lacks_one_after_the_other_are_none() -> None:
    """A figure that comes back begins the minute anew."""
    state = a_state()
    for _ in range(5):
        state, told = after(state, 50, LACK)
        assert not told
        state, told = after(state, 1, {})
        assert not told


def test_shadow_rules_and_blindness_say_nothing_here() -> None:
    """A rule in shadow limits nobody, and what keeps all rules from judging has a name of its own."""
    shadow = an_account(adl_rank=AdlRankPolicy(mode=RuleMode.SHADOW))
    for before, found in ((a_state(policy=shadow), LACK), (a_state(), {unjudged.EVERY_RULE: "blind"})):
        state, _ = after(before, 0, found)
        _, told = after(state, 600, found)
        assert not told
