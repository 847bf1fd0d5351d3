"""`seawall stress` on the command line: options only, so that `--help` is instant."""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called, so that --help is instant
from __future__ import annotations

import argparse
from decimal import Decimal
from pathlib import Path

from daemon.arguments import Commands, add_command, add_json
from daemon.calc import numbers

_FEWEST_PERCENT = Decimal("0.1")


def add_stress(commands: Commands) -> None:
    """Add `seawall stress`."""
    stress = add_command(
        commands,
        "stress",
        "what happens to the account at moves of -50 %% to +50 %%",
        "Moves all marks away from today's, both ways, and says what happens in which order: which stop fires where, "
        "which position is liquidated where, what is left. Reads only: nothing is sent.",
        "  seawall stress --file account.json --html stress.html\n"
        "  seawall stress --config seawall.toml                 # the account of the running daemon\n"
        "  seawall stress --config seawall.toml --live          # asks the exchange itself\n"
        "  seawall stress --file account.json --symbol ETHUSD --step 1 --most 20",
    )
    where = stress.add_mutually_exclusive_group(required=True)
    where.add_argument("--file", type=Path, metavar="FILE", help="an account as JSON, see docs/calculators.md")
    where.add_argument("--config", type=Path, metavar="FILE", help="settings of the running daemon")
    where.add_argument("--socket", type=Path, metavar="PATH", help="its socket, instead of the settings file")
    stress.add_argument("--live", action="store_true", help="with --config: ask the exchange instead of the daemon")
    stress.add_argument(
        "--symbol", action="append", default=[], metavar="NAME", help="move this mark alone; repeatable"
    )
    stress.add_argument("--underlying", default="", metavar="INDEX", help="move the marks of one index alone (.BXBT)")
    stress.add_argument(
        "--step", type=_step, default=Decimal(5), metavar="P", help="percent between points (default 5)"
    )
    stress.add_argument("--most", type=_most, default=Decimal(50), metavar="P", help="how far, percent (default 50)")
    stress.add_argument(
        "--slippage",
        type=numbers.share,
        default=Decimal("0.1"),
        metavar="P",
        help="how much worse than its trigger a stop is filled, percent (default 0.1)",
    )
    stress.add_argument("--html", type=Path, metavar="FILE", help="also draw it, as one page without a network")
    add_json(stress)
    stress.set_defaults(command=_stress)


def _step(text: str) -> Decimal:
    read = numbers.share(text)
    if read < _FEWEST_PERCENT:
        raise argparse.ArgumentTypeError(f"must be at least {_FEWEST_PERCENT}, not {text!r}")
    return read


def _most(text: str) -> Decimal:
    read = numbers.share(text)
    if read <= 0:
        raise argparse.ArgumentTypeError(f"must be above 0 and below 100, not {text!r}")
    return read


def _stress(options: argparse.Namespace) -> int:
    from daemon.stress.command import run_stress

    return run_stress(options)
