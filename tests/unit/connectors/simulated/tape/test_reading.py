from __future__ import annotations

import gzip
import time
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from connectors.simulated.tape.candles import CandleFileError
from connectors.simulated.tape.reading import read_candles
from tests.unit.connectors.simulated.tape.candle_files import (
    MIDNIGHT_MS,
    MINUTE_MS,
    a_file,
    a_line,
)

if TYPE_CHECKING:
    from pathlib import Path


def refusal(path: Path) -> str:
    """Return the one line with which a file is refused."""
    with pytest.raises(CandleFileError) as refused:
        read_candles(path)
    text = str(refused.value)
    assert "\n" not in text
    assert str(path) in text
    return text


def test_reads_plain_and_gzip_alike_whatever_the_name(tmp_path: Path) -> None:
    """The content decides whether a file is gzip, its name does not."""
    plain = a_file(tmp_path, [a_line(0), a_line(1)])
    packed = tmp_path / "packed.csv"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_candles(plain).candles == read_candles(packed).candles


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2020-03-12T00:00:00Z", "2020-03-12T00:01:00Z"),
        ("2020-03-12 00:00", "2020-03-12 00:01"),
        ("2020-03-12T02:00:00+02:00", "2020-03-12T02:01:00+02:00"),
        ("1583971200", "1583971260"),
        ("1583971200000", "1583971260000"),
    ],
)
def test_reads_every_way_to_write_a_time(tmp_path: Path, first: str, second: str) -> None:
    """ISO with and without offset, epoch seconds and milliseconds all mean the same minute."""
    series = read_candles(a_file(tmp_path, [f"{at},100,101,99,100,5" for at in (first, second)]))
    assert series.start_ms == MIDNIGHT_MS
    assert series.interval_ms == MINUTE_MS


def test_columns_may_stand_in_any_order_and_be_more_than_needed(tmp_path: Path) -> None:
    """A file of marks has `samples` and no volume; spaces and case of the header do not matter."""
    path = a_file(
        tmp_path,
        ["100,99,101,100,60,1583971200", "100,99,101,100,60,1583971260"],
        header="Close, Low,HIGH,open,samples,open_time",
    )
    assert read_candles(path).candles[0].volume is None
    assert read_candles(path).candles[0].high == Decimal(101)


@pytest.mark.parametrize(("step_s", "name"), [(60, "1m"), (300, "5m"), (3600, "1h")])
def test_finds_the_interval(tmp_path: Path, step_s: int, name: str) -> None:
    """Bars of one minute, five minutes and one hour are told by their distance."""
    lines = [f"{1_583_971_200 + place * step_s},100,101,99,100,5" for place in range(3)]
    assert read_candles(a_file(tmp_path, lines)).interval_ms == step_s * 1000, name


@pytest.mark.parametrize("digits", [10, 13, 16])
def test_epoch_times_are_told_by_their_length(tmp_path: Path, digits: int) -> None:
    """Seconds, milliseconds, and the microseconds of files from 2025 on."""
    lines = [f"{(1_583_971_200 + 60 * place) * 10 ** (digits - 10)},100,101,99,100,5" for place in range(2)]
    assert read_candles(a_file(tmp_path, lines)).start_ms == MIDNIGHT_MS


def test_an_open_outside_the_bar_is_ordinary(tmp_path: Path) -> None:
    """BitMEX's open is the previous close, so it may lie outside [low, high]."""
    path = a_file(tmp_path, [a_line(0), a_line(1, prices="100,90,80,85")])
    assert read_candles(path).candles[1].open == Decimal(100)


