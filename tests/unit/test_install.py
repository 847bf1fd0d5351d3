"""The installer's half that makes an environment, with a stand-in for Python: nothing is fetched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

INSTALLER = Path(__file__).resolve().parents[2] / "deploy" / "install.sh"
STAND_IN = """#!/bin/sh
case "$1 $2" in
    "-c "*) exit 0 ;;
    "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    "-m pip") printf '%s\\n' "$@" >> "{log}" ;;
    *) exec "{python}" "$@" ;;
esac
"""


def install(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the installer with nothing but a path in its environment."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    return subprocess.run(("sh", str(INSTALLER), *words), env=environment, capture_output=True, text=True, check=False)


def test_a_folder_whose_name_holds_a_blank_is_installed_into(tmp_path: Path) -> None:
    """The root of an image may be called anything; each path stays one word on its way to pip."""
    folder = tmp_path / "my images"
    folder.mkdir()
    log, python = folder / "pip.log", folder / "python3"
    python.write_text(STAND_IN.format(log=log, python=sys.executable))
    python.chmod(0o755)
    outcome = install("--root", str(folder / "the root"), "--python", str(python))
    assert (outcome.returncode, outcome.stderr) == (0, "")
    program = folder / "the root" / "opt" / "seawall" / "bin" / "seawall"
    assert program.read_text().startswith("#!/opt/seawall/bin/python -P\n")
    assert str(INSTALLER.parents[1] / "requirements.lock") in log.read_text().splitlines()
    assert not (folder / "the root" / "opt" / "seawall.new").exists()


@pytest.mark.parametrize("prefix", ["opt/seawall", "/opt/my seawall", "/opt/a\tb"])
def test_a_prefix_that_no_unit_could_name_is_refused_before_anything_is_done(prefix: str, tmp_path: Path) -> None:
    """Exit code 2, a reason, and no folder made."""
    outcome = install("--root", str(tmp_path / "root"), "--prefix", prefix)
    assert outcome.returncode == 2
    assert "--prefix" in outcome.stderr
    assert not (tmp_path / "root").exists()
