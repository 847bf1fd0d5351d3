"""`seawall completion bash | zsh | fish`: scripts made from the parser itself, so that they cannot lag behind."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

SHELLS: Final = ("bash", "zsh", "fish")
_FILES: Final = frozenset({"FILE", "PATH", "DIR", "FOLDER"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One option of a command."""

    names: tuple[str, ...]
    title: str
    choices: tuple[str, ...] = ()
    takes_value: bool = False
    takes_file: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """One command, by the words that name it."""

    words: tuple[str, ...]
    title: str
    options: tuple[Option, ...]
    following: tuple[str, ...]
    """Words that may come next: sub-commands, or choices of a plain argument."""


def commands_of(parser: argparse.ArgumentParser, words: tuple[str, ...] = (), title: str = "") -> Iterator[Command]:
    """Yield the command of a parser and all below it."""
    options = tuple(_option(each) for each in parser._actions if each.option_strings)  # noqa: SLF001 - argparse lists them nowhere else
    below = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]  # noqa: SLF001
    plain = [each for each in parser._actions if not each.option_strings and each not in below]  # noqa: SLF001
    choices = [str(choice) for each in plain for choice in each.choices or ()]
    names = [name for each in below for name in each.choices]
    yield Command(words=words, title=title, options=options, following=(*names, *choices))
    for each in below:
        titles = {choice.dest: choice.help or "" for choice in each._choices_actions}  # noqa: SLF001
        for name, deeper in each.choices.items():
            yield from commands_of(deeper, (*words, name), titles.get(name, ""))


def _option(action: argparse.Action) -> Option:
    return Option(
        names=tuple(action.option_strings),
        title=action.help or "",
        choices=tuple(str(each) for each in action.choices or ()),
        takes_value=action.nargs != 0,
        takes_file=str(action.metavar) in _FILES,
    )


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return what a shell reads to complete `seawall`."""
    commands = list(commands_of(parser))
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](commands)


# ------------------------------------------------------------------ bash, and zsh through it


def _bash(commands: list[Command]) -> str:
    cases = "\n".join(_bash_case(each) for each in commands)
    values = "\n".join(sorted({line for each in commands for line in _bash_values(each)}))
    return f"""# seawall: completion for bash.  source <(seawall completion bash)
_seawall() {{
    local word previous path i words
    word="${{COMP_WORDS[COMP_CWORD]}}"; previous="${{COMP_WORDS[COMP_CWORD-1]}}"; path=""; words=""; COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$path ${{COMP_WORDS[i]}}" in
{_bash_paths(commands)}
        esac
    done
    case "$path|$previous" in
{values}
    esac
    case "$path" in
{cases}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _seawall seawall
"""


def _bash_paths(commands: list[Command]) -> str:
    paths = sorted(" " + " ".join(each.words) for each in commands if each.words)
    shown = "|".join(f'"{path}"' for path in paths)
    return f'            {shown}) path="$path ${{COMP_WORDS[i]}}" ;;'


def _bash_case(command: Command) -> str:
    names = [name for option in command.options for name in option.names]
    path = "".join(f" {word}" for word in command.words)
    return f'        "{path}") words="{" ".join([*command.following, *names])}" ;;'


def _bash_values(command: Command) -> Iterator[str]:
    path = "".join(f" {word}" for word in command.words)
    for option in command.options:
        for name in option.names if option.takes_value else ():
            found = f'compgen -W "{" ".join(option.choices)}"' if option.choices else "compgen -f"
            keeps = f'COMPREPLY=($({found} -- "$word"))' if option.choices or option.takes_file else "COMPREPLY=()"
            yield f'        "{path}|{name}") {keeps}; return ;;'


_ZSH_HEAD: Final = """#compdef seawall
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
autoload -U +X bashcompinit && bashcompinit
"""


def _zsh(commands: list[Command]) -> str:
    return _ZSH_HEAD + _bash(commands).replace(
        "completion for bash.  source <(seawall completion bash)",
        "completion for zsh.  source <(seawall completion zsh)",
    )


# ------------------------------------------------------------------ fish


def _fish(commands: list[Command]) -> str:
    lines = ["# seawall: completion for fish.  seawall completion fish | source", "complete -c seawall -f"]
    for command in commands:
        lines += _fish_lines(command, commands)
    return "\n".join(lines) + "\n"


def _fish_lines(command: Command, commands: list[Command]) -> Iterator[str]:
    titles = {each.words: each.title for each in commands}
    here, unsaid = _fish_condition(command), _fish_condition(command, until=command.following)
    for word in command.following:
        title = titles.get((*command.words, word), "")
        yield f"complete -c seawall{unsaid} -a {word}{_fish_title(title)}"
    for option in command.options:
        names = "".join(f" {_fish_name(name)}" for name in option.names)
        value = f" -x -a '{' '.join(option.choices)}'" if option.choices else " -r"
        files = " -F" if option.takes_file else ""
        yield f"complete -c seawall{here}{names}{value if option.takes_value else ''}{files}{_fish_title(option.title)}"


def _fish_condition(command: Command, until: tuple[str, ...] = ()) -> str:
    """Hold behind the words of a command, and no longer once one of `until` is said."""
    if not command.words:
        return " -n __fish_use_subcommand"
    seen = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in command.words)
    ended = f"; and not __fish_seen_subcommand_from {' '.join(until)}" if until else ""
    return f" -n '{seen}{ended}'"


def _fish_name(name: str) -> str:
    return f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"


def _fish_title(title: str) -> str:
    words = re.sub(r"(['\\])", r"\\\1", title.replace("\n", " "))
    return f" -d '{words}'" if words else ""