def test_holes_are_noted_not_refused(tmp_path: Path) -> None:
    """A hole outside the range that is played later does not matter, so reading goes on."""
    series = read_candles(a_file(tmp_path, [a_line(minute) for minute in (0, 1, 2, 5, 6)]))
    (hole,) = series.holes
    assert (hole.start_ms, hole.end_ms, hole.line) == (
        MIDNIGHT_MS + 3 * MINUTE_MS,
        MIDNIGHT_MS + 5 * MINUTE_MS,
        5,
    )


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([a_line(0), a_line(1, prices="100,nan,99,100")], "line 3: high is 'nan', not a number"),
        ([a_line(0), a_line(1, prices="100,inf,99,100")], "not a number"),
        ([a_line(0), a_line(1, prices="100,,99,100")], "line 3: high is '', not a number"),
        ([a_line(0), a_line(1, prices="100,101,-99,100")], "line 3: low is '-99'; a price must be"),
        ([a_line(0), a_line(1, prices="100,1e999999,99,100")], "a price must be"),
        ([a_line(0), a_line(1, prices="100,99,101,100")], "line 3: low 101 is above high 99"),
        ([a_line(0), a_line(1, prices="100,101,99,102")], "line 3: close 102 is outside"),
        ([a_line(0), a_line(1, volume="-1")], "line 3: volume is '-1'"),
        ([a_line(0), a_line(1), a_line(1)], "line 4: a second bar for 2020-03-12T00:01Z"),
        ([a_line(1), a_line(0)], "sort the file by open_time"),
        ([a_line(0), a_line(1), "2020-03-12T00:02"], "line 4: has 1 fields where the header has 6"),
        ([a_line(0), "yesterday,100,101,99,100,5"], "line 3: open_time 'yesterday' is no time"),
        ([a_line(0), "15839712,100,101,99,100,5"], "neither epoch seconds, milli- or microseconds"),
        ([a_line(0), '"2020,100,101,99,100,5'], "is not CSV"),
        ([a_line(0)], "needs two bars or more"),
        ([a_line(0), a_line(2), a_line(4)], "bars are 120 s apart; expected bars of 1m, 5m, 1h"),
        ([a_line(0), a_line(1), "2020-03-12T00:02:30Z,100,101,99,100,5"], "does not fit bars of 1m"),
    ],
)
def test_a_damaged_row_is_named_with_what_to_do(tmp_path: Path, lines: list[str], says: str) -> None:
    """Every damage is one line with the file, the line and the reason."""
    assert says in refusal(a_file(tmp_path, lines))


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("open_time,open,high,low,volume", "line 1: no column close"),
        ("timestamp,open,high,low,close", "BitMEX stamps a bar with its END"),
        ("", "is empty"),
    ],
)
def test_a_wrong_header_is_named(tmp_path: Path, header: str, says: str) -> None:
    """What is missing is named; BitMEX's own stamp, which means the end, is not mistaken."""
    assert says in refusal(a_file(tmp_path, [a_line(0), a_line(1)], header=header))


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    """A file of zero bytes is empty, not a missing column."""
    path = tmp_path / "bars.csv"
    path.touch()
    assert "is empty" in refusal(path)


def test_a_missing_file_and_a_directory_are_named(tmp_path: Path) -> None:
    """The two commonest slips of a path each have their own words."""
    assert "no such file" in refusal(tmp_path / "none.csv")
    assert "is a directory" in refusal(tmp_path)


def test_a_truncated_gzip_is_named(tmp_path: Path) -> None:
    """A download that was cut off does not end in a traceback."""
    whole = gzip.compress(a_file(tmp_path, [a_line(minute) for minute in range(999)]).read_bytes())
    for raw in (whole[:-20], whole[: len(whole) // 2], whole[:3], whole[:40] + b"xx" + whole[42:]):
        path = tmp_path / "bars.csv.gz"
        path.write_bytes(raw)
        assert "damaged or cut off" in refusal(path)


def test_a_binary_file_is_named(tmp_path: Path) -> None:
    """An image or an archive of another kind is not text."""
    path = tmp_path / "bars.csv"
    path.write_bytes(b"PK\x03\x04\xff\xfe\x00")
    assert "is not text" in refusal(path)


@pytest.mark.real_day
def test_a_month_is_read_in_about_a_second(real_data: Path) -> None:
    """44,640 real bars are parsed, checked and marked without a wait anyone notices."""
    started = time.process_time()
    series = read_candles(real_data / "candles" / "bitmex-xbtusd-1m-2020-03.csv.gz")
    assert len(series.candles) == 44_640
    assert not series.holes
    assert time.process_time() - started < 3  # 0.3 s on an idle machine
