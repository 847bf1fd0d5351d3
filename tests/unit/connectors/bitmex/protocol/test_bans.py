"""A page of 403 keeps away for a little while, many in a row for longer."""

from __future__ import annotations

from connectors.bitmex.protocol.bans import Bans
from connectors.bitmex.protocol.refusals import BAN_PAUSE_S, FIRST_BAN_PAUSE_S


def test_pauses_grow_to_two_minutes() -> None:
    """P8: each try that meets the page again waits twice as long, and not longer than the cap."""
    bans, now_s, pauses = Bans(), 100.0, []
    for _ in range(6):
        pauses.append(bans.page(now_s))
        now_s += pauses[-1]
    assert pauses == [FIRST_BAN_PAUSE_S, 30.0, 60.0, BAN_PAUSE_S, BAN_PAUSE_S, BAN_PAUSE_S]


def test_pages_that_were_under_way_together_count_once() -> None:
    """P8: five requests left before the first page came: one pause, from the first."""
    bans = Bans()
    assert [bans.page(10.0 + late_s) for late_s in (0, 1, 2)] == [FIRST_BAN_PAUSE_S - late_s for late_s in (0, 1, 2)]
    assert bans.page(10.0 + FIRST_BAN_PAUSE_S) == 2 * FIRST_BAN_PAUSE_S


def test_any_other_answer_ends_it() -> None:
    """P2: after an hour's ban the next slip costs a quarter of a minute again."""
    bans = Bans()
    for at_s in (0.0, 100.0, 200.0):
        bans.page(at_s)
    bans.over()
    assert bans.page(1000.0) == FIRST_BAN_PAUSE_S
