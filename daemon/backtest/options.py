"""The options of `seawall backtest`. Nothing heavy is imported here, so that `--help` is instant."""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called
from __future__ import annotations

import argparse
from pathlib import Path

from daemon.arguments import Commands, add_command, whole_number

PROFILES = ("observer", "careful", "swing", "market-maker")
_DESCRIPTION = (
    "Opens the same positions on guarded and unguarded accounts of the embedded exchange, plays candles as fast as the "
    "machine can, and reports what the guard was worth: liquidations avoided, stops hit, what being stopped out cost. "
    "Needs no keys and no network. Of the settings file only the policy counts."
)
_EXAMPLES = (
    "  seawall backtest --candles history.csv.gz --profile careful\n"
    "  seawall backtest --candles history.csv.gz --from 2020-03-12 --to 2020-03-13 --config my.toml --html day.html\n"
    "  seawall backtest --candles history.csv.gz --leverage 5,10,20 --margin both --side long\n"
    '  seawall backtest --candles history.csv.gz --grid "stop.buffer_percent=1,2,3;tiers.watch_percent=3,5"'
)


def add_backtest(commands: Commands) -> None:
    """Add the command."""
    backtest = add_command(commands, "backtest", "play a policy over history and report", _DESCRIPTION, _EXAMPLES)
    _add_history(backtest)
    _add_policy(backtest)
    _add_positions(backtest)
    _add_output(backtest)
    backtest.set_defaults(command=_backtest)


def _add_history(backtest: argparse.ArgumentParser) -> None:
    group = backtest.add_argument_group("history")
    group.add_argument("--candles", type=Path, required=True, metavar="FILE", help="candles, CSV or CSV.gz")
    group.add_argument("--from", dest="since", metavar="TIME", help="first moment of the candle file, UTC")
    group.add_argument("--to", dest="until", metavar="TIME", help="last moment, UTC; a bare date is played whole")
    group.add_argument("--seed", type=whole_number, default=1, metavar="N", help="origin of everything random")
    group.add_argument("--latency-ms", type=whole_number, default=50, metavar="N", help="mean, each way (default 50)")
    group.add_argument(
        "--pace",
        choices=("fast", "exact"),
        default="fast",
        help="fast: quiet seconds are skipped (default); exact: the daemon's own cadence, several times slower",
    )


def _add_policy(backtest: argparse.ArgumentParser) -> None:
    group = backtest.add_argument_group("policy")
    source = group.add_mutually_exclusive_group()
    source.add_argument("--config", type=Path, metavar="FILE", help="settings file; only its policy is read")
    source.add_argument("--profile", choices=PROFILES, help="a ready profile by name (default careful)")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        dest="changes",
        metavar="KEY=VALUE",
        help="change a setting of the policy, such as stop.buffer_percent=3, any number of times",
    )
    group.add_argument(
        "--grid", metavar="KEYS", help='settings side by side: "stop.buffer_percent=1,2,3;tiers.watch_percent=3,5"'
    )
    group.add_argument("--jobs", type=whole_number, default=2, metavar="N", help="processes of a grid (default 2)")


def _add_positions(backtest: argparse.ArgumentParser) -> None:
    group = backtest.add_argument_group("positions")
    group.add_argument("--side", choices=("long", "short", "both"), default="both", help="default both")
    group.add_argument("--leverage", default="10", metavar="X[,X]", help="default 10; each is played on its own")
    group.add_argument("--margin", choices=("isolated", "cross", "both"), default="isolated", help="default isolated")
    group.add_argument("--equity", default="1", metavar="XBT", help="of each account, at the start of each round")
    group.add_argument(
        "--size", default="20", metavar="PERCENT", help="of equity, as margin of an isolated position (default 20)"
    )
    group.add_argument("--hold-hours", default="24", metavar="N", help="then the bot closes by itself (default 24)")
    group.add_argument(
        "--again-hours", default="1", metavar="N", help="from a stop or liquidation to the next entry (default 1)"
    )
    group.add_argument(
        "--warm-up-minutes", type=whole_number, default=5, metavar="N", help="before the first entry (default 5)"
    )
    group.add_argument(
        "--lift-hours",
        default="0",
        metavar="N",
        help="a person lifts latches (freeze, flatten) N hours after they were set; 0: nobody does (default)",
    )
    group.add_argument(
        "--positions", type=Path, metavar="FILE", help="positions of your own, TOML or JSON, instead of the bot's"
    )


def _add_output(backtest: argparse.ArgumentParser) -> None:
    group = backtest.add_argument_group("output")
    group.add_argument("--json", type=Path, metavar="FILE", help="all figures for machines; - for standard output")
    group.add_argument("--html", type=Path, metavar="FILE", help="one page with pictures")
    group.add_argument(
        "--progress",
        choices=("auto", "line", "json", "none"),
        default="auto",
        help="on standard error; auto: a live line at a terminal, nothing in a pipe",
    )


def _backtest(options: argparse.Namespace) -> int:
    from daemon.backtest.asked import BacktestOptions
    from daemon.backtest.command import run_backtest

    given = {name: value for name, value in vars(options).items() if name != "command"}
    return run_backtest(BacktestOptions(**{**given, "changes": tuple(options.changes)}))
