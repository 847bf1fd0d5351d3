"""Serving the embedded exchange until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import ExitStack
from dataclasses import replace

import msgspec
import uvloop

from config.model import LogSettings
from connectors.simulated.engine.switches import Switches
from connectors.simulated.listing.reading import ListingError
from connectors.simulated.server.embedded import EmbeddedExchange, PortInUse, serve
from connectors.simulated.server.recording import NotRecorded
from connectors.simulated.server.settings import ClockKind, ExchangeSettings, ListingChoice, RateLimits, RowStyle
from connectors.simulated.server.state import StateError
from connectors.simulated.tape.candles import CandleFileError
from connectors.simulated.tape.recording import RecordingError
from connectors.simulated.tape.scenarios import Scenario
from connectors.simulated.tape.source import TapeChoiceError
from daemon.arguments import require_candles_for_range
from daemon.exchange import beacon
from daemon.exchange.live_line import LiveLine
from daemon.exchange.switches import with_switches
from daemon.exit_codes import CommandFailed, ExitCode
from daemon.shell.logs import LogOutput, set_up_logs


def run_embedded_exchange(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT.

    Raises:
        CommandFailed: If it cannot start or go on, for a reason that one line explains.
    """
    require_candles_for_range(options)
    settings = settings_of(options)
    live = LiveLine(sys.stderr) if sys.stderr.isatty() and not options.as_json else None
    output: LogOutput = sys.stderr if live is None else live
    # Standard output carries the one object; a traceback with values of all locals can take minutes to draw.
    set_up_logs(LogSettings(), secrets=[], output=output, is_terminal=sys.stderr.isatty())

    def announce(exchange: EmbeddedExchange) -> None:
        lights.enter_context(beacon.lit(exchange.control_url))
        _say(_as_json(exchange) if options.as_json else _in_words(exchange))

    try:
        with ExitStack() as lights, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            served = runner.run(serve(settings, announce=announce, watch=None if live is None else live.watch))
    except PortInUse as error:
        raise CommandFailed(str(error), ExitCode.IN_USE) from error
    except (StateError, NotRecorded, RecordingError, CandleFileError, TapeChoiceError, ListingError) as error:
        raise CommandFailed(str(error), ExitCode.BAD_INPUT) from error
    if not options.as_json:
        kept = "" if settings.state_dir is None else f"; its state is kept in {settings.state_dir}"
        _say(f"exchange ended after {served} requests{kept}\n")
    return ExitCode.OK


def settings_of(options: argparse.Namespace) -> ExchangeSettings:
    """Return the settings that the command line describes.

    Raises:
        CommandFailed: If a switch is none.
    """
    settings = ExchangeSettings(
        port=options.port,
        control_port=options.control_port,
        seed=options.seed,
        scenario=options.scenario,
        candles=options.candles,
        market=options.market,
        since=options.since,
        until=options.until,
        pick_day=options.pick_day,
        speed=options.speed,
        listing=ListingChoice(options.listing),
        instruments=options.instruments,
        start_paused=options.start_paused,
        clock=ClockKind(options.clock),
        state_dir=options.state,
        snapshot=options.snapshot,
        record=options.record,
        accounts=options.accounts,
        rows=RowStyle(options.rows),
        limits=RateLimits(is_on=options.limits == "on"),
    )
    if options.balance:
        settings = replace(settings, balances=options.balance)
    if _is_everyday(settings):  # nothing on this tape is tied to its own hours, so the venue's can be kept
        settings = replace(settings, switches=Switches(funding_by_protocol_clock=True))
    return with_switches(settings, options.switches)


def _is_everyday(settings: ExchangeSettings) -> bool:
    """Return whether calm prices are played in real time, as without any option."""
    is_calm = settings.scenario == Scenario.CALM.value and settings.candles is None and settings.market is None
    return is_calm and settings.speed is None and settings.clock is ClockKind.REAL


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _as_json(exchange: EmbeddedExchange) -> str:
    return msgspec.json.encode(exchange.description()).decode() + "\n"


def _in_words(exchange: EmbeddedExchange) -> str:
    lines = [f"exchange on {exchange.http_url} and {exchange.ws_url}, control API on {exchange.control_url}"]
    for account in exchange.venue.accounts:
        key = exchange.key(account)
        lines.append(f"account {account}: key {key.key_id} secret {key.secret}")
    return "\n".join([*lines, "Ctrl-C ends it."]) + "\n"
