"""Daily loss: equity lost since the day began, deposits and withdrawals taken out, in percent of what it began with.

The count, its beginning and what it does about transfers and about rows that are not of one moment stand in
`day_book.py`. A transfer alone never changes the percentage: it neither causes a breach nor ends one. A day on which no
money was lost on the whole is none to lock, though a loss on little was made good by gains on more.

A lock-out or kill switch that a person lifts starts the count anew: from then on the same limit holds again.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from config.account_rules import DailyLossPolicy
from config.modes import Action
from daemon.core import day_book
from daemon.core.account_rules.verdict import (
    AccountView,
    Level,
    Rule,
    Verdict,
    money,
    plain,
    share,
    standing,
    unknown,
)
from daemon.core.memory.rule_facts import DayBook

_ADVICE: Final = "stop for today"
_ANEW: Final = "to go on all the same, lift it: the loss then counts anew from there"


def judge(view: AccountView, policy: DailyLossPolicy) -> tuple[Verdict, ...]:
    """Name the currencies that lost too much today."""
    books = view.state.day_books
    found = [
        unknown(day_book.missing(view.state, currency), currency) for currency in sorted(view.currencies - set(books))
    ]
    for currency, book in books.items():
        verdict = _judge(view, currency, book, policy)
        if verdict is not None:
            found.append(verdict)
    return tuple(found)


RULE: Final = Rule(name="daily_loss", judge=judge, lifted=day_book.count_anew, is_sure=True)


def _judge(view: AccountView, currency: str, book: DayBook, policy: DailyLossPolicy) -> Verdict | None:
    if book.problem:
        return unknown(book.problem, currency)
    if book.equity_sat >= book.start_sat or book.lost_sat <= 0:
        return None
    level = standing(_share(book, book.equity_sat), policy.equity_percent, at_limit=True)
    if level is None:
        return None
    if level is Level.OVER and _share(book, max(day_book.witnessed(view.state, book))) < policy.equity_percent:
        level = Level.DOUBTED
    return _verdict(currency, book, level, policy)


def _share(book: DayBook, equity_sat: int) -> Decimal:
    """Percent of what the day began with that is gone at such an equity."""
    return share(book.start_sat - equity_sat, book.start_sat)


def _verdict(currency: str, book: DayBook, level: Level, policy: DailyLossPolicy) -> Verdict:
    lost = _share(book, book.equity_sat)
    return Verdict(
        level=level,
        subject=currency,
        text=f"{money(book.lost_sat, currency)} lost {day_book.since(book)}, {lost:.2f} % of the equity,"
        f" {money(book.equity_sat, currency)} are left; the limit of the day is {plain(policy.equity_percent)} %"
        " (deposits and withdrawals taken out, open positions counted)",
        advice=_ADVICE if policy.action is Action.ALERT else f"{_ADVICE}; {_ANEW}",
        facts=(
            ("loss", book.lost_sat),
            ("loss_percent", f"{lost:.4f}"),
            ("equity", book.equity_sat),
            ("limit", policy.equity_percent),
            ("since", book.origin.value),
        ),
    )
