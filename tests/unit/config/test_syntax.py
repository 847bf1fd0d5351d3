"""A settings file with mistakes of every kind: all are told at once, each with its line and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.load import SettingsError, load_settings
from config.syntax import read_toml

VENUE = '[venue]\nenvironment = "testnet"\n'


def problems(folder: Path, text: str) -> list[str]:
    """What is said about a file, without its name."""
    path = folder / "seawall.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as refused:
        load_settings(path)
    return [each.removeprefix(f"{path}: ") for each in refused.value.problems]


def test_mistakes_of_form_and_of_meaning_are_told_together(tmp_path: Path) -> None:
    """Three lines without quotes or with the wrong sign, and two values that make no sense."""
    told = problems(
        tmp_path,
        VENUE + "[log]\nlevel = debug\nformat: json\n[stop]\nbuffer_percent = -1\nstyle = close\n"
        '[guard]\nobserve = True\n[switch]\ntimeout_s = "60"\n',
    )
    assert told == [
        'line 4 is not valid TOML: Invalid value: text stands in quotes, as in level = "..."',
        "line 5 is not valid TOML: Expected '=' after a key in a key/value pair: write = between key and value",
        'line 8 is not valid TOML: Invalid value: text stands in quotes, as in style = "..."',
        "line 10 is not valid TOML: Invalid value: write observe = true",
        "stop.buffer_percent must be above 0 and below 100 (line 7)",
        "switch.timeout_s must be a number without quotes: write 60 (line 12)",
    ]


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("[stop]\nstyle = 'klose'", 'did you mean "close"?'),
        ('[stop]\nbuffer_percent = "2.5"', "write 2.5"),
        ("[log]\nlevel = 5", "put quotes around it"),
        ("[guard]\nobserve = 'yes'", "write true"),
        ("[guard]\nobserve = 0", "write false"),
        ("[ladder]\nwarn = 'alert'", "must be a list in brackets"),
        ("[stop]\nbufer_percent = 2", "did you mean buffer_percent?"),
        ("[stop]\nstyle = 'close'\nstyle = 'close'", "written twice"),
        ("[stop", "ends with ]"),
        ("[guard]\nobserve = off", "write observe = false"),
        ("[switch]\nmode = off", 'write mode = "off"'),
        ("[stop.trailing]\nmode = True", 'write mode = "on"'),
        ("[stop.trailing]\nmode = true", 'did you mean "on"?'),
        ("[stop]\nbuffer_percent = 2,5", "a point, not a comma"),
        ("[stop]\nbuffer_percent = 2%", "the key's name says its unit"),
        ("[switch]\ntimeout_s = 60s", "the key's name says its unit"),
        ("[switch]\ntimeout_s =", "the value is missing"),
        ("[switch]\ntimeout_s", "KEY = VALUE"),
        ("[ladder]\nwarn = [alert]", "each text in a list stands in quotes"),
        ("[ladder]\nwarn = 'freeze'", 'must be a list in brackets: ["freeze"]'),
        ("[alerts.routes]\nwarn = 'phone'", '["...", "..."]'),
        ("[alerting]\nquiet_from = 22:00", "a time of day stands in quotes"),
        ("[alerting]\nquiet_from = 22:00:00", "put quotes around it"),
        ("[account.quiet_hours]\nevents_utc = [2026-12-16T19:00:00Z]", "put quotes around it"),
        ("[log]\nlevel = \u201cinfo\u201d", 'quotes are "'),
        ("[log]\nlevel = 'info", "no quote at its end"),
        ("{ 'log': 1 }", "perhaps JSON"),
        ("[stop]\nbuffer_percent = {}", "must be a number"),
        ("[alerts]\nchannels = []", "write [alerts.channels.NAME]"),
        ("observe = true", "it belongs below [guard]"),
        ("buffer_volatility = 2", "it belongs below [stop]"),
        ("stop.buffer_percent = 2", "[stop] is a table of its own"),
    ],
)
def test_what_to_write_instead(tmp_path: Path, line: str, instead: str) -> None:
    """A slip of the keyboard is answered with what was probably meant."""
    told = problems(tmp_path, f"{VENUE}{line}\n")
    assert any(instead in each for each in told), told


def test_a_broken_header_blames_nobody_below_it(tmp_path: Path) -> None:
    """The keys under it would seem to belong to the table above."""
    assert len(problems(tmp_path, VENUE + "[stop\nbuffer_percent = 2\n")) == 1


def test_a_value_is_not_repeated(tmp_path: Path) -> None:
    """P11: a credential without quotes in the wrong place."""
    told = problems(tmp_path, VENUE + "[credentials]\nsecret = hunter2hunter2\nkey = 'hunter2hunter2'\n")
    assert len(told) >= 2
    assert "hunter2" not in str(told)


def test_a_text_that_is_no_settings_file_at_all_ends() -> None:
    """A thousand lines of something else: some are told, not all, and it takes no time."""
    found = read_toml("what is this?\n" * 1_000)
    assert 0 < len(found.problems) <= 21
    assert not found.is_sure


def test_an_end_that_is_missing_is_told_once() -> None:
    """A list that never closes."""
    found = read_toml('a = 1\nb = ["x",\n')
    assert len(found.problems) == 1
    assert "end of document" in found.problems[0]


@pytest.mark.parametrize("text", ["seawall", "[venue"])
def test_a_last_line_that_is_cut_off_is_named(tmp_path: Path, text: str) -> None:
    """What the reader calls the end of the document is a line that a person can find."""
    (told,) = problems(tmp_path, f"# settings\n{text}\n\n")
    assert told.startswith("line 2 is not valid TOML: ")
