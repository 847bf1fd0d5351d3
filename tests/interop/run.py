"""Runs public BitMEX clients, unchanged but for the address, against `seawall exchange`: `make interop`.

Why: whatever a client written by others cannot do here is our defect, unless `known.toml` says why it is the client's.
Each program of `PROGRAMS` runs in an environment of its own below a cache folder (`SEAWALL_INTEROP_CACHE`, by default
`~/.cache/seawall-interop`), so no client's dependency touches the product's. Standard library only. Exit code 0 when
every check passed or is known.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("SEAWALL_INTEROP_CACHE", "~/.cache/seawall-interop")).expanduser()
ACCOUNTS = 60
"""Accounts for each program; every check takes a fresh one."""
PROGRAM_S = 120
"""Longest time of one program."""
START_S = 30


@dataclass(frozen=True, kw_only=True)
class Program:
    """One client with its checks: `environment` is `node` or names the file of pinned requirements."""

    name: str
    environment: str
    command: tuple[str, ...]


PROGRAMS = (
    Program(name="ccxt", environment="ccxt", command=("ccxt_rest.py", "sync")),
    Program(name="ccxt async", environment="ccxt", command=("ccxt_rest.py", "async")),
    Program(name="ccxt pro", environment="ccxt", command=("ccxt_pro.py",)),
    Program(name="bitmex (bravado)", environment="vendor", command=("vendor_rest.py",)),
    Program(name="bitmex-ws", environment="vendor", command=("vendor_ws.py",)),
    Program(name="bitmex-realtime-api (node)", environment="node", command=("node/realtime.mjs",)),
    Program(name="ccxt (node)", environment="node", command=("node/ccxt.mjs",)),
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one check came to; `error` is None when it passed, `excuse` why a failure is the client's."""

    program: str
    check: str
    error: str | None
    seconds: float
    excuse: str | None

    @property
    def verdict(self) -> str:
        """Return pass, known, or FAIL; an excuse that is not needed any more is a failure too."""
        if self.error is None:
            return "FAIL" if self.excuse else "pass"
        return "known" if self.excuse else "FAIL"

    def line(self) -> str:
        """Return the outcome for a reader."""
        why = (
            self.excuse
            if self.verdict == "known"
            else self.error or ("passes, so known.toml is out of date" if self.excuse else "")
        )
        return f"{self.verdict:5}  {self.program}: {self.check} ({self.seconds:.1f} s){f'  {why}' if why else ''}"


def main() -> int:
    """Make the environments, start the exchanges, run the programs, print the table."""
    options = _options()
    chosen = [one for one in PROGRAMS if options.only in one.name]
    interpreters = {name: environment(name) for name in sorted({one.environment for one in chosen})}
    if options.install_only:
        return 0
    started = time.monotonic()
    known = tomllib.loads((HERE / "known.toml").read_text())["known"]
    count = ACCOUNTS * len(PROGRAMS)
    outcomes = []
    with (
        exchange("--limits", "off", "--accounts", str(count)) as unlimited,
        exchange("--accounts", str(count)) as limited,
    ):
        for number, program in enumerate(PROGRAMS):
            if program in chosen:
                given = {"open": _slice(unlimited, number), "limited": _slice(limited, number)}
                for outcome in run(program, interpreters[program.environment], given, known):
                    print(outcome.line(), flush=True)
                    outcomes.append(outcome)
    return summary(outcomes, chosen, time.monotonic() - started)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make interop", description=__doc__)
    parser.add_argument("--only", default="", metavar="WORD", help="programs whose name holds this word")
    parser.add_argument("--install-only", action="store_true", help="make the environments and stop")
    return parser.parse_args()


def _slice(description: dict[str, Any], number: int) -> dict[str, Any]:
    accounts = description["accounts"][number * ACCOUNTS : (number + 1) * ACCOUNTS]
    return {**description, "accounts": accounts}


