"""What people are told of account rules: figure, limit, what is done, and what they can do themselves.

A latch tells of itself (`latches.py`) and says what it does and how it ends; its cause is worded here. Everything else
of a rule is told here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from config.account_rules import AccountRule
from config.modes import Action
from daemon.core import alerts
from daemon.core.account_rules.verdict import Verdict
from daemon.core.commands import Severity
from daemon.core.draft import Draft
from daemon.core.memory.rule_facts import RuleStanding
from daemon.core.reasons import Reason

_WOULD: Final = {
    Action.ALERT: "tell",
    Action.FREEZE: "freeze",
    Action.CORRECT: "correct",
    Action.FLATTEN: "flatten",
}


def cause(standing: RuleStanding, verdict: Verdict) -> str:
    """Why a latch is set: figure, limit and what the trader can do, without a full stop."""
    return f"Rule {standing.rule}: {verdict.text}; you can: {verdict.advice}"


def tell(
    draft: Draft,
    standing: RuleStanding,
    policy: AccountRule,
    verdict: Verdict,
    action: Action,
    *,
    is_again: bool,
) -> None:
    """Tell of a breach that begins, or that stands still."""
    still = " (still)" if is_again else ""
    alerts.tell(
        draft,
        Reason.RULE,
        Severity.WARNING if action is Action.ALERT else Severity.CRITICAL,
        topic="rule",
        state=standing.rule,
        symbol=_symbol(verdict),
        text=f"Rule {standing.rule}{still}: {verdict.text}. {_done(standing, policy, action)}. You can:"
        f" {verdict.advice}.",
        facts=_facts(standing, verdict, action),
    )


def _done(standing: RuleStanding, policy: AccountRule, action: Action) -> str:
    if standing.is_waived:
        return f"Its {policy.action.value} was lifted, so nothing more is done before this is over"
    if action is Action.ALERT:
        return "Nothing is done by itself"
    if action is Action.CORRECT:
        return f"It could not be corrected so far: {standing.refusal}" if standing.refusal else "It is being corrected"
    if standing.latch:
        return f"The latch {standing.latch} holds"
    return "It is being closed already, or the rule acted a short time ago"


def tell_shadow(draft: Draft, standing: RuleStanding, verdict: Verdict, action: Action) -> None:
    """Say what a rule in shadow would do."""
    alerts.tell(
        draft,
        Reason.SHADOW,
        Severity.NOTE,
        topic="shadow",
        state=f"would_{_WOULD[action]}",
        symbol=_symbol(verdict),
        text=f"Shadow: the rule {standing.rule} would {_WOULD[action]}: {verdict.text}.",
        facts=_facts(standing, verdict, action),
    )


def tell_end(draft: Draft, standing: RuleStanding) -> None:
    """Say that a breach is over."""
    subject = f" for {standing.subject}" if standing.subject else ""
    held = f"; the latch {standing.latch} holds until it is lifted" if standing.latch else ""
    alerts.tell(
        draft,
        Reason.RECOVERED,
        Severity.NOTE,
        topic="rule",
        state=standing.rule,
        symbol=standing.subject if standing.subject in draft.positions else "",
        text=f"Rule {standing.rule}: over{subject}{held}.",
        facts=(("rule", standing.rule), ("subject", standing.subject or "account"), ("phase", "ended")),
    )


def missing(unknown: Sequence[Verdict]) -> str:
    """What keeps a rule from judging some subjects."""
    first = unknown[0]
    named = f"{first.subject}: {first.text}" if first.subject else first.text
    return named if len(unknown) == 1 else f"{named}; and {len(unknown) - 1} more"


def _symbol(verdict: Verdict) -> str:
    return verdict.subject if verdict.scope == (verdict.subject,) else ""


def _facts(standing: RuleStanding, verdict: Verdict, action: Action) -> tuple[tuple[str, object], ...]:
    subject = verdict.subject or "account"
    return (("rule", standing.rule), ("action", action.value), ("subject", subject), *verdict.facts)
