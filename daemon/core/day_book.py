"""Keep each settlement currency's book of the day: where equity began, where it stands, how high it was.

Equity is the margin balance, unrealised profit included. What came in or went out is not trading. So equities of the
past are *sized*: when something comes in or goes out, they grow or shrink by the same share as equity does. A transfer
alone then changes no loss in percent: a withdrawal on a bad day does not make the loss a larger one, a deposit does not
hide it, and each later loss counts against what is there when it is lost (as a fund counts, "time-weighted"). What is
deposited into an account of which less than a hundredth was left begins the book anew.

Margin rows and wallet rows are two messages. A deposit that only the margin row shows must not hide a loss, and a
withdrawal must not read as one. Both rows carry the booked balance (`amount`): a margin row counts when its booked
balance equals the wallet row's, or is the one of the row before (then nothing can have come in or gone out). Until then
the last good row stands and the rule says that it cannot judge.

One message alone never flattens an account: a loss counts when two rows in a row show it, or a picture that was asked
after the row was first seen shows it too. The highest equity rises by the same measure, and what a transfer is measured
against is the median of three rows.

How a day begins: with the equity last seen before, if that is at most a minute older than the day. A guard that did not
see it begin, but knows equity of the hour before, counts from the higher of that and the first it sees; one that knows
nothing counts from the first it sees. Each is said in the text. A lift of the lock-out by a person counts anew from the
next row. Everything survives restarts with the state.

Units: money in minor units of the settlement currency, times in nanoseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, assert_never

from config.modes import RuleMode
from connectors.vocabulary import Margin
from daemon.core.altered import altered
from daemon.core.draft import Draft
from daemon.core.memory.rule_facts import DayBook, Origin
from daemon.core.state import GuardState

DAY_NS: Final = 86_400 * 10**9
HOUR_NS: Final = 3_600 * 10**9
SEEN_BEGIN_NS: Final = 60 * 10**9
"""Equity this much older than the day's beginning still stands for it."""
KNOWN_BEFORE_NS: Final = HOUR_NS
"""Equity older than this says nothing of the day."""
EMPTIED: Final = 100
"""An account with less than this part of its highest equity left is emptied: a deposit begins anew."""
_ANEW: Final[Mapping[str, Any]] = {"restart": Origin.FIRST_SEEN, "peak_since_ns": 0}
"""Nothing is known of what came in and went out since the last row: nothing older can be compared with."""

_SEVERAL: Final = "balances of several currencies count together"
_UNBOOKED: Final = "the margin row does not tell the booked balance"


def day_of(draft: Draft | GuardState) -> int:
    """The account's day, counted since 1970."""
    return (draft.now_ns - _starts_ns(draft)) // DAY_NS


def day_ends_ns(draft: Draft | GuardState) -> int:
    """When the account's day ends."""
    return (day_of(draft) + 1) * DAY_NS + _starts_ns(draft)


def _starts_ns(draft: Draft | GuardState) -> int:
    return draft.policy.account.daily_loss.day_starts_at_utc_hour * HOUR_NS


def keep(draft: Draft) -> None:
    """Bring every currency's book to the newest rows. To be called once a second while the account is seen."""
    policy = draft.policy.account
    if policy.daily_loss.mode is RuleMode.OFF and policy.drawdown.mode is RuleMode.OFF:
        return
    for currency, margin in draft.margins.items():
        book = draft.day_books.get(currency)
        if book is not None:
            kept: DayBook | None = _kept(draft, book, margin)
        elif margin.is_multi_asset or not margin.margin_balance_sat:
            continue
        else:
            kept = _begun(draft, margin)
        if kept is not None and kept != book:
            draft.put("day_books", currency, kept)


