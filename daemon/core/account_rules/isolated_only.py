"""Isolated margin only: a cross position puts the whole account behind it, and fails together with the others."""

from __future__ import annotations

from typing import Final

from config.account_rules import IsolatedOnlyPolicy
from daemon.core.account_rules.verdict import AccountView, Held, Level, Rule, Verdict
from daemon.core.memory.rule_facts import Remedy, RemedyKind


def judge(view: AccountView, policy: IsolatedOnlyPolicy) -> tuple[Verdict, ...]:  # noqa: ARG001 - it has no limit
    """Name the cross positions."""
    return tuple(_verdict(held) for held in view.held if held.guarded.position.is_cross)


RULE: Final = Rule(name="isolated_only", judge=judge)


def _verdict(held: Held) -> Verdict:
    return Verdict(
        level=Level.OVER,
        subject=held.symbol,
        scope=(held.symbol,),
        text=f"{held.symbol} {held.quantity:+d} is in cross margin, the rule allows isolated margin only",
        advice="isolate it, if its margin then lasts, or close it",
        facts=(("quantity", held.quantity),),
        remedy=Remedy(kind=RemedyKind.ISOLATE, symbol=held.symbol),
    )
