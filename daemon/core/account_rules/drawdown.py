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
from daemon.core.rule_facts import DayBook


def judge(view: AccountView, policy: DrawdownPolicy) -> tuple[Verdict, ...]:
    """Name the currencies that passed a step."""
    books = view.state.day_books
    held = {each.currency for each in view.held}
    found = [unknown(day_book.missing(view.state, currency), currency) for currency in sorted(held - set(books))]
    for currency, book in books.items():
        verdict = _judge(view, currency, book, policy)
        if verdict is not None:
            found.append(verdict)
    return tuple(found)


RULE: Final = Rule(name="drawdown", judge=judge, lifted=day_book.forget_peak)


def _judge(view: AccountView, currency: str, book: DayBook, policy: DrawdownPolicy) -> Verdict | None:
    if book.problem:
        return unknown(book.problem, currency)
    steps = policy.alert_at_percent
    fall = book.peak_own_sat - book.own_sat
    figure = share(fall, book.equity_sat + fall)
    if figure <= steps[0] * CLEAR_AT:
        return None
    sure = share(book.peak_own_sat - max(day_book.witnessed(view.state, book)), book.equity_sat + fall)
    passed, doubted = _passed(policy, sure), _passed(policy, figure)
    level = Level.OVER if passed else Level.NEAR
    if doubted > passed:
        level = Level.DOUBTED
    return _verdict(currency, book, level, max(passed, doubted), policy)


def _passed(policy: DrawdownPolicy, figure: Decimal) -> int:
    return sum(figure >= step for step in policy.alert_at_percent)


def _verdict(currency: str, book: DayBook, level: Level, step: int, policy: DrawdownPolicy) -> Verdict:
    steps = policy.alert_at_percent
    fall = book.peak_own_sat - book.own_sat
    limit = steps[max(0, step - 1)]
    return Verdict(
        level=level,
        subject=currency,
        text=f"equity is {money(fall, currency)} below its highest since {day_book.moment(book.peak_since_ns)},"
        f" {share(fall, book.equity_sat + fall):.2f} % of {money(book.equity_sat + fall, currency)}, step {step} of"
        f" {len(steps)} is {plain(limit)} % (deposits and withdrawals taken out)",
        advice="trade smaller until it is made good",
        facts=(("fall", fall), ("equity", book.equity_sat), ("step", step), ("limit", limit)),
        step=step,
        is_alert_only=step < len(steps),
    )
