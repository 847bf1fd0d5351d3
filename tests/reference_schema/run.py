"""`make schema`: the settings' schema and every profile under the reference implementation of JSON Schema.

The suite checks the same with `tests/schema_checker.py`; this asks somebody else. The package lives in an environment
of its own below a cache folder (`SEAWALL_SCHEMA_CACHE`, by default `~/.cache/seawall-schema`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROFILES = ROOT / "config" / "profiles"
PIN = "jsonschema==4.25.1"
CACHE = Path(os.environ.get("SEAWALL_SCHEMA_CACHE", "~/.cache/seawall-schema")).expanduser()
PROGRAM = """
import json, pathlib, sys, tomllib
import jsonschema
folder = pathlib.Path(sys.argv[1])
schema = json.loads((folder / "seawall.schema.json").read_text())
jsonschema.Draft202012Validator.check_schema(schema)
validator, failed = jsonschema.Draft202012Validator(schema), False
for path in sorted(folder.glob("*.toml")):
    found = validator.iter_errors(tomllib.loads(path.read_text()))
    problems = [f"{'.'.join(map(str, each.path))}: {each.message}" for each in found]
    failed = failed or bool(problems)
    print(path.name, "is valid" if not problems else "; ".join(problems))
sys.exit(failed)
"""


def main() -> int:
    """Check, and return the exit code."""
    return subprocess.run([str(_environment()), "-c", PROGRAM, str(PROFILES)], check=False).returncode


def _environment() -> Path:
    """Return the interpreter that has the package, in an environment made anew when pin or Python have changed."""
    digest = hashlib.sha256(PIN.encode() + sys.version.encode()).hexdigest()
    folder = CACHE / f"python-{digest[:16]}"
    python = folder / "bin" / "python"
    if (folder / ".ready").exists():
        return python
    print(f"making {folder}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    subprocess.run([*pip, PIN], check=True)
    (folder / ".ready").touch()
    return python


if __name__ == "__main__":
    raise SystemExit(main())
