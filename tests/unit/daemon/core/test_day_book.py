"""The book of the day: where it begins, and what came in and went out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from config.account_rules import DailyLossPolicy
from daemon.core import day_book
from daemon.core.memory.rule_facts import DayBook, Origin
from tests.builders import SECOND, START_NS, a_margin
from tests.unit.daemon.core.account_rules.rule_cases import Ruled, a_state, an_account

DAY = 86_400
MIDNIGHT_S = DAY - START_NS // SECOND % DAY
"""Seconds from the start to the next midnight in UTC."""


def kept(hour: int = 0, **changes: Any) -> Ruled:
    """A million of equity, looked at for one second."""
    policy = an_account(daily_loss=DailyLossPolicy(equity_percent=Decimal(50), day_starts_at_utc_hour=hour))
    ruled = Ruled(a_state(policy=policy, **changes))
    ruled.tick()
    return ruled


def book(ruled: Ruled) -> DayBook:
    """Of the one currency."""
    return ruled.state.day_books["USDt"]


def test_the_first_sight_begins_the_count_and_says_so() -> None:
    """A guard that is started during the day knows nothing of the morning."""
    ruled = kept()
    assert (book(ruled).origin, book(ruled).start_sat) == (Origin.FIRST_SEEN, 1_000_000)
    assert day_book.since(book(ruled)) == "since it was first seen at 2023-11-14 22:13 UTC"


def test_midnight_begins_with_the_equity_before_it() -> None:
    """The last equity of the old day is the first of the new one, to the second."""
    ruled = kept()
    ruled.tick(MIDNIGHT_S - 3)
    ruled.margin(margin_balance_sat=950_000)
    assert (book(ruled).origin, book(ruled).start_sat) == (Origin.FIRST_SEEN, 1_000_000)
    ruled.tick(1)
    assert (book(ruled).origin, book(ruled).start_sat) == (Origin.DAY_BEGAN, 950_000)
    assert day_book.since(book(ruled)) == "since the day began"


@pytest.mark.parametrize("hour", [6, 22, 23])
def test_the_day_begins_at_the_hour_that_is_set(hour: int) -> None:
    """22:13 UTC is before 23 and after 22 o'clock: the account's day ends within a day, at that hour."""
    ends_ns = day_book.day_ends_ns(kept(hour).state)
    assert ends_ns // SECOND % DAY == hour * 3600
    assert START_NS < ends_ns <= START_NS + DAY * SECOND


@pytest.mark.parametrize(("equity", "start"), [(900_000, 1_000_000), (1_100_000, 1_100_000)])
def test_away_over_midnight_for_less_than_an_hour(equity: int, start: int) -> None:
    """The higher of equity before and after: no loss of the new day is hidden."""
    ruled = kept()
    ruled.tick(MIDNIGHT_S - 1_800)
    ruled.restart()
    row = a_margin(amount_sat=1_000_000, margin_balance_sat=equity, timestamp_ns=ruled.state.now_ns)
    ruled.tick(2_000, margins={"USDt": row})
    assert (book(ruled).origin, book(ruled).start_sat) == (Origin.AWAY, start)
    assert "was away" in day_book.since(book(ruled))


def test_away_for_long_counts_from_first_sight() -> None:
    """Equity of hours before says nothing of the day."""
    ruled = kept()
    row = a_margin(amount_sat=1_000_000, margin_balance_sat=600_000, timestamp_ns=ruled.state.now_ns)
    ruled.tick(MIDNIGHT_S + 3_600, margins={"USDt": row})
    assert (book(ruled).origin, book(ruled).start_sat) == (Origin.FIRST_SEEN, 600_000)


def test_a_restart_within_the_day_goes_on_counting() -> None:
    """P7: what was lost while no guard ran counts."""
    ruled = kept()
    ruled.restart()
    ruled.margin(margin_balance_sat=700_000)
    assert (book(ruled).start_sat, book(ruled).equity_sat) == (1_000_000, 700_000)


def test_transfers_that_are_told_late_shift_the_whole_book() -> None:
    """The wallet tells of years of transfers only after the first row: nothing is lost or gained by that."""
    ruled = kept()
    ruled.margin(margin_balance_sat=950_000)
    before = book(ruled)
    ruled.wallet(300_000, 1_000_000)
    after = book(ruled)
    assert after.transfers_sat == 300_000
    assert after.lost_sat == before.lost_sat == 50_000
    assert (after.start_sat, after.peak_sat) == (before.start_sat, before.peak_sat) == (1_000_000, 1_000_000)


def test_a_balance_that_moved_before_the_wallet_ever_told_begins_anew() -> None:
    """Nobody knows what came in between: the count begins with the first row that is whole."""
    ruled = kept()
    ruled.margin(margin_balance_sat=400_000, amount_sat=400_000)
    assert book(ruled).problem
    ruled.wallet(-600_000, 400_000)
    assert (book(ruled).origin, book(ruled).start_sat, book(ruled).lost_sat) == (Origin.FIRST_SEEN, 400_000, 0)
    assert not book(ruled).problem


def test_a_wallet_that_never_tells_costs_one_day() -> None:
    """The balance moved and no wallet row comes: the next day begins from what is there."""
    ruled = kept(missing_topics={"wallet": "refused"})
    ruled.margin(margin_balance_sat=400_000, amount_sat=400_000)
    assert book(ruled).problem
    ruled.tick(MIDNIGHT_S)
    assert (book(ruled).problem, book(ruled).start_sat) == ("", 400_000)


def test_a_wallet_row_that_does_not_tell_all_is_no_row() -> None:
    """Unknown transfers are not "no transfers"."""
    ruled = kept()
    ruled.wallet(None, 400_000)
    ruled.margin(margin_balance_sat=400_000, amount_sat=400_000)
    assert book(ruled).problem


def test_rows_that_mean_nothing_alone_open_no_book() -> None:
    """Without a booked balance, with several currencies in one, or with nothing in it: no book."""
    for row in (a_margin(), a_margin(amount_sat=1, is_multi_asset=True), a_margin(amount_sat=0, margin_balance_sat=0)):
        assert not kept(margins=[row]).state.day_books


def test_a_row_that_stops_telling_is_a_problem() -> None:
    """The book stands, and says why it does not go on."""
    ruled = kept()
    ruled.margin(amount_sat=None)
    assert "does not tell" in book(ruled).problem
    ruled.margin(amount_sat=1_000_000, is_multi_asset=True)
    assert "several currencies" in book(ruled).problem
    ruled.margin(is_multi_asset=False)
    assert not book(ruled).problem


def test_a_lift_on_the_next_day_leaves_the_new_count() -> None:
    """What a person lifts of yesterday does not begin today anew."""
    ruled = kept()
    state = replace(ruled.state, now_ns=ruled.state.now_ns + DAY * SECOND)
    ruled.state = state
    ruled.tick()
    assert book(ruled).restart is None
