"""What `seawall flatten`, `pause` and their like do: one request to the running daemon, and what came of it.

The request goes over the daemon's control API (`daemon.shell.control`). The daemon acknowledges it only when it is in
the journal on disk. A request that gets no answer is sent again under the same id, so it is never carried out twice.
"""

from __future__ import annotations

import argparse
import sys
import time
from secrets import token_hex
from typing import Any, Final

import msgspec

from daemon.exit_codes import CommandFailed, ExitCode
from daemon.inputs import socket_of
from daemon.shell.control.client import COMMAND_HEADER, ID_HEADER, DaemonBusy, DaemonUnreachable, call

TRIES: Final = 3
TIMEOUT_S: Final = 10.0
PLACE_WITHIN_S: Final = 10.0
"""Of this long others may take every place: each of them has to go after five seconds."""
AGAIN_S: Final = 0.1
_BUSY: Final = 503


def carry(options: argparse.Namespace) -> int:
    """Carry out the command that the options name; return its exit code.

    Raises:
        CommandFailed: If no daemon answers, it refuses, or the person does not confirm.
    """
    commands = {
        "lift": _lift,
        "flatten": _flatten,
        "freeze": _freeze,
        "set-stop": _set_stop,
        "pause": _pause,
        "shadow": _pause,
        "resume": _resume,
        "ack": _acknowledge,
        "silence": _silence,
        "unsilence": _unsilence,
        "reload": _reload,
    }
    return commands[options.operation](options)


def _lift(options: argparse.Namespace) -> int:
    return act(options, "lift", {"name": _name(options)})


def _flatten(options: argparse.Namespace) -> int:
    if not options.yes:
        _confirm(f"Close {', '.join(options.symbols) or 'EVERY position of the account'} at the market? [yes/no] ")
    return act(options, "flatten", {"symbols": options.symbols} if options.symbols else {})


def _freeze(options: argparse.Namespace) -> int:
    return act(options, "freeze", {})


def _set_stop(options: argparse.Namespace) -> int:
    if options.clear:
        if options.loosen:
            raise CommandFailed("--clear forgets your price and loosens nothing: leave --loosen out", ExitCode.USAGE)
        return act(options, "clear-stop", {"symbol": options.symbol})
    wish = {"symbol": options.symbol, "price": format(options.price, "f"), "may_loosen": options.loosen}
    return act(options, "set-stop", wish)


def _pause(options: argparse.Namespace) -> int:
    return act(options, options.operation, {"seconds": options.seconds})


def _resume(options: argparse.Namespace) -> int:
    return act(options, "resume", {})


def _acknowledge(options: argparse.Namespace) -> int:
    return act(options, "acknowledge", {"key": _name(options), "comment": options.comment})


def _silence(options: argparse.Namespace) -> int:
    names = ("seconds", "comment", "topic", "state", "symbol")
    return act(options, "silence", {name: getattr(options, name) for name in names})


def _unsilence(options: argparse.Namespace) -> int:
    return act(options, "unsilence", {"name": _name(options)})


def _name(options: argparse.Namespace) -> str:
    """The one that is named; empty: all of them."""
    return "" if options.every else str(options.name)


def _reload(options: argparse.Namespace) -> int:
    return act(options, "reload", {"may_loosen": options.loosen})


def _confirm(question: str) -> None:
    """Ask the person at the terminal.

    Raises:
        CommandFailed: If they do not say yes, or there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise CommandFailed("nobody is here to confirm it: say --yes", ExitCode.USAGE)
    sys.stderr.write(question)
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise CommandFailed("not confirmed, so nothing was done", ExitCode.REFUSED)


def act(options: argparse.Namespace, action: str, wish: dict[str, object]) -> int:
    """Send the request, again if no answer came, and say what came of it; return the exit code.

    Raises:
        CommandFailed: If no daemon answers, or it refuses.
    """
    status, answer = _sent(options, f"/v1/{action}", wish)
    if options.as_json:
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
    if status != 200:
        problems = answer.get("problems", [])
        raise CommandFailed(
            "\n".join([str(answer.get("error", f"the daemon answered {status}")), *problems]), _code(status)
        )
    if not options.as_json:
        lines = [str(answer["done"]), *(f"  {change}" for change in answer.get("changes", []))]
        lines += [f"  cannot work: {warning}" for warning in answer.get("warnings", [])]
        sys.stdout.write("\n".join(lines) + "\n")
    if not answer.get("on_disk"):
        sys.stderr.write("seawall: it holds, but the journal could not be written: a restart may forget it\n")
    return ExitCode.OK


def _code(status: int) -> ExitCode:
    return ExitCode.VENUE_UNREACHABLE if status == _BUSY else ExitCode.REFUSED


def _sent(options: argparse.Namespace, target: str, wish: dict[str, object]) -> tuple[int, dict[str, Any]]:
    """Send one request, up to three times under one id, and until there is a place where others take them all.

    Raises:
        CommandFailed: If no daemon answers.
    """
    path = options.socket or socket_of(options.config)
    headers = {ID_HEADER: token_hex(8), COMMAND_HEADER: "1", "content-type": "application/json"}
    give_up_s, tries = time.monotonic() + PLACE_WITHIN_S, 0
    while True:
        try:
            return call(path, "POST", target, body=wish, headers=headers, timeout_s=TIMEOUT_S)
        except DaemonUnreachable as error:
            is_crowded = isinstance(error, DaemonBusy) and time.monotonic() < give_up_s
            tries += not is_crowded
            if tries == TRIES:
                raise CommandFailed(str(error), ExitCode.VENUE_UNREACHABLE) from error
            if is_crowded:
                time.sleep(AGAIN_S)
