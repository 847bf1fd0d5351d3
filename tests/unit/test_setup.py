"""What surrounds the code: the one-word commands, the list of allowed skips, and the wall around the tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MAKE = shutil.which("make")
OUTSIDE = ("192.0.2.1", 9)

needs_make = pytest.mark.skipif(MAKE is None, reason="make is not installed")


def a_program(folder: Path, name: str, script: str) -> Path:
    """Write an executable shell script and return its path."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def make_test(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `make test` with our Makefile in a folder of its own."""
    shutil.copy(REPOSITORY / "Makefile", folder)
    (folder / "requirements.lock").touch()
    (folder / "pyproject.toml").touch()
    return subprocess.run(
        ["make", "test", *words],
        cwd=folder,
        env={**os.environ, "MAKEFLAGS": "", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@needs_make
def test_an_old_python_is_refused_in_one_line(tmp_path: Path) -> None:
    """`make test PYTHON=...` with an interpreter that is too old says what is needed and makes nothing."""
    old = a_program(tmp_path / "bin", "python", 'if [ "$1" = --version ]; then echo Python 3.9.2; else exit 1; fi')
    outcome = make_test(tmp_path, f"PYTHON={old}")
    assert outcome.returncode != 0
    assert f"Seawall needs Python 3.11 or newer; {old} is not: Python 3.9.2" in outcome.stderr
    assert not (tmp_path / ".venv").exists()


@needs_make
def test_a_newer_python_beside_an_old_one_is_found(tmp_path: Path) -> None:
    """Where `python3` is too old, a newer one under its own name is taken."""
    for name in ("python3", "python3.14", "python3.13", "python3.11", "python"):
        a_program(tmp_path / "bin", name, "exit 1")
    a_program(tmp_path / "bin", "python3.12", 'if [ "$1" = -m ]; then echo "chosen: $0 $*" >&2; exit 1; fi')
    outcome = make_test(tmp_path, PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}", PYTHON="")
    assert "/python3.12 -m venv .venv" in outcome.stderr
    assert "cannot make a virtual environment" in outcome.stderr


def skips(folder: Path, reason: str) -> subprocess.CompletedProcess[str]:
    """Judge a report of one test that ran and one that was skipped for `reason`."""
    report = folder / "report.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="a" name="ran"/><testcase classname="a" name="left_out">'
        f'<skipped type="pytest.skip" message="{reason}"/></testcase></testsuite></testsuites>',
        encoding="utf-8",
    )
    script, allowed = REPOSITORY / ".ci" / "skips.py", REPOSITORY / ".ci" / "allowed-skips"
    return subprocess.run([sys.executable, script, report, allowed], capture_output=True, text=True, check=False)


def test_a_skip_with_leave_passes(tmp_path: Path) -> None:
    """A test that was skipped for want of recorded data does not fail a run."""
    outcome = skips(tmp_path, "SEAWALL_DATA is not set and ../shared/data does not exist")
    assert outcome.returncode == 0
    assert "1 tests ran, 1 skipped, 0 of them without leave" in outcome.stdout


def test_a_skip_without_leave_fails(tmp_path: Path) -> None:
    """A test that was skipped for another reason fails the run and is named."""
    outcome = skips(tmp_path, "too slow today")
    assert outcome.returncode == 1
    assert "NOT ALLOWED: a.left_out: too slow today" in outcome.stdout


@pytest.mark.skipif("SEAWALL_TESTNET_KEY" in os.environ, reason="testnet keys are set, so the wall has a door")
def test_no_test_reaches_another_host() -> None:
    """A connection, or a look-up of a name, beyond this machine fails at once."""
    with socket.socket() as outside:
        outside.settimeout(0.1)
        with pytest.raises(AssertionError, match="tried to connect"):
            outside.connect(OUTSIDE)
    with pytest.raises(AssertionError, match="tried to look up"):
        socket.getaddrinfo("example.invalid", 443)


def test_loopback_is_open() -> None:
    """A test may talk to a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
