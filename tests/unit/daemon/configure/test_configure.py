"""`seawall config`: what is shown, where it comes from, and what never is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from config.catalogue import keys
from config.load import load
from config.schema import schema
from daemon.cli import main
from daemon.configure.explain import facts_of
from daemon.configure.show import effective
from daemon.exit_codes import ExitCode

PROFILES = sorted((Path(__file__).resolve().parents[4] / "config" / "profiles").glob("*.toml"))
TOKEN = "T0B0-this-is-a-token"
FILE = f"""[venue]
environment = "testnet"
[stop]
buffer_percent = 3.50
trailing = {{ mode = "on" }}
[alerts]
webhook_url = "https://hooks.example.org/{TOKEN}"
[credentials]
key_command = ["pass", "show", "seawall-key-{TOKEN}"]
secret_command = ["pass", "show", "x"]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A settings file."""
    file = tmp_path / "seawall.toml"
    file.write_text(FILE)
    return file


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = ExitCode.OK) -> str:
    """Run a command and return what it wrote."""
    assert main(["config", *words]) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_every_value_comes_with_its_origin(path: Path) -> None:
    """Line, inline table, variable of a value or of its table, default."""
    environ = {"SEAWALL_SET_LOG__LEVEL": "debug", "SEAWALL_SET_TIERS": "{ watch_percent = 6 }"}
    found = {each.place: each for each in effective(load(path, environ))}
    assert (found["stop.buffer_percent"].value, found["stop.buffer_percent"].origin) == ("3.50", "line 4")
    assert found["log.level"].origin == "SEAWALL_SET_LOG__LEVEL"
    assert found["tiers.watch_percent"].origin == "SEAWALL_SET_TIERS"
    assert found["stop.floor_percent"].origin == "default"
    assert found["stop.trailing.mode"].value == '"on"'


def test_nothing_secret_is_shown(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """P11: tokens in addresses and in arguments of commands stay where they are."""
    for words in (("show", "--config", str(path)), ("show", "--config", str(path), "--json")):
        text = said(capsys, *words)
        assert "hooks.example.org" in text
        assert TOKEN not in text
    assert TOKEN not in said(capsys, "explain", "alerts.webhook_url", "--config", str(path))
    assert TOKEN not in said(capsys, "diff", str(path), str(PROFILES[0]), code=ExitCode.DIFFERENT)


def test_only_what_is_set(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The short form is what an operator wrote."""
    text = said(capsys, "show", "--config", str(path), "--set")
    assert "buffer_percent = 3.50" in text
    assert "floor_percent" not in text


@pytest.mark.parametrize("profile", PROFILES, ids=lambda each: each.stem)
def test_what_is_shown_can_be_read_again(profile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`config show` of a profile is a settings file with the same meaning."""
    again = tmp_path / "again.toml"
    again.write_text(said(capsys, "show", "--config", str(profile)))
    assert load(again).settings.policy == load(profile).settings.policy


def test_problems_are_told_all_at_once(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As `seawall check` tells them."""
    path.write_text(FILE + "[log]\nlevel = 5\nnonsense = 1\n")
    text = said(capsys, "show", "--config", str(path), code=ExitCode.BAD_INPUT)
    assert text.count(str(path)) == 2


def test_every_key_can_be_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """What it means, what it takes, what it is if left out."""
    for key in keys():
        facts = facts_of(key, key.place)
        assert facts["meaning"], key.place
        assert facts["value"], key.place
        assert facts["default"], key.place
    assert json.loads(said(capsys, "explain", "log.level", "--json"))["variable"] == "SEAWALL_SET_LOG__LEVEL"


def test_an_explanation_has_unit_bounds_neighbours_and_the_value_here(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All that somebody asks before changing it."""
    text = said(capsys, "explain", "stop.buffer_percent", "--config", str(path))
    for words in ("percent", "above 0 and below 100", "stop.floor_percent", "3.50 (line 4)", "SEAWALL_SET_STOP__"):
        assert words in text


def test_a_table_is_a_list_of_its_keys(capsys: pytest.CaptureFixture[str]) -> None:
    """`config explain switch`."""
    text = said(capsys, "explain", "switch")
    assert "switch.timeout_s" in text
    assert len(json.loads(said(capsys, "explain", "switch", "--json"))["keys"]) > 3


@pytest.mark.parametrize(("wrong", "hint"), [("buffer", "stop.buffer_percent"), ("switch.timeout", "switch.timeout_s")])
def test_a_key_that_is_none_comes_with_the_nearest(wrong: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Half a name is a question, too."""
    assert hint in said(capsys, "explain", wrong, code=ExitCode.USAGE)


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """For a file beside the settings."""
    assert json.loads(said(capsys, "schema")) == schema()


def test_a_difference_names_what_a_reload_cannot_do(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The policy can; folders cannot."""
    other = tmp_path / "other.toml"
    other.write_text(FILE.replace("3.50", "4") + '[state]\ndirectory = "elsewhere"\n')
    text = said(capsys, "diff", str(path), str(other), code=ExitCode.DIFFERENT)
    assert "stop.buffer_percent: 3.50 -> 4\n" in text
    assert "needs a restart: it is read at the start only" in text
    rows = json.loads(said(capsys, "diff", str(path), str(other), "--json", code=ExitCode.DIFFERENT))["changes"]
    assert [bool(row["restart"]) for row in rows if row["key"] == "stop.buffer_percent"] == [False]


def test_no_difference_is_success(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For scripts."""
    assert said(capsys, "diff", str(path), str(path)) == "no difference\n"


def test_a_daemon_that_does_not_run_is_named(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody to compare with."""
    assert "no daemon answers" in said(capsys, "diff", str(path), "--running", code=ExitCode.VENUE_UNREACHABLE)
