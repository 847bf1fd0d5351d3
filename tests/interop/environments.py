"""What the clients run in and against: environments below a cache folder, and exchanges on free loopback ports."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("SEAWALL_INTEROP_CACHE", "~/.cache/seawall-interop")).expanduser()
STOP_S = 10


def environment(name: str) -> Path:
    """Return the folder of an environment, made anew when its pins or our Python have changed.

    `node` is a folder of Node modules, any other name a virtual environment with what `NAME.txt` lists.

    Raises:
        SystemExit: If there is no npm where it is needed.
    """
    if name == "node" and not shutil.which("npm"):
        raise SystemExit("Node and npm are needed for its clients; --only WORD runs some of the others")
    pins = HERE / "node" / "package-lock.json" if name == "node" else HERE / f"{name}.txt"
    digest = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()
    folder = CACHE / f"{name}-{digest[:16]}"
    if not (folder / ".ready").exists():
        print(f"making {folder}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (_make_node if name == "node" else _make_python)(folder, pins)
        (folder / ".ready").touch()
    return folder


def _make_python(folder: Path, pins: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    subprocess.run([*pip, "--quiet", "-r", str(pins)], check=True)


def _make_node(folder: Path, pins: Path) -> None:
    for file in (pins.with_name("package.json"), pins):
        shutil.copy(file, folder)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(["npm", "ci", *options], cwd=folder, check=True)


def command(environment_name: str, folder: Path, script: str) -> list[str]:
    """Return how to start a script in an environment."""
    if environment_name != "node":
        return [str(folder / "bin" / "python"), str(HERE / script)]
    for file in (HERE / "node").glob("*.mjs"):  # Node looks for modules beside the script
        shutil.copy(file, folder)
    return ["node", str(folder / Path(script).name)]


@contextmanager
def exchange(*options: str) -> Iterator[dict[str, Any]]:
    """Run the embedded exchange of this checkout on free ports; yield the description that it prints.

    Raises:
        SystemExit: If it does not start.
    """
    command = [sys.executable, "-m", "daemon", "exchange", "--port", "0", "--control-port", "0", "--json", *options]
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "exchange.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=HERE.parents[1], stdout=subprocess.PIPE, stderr=log)
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            if not first:
                raise SystemExit(f"the exchange did not start; see {log.name}")
            yield json.loads(first)
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
