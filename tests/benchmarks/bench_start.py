"""What starting costs: whole processes, from exec to ready, and the memory they then hold.

`seawall run` counts as ready when it guards: connected, signed in, the first account read done. It is asked for over
its status socket, like a person would. Then it is left alone for a while, for what an idle guard costs.

Units: milliseconds, megabytes (resident), percent of one core.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from daemon.shell.control.client import SOCKET_NAME, DaemonUnreachable, ask_status
from tests.benchmarks.measure import print_table
from tests.integration.guard_process import SETTINGS

TURNS = 7
READY_TURNS = 3
IDLE_S = 5.0
PATIENCE_S = 30.0
POLL_S = 0.005
CODES = {
    "floor: python -c pass": "pass",
    "import msgspec, websockets, asyncio": "import asyncio, msgspec, websockets.asyncio.client",
    "import httpx": "import httpx",
    "import structlog": "import structlog",
    "import daemon.app": "import daemon.app",
    "import connectors.simulated.server.embedded": "import connectors.simulated.server.embedded",
    "seawall --version": "from daemon.cli import main; main(['--version'])",
}
TELL_MEMORY = "import atexit, sys; atexit.register(lambda: sys.stderr.write(open('/proc/self/status').read())); "
"""A process tells its own peak at its end: what `wait4` reports starts at the size of whoever started it."""
TICKS_S = os.sysconf("SC_CLK_TCK")
Figures = tuple[float, float, float]
"""Wall and CPU milliseconds, megabytes."""


def run_to_end(code: str) -> Figures:
    """Return what a process took from start to end."""
    command = [sys.executable, "-c", TELL_MEMORY + code]
    started_ns = time.perf_counter_ns()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = process.stderr.read()
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    wall_ms = (time.perf_counter_ns() - started_ns) / 1e6
    return wall_ms, (usage.ru_utime + usage.ru_stime) * 1e3, _megabytes(told, "VmHWM:")


def _megabytes(status: str, name: str) -> float:
    return int(status.partition(name)[2].split()[0]) / 1024


def short_commands() -> dict[str, Figures]:
    """Return the medians of the commands that end by themselves; they take turns."""
    taken: dict[str, list[Figures]] = {name: [] for name in CODES}
    for _ in range(TURNS):
        for name, code in CODES.items():
            taken[name].append(run_to_end(code))
    return {name: _medians(figures) for name, figures in taken.items()}


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S


def resident_mb(pid: int) -> float:
    """Return the memory that a process holds now."""
    return _megabytes(Path(f"/proc/{pid}/status").read_text(), "VmRSS:")


@contextmanager
def an_exchange(*options: str) -> Iterator[tuple[dict[str, Any], Figures]]:
    """Run the embedded exchange; give what it says of itself, and what it had taken when it said it."""
    started_ns = time.perf_counter_ns()
    command = [sys.executable, "-m", "daemon", "exchange", "--json", "--limits", "off", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            described: dict[str, Any] = json.loads(process.stdout.readline())
            wall_ms = (time.perf_counter_ns() - started_ns) / 1e6
            yield described, (wall_ms, cpu_s(process.pid) * 1e3, resident_mb(process.pid))
        finally:
            process.terminate()


@contextmanager
def a_guard(folder: Path, described: dict[str, Any]) -> Iterator[tuple[int, Figures]]:
    """Run a guard; give its process id, and what it had taken when it guarded."""
    settings = folder / "seawall.toml"
    settings.write_text(SETTINGS.format(http=described["http"], ws=described["ws"]).replace("debug", "info"))
    secrets = {"SEAWALL_KEY": described["key"], "SEAWALL_SECRET": described["secret"]}
    started_ns = time.perf_counter_ns()
    command = [sys.executable, "-m", "daemon", "run", "--config", str(settings)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, **secrets}) as process:
        try:
            while _mode(folder / "state" / SOCKET_NAME) != "guarding":
                assert time.perf_counter_ns() - started_ns < PATIENCE_S * 1e9, "the guard never came up"
                time.sleep(POLL_S)
            wall_ms = (time.perf_counter_ns() - started_ns) / 1e6
            yield process.pid, (wall_ms, cpu_s(process.pid) * 1e3, resident_mb(process.pid))
        finally:
            process.terminate()


def _mode(socket: Path) -> str:
    try:
        return str(ask_status(socket).get("mode"))
    except DaemonUnreachable:
        return ""


def long_commands() -> tuple[dict[str, Figures], tuple[float, float]]:
    """Return exchange and guard when ready, and the idle guard's megabytes and percent of a core."""
    exchanges, guards, idle = [], [], (0.0, 0.0)
    for _ in range(READY_TURNS):
        with (
            an_exchange() as (described, figures),
            tempfile.TemporaryDirectory() as name,
            a_guard(Path(name), described) as (pid, guard_figures),
        ):
            exchanges.append(figures)
            guards.append(guard_figures)
            before_s = cpu_s(pid)
            time.sleep(IDLE_S)
            idle = resident_mb(pid), (cpu_s(pid) - before_s) / IDLE_S * 100
    ready = {
        "seawall exchange, until it listens": _medians(exchanges),
        "seawall run, until it guards": _medians(guards),
    }
    return ready, idle


def _medians(figures: list[Figures]) -> Figures:
    wall, cpu, memory = (statistics.median(column) for column in zip(*figures, strict=True))
    return wall, cpu, memory


def main() -> None:
    """Print the table."""
    short = short_commands()
    ready, (idle_mb, idle_percent) = long_commands()
    floor_ms = short["floor: python -c pass"][1]
    rows = [(name, *figures, figures[1] / floor_ms) for name, figures in (short | ready).items()]
    print_table("starting, whole processes", ["", "wall ms", "CPU ms", "MB", "CPU ratio"], rows)
    sys.stdout.write(f"  idle guard, connected, calm market: {idle_mb:.0f} MB, {idle_percent:.1f} % of a core\n")


if __name__ == "__main__":
    main()