def _begun(draft: Draft, margin: Margin) -> DayBook | None:
    """The first row of a currency."""
    if margin.amount_sat is None:
        return None
    transfers, equity = _told_transfers(draft, margin), margin.margin_balance_sat
    return DayBook(
        currency=margin.currency,
        day=day_of(draft),
        origin=Origin.FIRST_SEEN,
        since_ns=draft.now_ns,
        start_sat=equity,
        start_own_sat=equity - (transfers or 0),
        peak_sat=equity,
        peak_since_ns=draft.now_ns,
        equity_sat=equity,
        before_sat=equity,
        amount_sat=margin.amount_sat,
        transfers_sat=transfers,
        row_ns=margin.timestamp_ns,
        row_seen_ns=draft.now_ns,
        seen_ns=draft.now_ns,
    )


def _told_transfers(draft: Draft, margin: Margin) -> int | None:
    """Transfers by a wallet row of the same moment as the margin row; None: there is none."""
    wallet = draft.wallets.get(margin.currency)
    if wallet is None or wallet.amount_sat is None or wallet.amount_sat != margin.amount_sat:
        return None
    return wallet.transfers_sat


def _kept(draft: Draft, book: DayBook, margin: Margin) -> DayBook:
    if margin.is_multi_asset:
        return altered(book, problem=_SEVERAL)
    if margin.amount_sat is None:
        return altered(book, problem=_UNBOOKED)
    told = _told_transfers(draft, margin)
    is_same = margin.amount_sat == book.amount_sat
    if book.transfers_sat is None and told is not None:
        # Until now transfers counted as 0; from now on as told. Known to be right only if nothing was booked between.
        book = altered(book, start_own_sat=book.start_own_sat - told, transfers_sat=told, **({} if is_same else _ANEW))
    transfers = told if told is not None else book.transfers_sat
    if told is None and not is_same:
        if day_of(draft) == book.day or _wallet_is_coming(draft, margin):
            return altered(book, problem=_unmatched(draft, margin))
        # A wallet that never tells: the new day at least begins from what is there.
        book, transfers = altered(book, transfers_sat=None, **_ANEW), None
    book = _sized(book, (transfers or 0) - (book.transfers_sat or 0), margin.margin_balance_sat)
    row = altered(book, amount_sat=margin.amount_sat, transfers_sat=transfers, problem="")
    row = _with_row(draft, row, margin)
    return _with_peak(draft, _with_day(draft, book, row))


def _wallet_is_coming(draft: Draft, margin: Margin) -> bool:
    wallet = draft.wallets.get(margin.currency)
    return wallet is not None and wallet.transfers_sat is not None and "wallet" not in draft.missing_topics


def _unmatched(draft: Draft, margin: Margin) -> str:
    missing = draft.missing_topics.get("wallet", "")
    if missing:
        return f"the booked balance of {margin.currency} moved, and deposits and withdrawals are not told: {missing}"
    return f"the booked balance of {margin.currency} moved, and the wallet has not told of deposits or withdrawals yet"


def _sized(book: DayBook, moved_sat: int, equity_sat: int) -> DayBook:
    """Let the equities of the past grow or shrink as equity did by what came in or went out."""
    if not moved_sat:
        return book
    # Of three rows no single one that lies can be the median.
    then = sorted((book.before_sat, book.equity_sat, equity_sat - moved_sat))[1]
    if then * EMPTIED <= book.peak_sat:
        # Nothing is left that a deposit could be measured against.
        return altered(book, before_sat=equity_sat, equity_sat=equity_sat, **_ANEW)
    now = max(0, then + moved_sat)
    return altered(
        book,
        start_sat=book.start_sat * now // then,
        peak_sat=book.peak_sat * now // then,
        before_sat=book.before_sat * now // then,
        equity_sat=book.equity_sat * now // then,
    )


def _with_row(draft: Draft, book: DayBook, margin: Margin) -> DayBook:
    """Take in a row: the one before is kept, as the second witness."""
    equity = margin.margin_balance_sat
    if margin.timestamp_ns == book.row_ns and equity == book.equity_sat:
        return altered(book, seen_ns=draft.now_ns)
    return altered(
        book,
        equity_sat=equity,
        before_sat=book.equity_sat,
        row_ns=margin.timestamp_ns,
        row_seen_ns=draft.now_ns,
        seen_ns=draft.now_ns,
    )


