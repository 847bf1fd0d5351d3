"""Run schemathesis on the control API's OpenAPI document: nothing may break, nothing may answer otherwise than it says.

    python tests/schemathesis/run.py [--examples N] [--seed N]

It runs in an environment of its own below ~/.cache/seawall-schemathesis (SEAWALL_SCHEMATHESIS_CACHE), made once from
`pins.txt`. The stream of events has no end, so it is left to `tests/unit/daemon/shell/control/test_stream.py`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
CACHE = Path(os.environ.get("SEAWALL_SCHEMATHESIS_CACHE", "~/.cache/seawall-schemathesis")).expanduser()
WITHIN_S = 900


def environment() -> Path:
    """Return the folder of the environment, made anew when its pins or our Python have changed."""
    pins = HERE / "pins.txt"
    digest = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()
    folder = CACHE / digest[:16]
    if not (folder / ".ready").exists():
        print(f"making {folder}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
        subprocess.run([*pip, "--quiet", "-r", str(pins)], check=True)
        (folder / ".ready").touch()
    return folder


def main() -> int:
    """Serve, ask, stop; the exit code of schemathesis."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--examples", type=int, default=60, help="requests for each way of each route")
    options.add_argument("--seed", type=int, default=None, help="repeat a run")
    asked = options.parse_args()
    folder = environment()
    served = [sys.executable, "-m", "tests.schemathesis.served"]
    with subprocess.Popen(served, cwd=REPOSITORY, stdout=subprocess.PIPE) as api:
        try:
            assert api.stdout is not None
            address = json.loads(api.stdout.readline())
            return subprocess.run(
                _command(folder, address, asked), cwd=folder, timeout=WITHIN_S, check=False
            ).returncode
        finally:
            api.terminate()


def _command(folder: Path, address: dict[str, str], asked: argparse.Namespace) -> list[str]:
    seed = [] if asked.seed is None else ["--seed", str(asked.seed)]
    return [
        str(folder / "bin" / "schemathesis"),
        "--config-file",
        str(HERE / "schemathesis.toml"),
        "run",
        f"{address['url']}/v1/openapi.json",
        "--header",
        f"Authorization: Bearer {address['operate']}",
        "--exclude-path",
        "/v1/events",
        "--max-examples",
        str(asked.examples),
        "--request-timeout",
        "8",
        "--checks",
        "all",
        "--continue-on-failure",
        *seed,
    ]


if __name__ == "__main__":
    sys.exit(main())
