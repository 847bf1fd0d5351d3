"""`seawall-check NAME`: the check as the service would run it, or why it cannot; `systemd-run` is a stand-in."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "check-account"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine on which the account main has settings and no keys yet."""
    programs = tmp_path / "programs"
    (tmp_path / "etc" / "seawall" / "credentials" / "main").mkdir(parents=True)
    (tmp_path / "etc" / "seawall" / "main.toml").write_text("")
    programs.mkdir()
    (programs / "systemd-run").write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    (programs / "systemd-run").chmod(0o755)
    return tmp_path


def check(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run it below a folder."""
    environment = {"PATH": f"{root / 'programs'}:/usr/bin:/bin", "SEAWALL_ROOT": str(root)}
    return subprocess.run(("sh", str(SCRIPT), *words), env=environment, capture_output=True, text=True, check=False)


def keys(root: Path, *names: str) -> Path:
    """Put credentials there."""
    folder = root / "etc" / "seawall" / "credentials" / "main"
    for name in names:
        (folder / name).write_text("word")
    return folder


def test_keys_that_are_not_there_are_named(root: Path) -> None:
    """P12: systemd would start nothing and say nothing; a silent check would be read as a good one."""
    outcome = check(root, "main")
    assert (outcome.returncode, outcome.stdout) == (4, "")
    assert "credentials/main/seawall-secret is missing: the service cannot start without it" in outcome.stderr
    keys(root, "seawall-secret")
    assert "credentials/main/seawall-key is missing" in check(root, "main").stderr


def test_an_account_that_nobody_made_is_named(root: Path) -> None:
    """A slip of the pen in the name, and who makes such settings."""
    outcome = check(root, "mian")
    assert outcome.returncode == 3
    assert "mian.toml is missing: seawall-new-account mian makes it" in outcome.stderr


def test_plain_and_encrypted_keys_are_handed_over_as_the_service_gets_them(root: Path) -> None:
    """P11: each by its path, the encrypted one by the other property; the question's own words come last."""
    folder = keys(root, "seawall-key", "seawall-secret.cred")
    words = check(root, "main", "--json").stdout.splitlines()
    assert f"--property=LoadCredential=seawall-key:{folder}/seawall-key" in words
    assert f"--property=LoadCredentialEncrypted=seawall-secret:{folder}/seawall-secret.cred" in words
    assert words[-5:] == ["/usr/bin/seawall", "check", "--config", str(root / "etc/seawall/main.toml"), "--json"]
