"""Runs public BitMEX clients, unchanged but for the address, against `seawall exchange`: `make interop`.

Why: whatever a client written by others cannot do here is our defect, unless `known.toml` says why it is the client's.
Each program of `PROGRAMS` runs in an environment of its own below a cache folder (`SEAWALL_INTEROP_CACHE`, by default
`~/.cache/seawall-interop`), so no client's dependency touches the product's; and twice, with empty columns as null and
left out, since clients of both ages are about. Standard library only. Exit code 0 when every check passed or is known.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environments import CACHE, HERE, command, environment, exchange

ACCOUNTS = 60
"""Accounts for each program; every check takes a fresh one."""
AT_ONCE = 2
"""Programs that run beside each other; they wait more than they work."""
PROGRAM_S = 90
"""Longest time of one program."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One client with its checks."""

    name: str
    environment: str
    script: str
    arguments: tuple[str, ...] = ()


PROGRAMS = (
    Program(name="ccxt", environment="ccxt", script="ccxt_rest.py", arguments=("sync",)),
    Program(name="ccxt async", environment="ccxt", script="ccxt_rest.py", arguments=("async",)),
    Program(name="ccxt pro", environment="ccxt", script="ccxt_pro.py"),
    Program(name="bitmex (bravado)", environment="vendor", script="vendor_rest.py"),
    Program(name="bitmex-ws", environment="vendor", script="vendor_ws.py"),
    Program(name="sample-market-maker", environment="sample", script="vendor_sample.py"),
    Program(name="bitmex-realtime-api", environment="node", script="node/realtime.mjs"),
    Program(name="ccxt of 2023", environment="older", script="older_ccxt.py"),
    Program(name="pybitmex", environment="older", script="older_pybitmex.py"),
    Program(name="ccxt for Node", environment="node", script="node/ccxt.mjs"),
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one check came to; `error` is None when it passed, `excuse` says why a failure is the client's."""

    client: str
    check: str
    error: str | None
    excuse: str | None = None
    seconds: float = 0.0

    @property
    def verdict(self) -> str:
        """Return pass, known or FAIL; an excuse that is not needed any more is a failure too."""
        if (self.error is None) == (self.excuse is None):
            return "pass" if self.error is None else "known"
        return "FAIL"

    def __str__(self) -> str:
        """Return the outcome as one line."""
        why = self.excuse if self.verdict == "known" else self.error
        if self.verdict == "FAIL" and why is None:
            why = "passes: take it out of known.toml"
        return f"{self.verdict:5}  {self.client}: {self.check} ({self.seconds:.1f} s)" + (f"  {why}" if why else "")


def main() -> int:
    """Make the environments; for each style of rows start the exchanges and run the programs; print the table."""
    options = _options()
    chosen = [one for one in PROGRAMS if options.only in one.name]
    if not chosen:
        raise SystemExit(f"no client's name holds {options.only!r}: {', '.join(one.name for one in PROGRAMS)}")
    folders = {name: environment(name) for name in sorted({one.environment for one in chosen})}
    if options.install_only:
        return 0
    started = time.monotonic()
    outcomes = []
    for rows in options.rows:
        for outcome in with_rows(rows, chosen, folders):
            print(outcome, flush=True)
            outcomes.append(outcome)
    return summary(outcomes, time.monotonic() - started)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make interop", description="Try public BitMEX clients.")
    parser.add_argument("--only", default="", metavar="WORD", help="programs whose name holds this word")
    parser.add_argument("--rows", nargs="+", default=["full", "sparse"], choices=["full", "sparse"])
    parser.add_argument("--install-only", action="store_true", help="make the environments and stop")
    return parser.parse_args()


def with_rows(rows: str, programs: list[Program], folders: dict[str, Path]) -> Iterator[Outcome]:
    """Yield what every check of the programs comes to at exchanges that write rows in one style."""
    known = tomllib.loads((HERE / "known.toml").read_text())["known"]
    options = ("--rows", rows, "--accounts", str(ACCOUNTS * len(programs)))
    with (
        exchange("--limits", "off", *options) as unlimited,
        exchange(*options) as limited,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):

        def told_by(number: int) -> list[dict[str, Any]]:
            mine = slice(number * ACCOUNTS, (number + 1) * ACCOUNTS)
            both = {"open": unlimited, "limited": limited}
            given = {name: {**one, "accounts": one["accounts"][mine]} for name, one in both.items()}
            return _told(programs[number], folders[programs[number].environment], given)

        for program, told in zip(programs, pool.map(told_by, range(len(programs))), strict=True):
            excuses = {one["check"]: one["reason"] for one in known if one["program"] == program.name}
            yield from judged(f"{program.name}, {rows} rows", told, excuses)


def _told(program: Program, folder: Path, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a program; return the objects that it wrote, a line each, until it ended or its time was up."""
    machine = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    variables = {**machine, "SEAWALL_INTEROP": json.dumps(given), "PYTHONDONTWRITEBYTECODE": "1"}
    line = [*command(program.environment, folder, program.script), *program.arguments]
    with (CACHE / f"{program.name}.log").open("wb") as log:
        try:
            done = subprocess.run(
                line, env=variables, stdout=subprocess.PIPE, stderr=log, timeout=PROGRAM_S, check=False
            )
            written = done.stdout
        except subprocess.TimeoutExpired as error:
            written = error.stdout or b""
    return [json.loads(one) for one in written.splitlines() if one.startswith(b"{")]


def judged(client: str, told: list[dict[str, Any]], excuses: dict[str, str]) -> Iterator[Outcome]:
    """Yield the outcome of every check that was planned, told or not, and of every excuse for none."""
    planned = next((line["planned"] for line in told if "planned" in line), ["starts"])
    results = {line["check"]: line for line in told if "check" in line}
    for check in planned:
        line = results.get(check, {"error": f"was not reached; see the log in {CACHE}", "seconds": 0.0})
        error, seconds = line["error"], line["seconds"]
        yield Outcome(client=client, check=check, error=error, excuse=excuses.get(check), seconds=seconds)
    for check in sorted(set(excuses) - set(planned)):
        yield Outcome(client=client, check=check, error="known.toml excuses a check that there is not")


def summary(outcomes: list[Outcome], seconds: float) -> int:
    """Print how often each client passed, was excused, failed; return the exit code."""
    print(f"\n{'client':36} {'pass':>5} {'known':>5} {'FAIL':>5}")
    for client in dict.fromkeys(one.client for one in outcomes):
        verdicts = [one.verdict for one in outcomes if one.client == client]
        print(f"{client:36} " + " ".join(f"{verdicts.count(one):5}" for one in ("pass", "known", "FAIL")))
    failed = sum(one.verdict == "FAIL" for one in outcomes)
    print(f"\n{len(outcomes) - failed} passed, {failed} failed in {seconds:.0f} s")
    return 1 if failed or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
