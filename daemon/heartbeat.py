"""`seawall heartbeat NAME`: one sign of life of a bot, over the daemon's control API.

Why: a bot that cannot speak HTTP on a Unix socket has a shell, a cron job or a service manager that can run a command.
Only the standard library is used, so that the command is done in a moment.

Exit codes: 0 heard; 3 the settings do not name the bot or the control API; 5 no daemon answers, or it is still opening;
9 the daemon refuses (no such bot, or one that is heard by its orders only).
"""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called, so that --help is instant
from __future__ import annotations

import argparse
import json
import socket
import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from daemon.arguments import Commands, add_command, add_json
from daemon.exit_codes import CommandFailed, ExitCode

TIMEOUT_S: Final = 5.0
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
    status, answer = call(options.socket or _socket_of(options.config), options.name)
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


def _socket_of(path: Path) -> Path:
    """Return the control socket that a settings file names.

    Raises:
        CommandFailed: If it asks for none.
    """
    from daemon.inputs import read_settings

    settings = read_settings(path)
    if not settings.control.enabled:
        raise CommandFailed(f"{path}: control.enabled is false, so nobody listens for bots", ExitCode.BAD_INPUT)
    return Path(settings.control_socket)


def call(path: Path, name: str, *, timeout_s: float = TIMEOUT_S) -> tuple[int, dict[str, Any]]:
    """Send one sign of life.

    Args:
        path: The control socket.
        name: Of the bot.
        timeout_s: For connecting, and for the answer.

    Returns:
        The status and the answer.

    Raises:
        CommandFailed: If nobody listens there, or what does is no control API.
    """
    connection = _UnixConnection(path, timeout_s)
    try:
        connection.request("POST", f"/v1/bots/{quote(name, safe='')}/heartbeat", headers={"X-Seawall-Command": "1"})
        response = connection.getresponse()
        answer = json.loads(response.read(65_536))
    except OSError as error:
        text = f"no daemon answers at {path}: {error.strerror or error}"
        raise CommandFailed(text, ExitCode.VENUE_UNREACHABLE) from error
    except (HTTPException, ValueError) as error:
        text = f"what answers at {path} is not the control API of a Seawall daemon"
        raise CommandFailed(text, ExitCode.VENUE_UNREACHABLE) from error
    finally:
        connection.close()
    return response.status, answer if isinstance(answer, dict) else {}


class _UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of to a host."""
        from daemon.shell.local_socket import address_of

        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with address_of(self._path) as address:
            self.sock.connect(address)
