"""Daily loss: the kill switch and the lock-out, through deposits, restarts and midnight."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from config.account_rules import DailyLossPolicy
from config.modes import Action, Lift, RuleMode
from daemon.core.commands import RaiseAlert
from daemon.core.draft import Draft
from daemon.core.memory.interventions import LatchKind
from daemon.core.restraint import latches
from tests.builders import SECOND, START_NS, a_margin
from tests.unit.daemon.core.account_rules.rule_cases import Ruled, a_guarded, a_state, an_account, topics

DAY = 86_400
LOCK = DailyLossPolicy(action=Action.FREEZE, equity_percent=Decimal(10))
MIDNIGHT_S = DAY - START_NS // SECOND % DAY
"""Seconds from the start to the end of the day."""


def locked(policy: DailyLossPolicy = LOCK, **changes: Any) -> Ruled:
    """A million, first seen; one tick old."""
    ruled = Ruled(a_state(a_guarded(), policy=an_account(daily_loss=policy), **changes))
    ruled.tick()
    return ruled


def lose(ruled: Ruled, equity: int) -> list[RaiseAlert]:
    """Two rows in a row show this equity."""
    return [*ruled.margin(margin_balance_sat=equity), *ruled.margin(margin_balance_sat=equity)]


def test_the_limit_itself_locks_and_a_bit_less_does_not() -> None:
    """Of a million 99,999 may go, 100,000 may not."""
    ruled = locked()
    assert not lose(ruled, 900_001)
    assert not ruled.state.latches
    assert topics(lose(ruled, 900_000)) == [("latch", "freeze")]
    assert ruled.state.latches["daily_loss"].lift is Lift.OPERATOR


def test_one_row_alone_never_acts() -> None:
    """A single row far down asks for a picture; the next row is back up and nothing happened."""
    ruled = locked(replace(LOCK, action=Action.FLATTEN))
    assert not ruled.margin(margin_balance_sat=100)
    assert ruled.state.pictures.wanted_ns > ruled.state.pictures.taken_ns
    assert not ruled.margin(margin_balance_sat=1_000_000)
    assert not ruled.state.latches


def test_a_picture_asked_afterwards_is_the_second_witness() -> None:
    """No further row comes, but a read shows the same: then it counts."""
    ruled = locked(replace(LOCK, action=Action.FLATTEN))
    ruled.margin(margin_balance_sat=100)
    assert not ruled.tick(5)
    rows = tuple(ruled.state.margins.values())
    ruled.tick(pictures=replace(ruled.state.pictures, taken_ns=ruled.state.now_ns, margins=rows))
    assert ruled.state.latches["daily_loss"].kind is LatchKind.FLATTEN


def test_the_text_says_figure_limit_beginning_and_what_to_do() -> None:
    """In units people know, and that it was first seen during the day."""
    ruled = locked()
    (said,) = lose(ruled, 850_000)
    for words in ("0.15 USDT lost since it was first seen at", "15.00 %", "limit of the day is 10 %", "seawall lift"):
        assert words in said.text


def test_the_lock_out_survives_restart_midnight_and_recovery() -> None:
    """P7: with lift = operator nothing but a person ends it: not a restart, not the next day, not a gain."""
    ruled = locked()
    lose(ruled, 800_000)
    ruled.restart()
    ruled.tick()
    assert "daily_loss" in ruled.state.latches
    ruled.tick(MIDNIGHT_S)
    lose(ruled, 2_000_000)
    ruled.restart()
    ruled.tick(3 * DAY)
    assert "daily_loss" in ruled.state.latches


def test_a_lift_counts_anew_from_there() -> None:
    """Lifted while the loss is still over the limit: no freeze in the next second, but one after another such loss."""
    ruled = locked()
    lose(ruled, 800_000)
    ruled.lift("daily_loss")
    assert not ruled.tick(600)
    assert not ruled.state.latches
    assert ruled.state.day_books["USDt"].start_sat == 800_000
    lose(ruled, 721_000)
    assert not ruled.state.latches
    lose(ruled, 720_000)
    assert "daily_loss" in ruled.state.latches
    assert "since it was lifted at" in ruled.state.latches["daily_loss"].text


def test_a_loss_of_the_new_day_locks_again_after_the_day_lifted_the_old_one() -> None:
    """Lifted by midnight while nobody saw; the new day's loss is a breach of its own."""
    ruled = locked(replace(LOCK, lift=Lift.NEXT_DAY))
    lose(ruled, 800_000)
    ruled.tick(MIDNIGHT_S - 600)
    draft = Draft(ruled.state, ruled.state.now_ns + 1200 * SECOND)
    latches.pass_time(draft)
    ruled.state = draft.finish()
    assert not ruled.state.latches
    lose(ruled, 700_000)
    assert "daily_loss" in ruled.state.latches
    assert "the guard was away then" in ruled.state.latches["daily_loss"].text


