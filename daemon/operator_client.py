"""What `seawall lift`, `flatten`, `freeze` and `stop` do: one request to the running daemon, and what came of it.

The request goes over the daemon's local socket (`daemon.shell.status_socket`). The daemon acknowledges it only when it
is in the journal on disk. A request that gets no answer is sent again under the same id, so it is never carried out
twice.
"""

from __future__ import annotations

import argparse
import sys
from secrets import token_hex
from typing import Final

import msgspec

from connectors.vocabulary import Side
from daemon.core.operator_requests import (
    ClearStop,
    FlattenAsked,
    FreezeAsked,
    LiftLatch,
    OperatorRequest,
    SetStop,
)
from daemon.exit_codes import CommandFailed, ExitCode
from daemon.inputs import socket_of
from daemon.shell.status_socket import DaemonUnreachable, ask_daemon

TRIES: Final = 3
TIMEOUT_S: Final = 10.0


def carry(options: argparse.Namespace) -> int:
    """Carry out the command that the options name; return its exit code.

    Raises:
        CommandFailed: If no daemon answers, it refuses, or the person does not confirm.
    """
    commands = {"lift": _lift, "flatten": _flatten, "freeze": _freeze, "stop": _stop}
    return commands[options.operation](options)


def _lift(options: argparse.Namespace) -> int:
    return _ask(options, LiftLatch(name="" if options.every else options.name))


def _flatten(options: argparse.Namespace) -> int:
    if not options.yes:
        _confirm(f"Close {', '.join(options.symbols) or 'EVERY position of the account'} at the market? [yes/no] ")
    return _ask(options, FlattenAsked(symbols=tuple(options.symbols)))


def _freeze(options: argparse.Namespace) -> int:
    return _ask(options, FreezeAsked())


def _stop(options: argparse.Namespace) -> int:
    if options.clear:
        if options.loosen:
            raise CommandFailed("--clear forgets your price and loosens nothing: leave --loosen out", ExitCode.USAGE)
        return _ask(options, ClearStop(symbol=options.symbol))
    side = _side_of(options)
    return _ask(options, SetStop(symbol=options.symbol, side=side, price=options.price, may_loosen=options.loosen))


def _side_of(options: argparse.Namespace) -> Side:
    """The direction of the position as the daemon knows it: the request is void if it turns before it gets there.

    Raises:
        CommandFailed: If there is no such position.
    """
    status = _send(options, {"ask": "status"})
    rows = status.get("positions")
    for row in rows if isinstance(rows, list) else []:
        if row["symbol"] == options.symbol and int(row["quantity"]):
            return Side.LONG if int(row["quantity"]) > 0 else Side.SHORT
    raise CommandFailed(f"no position is open in {options.symbol}", ExitCode.REFUSED)


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


def _ask(options: argparse.Namespace, request: OperatorRequest) -> int:
    """Send the request, again if no answer came, and say what came of it."""
    question = {"ask": "operate", "id": token_hex(8), "request": msgspec.to_builtins(request)}
    answer = _send(options, question)
    error = answer.get("error")
    if options.as_json:
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
    if error is not None:
        raise CommandFailed(str(error), ExitCode.REFUSED)
    if not options.as_json:
        sys.stdout.write(f"{answer['done']}\n")
    if not answer.get("on_disk"):
        sys.stderr.write("seawall: it holds, but the journal could not be written: a restart may forget it\n")
    return ExitCode.OK


def _send(options: argparse.Namespace, question: dict[str, object]) -> dict[str, object]:
    """Send one question, up to three times.

    Raises:
        CommandFailed: If no daemon answers.
    """
    path = options.socket or socket_of(options.config)
    for attempt in range(1, TRIES + 1):
        try:
            return ask_daemon(path, question, timeout_s=TIMEOUT_S)
        except DaemonUnreachable as error:
            if attempt == TRIES:
                raise CommandFailed(str(error), ExitCode.VENUE_UNREACHABLE) from error
    raise AssertionError("the last try raises")
