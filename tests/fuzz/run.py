"""Gives every parser bytes at their worst, with coverage as the guide: `make fuzz`.

Why: whatever arrives from a venue, a disk or a neighbour on this machine must not end a task. atheris needs an
environment of its own below a cache folder (`SEAWALL_FUZZ_CACHE`, by default `~/.cache/seawall-fuzz`), so the fuzzer
never touches the product's; what it learns (its corpus) stays there too, so the next run goes on from it. The time is
shared out evenly over the targets of `tests/fuzz/targets.py`.

An input that breaks a target is kept below `findings/` of the cache and named on the screen; once mended it belongs
into `tests/fuzz/corpus/TARGET/`, which the ordinary suite plays. Standard library only. Exit code 0 when nothing broke.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = Path(os.environ.get("SEAWALL_FUZZ_CACHE", "~/.cache/seawall-fuzz")).expanduser()
SHORTEST_S = 3
"""A target gets this much time at least: the first second goes into the seeds."""
HANG_S = 10
"""One input may take this long; more is a hang."""
AT_ONCE = max(1, (os.cpu_count() or 1))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What fuzzing one target came to."""

    target: str
    runs: int
    broke: bool
    log: Path


def main() -> int:
    """Make the environment, fuzz each target for its share of the time, print a line for each."""
    options = _options()
    targets = [name for name in _targets() if options.only in name]
    if not targets:
        raise SystemExit(f"no target's name holds {options.only!r}: {', '.join(_targets())}")
    python = _environment()
    share_s = max(SHORTEST_S, options.seconds * AT_ONCE // len(targets))
    started = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = []
        for outcome in pool.map(lambda target: _fuzz(python, target, share_s), targets):
            verdict = "BROKE" if outcome.broke else "whole"
            print(f"{verdict}  {outcome.target:20} {outcome.runs:>9} inputs in {share_s} s", flush=True)
            outcomes.append(outcome)
    for outcome in outcomes:
        if outcome.broke:
            print(f"\n{outcome.target}: see {outcome.log}\n{_tail(outcome.log)}")
    broke = sum(outcome.broke for outcome in outcomes)
    total = sum(outcome.runs for outcome in outcomes)
    print(f"\n{total} inputs, {broke} of {len(outcomes)} targets broke, {time.monotonic() - started:.0f} s")
    return 1 if broke else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description="Fuzz the parsers.")
    parser.add_argument("--seconds", type=int, default=120, help="for all targets together")
    parser.add_argument("--only", default="", metavar="WORD", help="targets whose name holds this word")
    return parser.parse_args()


def _targets() -> list[str]:
    """The names that `targets.py` lists, read as text: it cannot be imported here without the product's packages."""
    listed = (HERE / "targets.py").read_text(encoding="utf-8").rpartition("for target in (")[2].partition(")")[0]
    return re.findall(r"\w+", listed)


def _environment() -> Path:
    """Return the interpreter that has atheris, in an environment made anew when pins or Python have changed.

    Raises:
        SystemExit: If there is no atheris for this Python and machine.
    """
    lock = ROOT / "requirements.lock"
    pins = HERE / "fuzzer.txt"
    digest = hashlib.sha256(pins.read_bytes() + lock.read_bytes() + sys.version.encode()).hexdigest()
    folder = CACHE / f"python-{digest[:16]}"
    python = folder / "bin" / "python"
    if (folder / ".ready").exists():
        return python
    print(f"making {folder}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    try:
        subprocess.run([*pip, "--only-binary", ":all:", "-r", str(pins)], check=True)
        subprocess.run([*pip, "--require-hashes", "-r", str(lock)], check=True)
    except subprocess.CalledProcessError as error:
        raise SystemExit("atheris could not be installed: it needs Linux and CPython 3.11 to 3.13") from error
    (folder / ".ready").touch()
    return python


def _fuzz(python: Path, target: str, seconds: int) -> Outcome:
    """Run one target in a process of its own."""
    corpus, findings = CACHE / "corpus" / target, CACHE / "findings"
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    log = CACHE / f"{target}.log"
    limits = [f"-max_total_time={seconds}", f"-timeout={HANG_S}", "-max_len=20000", "-rss_limit_mb=2000"]
    line = [str(python), "-m", "tests.fuzz.one", target, str(corpus), *limits, f"-artifact_prefix={findings}/{target}-"]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    with log.open("wb") as written:
        done = subprocess.run(line, cwd=ROOT, env=variables, stdout=written, stderr=written, check=False)
    runs = re.findall(rb"stat::number_of_executed_units: (\d+)|^#(\d+)\t", log.read_bytes(), re.MULTILINE)
    return Outcome(
        target=target,
        runs=max((int(one or other) for one, other in runs), default=0),
        broke=done.returncode != 0,
        log=log,
    )


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:])


if __name__ == "__main__":
    sys.exit(main())