def test_next_day_ends_at_the_accounts_midnight() -> None:
    """The latch carries the end of the account's own day."""
    ruled = locked(replace(LOCK, lift=Lift.NEXT_DAY, day_starts_at_utc_hour=6))
    lose(ruled, 800_000)
    ends = ruled.state.latches["daily_loss"].day_ends_ns
    assert ends % (DAY * SECOND) == 6 * 3600 * SECOND
    assert START_NS < ends <= START_NS + DAY * SECOND


def test_a_deposit_does_not_hide_a_loss() -> None:
    """Half a million comes in on a day that loses 200,000: the loss is what it is."""
    ruled = locked()
    ruled.wallet(0, 1_000_000)
    ruled.margin(margin_balance_sat=1_500_000, amount_sat=1_500_000)
    assert "wallet has not told" in ruled.state.unjudged["daily_loss"]
    ruled.wallet(500_000, 1_500_000)
    assert "daily_loss" not in ruled.state.unjudged
    lose(ruled, 1_350_001)
    assert not ruled.state.latches
    lose(ruled, 1_350_000)
    assert "0.15 USDT lost" in ruled.state.latches["daily_loss"].text


@pytest.mark.parametrize("first", ["margin", "wallet"])
def test_a_withdrawal_is_no_loss_whichever_row_comes_first(first: str) -> None:
    """The kill switch does not fire when money is taken out, and a later loss counts of what is left."""
    ruled = locked(replace(LOCK, action=Action.FLATTEN))
    ruled.wallet(0, 1_000_000)
    if first == "wallet":
        ruled.wallet(-600_000, 400_000)
    for _ in range(3):
        ruled.margin(margin_balance_sat=400_000, amount_sat=400_000)
    ruled.wallet(-600_000, 400_000)
    ruled.tick()
    assert not ruled.state.latches
    assert not ruled.said
    lose(ruled, 360_000)
    assert "10.00 % of the equity, 0.36 USDT are left" in ruled.state.latches["daily_loss"].text


def test_a_withdrawal_and_a_loss_are_told_apart() -> None:
    """600,000 are taken out and 50,000 lost, in the same rows: 12.5 % of what would be there."""
    ruled = locked()
    ruled.wallet(0, 1_000_000)
    ruled.margin(margin_balance_sat=350_000, amount_sat=400_000)
    ruled.margin(margin_balance_sat=350_000, amount_sat=400_000)
    assert not ruled.state.latches
    ruled.wallet(-600_000, 400_000)
    ruled.margin(margin_balance_sat=350_000, amount_sat=400_000)
    assert "12.50 %" in ruled.state.latches["daily_loss"].text


def test_the_daily_booking_of_profit_is_no_transfer() -> None:
    """Realised loss moves into the booked balance: both rows follow, equity and transfers stay."""
    ruled = locked()
    ruled.wallet(0, 1_000_000)
    lose(ruled, 950_000)
    ruled.margin(amount_sat=950_000)
    ruled.wallet(0, 950_000)
    lose(ruled, 900_000)
    assert "10.00 %" in ruled.state.latches["daily_loss"].text


def test_without_wallet_rows_the_rule_judges_while_nothing_was_booked() -> None:
    """The booked balance stays: nothing came in or went out. Once it moves, the rule says why it cannot judge."""
    missing = {"wallet": "the venue refused the topic"}
    ruled = locked(missing_topics=missing)
    ruled.margin(margin_balance_sat=100_000, amount_sat=200_000)
    ruled.margin(margin_balance_sat=100_000, amount_sat=200_000)
    assert not ruled.state.latches
    assert "refused the topic" in ruled.state.unjudged["daily_loss"]
    other = locked(missing_topics=missing)
    lose(other, 100_000)
    assert "daily_loss" in other.state.latches


def test_currencies_count_apart_and_one_of_them_locks() -> None:
    """A loss in one currency is not made good by another; the other's row may be missing altogether."""
    inverse = a_margin(currency="XBt", margin_balance_sat=10**8, amount_sat=10**8)
    ruled = locked(margins=[a_margin(amount_sat=1_000_000), inverse])
    lose(ruled, 800_000)
    assert ruled.state.rules["daily_loss:USDt"].latch == "daily_loss"
    assert "daily_loss:XBt" not in ruled.state.rules
    assert "USDT" in ruled.state.latches["daily_loss"].text
    bare = locked(margins=[a_margin(currency="XBt", amount_sat=0, margin_balance_sat=0)])
    assert "no margin row of USDt" in bare.state.unjudged["daily_loss"]


def test_shadow_says_it_and_does_nothing() -> None:
    """What would be done is told once, and no latch is set."""
    ruled = locked(replace(LOCK, mode=RuleMode.SHADOW, action=Action.FLATTEN))
    assert topics(lose(ruled, 500_000)) == [("shadow", "would_flatten")]
    assert not ruled.state.latches
    assert not ruled.tick(10_000)


