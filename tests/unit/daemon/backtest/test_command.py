"""The command as people call it: files written, exit codes, progress, settings side by side."""

from __future__ import annotations

import io
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from daemon.backtest.progress import shown_progress
from daemon.cli import main
from daemon.exit_codes import ExitCode
from tests.unit.daemon.backtest.histories import CRASH, MIDNIGHT_MS, closes_along, write_candles


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour with a fall of an eighth."""
    return write_candles(tmp_path_factory.mktemp("candles") / "crash.csv", CRASH)


def test_a_run_writes_text_json_and_one_page(crash: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The three say the same, the pictures are whole, and nothing is fetched from anywhere."""
    page, figures = tmp_path / "a.html", tmp_path / "a.json"
    code = main(["backtest", "--candles", str(crash), "--html", str(page), "--json", str(figures)])
    said, found = capsys.readouterr(), json.loads(figures.read_text())
    assert code == ExitCode.OK
    assert found["verdict"] == "All 1 liquidation(s) of the unguarded account were avoided."
    assert found["verdict"] in said.out
    assert found["verdict"] in page.read_text()
    assert said.err == ""
    assert found["figures"]["avoided"] == 1
    assert [lane["position"] for lane in found["lanes"]] == ["long 10x isolated", "short 10x isolated"]
    text = page.read_text()
    assert "http" not in text
    for start in text.split("<svg")[1:]:
        ET.fromstring("<svg" + start.split("</svg>")[0] + "</svg>")


def test_json_goes_to_standard_output_for_a_dash(crash: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Then it is all that is written there."""
    assert main(["backtest", "--candles", str(crash), "--side", "long", "--json", "-"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["figures"]["rounds"] == 1


def test_settings_side_by_side_are_the_same_in_one_process_and_in_two(
    crash: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wider buffer leaves earlier; two processes find what one finds, to the byte."""
    grid = ["--side", "long", "--grid", "stop.buffer_percent=1,3", "--json"]
    call = ["backtest", "--candles", str(crash), "--html", str(tmp_path / "g.html"), *grid]
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    assert main([*call, str(one), "--jobs", "1"]) == ExitCode.OK
    assert main([*call, str(two), "--jobs", "2"]) == ExitCode.OK
    assert one.read_bytes() == two.read_bytes()
    exits = [cell["lanes"][0]["rounds"][0]["guarded"]["exit"]["price"] for cell in json.loads(one.read_text())["cells"]]
    assert exits[0] < exits[1]
    assert "stop.buffer_percent=3" in capsys.readouterr().out
    assert (tmp_path / "g.html").read_text().count("<svg") == 2


def test_a_guarded_liquidation_is_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A gap over everything: exit code 10, and the round is named."""
    closes = closes_along((20, 8000.0), (1, 6000.0), (10, 6000.0))
    path = write_candles(tmp_path / "gap.csv", closes, jumps=(20,))
    assert main(["backtest", "--candles", str(path), "--side", "long"]) == ExitCode.DEMO_LIQUIDATED
    assert "liquidated although guarded: long 10x isolated, entered 03-12 00:05:00" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--candles", "none.csv"], "no such file"),
        (["--grid", "stop.bufer_percent=1"], "did you mean buffer_percent?"),
        (["--leverage", "0"], "--leverage must be a number from 1 to 100"),
        (["--html", "/nowhere/at/all.html"], "cannot be written: there is no such directory"),
        (["--json", "/"], "cannot be written: it is a directory"),
        (["--config", "none.toml"], "cannot be read"),
    ],
)
def test_a_mistake_is_one_line_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    """Exit code 3, no traceback."""
    path = write_candles(tmp_path / "calm.csv", closes_along((10, 8000.0)))
    assert main(["backtest", "--candles", str(path), *arguments]) == ExitCode.BAD_INPUT
    said = capsys.readouterr()
    assert words in said.err
    assert said.err.count("\n") == 1


def test_progress_is_lines_of_json_for_machines_and_nothing_in_a_pipe() -> None:
    """The share and the time of the history; a pipe sees nothing unless it asks."""
    output = io.StringIO()
    end_ms = MIDNIGHT_MS + 60_000
    assert shown_progress("auto", start_ms=MIDNIGHT_MS, end_ms=end_ms, output=output) is None
    shown = shown_progress("json", start_ms=MIDNIGHT_MS, end_ms=end_ms, output=output)
    assert shown is not None
    shown(MIDNIGHT_MS + 30_000)
    shown(MIDNIGHT_MS + 31_000)  # too soon after the one before
    shown.end()
    assert json.loads(output.getvalue()) == {"progress": 0.5, "at": "2020-03-12T00:00:30.000Z"}


def test_the_progress_of_a_grid_counts_its_combinations() -> None:
    """A grid has no time of its own: how many are done, of how many."""
    output = io.StringIO()
    for kind in ("json", "line"):
        shown = shown_progress(kind, start_ms=0, end_ms=4, output=output, counts="combinations")
        assert shown is not None
        shown(0)
        shown(1)
    said = output.getvalue()
    assert '{"progress": 0.25, "combinations": 1, "of": 4}' in said
    assert "] 1 of 4 combinations" in said
    assert "01-01" not in said


def test_an_output_that_cannot_be_written_is_refused_before_anything_is_played(tmp_path: Path) -> None:
    """A month of history is not played to find out at its end; not even the candles are looked for."""
    missing = str(tmp_path / "none.csv")
    assert main(["backtest", "--candles", missing, "--html", str(tmp_path)]) == ExitCode.BAD_INPUT


def test_progress_is_one_live_line_at_a_terminal() -> None:
    """It is drawn over itself and taken away at the end."""
    output = io.StringIO()
    shown = shown_progress("line", start_ms=0, end_ms=100, output=output)
    assert shown is not None
    shown(50)
    shown.end()
    assert output.getvalue().startswith("\r\x1b[K 50% [")
    assert output.getvalue().endswith("\r\x1b[K")
