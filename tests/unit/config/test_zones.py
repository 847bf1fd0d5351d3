"""Time zones of quiet hours, by name."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import config.zones
from config.zones import offset_s, problem_of_zone
from tests.unit.config.test_load import complaints


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])
def test_iana_names_are_zones(name: str) -> None:
    """As every operating system names them."""
    assert problem_of_zone(name) == ""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Europe/Berlim", 'did you mean "Europe/Berlin"?'),
        ("europe/berlin", 'did you mean "Europe/Berlin"?'),
        ("here", "IANA name"),
        ("", "IANA name"),
        ("../../etc/passwd", "IANA name"),
        ("/etc/passwd", "IANA name"),
        ("a\0b", "IANA name"),
    ],
)
def test_what_is_no_zone_is_refused_with_what_to_write_instead(name: str, said: str) -> None:
    """A slip is answered with the name that was meant; a path is no name."""
    assert said in problem_of_zone(name)


def test_a_machine_without_a_database_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """And knows UTC all the same."""
    monkeypatch.setattr(config.zones, "available_timezones", set)
    assert "tzdata" in problem_of_zone("Nowhere/AtAll")
    assert problem_of_zone("UTC") == ""


@pytest.mark.parametrize(
    ("moment", "hours"),
    [
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), 1),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), 2),
        (datetime(2026, 10, 25, 0, 59, tzinfo=UTC), 2),
        (datetime(2026, 10, 25, 1, 0, tzinfo=UTC), 1),
    ],
)
def test_daylight_saving_time_begins_and_ends_in_the_second_it_does(moment: datetime, hours: int) -> None:
    """Both sides of both changes of a year in Berlin."""
    assert offset_s("Europe/Berlin", int(moment.timestamp()) * 10**9) == hours * 3_600


def test_a_zone_that_cannot_be_read_counts_as_utc() -> None:
    """The guard goes on if somebody takes the database away; the name was checked when it began."""
    assert offset_s("Nowhere/AtAll", 0) == 0
    assert offset_s("UTC", 0) == 0
    assert offset_s("Asia/Kolkata", 0) == 19_800


def test_a_wrong_zone_is_told_with_its_line(tmp_path: Path) -> None:
    """As every other slip in a settings file, before anything is guarded by it."""
    text = '[alerting]\nquiet_from = "22:00"\nquiet_until = "07:00"\nquiet_zone = "Europe/Berlim"\n'
    said = complaints(tmp_path, text)
    assert any("quiet_zone" in each and 'did you mean "Europe/Berlin"?' in each for each in said)
