"""The options of the commands that show a running guard. What they do is imported when they are called."""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called
from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Final

from daemon.arguments import Commands, add_command, whole_number
from daemon.console.completion import SHELLS, script
from daemon.exit_codes import ExitCode
from daemon.operate import add_where

_QUESTIONS: Final = {
    "positions": ("list open positions", "Open positions with mark, liquidation price, room, stop and tier."),
    "protection": (
        "show what protects each position, and what bears it out",
        "For each position: since when it is covered, the stops that rest, and the evidence for it.",
    ),
    "orders": ("list open orders, and whose they are", "Open orders of the account: the guard's, each bot's, others'."),
    "alerts": ("list what people were told and still holds", "Alerts that hold, silences, and how deliveries fare."),
}


def add_console(commands: Commands, parser: Callable[[], argparse.ArgumentParser]) -> None:
    """Add the commands.

    Args:
        commands: Where.
        parser: Makes the whole parser, which completion is made from.
    """
    for name, (title, description) in _QUESTIONS.items():
        command = add_command(commands, name, title, description, f"  seawall {name} --config seawall.toml")
        add_where(command)
        command.set_defaults(command=_show, question=name)
    _add_tail(commands)
    _add_completion(commands, parser)


def _add_tail(commands: Commands) -> None:
    tail = add_command(
        commands,
        "tail",
        "show the newest records of the journal, and those that come",
        "What the running guard saw and decided, newest last. Marks and ticks are left out unless --every is given. "
        "With --follow it goes on until Ctrl-C. For a guard that does not run: seawall journal.",
        "  seawall tail --config seawall.toml\n  seawall tail --config seawall.toml --follow",
    )
    add_where(tail)
    tail.add_argument("--last", type=whole_number, default=20, metavar="N", help="so many of the newest (default 20)")
    tail.add_argument("--follow", action="store_true", help="go on with what comes")
    tail.add_argument("--every", action="store_true", help="marks and ticks too")
    tail.set_defaults(command=_tail)


def _add_completion(commands: Commands, parser: Callable[[], argparse.ArgumentParser]) -> None:
    completion = add_command(
        commands,
        "completion",
        "write what a shell needs to complete seawall",
        "A script for bash, zsh or fish, made from the options of this version.",
        "  source <(seawall completion bash)\n  seawall completion fish | source",
    )
    completion.add_argument("shell", choices=SHELLS, help="which shell")
    completion.set_defaults(command=lambda options: _complete(parser(), options.shell))


def _show(options: argparse.Namespace) -> int:
    from daemon.console.show import show

    return show(options)


def _tail(options: argparse.Namespace) -> int:
    from daemon.console.follow import tail

    return tail(options)


def _complete(parser: argparse.ArgumentParser, shell: str) -> int:
    sys.stdout.write(script(parser, shell))
    return ExitCode.OK
