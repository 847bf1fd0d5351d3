"""`seawall heartbeat NAME`: one sign of life of a bot, over the daemon's control API.

Why: a bot that cannot speak HTTP on a Unix socket has a shell, a cron job or a service manager that can run a command.

Exit codes: 0 heard; 3 the settings do not name the bot or the control API; 5 no daemon answers, or it is still opening;
9 the daemon refuses (no such bot, or one that is heard by its orders only).
"""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called, so that --help is instant
from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final
from urllib.parse import quote

from daemon.arguments import Commands, add_command, add_json
from daemon.exit_codes import CommandFailed, ExitCode

_NOT_YET: Final = 503


def add_heartbeat(commands: Commands) -> None:
    """Add the command."""
    heartbeat = add_command(
        commands,
        "heartbeat",
        "say that a bot lives",
        "One sign of life of a bot that the settings name ([bots.NAME], docs/bots.md), over the control API of the "
        "running daemon. Exits with 0 if it was heard, and says whether the bot ought to stop adding exposure; with 5 "
        "if no daemon answers, and with 9 if it knows no such bot.",
        "  seawall heartbeat quoter --config seawall.toml\n"
        "  seawall heartbeat quoter --socket /run/seawall/control.sock",
    )
    heartbeat.add_argument("name", metavar="NAME", help="of the bot, as in the settings")
    where = heartbeat.add_mutually_exclusive_group(required=True)
    where.add_argument("--config", type=Path, metavar="FILE", help="settings file of the daemon to tell")
    where.add_argument("--socket", type=Path, metavar="PATH", help="its control socket, instead of the settings file")
    add_json(heartbeat)
    heartbeat.set_defaults(command=_heartbeat)


def _heartbeat(options: argparse.Namespace) -> int:
    from daemon.inputs import socket_of
    from daemon.shell.control.client import COMMAND_HEADER, DaemonUnreachable, call

    path = options.socket or socket_of(options.config)
    target = f"/v1/bots/{quote(options.name, safe='')}/heartbeat"
    try:
        status, answer = call(path, "POST", target, headers={COMMAND_HEADER: "1"})
    except DaemonUnreachable as error:
        raise CommandFailed(str(error), ExitCode.VENUE_UNREACHABLE) from error
    if options.as_json:
        sys.stdout.write(json.dumps(answer) + "\n")
    if status != 200:
        code = ExitCode.VENUE_UNREACHABLE if status == _NOT_YET else ExitCode.REFUSED
        raise CommandFailed(str(answer.get("error", f"the daemon answered {status}")), code)
    if not options.as_json:
        back = ", and was taken for dead" if answer.get("was_silent") else ""
        halted = "halted: add no exposure (GET /v1/halt says why)" if answer.get("halted") else "not halted"
        sys.stdout.write(f"{options.name} is heard{back}; {halted}\n")
    return ExitCode.OK
