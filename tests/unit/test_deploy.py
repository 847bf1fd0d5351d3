"""Units, packages and the installer: what a machine is given."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.app import STOP_S
from daemon.checks.restart import RESTART_S
from daemon.last_act import ASK_S, DELIVER_S, RECOVER_S, SAVE_S

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = REPOSITORY / "deploy"
UNITS = tuple(sorted((DEPLOY / "systemd").glob("*.service")))
ANALYZE = shutil.which("systemd-analyze")
MOST_EXPOSURE = 1.5
SCRIPTS = tuple(
    sorted(each for each in DEPLOY.rglob("*") if each.is_file() and each.read_bytes().startswith(b"#!/bin/sh"))
)

needs_analyze = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")


def of_unit(unit: Path, key: str) -> list[str]:
    """The values of a key, in order."""
    return re.findall(rf"^{key}=(.*)$", unit.read_text(encoding="utf-8"), flags=re.MULTILINE)


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program with nothing but a path in its environment."""
    path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    return subprocess.run(words, env={**path, **environment}, capture_output=True, text=True, check=False)


@needs_analyze
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_clean_and_little_exposed(unit: Path, tmp_path: Path) -> None:
    """P11: systemd finds nothing to complain of in a unit, and rates its exposure 1.5 at most."""
    for each in UNITS:
        text = each.read_text(encoding="utf-8").replace("/usr/bin/seawall", "/bin/true")
        (tmp_path / each.name).write_text(text, encoding="utf-8")
    instance = tmp_path / unit.name
    verified = run("systemd-analyze", "verify", str(instance))
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    rated = run("systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSURE * 10:g}", str(instance))
    assert rated.returncode == 0, rated.stdout[-200:]


def test_the_guards_unit_gives_the_times_that_the_code_needs() -> None:
    """A stop, a last act and a restart fit into what the unit allows; `check` counts with the unit's pause."""
    (unit,) = [each for each in UNITS if each.name == "seawall@.service"]
    assert of_unit(unit, "RestartSec") == [str(RESTART_S)]
    assert int(of_unit(unit, "TimeoutStopSec")[0]) >= STOP_S + 5
    assert int(of_unit(unit, "TimeoutStopSec")[0]) >= 2 * (RECOVER_S + ASK_S + 1 + DELIVER_S + SAVE_S) - 2
    assert of_unit(unit, "StartLimitIntervalSec") == ["0"]
    assert of_unit(unit, "Restart") == ["always"]
    assert not of_unit(unit, "RestartPreventExitStatus")
    assert of_unit(unit, "LimitCORE") == ["0"]


def test_nobody_but_the_guard_is_given_a_key() -> None:
    """P11: neither the page nor the exchange loads a credential, and both reach loopback only."""
    for unit in UNITS:
        if unit.name != "seawall@.service":
            assert not of_unit(unit, "LoadCredential")
            assert of_unit(unit, "IPAddressDeny") == ["any"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_are_understood_by_the_shell(script: Path) -> None:
    """A plain shell parses every script, to its end."""
    outcome = run("sh", "-n", str(script))
    assert (outcome.returncode, outcome.stderr) == (0, "")


def installed(root: Path, *words: str, systemd: int = 252) -> str:
    """Run the installer below a folder, under a systemd of this version, for a `seawall` that is there already."""
    programs = root.parent / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "systemctl").write_text(f'#!/bin/sh\necho "systemd {systemd} ({systemd}.1)"\n', encoding="utf-8")
    (programs / "systemctl").chmod(0o755)
    outcome = run(
        *("sh", str(DEPLOY / "install.sh"), "--root", str(root), "--program", "/opt/x/bin/seawall", *words),
        PATH=f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin",
    )
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout


def files(root: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    return {str(each.relative_to(root)): each.read_bytes() for each in root.rglob("*") if each.is_file()}


def test_installing_twice_changes_nothing(tmp_path: Path) -> None:
    """The installer lays units, users and folders, and a second run finds nothing left to do."""
    root = tmp_path / "root"
    installed(root)
    first = files(root)
    assert "ExecStart=/opt/x/bin/seawall run" in first["etc/systemd/system/seawall@.service"].decode()
    assert "etc/sysusers.d/seawall.conf" in first
    assert "etc/systemd/system/seawall@.service.d/growing-delay.conf" not in first
    assert "wrote" not in installed(root)
    assert files(root) == first


def test_the_growing_pause_comes_where_systemd_knows_it(tmp_path: Path) -> None:
    """RestartSteps= is of systemd 254: laid from there on, and said where it is not."""
    assert "starts a dead guard again every 5 s" in installed(tmp_path / "old", systemd=252)
    installed(tmp_path / "new", systemd=254)
    assert "etc/systemd/system/seawall@.service.d/growing-delay.conf" in files(tmp_path / "new")


@pytest.mark.parametrize("words", [(), ("--uninstall", "--purge")], ids=["install", "uninstall"])
def test_a_dry_run_changes_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    """`--dry-run` says what it would do and does none of it."""
    root = tmp_path / "root"
    if words:
        installed(root)
    before = files(root)
    assert "would " in installed(root, "--dry-run", *words)
    assert files(root) == before


def test_uninstalling_leaves_what_is_the_operators(tmp_path: Path) -> None:
    """Settings, credentials and state outlive `--uninstall`, and go with `--purge` alone."""
    root = tmp_path / "root"
    installed(root)
    mine = [
        root / each for each in ("etc/seawall/main.toml", "etc/seawall/credentials/main/k", "var/lib/seawall/main/j")
    ]
    for each in mine:
        each.parent.mkdir(parents=True, exist_ok=True)
        each.write_text("mine", encoding="utf-8")
    assert "stay" in installed(root, "--uninstall")
    assert set(files(root)) == {str(each.relative_to(root)) for each in mine}
    installed(root, "--uninstall", "--purge")
    assert files(root) == {}


def test_a_new_account_gets_settings_that_are_understood(tmp_path: Path) -> None:
    """The settings made for an account name its own folders, are understood, and are never made twice."""
    profile = REPOSITORY / "config" / "profiles" / "careful.toml"
    words = ("sh", str(DEPLOY / "new-account"), "main")
    made = run(*words, SEAWALL_ROOT=str(tmp_path), SEAWALL_PROFILE=str(profile))
    assert made.returncode == 0, made.stderr
    settings = tmp_path / "etc" / "seawall" / "main.toml"
    shown = run(sys.executable, "-m", "daemon", "config", "show", "--config", str(settings), PYTHONPATH=str(REPOSITORY))
    assert shown.returncode == 0, shown.stderr
    for value in ("/var/lib/seawall/main", "/run/seawall/main/control.sock", "seawall"):
        assert value in shown.stdout
    settings.write_text("mine", encoding="utf-8")
    assert "stays as it is" in run(*words, SEAWALL_ROOT=str(tmp_path), SEAWALL_PROFILE=str(profile)).stdout
    assert settings.read_text(encoding="utf-8") == "mine"


def test_the_lock_of_an_extra_is_whole() -> None:
    """What the alert channels need is picked out of the lock with its hashes, down to the last package."""
    lock = REPOSITORY / "requirements-dev.lock"
    picked = run(sys.executable, str(DEPLOY / "lock_of_extra.py"), str(lock), "apprise", "pillow").stdout
    names = set(re.findall(r"^([a-z0-9-]+)==", picked, flags=re.MULTILINE))
    assert {"apprise", "pillow", "requests", "urllib3", "idna"} <= names
    assert not names & {"pytest", "mypy", "hypothesis", "uvicorn", "websockets"}
    assert picked.count("--hash=") >= len(names)
