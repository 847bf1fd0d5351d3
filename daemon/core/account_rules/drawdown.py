"""Drawdown: equity below its highest so far, deposits and withdrawals taken out; told in steps, the last one acts.

The highest is looked for since the guard first saw the currency, or since a person last lifted what this rule latched.
It survives restarts with the journal.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from config.account_rules import DrawdownPolicy
from daemon.core import day_book
from daemon.core.account_rules.verdict import (
    CLEAR_AT,
    AccountView,
    Level,
    Rule,
    Verdict,
    money,
    plain,
    share,
    unknown,
)
from daemon.core.memory.rule_facts import DayBook


def judge(view: AccountView, policy: DrawdownPolicy) -> tuple[Verdict, ...]:
    """Name the currencies that passed a step."""
    books = view.state.day_books
    found = [
        unknown(day_book.missing(view.state, currency), currency) for currency in sorted(view.currencies - set(books))
    ]
    for currency, book in books.items():
        verdict = _judge(view, currency, book, policy)
        if verdict is not None:
            found.append(verdict)
    return tuple(found)


RULE: Final = Rule(name="drawdown", judge=judge, lifted=day_book.forget_peak, is_sure=True)


def _judge(view: AccountView, currency: str, book: DayBook, policy: DrawdownPolicy) -> Verdict | None:
    if book.problem:
        return unknown(book.problem, currency)
    steps = policy.alert_at_percent
    figure = _share(book, book.equity_sat)
    if figure <= steps[0] * CLEAR_AT:
        return None
    sure = _share(book, max(day_book.witnessed(view.state, book)))
    passed, doubted = _passed(policy, sure), _passed(policy, figure)
    level = Level.OVER if passed else Level.NEAR
    if doubted > passed:
        level = Level.DOUBTED
    return _verdict(currency, book, level, max(passed, doubted), policy)


def _share(book: DayBook, equity_sat: int) -> Decimal:
    """By how many percent such an equity is below the highest."""
    return share(book.peak_sat - equity_sat, book.peak_sat)


def _passed(policy: DrawdownPolicy, figure: Decimal) -> int:
    return sum(figure >= step for step in policy.alert_at_percent)


def _verdict(currency: str, book: DayBook, level: Level, step: int, policy: DrawdownPolicy) -> Verdict:
    steps = policy.alert_at_percent
    fall, figure = book.peak_sat - book.equity_sat, _share(book, book.equity_sat)
    limit = steps[max(0, step - 1)]
    return Verdict(
        level=level,
        subject=currency,
        text=f"equity is {money(fall, currency)} below its highest since {day_book.moment(book.peak_since_ns)},"
        f" {figure:.2f} %, {money(book.equity_sat, currency)} are left; step {step} of {len(steps)} is {plain(limit)} %"
        " (deposits and withdrawals taken out)",
        advice="trade smaller until it is made good",
        facts=(("fall", fall), ("equity", book.equity_sat), ("step", step), ("limit", limit)),
        step=step,
        is_alert_only=step < len(steps),
    )
