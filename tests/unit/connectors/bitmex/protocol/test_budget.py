"""The request budget."""

from __future__ import annotations

import pytest

from connectors.bitmex.protocol.budget import RequestBudget, Standing


def a_budget(**changed: int) -> RequestBudget:
    """Return the venue's budget: 120 a minute, 10 a second, 30 in reserve."""
    return RequestBudget(**({"per_minute": 120, "per_second": 10, "reserve": 30} | changed))


def spend(budget: RequestBudget, now_s: float, *, is_protective: bool = False, by_second: bool = False) -> int:
    """Take tokens until there is none; return how many."""
    taken = 0
    while budget.take(now_s, is_protective=is_protective, is_limited_by_second=by_second) == 0.0:
        taken += 1
    return taken


def test_reads_stop_at_the_reserve() -> None:
    """P8: reads leave the reserve, protective requests find it."""
    budget = a_budget()
    assert spend(budget, 0.0) == 90
    assert spend(budget, 0.0, is_protective=True) == 30


def test_buckets_refill_continuously() -> None:
    """120 a minute are two a second, not a window."""
    budget = a_budget()
    spend(budget, 0.0, is_protective=True)
    assert budget.take(0.0, is_protective=True) == pytest.approx(0.5)
    assert spend(budget, 5.0, is_protective=True) == 10


def test_orders_draw_on_both_buckets() -> None:
    """Ten orders a second, whatever the minute holds; the switch does not count among them."""
    budget = a_budget()
    assert spend(budget, 0.0, is_protective=True, by_second=True) == 10
    assert budget.take(0.0, is_protective=True, is_limited_by_second=True) == pytest.approx(0.1)
    assert budget.take(0.0, is_protective=True) == 0.0


def test_headers_correct_downward_at_once() -> None:
    """Bots share the bucket: what the venue counts is less than what we counted."""
    budget = a_budget()
    budget.read_headers(0.0, {"x-ratelimit-remaining": "31", "x-ratelimit-remaining-1s": "1"})
    assert spend(budget, 0.0) == 1
    assert spend(budget, 0.0, is_protective=True, by_second=True) == 1


def test_headers_correct_upward_with_care() -> None:
    """Several front-ends count apart: a jump upward is believed by half."""
    budget = a_budget()
    spend(budget, 0.0, is_protective=True)
    budget.read_headers(0.0, {"x-ratelimit-remaining": "100"})
    assert budget.remaining(0.0) == pytest.approx(50)


def test_smaller_limit_is_taken_over() -> None:
    """An account with 60 a minute says so; a larger limit is not relied upon."""
    budget = a_budget()
    budget.read_headers(0.0, {"x-ratelimit-limit": "60", "x-ratelimit-limit-1s": "5"})
    assert spend(budget, 0.0, is_protective=True, by_second=True) == 5
    assert budget.remaining(0.0) == pytest.approx(55)
    budget.read_headers(0.0, {"x-ratelimit-limit": "300"})
    assert budget.remaining(1000.0) == pytest.approx(60)


def test_limit_that_returns_is_taken_back() -> None:
    """P8: one odd answer with a small limit does not throttle protection for ever."""
    budget = a_budget()
    budget.read_headers(0.0, {"x-ratelimit-limit": "6", "x-ratelimit-limit-1s": "1"})
    assert spend(budget, 0.0, is_protective=True) == 6
    budget.read_headers(0.0, {"x-ratelimit-limit": "120", "x-ratelimit-limit-1s": "10"})
    assert budget.remaining(60.0) == pytest.approx(120)
    assert spend(budget, 60.0, is_protective=True, by_second=True) == 10


@pytest.mark.parametrize("nonsense", ["", "-1", "many", "1e9", "9" * 40, "٣"])
def test_headers_that_say_nothing(nonsense: str) -> None:
    """A header that is no number changes nothing."""
    budget = a_budget()
    names = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-limit-1s", "x-ratelimit-remaining-1s")
    budget.read_headers(0.0, dict.fromkeys(names, nonsense))
    assert budget.remaining(0.0) == 120


def test_nothing_is_sent_into_a_ban() -> None:
    """P8: during a pause nothing goes, protective or not; the longer of two pauses holds."""
    budget = a_budget()
    budget.pause(0.0, 600.0)
    budget.pause(1.0, 2.0)
    assert budget.take(100.0, is_protective=True) == pytest.approx(500.0)
    assert budget.take(600.0, is_protective=True) == 0.0


def test_nothing_is_sent_into_an_empty_bucket() -> None:
    """P8: after a 429 the bucket is empty whatever we counted, and refills from there."""
    budget = a_budget()
    budget.empty(0.0)
    assert budget.take(0.0, is_protective=True) == pytest.approx(0.5)
    assert budget.take(0.5, is_protective=True) == 0.0


def test_refused_take_costs_nothing() -> None:
    """Asking does not spend."""
    budget = a_budget()
    spend(budget, 0.0)
    before = budget.remaining(0.0)
    assert budget.take(0.0, is_protective=False) > 0
    assert budget.remaining(0.0) == before


def test_clock_that_stands_still_or_goes_back_adds_nothing() -> None:
    """Tokens come from time that passed."""
    budget = a_budget()
    budget.take(10.0, is_protective=True)
    assert budget.remaining(5.0) == pytest.approx(119)


def test_a_bucket_smaller_than_the_reserve_still_serves_reads() -> None:
    """Where the venue grants less than the reserve, reads wait for a full bucket, not for ever."""
    budget = a_budget()
    budget.read_headers(0.0, {"x-ratelimit-limit": "20"})
    assert budget.take(0.0, is_protective=False) == 0.0
    assert budget.take(0.0, is_protective=False) == pytest.approx(3.0)


@pytest.mark.parametrize("bad", [{"per_minute": 0}, {"per_second": 0}, {"reserve": 120}, {"reserve": -1}])
def test_impossible_budgets(bad: dict[str, int]) -> None:
    """A budget that can never serve is refused when it is made."""
    with pytest.raises(ValueError, match="budget"):
        a_budget(**bad)


def test_cancels_for_a_latch_leave_half_of_the_reserve() -> None:
    """P8: a bot that quotes without end drives the guard to cancel without end; stops still find tokens."""
    budget = a_budget()
    taken = 0
    while budget.take(0.0, is_protective=True, is_sparing=True) == 0.0:
        taken += 1
    assert taken == 105
    assert spend(budget, 0.0, is_protective=True) == 15


def test_the_standing_is_told_without_taking_a_token() -> None:
    """P8: what is left, how much of it is kept, and no pause."""
    budget = a_budget()
    spend(budget, 0.0)
    assert budget.standing(0.0) == Standing(tokens=30, capacity=120, reserve=30, paused_for_s=0.0, is_banned=False)
    assert budget.standing(0.0) == budget.standing(0.0)


def test_a_ban_is_a_pause_that_has_a_name() -> None:
    """P8: nothing leaves while it lasts, protection included; a pause for its rate is no ban."""
    budget = a_budget()
    budget.pause(0.0, 5.0)
    assert budget.standing(1.0).paused_for_s == pytest.approx(4.0)
    assert not budget.standing(1.0).is_banned
    budget.ban(1.0, 120.0)
    assert budget.standing(2.0).is_banned
    assert budget.take(2.0, is_protective=True) == pytest.approx(119.0)
    assert not budget.standing(121.5).is_banned
    assert budget.take(121.5, is_protective=True) == 0.0
