"""The main job, end to end, as a user runs it: real processes, real sockets, a crash, an exit code.

The same run shows P1 (no order could add danger), P2 (covers confirmed before the mark reaches them) and, with
processes killed on the way, P7 (nothing is lost by a crash).
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from daemon.exit_codes import ExitCode

LINE_WITHIN_S = 60


def demo(folder: Path, *arguments: str) -> list[str]:
    """Return the command of a demo that reports into its own folder."""
    report = str(folder / "report.html")
    return [sys.executable, "-m", "daemon", "demo", "--json", "--plain", "--report", report, *arguments]


@contextmanager
def a_demo(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a demo in its own folder; it is ended with the block whatever happens."""
    with subprocess.Popen(
        demo(folder, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path.cwd()
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=20)


def run_demo(folder: Path, *arguments: str) -> tuple[int, dict[str, object], str]:
    """Run a demo to its end; return exit code, its object, and what it showed."""
    with a_demo(folder, *arguments) as process:
        out, shown = process.communicate()
    return process.returncode, json.loads(out) if out else {}, shown


def assert_saved(code: int, result: dict[str, object], shown: str, folder: Path) -> None:
    """The guard got out, the other account did not, and the object says so in the promised fields."""
    assert code == ExitCode.OK, f"{result.get('reasons')}\n{shown}"
    guarded, unguarded = result["guarded"], result["unguarded"]
    assert isinstance(guarded, dict)
    assert isinstance(unguarded, dict)
    assert guarded["liquidations"] == 0
    assert unguarded["liquidations"] >= 1
    assert guarded["equity_end"] > unguarded["equity_end"]
    stops = result["stops"]
    assert isinstance(stops, list)
    assert len(stops) == 3
    assert all(stop["confirmed_at"] and stop["in_time"] for stop in stops)
    assert result["unsafe_orders"] == []
    alerts = result["alerts"]
    assert isinstance(alerts, list)
    assert any(alert["topic"] == "tier" and (alert["before_liquidation_ms"] or 0) > 0 for alert in alerts)
    assert Path(str(result["report"])) == folder / "report.html"
    assert "<svg" in (folder / "report.html").read_text()


@dataclass(frozen=True, kw_only=True)
class Day:
    """A demo that plays by itself; what it says goes into files, so that nobody has to read along."""

    process: subprocess.Popen[bytes]
    folder: Path

    def assert_saved(self) -> dict[str, object]:
        """Wait for its end, which is a good one; return its object."""
        code = self.process.wait()
        out, shown = ((self.folder / name).read_text() for name in ("out", "shown"))
        result: dict[str, object] = json.loads(out) if out else {}
        assert_saved(code, result, shown, self.folder)
        return result


def _begin(ending: ExitStack, folder: Path, *arguments: str) -> Day:
    out, shown = (ending.enter_context((folder / name).open("wb")) for name in ("out", "shown"))
    process = subprocess.Popen(demo(folder, *arguments), stdout=out, stderr=shown, cwd=Path.cwd())
    ending.enter_context(process)
    ending.callback(process.terminate)
    return Day(process=process, folder=folder)


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[dict[str, Day]]:
    """Play the days at once: a day is real time that passes, with hardly any work."""
    wanted = {name: ("--scenario", name, "--speed", "fit:6") for name in ("crash", "squeeze")}
    with suppress(pytest.skip.Exception):
        candles = request.getfixturevalue("real_data") / "candles" / "bitmex-xbtusd-1m-2022-11.csv.gz"
        wanted["real"] = ("--candles", str(candles), "--speed", "fit:15")
    with ExitStack() as ending:
        yield {name: _begin(ending, tmp_path_factory.mktemp(name), *wanted[name]) for name in wanted}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("scenario", ["crash", "squeeze"])
def test_built_in_days_end_well(days: dict[str, Day], scenario: str) -> None:
    """A fall takes the unguarded longs, a squeeze the unguarded short; the guarded account loses none (P1, P2)."""
    days[scenario].assert_saved()


@pytest.mark.timeout(180)
@pytest.mark.real_day
def test_a_real_crash_day_ends_well(days: dict[str, Day], real_data: Path) -> None:
    """8 November 2022, the most violent day of its month, picked without being named."""
    assert real_data.is_dir()
    result = days["real"].assert_saved()
    assert str(result["tape_from"]).startswith("2022-11-08")


def _wait_line(stream: IO[str], words: str) -> None:
    for line in stream:
        if words in line:
            return
    pytest.fail(f"the demo ended without saying {words!r}")


def _children(process: subprocess.Popen[str]) -> dict[str, int]:
    """Process ids of the demo's children by command."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    found = {}
    for child in listed:
        words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        found[words[3].decode()] = int(child)
    return found


@dataclass(frozen=True, kw_only=True)
class KilledDay:
    """A demo one of whose processes was killed on the way."""

    process: subprocess.Popen[str]
    folder: Path


@pytest.fixture(scope="module")
def killed_days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, KilledDay]]:
    """Play two days at once, and kill the guard in one and the exchange in the other while both accounts hold."""
    with ExitStack() as ending:
        found = {}
        for victim in ("run", "exchange"):
            folder = tmp_path_factory.mktemp(victim)
            found[victim] = KilledDay(process=ending.enter_context(a_demo(folder, "--speed", "fit:8")), folder=folder)
        for victim, day in found.items():
            assert day.process.stderr is not None
            _wait_line(day.process.stderr, "both accounts hold")
            os.kill(_children(day.process)[victim], signal.SIGKILL)
        yield found


@pytest.mark.timeout(180)
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds the child processes through Linux's /proc")
@pytest.mark.parametrize("victim", ["run", "exchange"])
def test_a_killed_process_comes_back_and_the_day_ends_well(killed_days: dict[str, KilledDay], victim: str) -> None:
    """`kill -9` of the guard, or of the exchange, while both accounts hold their positions (P7)."""
    day = killed_days[victim]
    out, shown = day.process.communicate()
    result = json.loads(out)
    assert result["restarts"][{"run": "daemon"}.get(victim, victim)] == 1
    assert_saved(day.process.returncode, result, shown, day.folder)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--candles", "no-such-file.csv"], "no-such-file.csv"),
        (["--scenario", "calm"], "never ends"),
        (["--speed", "quick"], "quick"),
        (["--candles", "."], "directory"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, arguments: list[str], words: str) -> None:
    """What is wrong is named in one line, before anything is started."""
    code, result, shown = run_demo(tmp_path, *arguments)
    assert code == ExitCode.BAD_INPUT
    assert result == {}
    assert len(shown.strip().splitlines()) == 1
    assert words in shown


def test_a_folder_with_something_in_it_is_not_used(tmp_path: Path) -> None:
    """`--keep` never mixes two runs."""
    (tmp_path / "mine.txt").write_text("precious")
    code, _, shown = run_demo(tmp_path, "--keep", str(tmp_path))
    assert code == ExitCode.BAD_INPUT
    assert "not empty" in shown


@pytest.mark.timeout(60)
def test_interrupted_leaves_no_process_behind(tmp_path: Path) -> None:
    """SIGTERM in the middle ends the demo and both children."""
    with a_demo(tmp_path) as process:
        assert process.stderr is not None
        _wait_line(process.stderr, "both accounts hold")
        children = _children(process)
        process.terminate()
        process.communicate(timeout=40)
    assert process.returncode == ExitCode.INTERRUPTED
    assert not [child for child in children.values() if Path(f"/proc/{child}").exists()]


@pytest.mark.timeout(60)
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_killed_demo_leaves_no_process_behind(tmp_path: Path) -> None:
    """`kill -9` of the demo itself ends both children as well."""
    with a_demo(tmp_path) as process:
        assert process.stderr is not None
        _wait_line(process.stderr, "both accounts hold")
        children = _children(process)
        process.kill()
        process.communicate(timeout=40)
        ends = [os.pidfd_open(pid) for pid in children.values() if Path(f"/proc/{pid}").exists()]
    with selectors.DefaultSelector() as waiting:
        for end in ends:
            waiting.register(end, selectors.EVENT_READ)
        while waiting.get_map():
            ended = waiting.select(timeout=LINE_WITHIN_S)
            assert ended, "a child outlived the demo"
            for key, _ in ended:
                waiting.unregister(key.fd)
                os.close(key.fd)
