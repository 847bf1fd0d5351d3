"""The command line: what it teaches, and what it says when something is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.cli import main, parser
from daemon.exit_codes import ExitCode

REPOSITORY = Path(__file__).resolve().parents[3]
COMMANDS = ("run", "check", "status", "exchange", "demo", "journal", "replay", "explain")
SETTINGS = (
    '[venue]\nenvironment = "embedded"\nrest_url = "http://127.0.0.1:9"\nrealtime_url = "ws://127.0.0.1:9/realtime"\n'
)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever keys the machine has are not ours."""
    for name in ("SEAWALL_KEY", "SEAWALL_SECRET", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)


def a_file(folder: Path, text: str = SETTINGS) -> str:
    """Write a settings file and return its path."""
    (folder / "seawall.toml").write_text(text)
    return str(folder / "seawall.toml")


def test_help_teaches_examples_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """`seawall --help` alone is enough to start."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for command in COMMANDS:
        assert f"    {command} " in text
    for code in ExitCode:
        assert f"{code.value:>3}  {code.meaning}" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`seawall COMMAND --help` shows how it is used."""
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert f"  seawall {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "of"),
    [
        (["pause", "--config", "s.toml", "5m"], "seawall pause"),
        (["config", "diff", "--config", "s.toml", "other.toml"], "seawall config diff"),
        (["exchange", "fault", "clear", "--al"], "seawall exchange fault clear"),
        (["--config", "s.toml", "status"], "seawall"),
    ],
)
def test_an_unknown_argument_leads_to_the_help_of_its_command(
    words: list[str], of: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """At three in the morning `pause 5m` names the page where `--for` stands, not the list of all commands."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == ExitCode.USAGE
    told = capsys.readouterr().err
    assert told.startswith(f"{of}: ")
    assert told.endswith(f"; see {of} --help\n")


def test_the_readme_lists_the_exit_codes() -> None:
    """What the documentation promises is what the code returns."""
    readme = (REPOSITORY / "README.md").read_text()
    listed = dict(re.findall(r"^\| (\d+) \| (.+?) \|$", readme, flags=re.MULTILINE))
    assert listed == {str(code.value): code.meaning for code in ExitCode}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["guard"],
        ["run"],
        ["exchange", "--port", "70000"],
        ["exchange", "--port", "-1"],
        ["exchange", "--balance", "XBt"],
        ["exchange", "--clock", "sundial"],
        ["exchange", "compare", "a"],
        ["exchange", "--candles", "a", "--scenario", "crash"],
        ["status"],
        ["status", "--config", "a", "--socket", "b"],
        ["demo", "--seed", "x"],
    ],
)
def test_a_command_line_that_cannot_be_understood_is_code_2(arguments: list[str]) -> None:
    """Argparse's own code for usage errors."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "--config", "nowhere.toml"], ExitCode.BAD_INPUT, "nowhere.toml"),
        (["status", "--config", "nowhere.toml"], ExitCode.BAD_INPUT, "nowhere.toml"),
        (["status", "--socket", "nowhere.sock"], ExitCode.VENUE_UNREACHABLE, "no daemon answers"),
        (["exchange", "--candles", "nowhere.csv"], ExitCode.BAD_INPUT, "nowhere.csv"),
        (["exchange", "--speed", "fast"], ExitCode.BAD_INPUT, "fast"),
        (["exchange", "--scenario", "boom"], ExitCode.BAD_INPUT, "boom"),
        (["exchange", "--snapshot", "nowhere.json"], ExitCode.BAD_INPUT, "nowhere.json"),
        (["exchange", "--record", "nowhere/r.jsonl"], ExitCode.BAD_INPUT, "nowhere/r.jsonl"),
        (["exchange", "--switch", "moon=full"], ExitCode.USAGE, "moon=full: no such choice"),
        (["exchange", "--switch", "close_shows_quantity"], ExitCode.USAGE, "no such choice"),
        (["exchange", "--switch", "close_shows_quantity=maybe"], ExitCode.USAGE, "takes on, off"),
        (["exchange", "--switch", "client_id_reuse=often"], ExitCode.USAGE, "takes never, when_closed"),
        (["exchange", "compare", "nowhere.json", "b.json"], ExitCode.BAD_INPUT, "nowhere.json"),
    ],
)
def test_bad_input_is_one_clear_line(
    arguments: list[str], code: ExitCode, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing file, folder or daemon: one line that names it, and its own exit code."""
    assert main(arguments) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("seawall: ")
    assert words in line


def test_a_port_in_use_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Another program holds the port."""
    import socket

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        assert main(["exchange", "--port", str(port)]) == ExitCode.IN_USE
    (line,) = capsys.readouterr().err.splitlines()
    assert str(port) in line


def test_missing_credentials_are_code_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The settings are fine and there is no key anywhere."""
    assert main(["run", "--config", a_file(tmp_path)]) == ExitCode.CREDENTIALS
    assert "no API key was found" in capsys.readouterr().err


def test_all_problems_of_a_settings_file_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two mistakes are two lines."""
    path = a_file(tmp_path, SETTINGS + "[stop]\nbufer_percent = 1\n[log]\nlevel = 'loud'\n")
    assert main(["run", "--config", path]) == ExitCode.BAD_INPUT
    err = capsys.readouterr().err
    assert "did you mean buffer_percent?" in err
    assert "log.level" in err


def test_check_says_what_is_wrong_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody listens at the address, and the switch does not outlive a restart: both are said, with the remedy."""
    monkeypatch.setenv("SEAWALL_KEY", "key")
    monkeypatch.setenv("SEAWALL_SECRET", "secret-secret")
    path = a_file(tmp_path, SETTINGS + "[switch]\ntimeout_s = 12\n")
    assert main(["check", "--config", path]) == ExitCode.BAD_INPUT
    out = capsys.readouterr().out
    assert re.search(r"^problem +switch +.*set it to", out, flags=re.MULTILINE)
    assert re.search(r"^problem +venue +http://127\.0\.0\.1:9 cannot be reached", out, flags=re.MULTILINE)
    assert re.search(r"^ok +settings", out, flags=re.MULTILINE)
    assert "secret-secret" not in out


def test_check_answers_machines_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json`: one object with the exit code and every finding."""
    import json

    assert main(["check", "--config", a_file(tmp_path), "--json"]) == ExitCode.CREDENTIALS
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    assert answer["exit_code"] == ExitCode.CREDENTIALS
    assert {finding["name"] for finding in answer["findings"]} >= {"settings", "switch", "alerts", "credentials"}


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    """The parser needs neither the network libraries nor the core."""
    code = (
        "import sys; from daemon.cli import parser; parser().format_help(); "
        "print([name for name in ('httpx', 'websockets', 'starlette', 'daemon.core.step') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[]"


def test_no_option_may_be_shortened() -> None:
    """`--obs` for `--observe` would be a mistake that nobody sees."""
    with pytest.raises(SystemExit):
        parser().parse_args(["run", "--config", "x", "--obs"])


@pytest.mark.parametrize(
    "line",
    [
        ["exchange", "--port", "99999"],
        ["demo", "--seed", "x"],
        ["run"],
        ["status"],
        ["frob"],
        ["exchange", "--accounts", "1001"],
    ],
)
def test_a_wrong_argument_is_one_line(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong, and where help is; not a page of usage above it."""
    with pytest.raises(SystemExit) as ended:
        main(line)
    told = capsys.readouterr().err
    assert ended.value.code == ExitCode.USAGE
    assert told.count("\n") == 1
    assert "--help" in told


@pytest.mark.parametrize("command", ["exchange", "demo"])
@pytest.mark.parametrize("option", ["--from", "--to"])
def test_a_range_without_a_file_is_refused(command: str, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The forgotten --candles: a built-in history would play, and nobody would notice."""
    assert main([command, option, "2020-03-12"]) == ExitCode.USAGE
    assert "--candles" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["", "nowhere/report.html", "seawall.toml/report.html", "x" * 300])
def test_a_report_that_cannot_be_written_is_found_before_the_demo(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder, a missing folder, a file taken for a folder, a name too long: not after half a minute of playing."""
    a_file(tmp_path)
    assert main(["demo", "--report", str(tmp_path / place)]) == ExitCode.BAD_INPUT
    assert capsys.readouterr().err.startswith("seawall: the report cannot be written to ")


@pytest.mark.parametrize("option", [["--pick-day"], ["--from", "2020-03-12"]])
def test_a_part_of_no_candle_file_is_a_slip(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Who forgets `--candles` is told, instead of watching the built-in history."""
    assert main(["exchange", *option]) == ExitCode.USAGE
    assert "name it with --candles" in capsys.readouterr().err


def test_a_fault_without_a_name_is_all_that_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    """The parameters of a fault may be left out, and nothing says otherwise."""
    with pytest.raises(SystemExit):
        main(["exchange", "fault", "set"])
    assert "required: NAME;" in capsys.readouterr().err


def test_the_demo_says_that_it_plays_no_scenario_files(capsys: pytest.CaptureFixture[str]) -> None:
    """The famous days are the exchange's: the demo's two accounts have no place in them."""
    with pytest.raises(SystemExit):
        main(["demo", "--help"])
    assert "scenario files" in capsys.readouterr().out
