"""`seawall run`: from a settings file to a running guard, and from its end to an exit code."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import structlog
import uvloop

from config.credentials import Credentials, KeyInUse
from config.impossible import impossible
from config.load import load_settings
from config.model import Settings
from config.secrets_from import load_credentials
from daemon.app import BitmexPorts, run_guard
from daemon.core.errors import InvariantBroken
from daemon.exit_codes import CommandFailed, ExitCode
from daemon.inputs import read_credentials, read_settings
from daemon.rotation import KeyTrial
from daemon.shell.alerts.opening import alert_secrets
from daemon.shell.clock import SystemClock
from daemon.shell.crew import VitalPartEnded
from daemon.shell.key_rights import KeyRefused
from daemon.shell.lock import AlreadyRunning, StateFolderUnusable
from daemon.shell.log_writer import LogWriter
from daemon.shell.logs import Redaction, log_from, secrets_of_address, set_up_logs
from daemon.shell.outbox import OutboxOverflow
from daemon.shell.reload import Fresh, Renewal

_CODES: dict[type[Exception], ExitCode] = {
    KeyRefused: ExitCode.CREDENTIALS,
    AlreadyRunning: ExitCode.IN_USE,
    StateFolderUnusable: ExitCode.BAD_INPUT,
    InvariantBroken: ExitCode.BROKEN,
    VitalPartEnded: ExitCode.BROKEN,
    OutboxOverflow: ExitCode.BROKEN,
}


def run(path: Path, *, observe: bool) -> int:
    """Guard until asked to stop.

    Raises:
        CommandFailed: If the guard cannot start, or had to end.
    """
    settings = _observing(read_settings(path), observe=observe)
    credentials = read_credentials(settings)
    _forbid_core_dumps()
    with _logs_on_standard_output(settings, credentials) as redaction:
        warn_of_what_cannot_work(settings)
        clock, key = SystemClock(), KeyInUse(credentials)
        trial = KeyTrial(lambda fresh, pair: BitmexPorts(fresh, pair, clock))
        renewal = Renewal(
            read=lambda: _read_anew(path, observe=observe),
            key=key,
            prove=trial.prove,
            hide=redaction.hide,
            log_from=log_from,
        )
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                ports = BitmexPorts(settings, key, clock)
                runner.run(run_guard(settings, ports, clock=clock, renewal=renewal))
        except Exception as error:
            raise _explained(error) from error
    return ExitCode.OK


def _observing(settings: Settings, *, observe: bool) -> Settings:
    return replace(settings, policy=replace(settings.policy, observe=True)) if observe else settings


def _read_anew(path: Path, *, observe: bool) -> Fresh:
    """Read what the start read, from where it stands now."""
    settings = _observing(load_settings(path, os.environ), observe=observe)
    return Fresh(settings=settings, credentials=load_credentials(settings.credentials))


@contextmanager
def _logs_on_standard_output(settings: Settings, credentials: Credentials) -> Iterator[Redaction]:
    """Log while the block runs, through a thread: a reader that hangs must not stop the guard."""
    addresses = (part for each in alert_secrets(settings.alerts) for part in secrets_of_address(each))
    secrets = [credentials.secret.reveal(), *addresses]
    if sys.stdout is None:  # started with standard output closed: whatever gets that number next is no log
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process
    output = LogWriter(sys.stdout.fileno())
    redaction = set_up_logs(settings.log, secrets=secrets, output=output, is_terminal=sys.stdout.isatty())
    try:
        yield redaction
    finally:
        output.close()


def warn_of_what_cannot_work(settings: Settings) -> None:
    """Say what `seawall check` would have refused; a guard that starts all the same is better than none."""
    for problem in impossible(settings.policy, settings.venue):
        structlog.get_logger("run").warning("the policy cannot work", problem=problem)


def _explained(error: Exception) -> CommandFailed:
    """Find the known cause in what the TaskGroup raised; anything else ends the process as broken, with its name."""
    for each in leaves(error):
        for kind, code in _CODES.items():
            if isinstance(each, kind):
                return CommandFailed(str(each), code)
    structlog.get_logger("run").critical("the guard had to end", exc_info=error)
    causes = "; ".join(dict.fromkeys(f"{type(each).__name__}: {each}" for each in leaves(error)))
    return CommandFailed(f"the guard had to end: {causes}", ExitCode.BROKEN)


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the single errors inside a group of groups."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from leaves(each)
    else:
        yield error


def _forbid_core_dumps() -> None:
    """A core dump would hold the secret (P11)."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
