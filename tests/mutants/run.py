"""Break the guard on purpose, one way after another, and see that the tests notice each (`make mutants`).

Why: a test suite that is green says little until it has been seen red. Every mutant of `catalogue.py` is put into a
copy of the tree; the tests it names have to fail there. One that they let through is tried against all quick tests of
the guard and against the simulation's fixed set; if those are green too, it survived, and the run fails.

    python -m tests.mutants.run [--named] [--jobs N] [NAME ...]

Exit codes: 0 every mutant was caught, 1 one survived or the tests are red without any mutant, 2 a name is unknown or
a mutant no longer fits the code.
"""

# ruff: noqa: T201 - a program for people: it prints what it finds
from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import MisplacedMutant, Mutant

REPOSITORY = Path(__file__).resolve().parents[2]
EVERYTHING_QUICK = ("tests/unit/daemon", "tests/unit/connectors/bitmex", "tests/property", "tests/simulation")
"""Tried when the named tests were green: slower, and the last word."""
LONGEST_S = 900.0
_KEPT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis", "build")


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What became of one mutant."""

    mutant: Mutant
    caught_by: str
    """The test that failed first; empty if none did."""
    took_s: float


def main(arguments: Sequence[str]) -> int:
    """Try all mutants, or those named; print a table; return the exit code."""
    options = _parser().parse_args(arguments)
    known = {each.name: each for each in MUTANTS}
    if unknown := set(options.names) - known.keys():
        print(f"no such mutant: {', '.join(sorted(unknown))}; known: {', '.join(known)}", file=sys.stderr)
        return 2
    chosen = [known[name] for name in options.names] or list(MUTANTS)
    try:
        for each in chosen:
            each.mutated(REPOSITORY)
    except MisplacedMutant as error:
        print(f"{error}; write it anew for the code as it is", file=sys.stderr)
        return 2
    with TemporaryDirectory(prefix="seawall-mutants.") as folder:
        return _try_all(chosen, Path(folder), options.jobs, () if options.named else EVERYTHING_QUICK)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.run", description="Break the guard on purpose.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these mutants")
    parser.add_argument("--named", action="store_true", help="only the tests that a mutant names: minutes, not an hour")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="so many at a time")
    return parser


def _try_all(chosen: list[Mutant], folder: Path, jobs: int, last_word: Sequence[str]) -> int:
    sane = _copy(folder / "sane")
    named = tuple(dict.fromkeys(test for each in chosen for test in each.caught_by))
    red = _first_failure(sane, named)
    if red:
        print(f"the tests are red without any mutant, at {red}; mend that first", file=sys.stderr)
        return 1
    print(f"{len(chosen)} mutants, {len(named)} named tests green without them", flush=True)
    with ThreadPoolExecutor(max_workers=jobs) as workers:
        verdicts = list(_said(workers.map(lambda each: _judge(each, folder / each.name, last_word), chosen)))
    survivors = [each.mutant.name for each in verdicts if not each.caught_by]
    print(f"{len(verdicts) - len(survivors)} of {len(verdicts)} caught")
    if survivors:
        print(f"SURVIVED: {', '.join(survivors)}", file=sys.stderr)
    return 1 if survivors else 0


def _said(verdicts: Iterator[Verdict]) -> Iterator[Verdict]:
    for each in verdicts:
        how = f"caught by {each.caught_by}" if each.caught_by else "SURVIVED"
        print(f"{each.mutant.promise:4} {each.mutant.name:34} {each.took_s:6.1f} s  {how}", flush=True)
        yield each


def _judge(mutant: Mutant, folder: Path, last_word: Sequence[str]) -> Verdict:
    began_s = time.monotonic()
    tree = _copy(folder)
    (tree / mutant.path).write_text(mutant.mutated(REPOSITORY), encoding="utf-8")
    caught_by = _first_failure(tree, mutant.caught_by) or _first_failure(tree, last_word)
    shutil.rmtree(tree)
    return Verdict(mutant=mutant, caught_by=caught_by, took_s=time.monotonic() - began_s)


def _copy(folder: Path) -> Path:
    shutil.copytree(REPOSITORY, folder, ignore=_KEPT_OUT)
    return folder


def _first_failure(tree: Path, tests: Sequence[str]) -> str:
    """Run tests in a tree until one fails; its name, or "" if all passed, or there were none.

    A run that ends in another way than red or green (a test that is not there, a file that cannot be imported) names
    that: a mutant that breaks the import is caught by it, and a wrong test name shows up in the run without mutants.
    """
    if not tests:
        return ""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", *tests],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_S,
    )
    if run.returncode == 0:
        return ""
    failed = [line.split(" - ")[0] for line in run.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return failed[0].partition(" ")[2] if failed else f"pytest, exit code {run.returncode}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
