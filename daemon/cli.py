"""The command line: arguments, and nothing else.

Each command is a function that imports what it needs when it is called, so `--help` is instant and a command that
fails does so for its own reasons. Known errors become one line on standard error and a documented exit code
(`daemon.exit_codes`); a traceback is a bug.
"""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called, so that --help is instant
from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from daemon.alert import add_alert
from daemon.arguments import Commands, add_command, add_json, add_tape, require_candles_for_range
from daemon.backtest.options import add_backtest
from daemon.calc.options import add_calc
from daemon.configure.options import add_config
from daemon.console.options import add_console
from daemon.exchange.options import add_exchange
from daemon.exit_codes import CommandFailed, ExitCode
from daemon.heartbeat import add_heartbeat
from daemon.journal.options import add_journal
from daemon.last_act import add_last_act
from daemon.migrate import add_migrate
from daemon.operate import add_operate
from daemon.stress.options import add_stress
from daemon.version import VERSION
from daemon.web.options import add_web

_SCENARIOS = ("calm", "crash", "flash-crash", "squeeze", "gap", "grind")

_DESCRIPTION = """\
Seawall guards leveraged positions: a stop that is triggered by the mark price always rests on the exchange between
mark and liquidation, a dead man's switch is fed while all is well, and people are told early."""

_EXAMPLES = """\
a first look, without keys or network:
  seawall demo
guard an account of the embedded exchange:
  seawall exchange --port 8800 --json
  seawall check --config seawall.toml
  seawall run --config seawall.toml
  seawall status --config seawall.toml

exit codes:
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code. Errors that have an explanation are explained in one line."""
    options = parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except CommandFailed as failure:
        sys.stderr.write(f"seawall: {failure}\n")
        return failure.code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output went away, as `| head` does
        return ExitCode.OK


class _Parser(argparse.ArgumentParser):
    """A parser that answers a wrong argument in one line, instead of with all there is to know."""

    def parse_known_args(self, args: Iterable[str] | None = None, namespace: object = None) -> tuple[Any, list[str]]:
        """Read arguments; what a command does not know is its own error, so that the help named is the command's."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is, and end."""
        self.exit(ExitCode.USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    codes = "\n".join(f"  {code.value:>3}  {code.meaning}" for code in ExitCode)
    top: argparse.ArgumentParser = _Parser(
        prog="seawall",
        description=_DESCRIPTION,
        epilog=_EXAMPLES + codes,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"seawall {VERSION}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    offline = (add_calc, add_stress, add_backtest)
    online = (add_heartbeat, add_operate, add_alert, add_journal, add_config, add_migrate)
    for add in (_add_run, _add_check, _add_status, *online, *offline, add_exchange, add_web, add_last_act, _add_demo):
        add(commands)
    add_console(commands, parser)
    return top


def _add_run(commands: Commands) -> None:
    run = add_command(
        commands,
        "run",
        "guard an account until asked to stop",
        "The daemon: guards the account of the API key that the settings name. SIGTERM or Ctrl-C stop it in good "
        "order; the protective stops stay on the exchange.",
        "  seawall run --config seawall.toml\n  seawall run --config seawall.toml --observe",
    )
    _add_config(run)
    run.add_argument("--observe", action="store_true", help="alerts only: nothing that changes anything is sent")
    run.set_defaults(command=_run)


def _add_check(commands: Commands) -> None:
    check = add_command(
        commands,
        "check",
        "say what is wrong before it matters, and what to do",
        "Checks settings, credentials, reachability, clock, key rights, streams, and whether the switch outlives a "
        "restart. Sends no order.",
        "  seawall check --config seawall.toml\n  seawall check --config seawall.toml --json",
    )
    _add_config(check)
    add_json(check)
    check.set_defaults(command=_check)


def _add_status(commands: Commands) -> None:
    status = add_command(
        commands,
        "status",
        "ask the running daemon how things are",
        "Asks the daemon over its local socket: mode, feeds, positions with their liquidation price and stop, switch.",
        "  seawall status --config seawall.toml\n  seawall status --watch --config seawall.toml\n"
        "  seawall status --socket seawall-state/control.sock --json",
    )
    where = status.add_mutually_exclusive_group(required=True)
    where.add_argument("--config", type=Path, metavar="FILE", help="settings file of the daemon to ask")
    where.add_argument("--socket", type=Path, metavar="PATH", help="its control socket, instead of the settings file")
    status.add_argument("--watch", action="store_true", help="a live view, until Ctrl-C")
    add_json(status)
    status.set_defaults(command=_status)


def _add_demo(commands: Commands) -> None:
    demo = add_command(
        commands,
        "demo",
        "play a crash with a guarded and an unguarded account, and report",
        "Starts the embedded exchange and the real daemon, opens the same positions on two accounts, plays a crash and "
        "shows what the guard was worth. Needs no keys and no network.",
        "  seawall demo\n  seawall demo --scenario squeeze --seed 7\n"
        "  seawall demo --candles history.csv.gz --report crash.html --keep run/",
    )
    title = "built-in history (default crash); scenario files and the famous days play in `seawall exchange` only"
    add_tape(demo, title, default="crash", choices=_SCENARIOS)
    demo.add_argument("--keep", type=Path, metavar="DIR", help="keep journals, logs and settings of the run there")
    demo.add_argument("--report", type=Path, metavar="FILE", help="where the HTML report goes")
    demo.add_argument("--plain", action="store_true", help="plain lines instead of a live screen")
    add_json(demo)
    demo.set_defaults(command=_demo)


def _add_config(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings file (TOML)")


def _run(options: argparse.Namespace) -> int:
    from daemon.run import run

    return run(options.config, observe=options.observe)


def _check(options: argparse.Namespace) -> int:
    import asyncio

    from config.model import LogSettings
    from daemon.check import check, exit_code, write_findings
    from daemon.shell.logs import set_up_logs

    set_up_logs(LogSettings(level="critical"), secrets=[], output=sys.stderr, is_terminal=sys.stderr.isatty())
    findings = asyncio.run(check(options.config))
    write_findings(findings, as_json=options.as_json)
    return exit_code(findings)


def _status(options: argparse.Namespace) -> int:
    from daemon.inputs import socket_of
    from daemon.shell.control.client import DaemonUnreachable
    from daemon.status import show_status

    if options.watch:
        from daemon.console.watch import watch

        watch(options.socket or socket_of(options.config), as_json=options.as_json)
        return ExitCode.OK
    try:
        show_status(options.socket or socket_of(options.config), as_json=options.as_json)
    except DaemonUnreachable as error:
        raise CommandFailed(str(error), ExitCode.VENUE_UNREACHABLE) from error
    return ExitCode.OK


def _demo(options: argparse.Namespace) -> int:
    from daemon.demo.options import DemoOptions
    from daemon.demo.run import run_demo

    require_candles_for_range(options)
    return run_demo(
        DemoOptions(
            scenario=options.scenario,
            candles=options.candles,
            since=options.since,
            until=options.until,
            seed=options.seed,
            speed=options.speed,
            keep=options.keep,
            report=options.report,
            as_json=options.as_json,
            plain=options.plain,
        )
    )
