"""Times as people write them: what is understood, and what is not guessed at."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from daemon.journal import times
from daemon.journal.question import AboutTime, question_of
from daemon.journal.segments import find
from daemon.journal.times import NS_PER_S, instant_ns, moment, time_of_day_ns
from tests.fakes import SECOND_NS, START_NS
from tests.unit.daemon.journal.written import write_journal

NOON_NS = 1_795_348_984 * NS_PER_S
"""2026-11-22T12:03:04Z."""


@pytest.mark.parametrize(
    ("text", "at_ns"),
    [
        ("2026-11-22T12:03:04Z", NOON_NS),
        ("2026-11-22 12:03:04", NOON_NS),
        ("2026-11-22T13:03:04+01:00", NOON_NS),
        ("2026-11-22T12:03:04.5Z", NOON_NS + NS_PER_S // 2),
        ("2026-11-22T12:03Z", NOON_NS - 4 * NS_PER_S),
        ("2026-11-22", NOON_NS - (12 * 3600 + 184) * NS_PER_S),
        ("20261122", None),
        ("2026-W47", None),
        ("2026-13-01", None),
        ("1969-12-31T23:59:59Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("sw-2026-11-22", None),
        ("XBTUSD", None),
        ("", None),
    ],
)
def test_an_instant_is_read_or_refused(text: str, at_ns: int | None) -> None:
    """UTC unless it says otherwise; compact and week forms could be a number or a symbol, so they are none."""
    assert instant_ns(text) == at_ns


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("12:03:04", 43_384.0), ("12:03", 43_380.0), ("0:00", 0.0), ("12:03:04.25Z", 43_384.25)]
    + [(text, None) for text in ("24:00", "12:60", "12:03:60", "12", "12:3", "12:03:04+01:00", "XBT:USD")],
)
def test_a_time_of_day_is_read_or_refused(text: str, seconds: float | None) -> None:
    """Hours and minutes at least, UTC."""
    assert time_of_day_ns(text) == (None if seconds is None else int(seconds * NS_PER_S))


def test_a_moment_is_written_as_it_is_read() -> None:
    """Both ways; never is a dash."""
    assert moment(NOON_NS) == "2026-11-22T12:03:04.000Z"
    assert instant_ns(moment(NOON_NS)) == NOON_NS
    assert moment(0) == "-"


def test_a_time_of_day_is_the_last_one_in_the_journal(tmp_path: Path) -> None:
    """One that is later than the newest record was the day before."""
    write_journal(tmp_path)
    segments, newest = find(tmp_path), START_NS + 9 * SECOND_NS
    assert question_of(moment(newest)[11:-1], segments) == AboutTime(at_ns=newest)
    day_ns = 86_400 * NS_PER_S
    assert question_of(moment(newest + SECOND_NS)[11:-1], segments) == AboutTime(at_ns=newest + SECOND_NS - day_ns)


def test_examples_in_the_text_are_true() -> None:
    """The docstrings show what happens."""
    assert doctest.testmod(times).failed == 0
