"""The words of one screen about what was known."""

from __future__ import annotations

import pytest

from daemon.journal import screen

STOP = {"client_order_id": "sw-7-XBTUSD-L-s1", "quantity": 100, "stop_price": "59000"}
ROW = {
    "symbol": "XBTUSD",
    "quantity": 100,
    "entry_price": None,
    "mark_price": "60000",
    "mark_age_s": None,
    "tier": "calm",
    "liquidation_price": "50000",
    "liquidation": "in_range",
    "liquidation_figures": "venue 50000",
    "degraded": [],
}


@pytest.mark.parametrize(
    ("stops", "since", "words"),
    [
        ([STOP], "08:00:01", "sw-7-XBTUSD-L-s1 100 at 59000; covered since 08:00:01"),
        ([STOP], None, "sw-7-XBTUSD-L-s1 100 at 59000; NOT YET as near the mark, or for as many, as wanted"),
        ([], None, "none rests; NOT COVERED"),
    ],
    ids=["covered", "a nearer one is on its way", "bare"],
)
def test_a_stop_that_is_to_come_nearer_is_not_called_none(stops: list[object], since: str | None, words: str) -> None:
    """P9: for the moment between `set-stop` and its proof the old stop rests; a reader must not take that for bare."""
    assert f"    stops: {words}" in list(screen._position({**ROW, "stops": stops, "covered_since": since}))
