"""Margin used: what positions and open orders hold of the margin balance. Beyond it nothing can be added in need."""

from __future__ import annotations

from typing import Final

from config.account_rules import MarginUsedPolicy
from connectors.vocabulary import Margin
from daemon.core.account_rules.verdict import (
    AccountView,
    Level,
    Rule,
    Verdict,
    money,
    no_equity,
    plain,
    share,
    standing,
    unknown,
)


def judge(view: AccountView, policy: MarginUsedPolicy) -> tuple[Verdict, ...]:
    """Name the currencies that use too much of their margin."""
    found = [unknown(no_equity(view, currency), currency) for currency in sorted(view.currencies - set(view.equities))]
    for currency in view.equities:
        margin = view.state.margins[currency]
        used = margin.initial_margin_sat + margin.maintenance_margin_sat
        figure = share(used, margin.margin_balance_sat)
        level = standing(figure, policy.percent, at_limit=True) if used else None
        if level is not None:
            found.append(_verdict(margin, level, used, policy))
    return tuple(found)


RULE: Final = Rule(name="margin_used", judge=judge)


def _verdict(margin: Margin, level: Level, used: int, policy: MarginUsedPolicy) -> Verdict:
    currency, balance = margin.currency, margin.margin_balance_sat
    figure = share(used, balance)
    shown = f"{figure:.1f} %" if balance > 0 else "more than all"
    return Verdict(
        level=level,
        subject=currency,
        text=f"{money(used, currency)} of margin is in use, {shown} of the margin balance of"
        f" {money(balance, currency)}, the limit is {plain(policy.percent)} %",
        advice="cancel orders, reduce positions or deposit",
        facts=(
            ("used", used),
            ("initial_margin", margin.initial_margin_sat),
            ("maintenance_margin", margin.maintenance_margin_sat),
            ("balance", balance),
            ("limit", policy.percent),
        ),
    )