def _with_day(draft: Draft, before: DayBook, book: DayBook) -> DayBook:
    """Begin the day, or the count, anew if that is due. `before`: the book without the newest row."""
    day = day_of(draft)
    if before.restart is not None:
        return _restarted(draft, book, before.restart, book.equity_sat)
    if day <= before.day:
        return book
    began_ns = day * DAY_NS + _starts_ns(draft)
    if before.seen_ns >= began_ns - SEEN_BEGIN_NS:
        return altered(_restarted(draft, book, Origin.DAY_BEGAN, before.equity_sat), since_ns=began_ns)
    if before.seen_ns >= began_ns - KNOWN_BEFORE_NS:
        return _restarted(draft, book, Origin.AWAY, max(before.equity_sat, book.equity_sat))
    return _restarted(draft, book, Origin.FIRST_SEEN, book.equity_sat)


def _restarted(draft: Draft, book: DayBook, origin: Origin, start_sat: int) -> DayBook:
    return altered(
        book,
        day=day_of(draft),
        origin=origin,
        since_ns=draft.now_ns,
        start_sat=start_sat,
        start_own_sat=start_sat - (book.transfers_sat or 0),
        restart=None,
    )


def _with_peak(draft: Draft, book: DayBook) -> DayBook:
    if not book.peak_since_ns:
        return altered(book, peak_sat=book.equity_sat, peak_since_ns=draft.now_ns)
    return altered(book, peak_sat=max(book.peak_sat, min(witnessed(draft, book))))


# ---------------------------------------------------------------------- for the rules


def witnessed(view: Draft | GuardState, book: DayBook) -> tuple[int, int]:
    """Equity by two witnesses: the newest row and the one before it, or the picture that was asked after the newest.

    A picture that shows other figures does not confirm; one of another balance (something was booked in between) cannot
    be compared.
    """
    if view.pictures.taken_ns <= book.row_seen_ns:
        return book.equity_sat, book.before_sat
    read = (each for each in view.pictures.margins if each.currency == book.currency)
    second = next((each.margin_balance_sat for each in read if each.amount_sat == book.amount_sat), None)
    return book.equity_sat, book.before_sat if second is None else second


def missing(view: Draft | GuardState, currency: str) -> str:
    """Why a currency has no book."""
    margin = view.margins.get(currency)
    if margin is None:
        return f"no margin row of {currency} yet"
    return _SEVERAL if margin.is_multi_asset else _UNBOOKED


def count_anew(draft: Draft, currency: str) -> None:
    """A person lifted the lock-out: the loss counts from the next row on. A day that is over began anew by itself."""
    book = draft.day_books.get(currency)
    if book is not None and book.day == day_of(draft):
        draft.put("day_books", currency, altered(book, restart=Origin.LIFTED))


def forget_peak(draft: Draft, currency: str) -> None:
    """What the drawdown rule latched was lifted: the highest is looked for from the next row on."""
    book = draft.day_books.get(currency)
    if book is not None:
        draft.put("day_books", currency, altered(book, peak_since_ns=0))


def since(book: DayBook) -> str:
    """What the count began with, for people."""
    match book.origin:
        case Origin.DAY_BEGAN:
            return "since the day began"
        case Origin.AWAY:
            return "since the day began (the guard was away then; the higher of equity before and after counts)"
        case Origin.FIRST_SEEN:
            return f"since it was first seen at {moment(book.since_ns)}"
        case Origin.LIFTED:
            return f"since it was lifted at {moment(book.since_ns)}"
        case _:
            assert_never(book.origin)


def moment(at_ns: int) -> str:
    """A time for people: "2026-11-22 14:02 UTC"."""
    return f"{datetime.fromtimestamp(at_ns // 10**9, UTC):%Y-%m-%d %H:%M} UTC"