def test_equity_below_nothing_is_more_than_any_limit() -> None:
    """All is lost and more: a breach in words, no division by zero."""
    ruled = locked()
    lose(ruled, -50_000)
    assert "daily_loss" in ruled.state.latches


@pytest.mark.parametrize("taken", [100_000, 600_000, 900_000])
def test_a_withdrawal_after_a_loss_does_not_make_it_a_larger_one(taken: int) -> None:
    """5 % were lost in the morning; money is taken out at noon: that alone never fires the kill switch."""
    ruled = locked(replace(LOCK, action=Action.FLATTEN))
    ruled.wallet(0, 1_000_000)
    lose(ruled, 950_000)
    ruled.wallet(-taken, 1_000_000 - taken)
    for _ in range(3):
        ruled.margin(margin_balance_sat=950_000 - taken, amount_sat=1_000_000 - taken)
    assert not ruled.state.latches
    assert not ruled.said
    lose(ruled, int((950_000 - taken) * 0.94))
    assert "daily_loss" in ruled.state.latches


def test_a_deposit_after_a_loss_ends_no_lock_out() -> None:
    """A freeze that ends with its cause stays when money comes in: the loss is still one of 15 %."""
    ruled = locked(replace(LOCK, lift=Lift.CLEARED, cool_down_s=Decimal(1)))
    ruled.wallet(0, 1_000_000)
    lose(ruled, 850_000)
    ruled.wallet(9_000_000, 10_000_000)
    ruled.margin(margin_balance_sat=9_850_000, amount_sat=10_000_000)
    ruled.tick(600)
    assert "daily_loss" in ruled.state.latches
    assert "15.00 %" in ruled.state.rules["daily_loss:USDt"].text


def test_what_was_lost_may_be_earned_back_after_a_deposit() -> None:
    """15 % of a million lost, nine millions deposited: locked until the money itself is earned back."""
    ruled = locked(replace(LOCK, lift=Lift.CLEARED, cool_down_s=Decimal(1)))
    ruled.wallet(0, 1_000_000)
    lose(ruled, 850_000)
    ruled.wallet(9_000_000, 10_000_000)
    ruled.margin(margin_balance_sat=9_999_999, amount_sat=10_000_000)
    ruled.tick(60)
    assert "daily_loss" in ruled.state.latches
    ruled.margin(margin_balance_sat=10_000_000)
    ruled.tick(60)
    assert "daily_loss" not in ruled.state.latches


def test_a_picture_that_shows_other_figures_does_not_confirm() -> None:
    """One row of the stream says that nearly all is gone, a read says that it is there: nothing is closed."""
    ruled = locked(replace(LOCK, action=Action.FLATTEN))
    rows = tuple(ruled.state.margins.values())
    ruled.margin(margin_balance_sat=100)
    for _ in range(3):
        ruled.tick(5)
        ruled.tick(pictures=replace(ruled.state.pictures, taken_ns=ruled.state.now_ns, margins=rows))
    assert not ruled.state.latches
    assert not ruled.said


def test_one_wrong_row_beside_a_transfer_distorts_nothing() -> None:
    """The row before a withdrawal shows half the equity: what is taken out is measured against the others."""
    ruled = locked(replace(LOCK, action=Action.FLATTEN))
    ruled.wallet(0, 1_000_000)
    lose(ruled, 1_000_000)
    ruled.margin(margin_balance_sat=500_000)
    ruled.wallet(-400_000, 600_000)
    for _ in range(3):
        ruled.margin(margin_balance_sat=600_000, amount_sat=600_000)
    assert not ruled.state.latches
    assert ruled.state.day_books["USDt"].start_sat == 600_000


def test_an_account_that_was_emptied_begins_anew_with_the_next_deposit() -> None:
    """All is lost, and locked; a deposit is the start of another count, and the lock-out stays a person's to lift."""
    ruled = locked()
    ruled.wallet(0, 1_000_000)
    lose(ruled, 0)
    assert "100.00 %" in ruled.state.latches["daily_loss"].text
    ruled.wallet(500_000, 500_000)
    ruled.margin(margin_balance_sat=500_000, amount_sat=500_000)
    book = ruled.state.day_books["USDt"]
    assert (book.start_sat, book.peak_sat, book.lost_sat) == (500_000, 500_000, 0)
    assert "daily_loss" in ruled.state.latches


def test_an_alert_names_no_lift_that_there_is_not() -> None:
    """Where the rule only tells there is no latch, so nobody is sent to lift one."""
    (told,) = lose(locked(replace(LOCK, action=Action.ALERT)), 800_000)
    assert "You can: stop for today." in told.text
    assert "lift" not in told.text
