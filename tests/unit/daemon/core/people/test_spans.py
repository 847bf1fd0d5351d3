"""Durations in words."""

from __future__ import annotations

import pytest

from daemon.core.people.spans import span


@pytest.mark.parametrize(
    ("duration_ns", "words"),
    [(0, "0 s"), (999_999_999, "0 s"), (60 * 10**9, "1 min 0 s"), (599 * 10**9, "9 min 59 s"), (600 * 10**9, "10 min")],
)
def test_the_finer_unit_goes_where_nobody_asks_for_it(duration_ns: int, words: str) -> None:
    """What has begun is not counted: nothing is said to last longer than it did."""
    assert span(duration_ns) == words
