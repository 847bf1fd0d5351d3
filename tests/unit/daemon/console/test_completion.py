"""Completion scripts: made from the parser, taken by the shells, offering what the parser takes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from daemon.cli import main, parser
from daemon.console.completion import SHELLS, commands_of, script


def offered(script_file: Path, *words: str) -> list[str]:
    """What bash would offer behind these words."""
    line = " ".join(f"'{word}'" for word in words)
    ask = (
        f"source {script_file}; COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1));"
        ' _seawall; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True, timeout=20)
    return done.stdout.split()


@pytest.fixture
def bash(tmp_path: Path) -> Path:
    """The script for bash, on disk."""
    file = tmp_path / "seawall.bash"
    file.write_text(script(parser(), "bash"))
    return file


def test_bash_offers_what_the_parser_takes(bash: Path) -> None:
    """Commands, options of the command, choices of an option, sub-commands of a command."""
    assert {"status", "pause", "flatten", "completion"} <= set(offered(bash, "seawall", ""))
    assert offered(bash, "seawall", "set-s") == ["set-stop"]
    assert {"--watch", "--config", "--socket", "--json"} <= set(offered(bash, "seawall", "status", "--"))
    assert offered(bash, "seawall", "completion", "f") == ["fish"]
    assert "verify" in offered(bash, "seawall", "journal", "")


def test_every_shell_gets_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """No shell lags behind: each command and each long option stands in each script."""
    commands = list(commands_of(parser()))
    for shell in SHELLS:
        assert main(["completion", shell]) == 0
        words = capsys.readouterr().out
        for command in commands:
            assert all(word in words for word in command.words)
            for option in command.options:
                assert all(name.lstrip("-") in words for name in option.names)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_can_read_theirs(shell: str, tmp_path: Path) -> None:
    """Their own syntax check takes the script, where the shell is installed."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed here")
    file = tmp_path / "script"
    file.write_text(script(parser(), shell))
    subprocess.run([shell, "-n", str(file)], check=True, timeout=20)
