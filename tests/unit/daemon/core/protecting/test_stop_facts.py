"""Facts of one position's life that the stop rules need: best mark, equity, what it has cost."""

from __future__ import annotations

from decimal import Decimal

import pytest

from daemon.core import events as e
from tests.builders import SECOND, a_margin, a_position
from tests.driven import Driven

D = Decimal


def opened(quantity: int = 100) -> Driven:
    """A position that opened while the guard ran, at a mark of 1000."""
    guard = Driven().up()
    guard.position(a_position(quantity))
    return guard


@pytest.mark.parametrize(
    ("quantity", "marks", "best"),
    [
        (100, [1010], None),
        (100, [1010, 1010], "1010"),
        (100, [1010, 1020], "1010"),
        (100, [1010, 1020, 1005], "1010"),
        (100, [2000, 1001], "1001"),
        (100, [1010, 1020, 1030, 990], "1020"),
        (-100, [990, 980, 995], "990"),
        (-100, [1, 999], "999"),
    ],
)
def test_the_best_mark_is_one_that_two_in_a_row_have_reached(quantity: int, marks: list[int], best: str | None) -> None:
    """A single bad print of twice the price drags no stop into the market."""
    guard = opened(quantity)
    for price in marks:
        guard.mark(price)
    assert guard.guarded().episode.best_mark == (None if best is None else D(best))


def test_marks_of_a_stale_stream_do_not_count() -> None:
    """P6: what a dead stream said last is no fact."""
    guard = opened()
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.MARKET, reason="gone"))
    guard.mark(1100)
    guard.mark(1100)
    assert guard.guarded().episode.best_mark is None


def test_a_turn_begins_a_new_life() -> None:
    """The best mark of the long means nothing to the short."""
    guard = opened()
    guard.mark(1100)
    guard.mark(1100)
    guard.position(a_position(-100))
    assert guard.guarded().episode.best_mark is None
    assert guard.guarded().episode.largest == 100


def test_equity_is_that_of_the_opening_without_its_own_profit() -> None:
    """Later profit and loss do not change the base of what may be lost."""
    guard = Driven().up()
    guard.position(a_position(unrealised_pnl_sat=-400))
    assert guard.guarded().episode.equity_sat == 1_000_400
    guard.give(e.MarginSeen(at_ns=guard.now, margin=a_margin(margin_balance_sat=2_000_000)))
    guard.position(a_position(unrealised_pnl_sat=1_000_000))
    assert guard.guarded().episode.equity_sat == 1_000_400


def test_adding_takes_the_lower_equity() -> None:
    """Half of the money is gone since: the share is of what is there when more is risked; never of more."""
    guard = opened()
    guard.give(e.MarginSeen(at_ns=guard.now, margin=a_margin(margin_balance_sat=500_000)))
    guard.position(a_position(150))
    assert (guard.guarded().episode.equity_sat, guard.guarded().episode.largest) == (500_000, 150)
    guard.give(e.MarginSeen(at_ns=guard.now, margin=a_margin(margin_balance_sat=900_000)))
    guard.position(a_position(200))
    guard.position(a_position(80))
    assert (guard.guarded().episode.equity_sat, guard.guarded().episode.largest) == (500_000, 200)


def test_equity_may_come_after_the_position() -> None:
    """At a start rows come in any order: the first margin row fills it in."""
    guard = Driven()
    guard.start()
    guard.position(a_position())
    assert guard.guarded().episode.equity_sat is None
    guard.give(e.MarginSeen(at_ns=guard.now, margin=a_margin(currency="XBt")))
    assert guard.guarded().episode.equity_sat is None
    guard.give(e.MarginSeen(at_ns=guard.now, margin=a_margin()))
    assert guard.guarded().episode.equity_sat == 1_000_000


def test_funding_and_closed_parts_are_booked_growth_is_not() -> None:
    """The fee of an addition is counted by the rule itself; a session's booking to the wallet is no gain."""
    guard = Driven().up()
    rows = [(100, -75), (100, -175), (200, -250), (150, -650), (150, 0), (150, -30), (150, None), (150, -40)]
    for number, (quantity, realised) in enumerate(rows):
        guard.now += SECOND
        stamp = guard.now + number
        guard.position(a_position(quantity, realised_pnl_sat=realised, timestamp_ns=stamp))
    assert guard.guarded().episode.booked_sat == -100 - 400 - 30
