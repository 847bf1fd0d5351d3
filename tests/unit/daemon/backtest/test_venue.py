"""The exchange of one account: what it tells, and to whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.backtest.history import load_history
from daemon.backtest.venue import BacktestVenue
from tests.unit.daemon.backtest.histories import CRASH, write_candles


@pytest.mark.parametrize(("has_guard", "told"), [(True, {"instrument"}), (False, set())])
def test_only_market_rows_that_somebody_reads_are_made(tmp_path: Path, has_guard: bool, told: set[str]) -> None:
    """A guard hears of the contract at every price; nobody hears of quotes and prints."""
    history = load_history(write_candles(tmp_path / "a.csv", CRASH), since=None, until=None, seed=1)
    now = [history.start_ms]
    venue = BacktestVenue(seed=1, equity_sat=1, has_guard=has_guard, now_ms=lambda: now[0])
    tables: set[str] = set()
    venue.watchers.append(lambda changes: tables.update(one.table for one in changes if one.account is None))
    for step in history.steps():
        now[0] = step.tape_ms
        venue.play(step)
    assert tables == told
