"""Daily loss: equity lost since the day began, deposits and withdrawals taken out, in percent of what would be there.

The count, its beginning and what it does about rows that are not of one moment stand in `day_book.py`. The share is of
the equity that the currency would have without the day's loss, so a deposit or withdrawal moves limit and loss alike.

A lock-out or kill switch that a person lifts starts the count anew: from then on the same limit holds again.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from config.account_rules import DailyLossPolicy
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
from daemon.core.rule_facts import DayBook


def judge(view: AccountView, policy: DailyLossPolicy) -> tuple[Verdict, ...]:
    """Name the currencies that lost too much today."""
    books = view.state.day_books
    held = {each.currency for each in view.held}
    found = [unknown(day_book.missing(view.state, currency), currency) for currency in sorted(held - set(books))]
    for currency, book in books.items():
        verdict = _judge(view, currency, book, policy)
        if verdict is not None:
            found.append(verdict)
    return tuple(found)


RULE: Final = Rule(name="daily_loss", judge=judge, lifted=day_book.count_anew)


def _judge(view: AccountView, currency: str, book: DayBook, policy: DailyLossPolicy) -> Verdict | None:
    if book.problem:
        return unknown(book.problem, currency)
    loss = book.start_own_sat - book.own_sat
    if loss <= 0:
        return None
    level = standing(_share(book, loss), policy.equity_percent, at_limit=True)
    if level is None:
        return None
    sure = book.start_own_sat - max(day_book.witnessed(view.state, book))
    if level is Level.OVER and _share(book, sure) < policy.equity_percent:
        level = Level.DOUBTED
    return _verdict(currency, book, level, loss, policy)


def _share(book: DayBook, loss: int) -> Decimal:
    """Percent of the equity that would be there without the loss."""
    return share(loss, book.equity_sat + (book.start_own_sat - book.own_sat))


def _verdict(currency: str, book: DayBook, level: Level, loss: int, policy: DailyLossPolicy) -> Verdict:
    return Verdict(
        level=level,
        subject=currency,
        text=f"{money(loss, currency)} lost {day_book.since(book)}, {_share(book, loss):.2f} % of the equity of"
        f" {money(book.equity_sat + loss, currency)}, the limit of the day is {plain(policy.equity_percent)} %"
        " (deposits and withdrawals taken out, open positions counted)",
        advice="stop for today; to go on all the same, lift it: the loss then counts anew from there",
        facts=(
            ("loss", loss),
            ("loss_percent", f"{_share(book, loss):.4f}"),
            ("equity", book.equity_sat),
            ("limit", policy.equity_percent),
            ("since", book.origin.value),
        ),
    )