# ---------------------------------------------------------------- environments
def environment(name: str) -> tuple[str, Path]:
    """Return the interpreter of an environment and the folder to run in, made anew when its pins have changed."""
    pins = [HERE / "node" / "package-lock.json"] if name == "node" else [HERE / f"{name}.txt"]
    content = b"".join(one.read_bytes() for one in pins) + sys.version.encode()
    folder = CACHE / f"{name}-{hashlib.sha256(content).hexdigest()[:16]}"
    if not (folder / ".ready").exists():
        print(f"making {folder}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (_make_node if name == "node" else _make_python)(folder, pins[0])
        (folder / ".ready").touch()
    return ("node", folder) if name == "node" else (str(folder / "bin" / "python"), HERE)


def _make_python(folder: Path, pins: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    subprocess.run([*pip, "--quiet", "-r", str(pins)], check=True)


def _make_node(folder: Path, pins: Path) -> None:
    for file in ("package.json", "package-lock.json"):
        shutil.copy(pins.parent / file, folder)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(["npm", "ci", *quiet], cwd=folder, check=True)


# ---------------------------------------------------------------- exchange and programs
@contextmanager
def exchange(*options: str) -> Iterator[dict[str, Any]]:
    """Run `seawall exchange` on free ports; yield how to reach it."""
    command = [sys.executable, "-m", "daemon", "exchange", "--port", "0", "--control-port", "0", "--json", *options]
    log = (CACHE / "exchange.log").open("ab")
    process = subprocess.Popen(command, cwd=HERE.parents[1], stdout=subprocess.PIPE, stderr=log)
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        if not first:
            raise SystemExit(f"the exchange did not start; see {CACHE / 'exchange.log'}")
        yield json.loads(first)
    finally:
        process.terminate()
        try:
            process.wait(START_S)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()


def run(program: Program, interpreter: tuple[str, Path], given: dict[str, Any], known: list[Any]) -> Iterator[Outcome]:
    """Yield the outcome of every check of a program, told or not."""
    excuses = {one["check"]: one["reason"] for one in known if one["program"] == program.name}
    waiting = dict.fromkeys(excuses)
    told = list(_lines(program, interpreter, given))
    planned = next((line["planned"] for line in told if "planned" in line), ["starts"])
    results = {line["check"]: line for line in told if "check" in line}
    for check in [*planned, *(one for one in waiting if one not in planned)]:
        line = results.get(check, {"error": f"not reached; see {_log_of(program)}", "seconds": 0.0})
        yield Outcome(
            program=program.name,
            check=check,
            error=line["error"],
            seconds=line["seconds"],
            excuse=excuses.get(check) if check in planned else None,
        )


def _lines(program: Program, interpreter: tuple[str, Path], given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    executable, folder = interpreter
    script, *arguments = program.command
    path = folder / Path(script).name if program.environment == "node" else HERE / script
    if program.environment == "node":  # modules are looked for beside the script
        for file in (HERE / "node").glob("*.mjs"):
            shutil.copy(file, folder)
    machine = {
        name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
    }  # loopback only
    variables = {**machine, "SEAWALL_INTEROP": json.dumps(given), "PYTHONDONTWRITEBYTECODE": "1"}
    with _log_of(program).open("wb") as log:
        try:
            done = subprocess.run(
                [executable, str(path), *arguments],
                cwd=folder,
                env=variables,
                stdout=subprocess.PIPE,
                stderr=log,
                timeout=PROGRAM_S,
                check=False,
            )
            written = done.stdout
        except subprocess.TimeoutExpired as error:
            written = error.stdout or b""
    return (json.loads(line) for line in written.splitlines() if line.startswith(b"{"))


def _log_of(program: Program) -> Path:
    return CACHE / f"{'-'.join(program.command).replace('/', '-')}.log"


# ---------------------------------------------------------------- summary
def summary(outcomes: list[Outcome], programs: list[Program], seconds: float) -> int:
    """Print the table and return the exit code."""
    print(f"\n{'client':28} {'pass':>5} {'known':>5} {'FAIL':>5}")
    for program in programs:
        verdicts = [one.verdict for one in outcomes if one.program == program.name]
        print(f"{program.name:28} " + " ".join(f"{verdicts.count(v):5}" for v in ("pass", "known", "FAIL")))
    failed = sum(one.verdict == "FAIL" for one in outcomes)
    print(f"\n{len(outcomes) - failed} passed, {failed} failed in {seconds:.0f} s")
    return 1 if failed or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
