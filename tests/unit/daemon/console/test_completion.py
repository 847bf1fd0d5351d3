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


@pytest.fixture(params=["zsh", "fish"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The script for a shell that is installed, in a file of the shell's name."""
    file = tmp_path / str(request.param)
    if shutil.which(file.name) is None:
        pytest.skip(f"{file.name} is not installed here")
    file.write_text(script(parser(), file.name))
    return file


def test_the_other_shells_can_read_theirs(other: Path) -> None:
    """Their own syntax check takes the script, where the shell is installed."""
    assert subprocess.run([other.name, "-n", str(other)], check=False, timeout=20).returncode == 0


@pytest.mark.parametrize("other", ["fish"], indirect=True)
def test_fish_offers_what_the_parser_takes(other: Path) -> None:
    """Each sub-command until one is said; titles whole, with the marks that a quotation would end at."""

    def offered_by_fish(line: str) -> list[str]:
        ask = f"source '{other}'; complete -C '{line}'"
        done = subprocess.run(["fish", "-N", "-c", ask], capture_output=True, text=True, check=True, timeout=20)
        return done.stdout.splitlines()

    assert offered_by_fish("seawall set-s") == ["set-stop\tgive a position's stop a price of your own"]
    assert [line.split("\t")[0] for line in offered_by_fish("seawall journal ver")] == ["verify"]
    assert not any(line.startswith("prune") for line in offered_by_fish("seawall journal verify "))
    assert offered_by_fish("seawall completion f") == ["fish"]


@pytest.mark.parametrize("other", ["zsh"], indirect=True)
def test_zsh_completes_at_its_prompt(other: Path) -> None:
    """In a shell whose owner never set completion up: the tab key writes the rest of the word."""
    at_the_prompt = f"""zmodload zsh/zpty
        zpty -b shell 'zsh -f -i'
        zpty -w shell "PROMPT=; HOME={other.parent}; source {other}; print rea''dy"
        zpty -r -m shell seen '*ready*'
        zpty -w -n shell $'seawall set-s\\t'
        zpty -r -m shell seen '*set-stop*'
        print -r -- "$seen"
        zpty -d shell"""
    done = subprocess.run(["zsh", "-f", "-c", at_the_prompt], capture_output=True, text=True, check=True, timeout=30)
    assert "set-stop" in done.stdout
