from __future__ import annotations

from decimal import Decimal
from math import log

import pytest

from connectors.simulated.tape.candles import (
    DAY_MS,
    CandleFileError,
    Hole,
    most_violent_day,
    read_time,
    show_time,
)
from tests.unit.connectors.simulated.tape.candle_files import (
    MIDNIGHT_MS,
    MINUTE_MS,
    a_candle,
    a_series,
)


def at(minute: int) -> int:
    """Return the time of a minute after midnight."""
    return MIDNIGHT_MS + minute * MINUTE_MS


def test_a_range_keeps_the_close_before_it() -> None:
    """A range starts from the price of the bar before, so that nothing is looked ahead at."""
    series = a_series([a_candle(minute, high=200, close=100 + minute) for minute in range(9)])
    part = series.between(at(3), at(6))
    assert [bar.open_time_ms for bar in part.candles] == [at(3), at(4), at(5)]
    assert part.first_price == Decimal(102)


def test_the_first_price_of_a_file_lies_in_its_first_bar() -> None:
    """Without a bar before, an open outside the first bar is drawn to its edge."""
    assert a_series([a_candle(0, low=99, high=101, close=100)]).first_price == Decimal(100)
    bar = a_candle(0, low=50, high=60, close=55)
    assert a_series([bar]).first_price == Decimal(55)


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        (6, 3, "empty or reversed"),
        (3, 3, "empty or reversed"),
        (-1, 3, "reaches outside the file, which covers 2020-03-12T00:00Z to 2020-03-12T00:09Z"),
        (3, 10, "reaches outside the file"),
        (100, 200, "reaches outside the file"),
    ],
)
def test_a_range_that_cannot_be_is_refused(start: int, end: int, says: str) -> None:
    """Reversed, empty and outside ranges each say what the file covers."""
    series = a_series([a_candle(minute) for minute in range(9)])
    with pytest.raises(CandleFileError, match=says):
        series.between(at(start), at(end))


def test_a_range_without_a_whole_bar_is_refused() -> None:
    """Thirty seconds inside a minute hold no bar."""
    series = a_series([a_candle(minute) for minute in range(9)])
    with pytest.raises(CandleFileError, match="no whole bar"):
        series.between(at(3) + 10_000, at(3) + 40_000)


def test_a_hole_matters_only_inside_the_range() -> None:
    """Around a hole one can play; across it one is told which stretch to take instead."""
    hole = Hole(start_ms=at(3), end_ms=at(5), line=5)
    series = a_series([a_candle(minute) for minute in (0, 1, 2, 5, 6, 7, 8)], holes=[hole])
    assert len(series.between(at(5), None).candles) == 4
    assert series.between(at(5), None).close_before is None
    with pytest.raises(CandleFileError) as refused:
        series.between(None, None)
    text = str(refused.value)
    assert "line 5: a hole in the chosen range: 2 bar(s) missing" in text
    assert "--from 2020-03-12T00:05Z --to 2020-03-12T00:09Z" in text


def test_the_most_violent_day_is_measured_from_its_first_price() -> None:
    """A day that swings widely but ends near its start counts less than one that runs away."""
    swings = [a_candle(0, low=90, high=110, close=100), a_candle(1, low=90, high=110, close=100)]
    runs = [a_candle(1440, low=85, high=100, close=100), a_candle(1441, low=85, high=90, close=88)]
    series = a_series([*swings, *runs])
    day = most_violent_day(series)
    assert (day.start_ms, day.end_ms) == (MIDNIGHT_MS + DAY_MS, at(1442))
    assert day.excursion == pytest.approx(log(100 / 85))


def test_a_squeeze_is_as_violent_as_a_crash() -> None:
    """The direction of the excursion does not matter."""
    falls = [a_candle(0, low=90, high=100, close=100)]
    rises = [a_candle(1440, low=100, high=120, close=100)]
    assert most_violent_day(a_series([*falls, *rises])).start_ms == MIDNIGHT_MS + DAY_MS


@pytest.mark.parametrize(
    ("text", "option", "minute"),
    [
        ("2020-03-12", "--from", 0),
        ("2020-03-12", "--to", 1440),
        ("2020-03-12T10:45Z", "--to", 645),
        ("2020-03-12 10:45", "--from", 645),
        ("2020-03-12T11:45+01:00", "--from", 645),
    ],
)
def test_reads_the_times_people_write(text: str, option: str, minute: int) -> None:
    """A bare date in `--to` includes the day, so the same date twice is one day."""
    assert read_time(text, option=option) == at(minute)


def test_the_last_day_of_all_can_be_named() -> None:
    """`--to 9999-12-31` for "to the end", which no calendar can show."""
    assert show_time(read_time("9999-12-31", option="--to")).startswith("9999-12-31")


@pytest.mark.parametrize("text", ["", "tomorrow", "12.3.2020", "2020-13-01"])
def test_an_unreadable_date_is_refused(text: str) -> None:
    """The option, what was written and a good example stand in one line."""
    with pytest.raises(CandleFileError, match=r"--from .* is no date; write for example 2020-03-12"):
        read_time(text, option="--from")


def test_shows_times_shortly() -> None:
    """Seconds are shown only where there are any."""
    assert show_time(MIDNIGHT_MS) == "2020-03-12T00:00Z"
    assert show_time(MIDNIGHT_MS + 5_000) == "2020-03-12T00:00:05Z"
