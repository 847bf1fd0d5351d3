"""From a candle file to a tape: holes, scale, order, errors."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from daemon.backtest.history import load_history
from daemon.exit_codes import CommandFailed, ExitCode
from tests.unit.daemon.backtest.histories import CRASH, MIDNIGHT_MS, MINUTE_MS, closes_along, write_candles


def loaded(path: Path, since: str | None = None, until: str | None = None):  # type: ignore[no-untyped-def]  # noqa: ANN201
    return load_history(path, since=since, until=until, seed=1)


def test_a_whole_file_is_played_as_it_is(tmp_path: Path) -> None:
    """Without holes and at prices that fit the contract there is nothing to note."""
    history = loaded(write_candles(tmp_path / "a.csv", CRASH))
    assert (history.start_ms, history.end_ms) == (MIDNIGHT_MS, MIDNIGHT_MS + 60 * MINUTE_MS)
    assert (history.notes, history.scale) == ((), 1)
    lasts = [float(step.prices[0].last) for step in history.steps()]
    assert (min(lasts), max(lasts)) == (7000.0, 8010.0)
    assert [len(step.prices) for step in history.steps()][:2] == [1, 1]


def test_a_hole_is_bridged_in_a_straight_way_and_named(tmp_path: Path) -> None:
    """Three missing bars of a fall: the price goes evenly from before to after, and the report says so."""
    closes = closes_along((10, 8000.0), (10, 7000.0), (10, 7000.0))
    history = loaded(write_candles(tmp_path / "a.csv", closes, left_out=(12, 13, 14)))
    assert len(history.notes) == 1
    assert "3 bar(s) are missing from 2020-03-12T00:12Z to 2020-03-12T00:15Z" in history.notes[0]
    inside = [
        float(step.prices[0].last)
        for step in history.steps()
        if MIDNIGHT_MS + 12 * MINUTE_MS < step.tape_ms <= MIDNIGHT_MS + 15 * MINUTE_MS
    ]
    assert inside == sorted(inside, reverse=True)
    assert 7500 <= min(inside) < max(inside) <= 7900


@pytest.mark.parametrize(("price", "scale"), [(25.0, 100), (2_500.0, 1), (0.3, 10_000), (60_000.0, 1), (9e7, "0.01")])
def test_prices_of_other_coins_are_scaled_by_a_power_of_ten(tmp_path: Path, price: float, scale: object) -> None:
    """The contract's tick is a small part of what is played, and the note names the factor."""
    history = loaded(write_candles(tmp_path / "a.csv", [price * (1 + number / 1e4) for number in range(20)]))
    assert history.scale == Decimal(str(scale))
    assert bool(history.notes) is (history.scale != 1)
    assert history.tape.reel.first_price * 1000 > 400_000


def test_rows_out_of_order_are_sorted_and_named(tmp_path: Path) -> None:
    """Two rows changed places, one stands there twice: the same history, with two notes."""
    path = write_candles(tmp_path / "a.csv", CRASH)
    lines = path.read_text().splitlines()
    lines[5], lines[6] = lines[6], lines[5]
    mixed = tmp_path / "b.csv"
    mixed.write_text("\n".join([*lines, lines[9]]) + "\n")
    straight, sorted_one = loaded(path), loaded(mixed)
    assert [s.prices for s in straight.steps()] == [s.prices for s in sorted_one.steps()]
    assert len(sorted_one.notes) == 2
    assert "out of order" in sorted_one.notes[0]
    assert "twice" in sorted_one.notes[1]


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        ("yesterday", None, "--from 'yesterday' is no date"),
        ("2021-01-01", None, "outside the file"),
        ("2020-03-12T00:30Z", "2020-03-12T00:10Z", "empty or reversed"),
    ],
)
def test_a_range_that_cannot_be_is_refused_in_one_line(
    tmp_path: Path, since: str, until: str | None, words: str
) -> None:
    """Dates that are none, outside, or the wrong way round."""
    path = write_candles(tmp_path / "a.csv", CRASH)
    with pytest.raises(CommandFailed) as refused:
        loaded(path, since, until)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.code is ExitCode.BAD_INPUT


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    """The path is named."""
    with pytest.raises(CommandFailed, match="no such file"):
        loaded(tmp_path / "none.csv")


def test_two_different_bars_of_one_minute_are_refused(tmp_path: Path) -> None:
    """Nobody can say which is right."""
    path = write_candles(tmp_path / "a.csv", CRASH)
    path.write_text(path.read_text() + f"{MIDNIGHT_MS},1.0,2.0,1.0,2.0,1\n")
    with pytest.raises(CommandFailed, match="a second, different bar"):
        loaded(path)
