"""One word from a command: what it may not do, and what is never said of it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from config.credentials import Credentials, Secret
from config.model import CredentialSources
from config.secrets_from import CredentialsError, load_credentials
from config.word_of_command import LONGEST_BYTES, CommandGaveNothing, output_of

PYTHON = sys.executable
HIDDEN = "hunter2hunter2"


def said(code: str, *words: str, timeout_s: float = 10.0) -> str:
    """What a small program says."""
    return output_of((PYTHON, "-c", code, *words), timeout_s=timeout_s)


def complaint(code: str, timeout_s: float = 10.0) -> str:
    """Why a small program cannot be used."""
    with pytest.raises(CommandGaveNothing) as refused:
        said(code, timeout_s=timeout_s)
    return str(refused.value)


def test_the_word_is_what_it_prints() -> None:
    """Blanks and the line end around it do not count."""
    assert said("print(' word ')") == "word"


def test_no_shell_is_involved() -> None:
    """Signs that mean something to a shell are words like others."""
    assert said("import sys; print(sys.argv[1])", "$(id);`id`|x>y*") == "$(id);`id`|x>y*"


def test_a_command_that_is_not_there_is_named() -> None:
    """By its name alone: its path and words may tell more than they should."""
    with pytest.raises(CommandGaveNothing, match="the command nowhere cannot be started: No such file"):
        output_of(("/nonexistent/nowhere", HIDDEN), timeout_s=1)


def test_what_it_complains_of_is_never_shown(capfd: pytest.CaptureFixture[str]) -> None:
    """P11: tools repeat what they were asked for."""
    text = complaint(f"import sys; sys.stderr.write('{HIDDEN}'); print('{HIDDEN}'); sys.exit(3)")
    assert "ended with 3" in text
    captured = capfd.readouterr()
    assert HIDDEN not in text + captured.out + captured.err


def test_a_command_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """A password prompt at three in the morning; the child that holds the pipe goes, too."""
    note = tmp_path / "child"
    code = (
        "import subprocess, sys, pathlib, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(note)!r}).write_text(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    begun = time.monotonic()
    assert "took longer than 1 s" in complaint(code, timeout_s=1.0)
    assert time.monotonic() - begun < 20
    deadline = time.monotonic() + 10
    while _lives(int(note.read_text())):
        assert time.monotonic() < deadline
        os.sched_yield()


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_a_flood_is_cut_off() -> None:
    """Something else than a key: not read to its end."""
    assert f"more than {LONGEST_BYTES} bytes" in complaint("while True: print('x' * 1000)")


def test_bytes_that_are_no_text_are_refused() -> None:
    """And not shown."""
    assert "is not text" in complaint("import sys; sys.stdout.buffer.write(bytes([255, 254]))")


def test_it_does_not_see_the_guards_own_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever moves from the environment to a command has both for a while."""
    monkeypatch.setenv("SEAWALL_SECRET", HIDDEN)
    assert said("import os; print(os.environ.get('SEAWALL_SECRET', 'nothing'))") == "nothing"


def test_both_come_from_commands() -> None:
    """Before the environment, which may hold an older pair."""
    sources = CredentialSources(
        key_command=(PYTHON, "-c", "print('key-id')"), secret_command=(PYTHON, "-c", "print('word')")
    )
    found = load_credentials(sources, {"SEAWALL_KEY": "old", "SEAWALL_SECRET": "older"})
    assert found == Credentials(key_id="key-id", secret=Secret("word"))


@pytest.mark.parametrize(
    ("sources", "problem"),
    [
        (CredentialSources(key_command=("true",)), "needs both"),
        (CredentialSources(key_command=("true",), secret_command=("true",)), "exactly one word"),
        (CredentialSources(key_command=("false",), secret_command=("true",)), "credentials.key_command: the command"),
        (
            CredentialSources(key_file="/k", secret_file="/s", key_command=("true",), secret_command=("true",)),
            "keep one of the two ways",
        ),
    ],
)
def test_half_or_twice_is_refused(sources: CredentialSources, problem: str) -> None:
    """One pair, from one place."""
    with pytest.raises(CredentialsError, match=problem):
        load_credentials(sources, {})


@pytest.mark.parametrize(
    ("mode", "folder_mode", "problem"),
    [
        (0o644, 0o755, "may be read or changed by everybody"),
        (0o620, 0o755, "may be changed by its whole group"),
        (0o600, 0o777, "may be replaced"),
    ],
)
def test_a_file_that_others_can_get_at_is_refused(tmp_path: Path, mode: int, folder_mode: int, problem: str) -> None:
    """P11: the file, and the folder that it could be replaced in."""
    folder = tmp_path / "keys"
    folder.mkdir()
    for name in ("key", "secret"):
        (folder / name).write_text("word")
        (folder / name).chmod(mode)
    folder.chmod(folder_mode)
    sources = CredentialSources(key_file=str(folder / "key"), secret_file=str(folder / "secret"))
    with pytest.raises(CredentialsError, match=problem):
        load_credentials(sources, {})


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns it can change it whatever its mode says."""
    for name in ("key", "secret"):
        (tmp_path / name).write_text("word")
        (tmp_path / name).chmod(0o600)
    owner = (tmp_path / "secret").stat().st_uid
    if not owner:
        os.chown(tmp_path / "secret", 65_534, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    sources = CredentialSources(key_file=str(tmp_path / "key"), secret_file=str(tmp_path / "secret"))
    with pytest.raises(CredentialsError, match="belongs to another user"):
        load_credentials(sources, {})
