"""`seawall exchange`: the embedded exchange as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import replace

import msgspec
import uvloop

from config.model import LogSettings
from connectors.simulated.server.embedded import EmbeddedExchange, PortInUse, serve
from connectors.simulated.server.settings import ExchangeSettings, RateLimits, RowStyle
from connectors.simulated.server.state import StateError
from connectors.simulated.tape.candles import CandleFileError
from connectors.simulated.tape.source import TapeChoiceError
from daemon.exit_codes import CommandFailed, ExitCode
from daemon.shell.logs import set_up_logs


def run_embedded_exchange(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT.

    Raises:
        CommandFailed: If it cannot start, for a reason that one line explains.
    """

    def announce(exchange: EmbeddedExchange) -> None:
        sys.stdout.write(_as_json(exchange) if options.as_json else _in_words(exchange))
        sys.stdout.flush()

    # Standard output carries the one object; a traceback with values of all locals can take minutes to draw.
    set_up_logs(LogSettings(), secrets=[], output=sys.stderr, is_terminal=sys.stderr.isatty())
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings_of(options), announce=announce))
    except PortInUse as error:
        raise CommandFailed(str(error), ExitCode.IN_USE) from error
    except (StateError, CandleFileError, TapeChoiceError) as error:
        raise CommandFailed(str(error), ExitCode.BAD_INPUT) from error
    return ExitCode.OK


def settings_of(options: argparse.Namespace) -> ExchangeSettings:
    """Return the settings that the command line describes."""
    settings = ExchangeSettings(
        port=options.port,
        control_port=options.control_port,
        seed=options.seed,
        scenario=options.scenario,
        candles=options.candles,
        since=options.since,
        until=options.until,
        pick_day=options.pick_day,
        speed=options.speed,
        start_paused=options.start_paused,
        state_dir=options.state,
        accounts=options.accounts,
        rows=RowStyle(options.rows),
        limits=RateLimits(is_on=options.limits == "on"),
    )
    return replace(settings, balances=options.balance) if options.balance else settings


def _as_json(exchange: EmbeddedExchange) -> str:
    return msgspec.json.encode(exchange.description()).decode() + "\n"


def _in_words(exchange: EmbeddedExchange) -> str:
    lines = [f"exchange on {exchange.http_url} and {exchange.ws_url}, control API on {exchange.control_url}"]
    for account in exchange.venue.accounts:
        key = exchange.key(account)
        lines.append(f"account {account}: key {key.key_id} secret {key.secret}")
    return "\n".join([*lines, "Ctrl-C ends it."]) + "\n"
