"""`seawall calc ...` on the command line: options only, so that `--help` is instant."""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called, so that --help is instant
from __future__ import annotations

import argparse
from pathlib import Path

from daemon.arguments import Commands, add_command, add_json
from daemon.calc import numbers

_KINDS = ("inverse", "linear", "quanto")
_FEES = ("maker", "taker")


def add_calc(commands: Commands) -> None:
    """Add `seawall calc` with its commands."""
    calc = add_command(
        commands,
        "calc",
        "liquidation price, profit, exit price, size, funding",
        "Calculators that run the arithmetic of the daemon: exact to the tick, fees and funding included. Needs no "
        "keys, no network, no running daemon.",
        "  seawall calc liquidation --symbol XBTUSD --side long --contracts 10_000 --entry 60000 --leverage 10\n"
        "  seawall calc size --symbol XBTUSD --equity 0.5 --risk-percent 2 --entry 60000 --stop 58500",
    )
    what = calc.add_subparsers(title="what to compute", metavar="COMMAND", required=True)
    for add in (_add_liquidation, _add_pnl, _add_target, _add_size, _add_funding, _add_row):
        add(what)


def _add_liquidation(commands: Commands) -> None:
    one = add_command(
        commands,
        "liquidation",
        "where a position is liquidated, how sure that is, what moves it",
        "Liquidation and bankruptcy price of one position, as the exchange would show them just after it was opened.",
        "  seawall calc liquidation --symbol XBTUSD --side long --contracts 10_000 --entry 60000 --leverage 10\n"
        "  seawall calc liquidation --symbol ETHUSDT --side short --contracts 1_000_000 --entry 2500 "
        "--margin 5000 --mark 2450\n"
        "  seawall calc liquidation --symbol XBTUSD --side short --contracts 20_000 --entry 60000 "
        "--cross --balance 0.1\n"
        "  seawall calc liquidation --kind linear --multiplier 10 --lot-size 1000 --tick-size 0.05 \\\n"
        "      --maintenance-margin 1% --initial-margin 2% --funding-rate 0.0001 \\\n"
        "      --side long --contracts 4000 --entry 2000 --leverage 5",
    )
    _add_position(one)
    backing = one.add_argument_group("what backs it (one of the three)")
    way = backing.add_mutually_exclusive_group()
    way.add_argument("--leverage", type=numbers.positive, metavar="X", help="isolated at this leverage")
    way.add_argument("--margin", type=numbers.positive, metavar="AMOUNT", help="isolated with this margin (XBT, USDT)")
    way.add_argument("--cross", action="store_true", help="the whole wallet; needs --balance")
    backing.add_argument("--balance", type=numbers.positive, metavar="AMOUNT", help="wallet balance (XBT, USDT)")
    backing.add_argument(
        "--order-margin", type=numbers.not_negative, metavar="AMOUNT", help="what open orders hold of it (XBT, USDT)"
    )
    one.add_argument("--mark", type=numbers.positive, metavar="PRICE", help="mark price, for the room left")
    _finish(one, "calc_liquidation", "daemon.calc.liquidation")


def _add_pnl(commands: Commands) -> None:
    one = add_command(
        commands,
        "pnl",
        "profit of a trade after fees and funding, and the return on margin",
        "What a trade leaves after both fees and the funding of the time it was held, in the settlement currency and "
        "in dollars, and the price at which it would break even.",
        "  seawall calc pnl --symbol XBTUSD --side long --contracts 10_000 --entry 60000 --exit 63000 --leverage 10\n"
        "  seawall calc pnl --symbol ETHUSD --side short --contracts 300 --entry 2500 --exit 2400 --leverage 5 \\\n"
        "      --xbt-price 60000 --hours 24 --funding-rate 0.01%",
    )
    _add_position(one)
    one.add_argument("--exit", type=numbers.positive, required=True, metavar="PRICE", help="price of the closing trade")
    _add_trade(one)
    _finish(one, "calc_pnl", "daemon.calc.pnl")


def _add_target(commands: Commands) -> None:
    one = add_command(
        commands,
        "target",
        "exit price for a wanted return or profit",
        "The first price on the tick grid at which the return on margin, or the profit, is at least the wanted one "
        "after fees and funding.",
        "  seawall calc target --symbol XBTUSD --side long --contracts 10_000 --entry 60000 --leverage 10 "
        "--return-percent 20\n"
        "  seawall calc target --symbol XBTUSDT --side short --contracts 1000 --entry 60000 --profit 50",
    )
    _add_position(one)
    goal = one.add_mutually_exclusive_group(required=True)
    goal.add_argument("--return-percent", type=numbers.number, metavar="P", help="wanted return on the initial margin")
    goal.add_argument("--profit", type=numbers.number, metavar="AMOUNT", help="wanted profit (XBT, USDT)")
    _add_trade(one)
    _finish(one, "calc_target", "daemon.calc.pnl")


def _add_size(commands: Commands) -> None:
    one = add_command(
        commands,
        "size",
        "how many contracts a risk allows, given entry and stop",
        "The largest size, whole lots, whose loss at the stop is within the risk: both fees and the slippage of the "
        "stop included, never more.",
        "  seawall calc size --symbol XBTUSD --equity 0.5 --risk-percent 2 --entry 60000 --stop 58500\n"
        "  seawall calc size --symbol XBTUSDT --equity 10_000 --risk 150 --entry 60000 --stop 61000 --leverage 5",
    )
    _add_contract(one)
    one.add_argument("--side", choices=("long", "short"), help="to be sure: follows from entry and stop")
    one.add_argument("--equity", type=numbers.positive, required=True, metavar="AMOUNT", help="equity (XBT, USDT)")
    risk = one.add_mutually_exclusive_group(required=True)
    risk.add_argument("--risk-percent", type=numbers.share, metavar="P", help="what may be lost, percent of the equity")
    risk.add_argument("--risk", type=numbers.positive, metavar="AMOUNT", help="what may be lost (XBT, USDT)")
    one.add_argument(
        "--entry", type=numbers.positive, required=True, metavar="PRICE", help="price of the opening trade"
    )
    one.add_argument("--stop", type=numbers.positive, required=True, metavar="PRICE", help="trigger of the stop")
    one.add_argument(
        "--slippage",
        type=numbers.share,
        default=numbers.share("0.1"),
        metavar="P",
        help="how much worse than its trigger the stop is filled, percent (default 0.1)",
    )
    one.add_argument("--entry-fee", choices=_FEES, default="taker", help="which fee the entry pays (default taker)")
    one.add_argument(
        "--leverage", type=numbers.positive, metavar="X", help="isolated at this leverage (default: cross, all equity)"
    )
    _finish(one, "calc_size", "daemon.calc.size")


def _add_funding(commands: Commands) -> None:
    one = add_command(
        commands,
        "funding",
        "what holding a position costs",
        "Funding of a position: each payment, a day, a year, as a share of its worth and of its margin.",
        "  seawall calc funding --symbol XBTUSD --side long --contracts 10_000 --mark 60000 --funding-rate 0.01%\n"
        "  seawall calc funding --symbol XBTUSD --side long --contracts 10_000 --leverage 10 "
        "--url http://127.0.0.1:8800",
    )
    _add_contract(one)
    one.add_argument("--side", choices=("long", "short"), required=True, help="direction of the position")
    one.add_argument("--contracts", type=numbers.contracts, required=True, metavar="N", help="size")
    one.add_argument("--mark", type=numbers.positive, metavar="PRICE", help="mark price; the exchange's if left out")
    one.add_argument("--leverage", type=numbers.positive, metavar="X", help="for the share of the margin")
    _finish(one, "calc_funding", "daemon.calc.funding")


def _add_row(commands: Commands) -> None:
    one = add_command(
        commands,
        "row",
        "our figures beside the exchange's, for recorded rows",
        "Reads objects of an instrument, a position and a margin row (or null), one a line, and writes one JSON line "
        "for each: our liquidation and bankruptcy price, what the exchange said, the difference, and how sure we are.",
        "  seawall calc row rows.jsonl\n  seawall calc row rows.jsonl --summary\n  cat rows.jsonl | seawall calc row -",
    )
    one.add_argument(
        "file", type=Path, metavar="FILE", help="one JSON object a line, plain or gzip; - for standard input"
    )
    one.add_argument("--summary", action="store_true", help="instead: how many came out to the tick, by type")
    one.set_defaults(command=_row)


def _row(options: argparse.Namespace) -> int:
    from daemon.calc.row import write_rows

    return write_rows(options.file, summary=options.summary)


def _add_position(command: argparse.ArgumentParser) -> None:
    _add_contract(command)
    command.add_argument("--side", choices=("long", "short"), required=True, help="direction of the position")
    command.add_argument("--contracts", type=numbers.contracts, required=True, metavar="N", help="size")
    command.add_argument("--entry", type=numbers.positive, required=True, metavar="PRICE", help="(average) entry price")


def _add_trade(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--leverage",
        type=numbers.positive,
        default=numbers.positive("1"),
        metavar="X",
        help="for the return (default 1)",
    )
    command.add_argument("--entry-fee", choices=_FEES, default="taker", help="which fee the entry pays (default taker)")
    command.add_argument("--exit-fee", choices=_FEES, default="taker", help="which fee the exit pays (default taker)")
    command.add_argument(
        "--hours", type=numbers.not_negative, metavar="H", help="how long it is held: funding stamps are counted"
    )
    command.add_argument(
        "--xbt-price", type=numbers.positive, metavar="PRICE", help="dollars per XBT, for the profit in dollars"
    )


def _add_contract(command: argparse.ArgumentParser) -> None:
    symbol = command.add_argument_group("the contract: by symbol")
    symbol.add_argument("--symbol", metavar="NAME", help="figures of the built-in table, or of:")
    source = symbol.add_mutually_exclusive_group()
    source.add_argument("--instruments", type=Path, metavar="FILE", help="saved GET /instrument, JSON or CSV")
    source.add_argument("--url", metavar="URL", help="an exchange, such as http://127.0.0.1:8800")
    source.add_argument("--config", type=Path, metavar="FILE", help="the exchange that these settings name")
    figures = command.add_argument_group("the contract: by figures (fees and margins also go before the symbol's)")
    figures.add_argument("--kind", choices=_KINDS, help="which profit formula")
    figures.add_argument("--multiplier", type=numbers.multiplier, metavar="N", help="minor units; inverse: below 0")
    figures.add_argument("--lot-size", type=numbers.contracts, metavar="N", help="contracts of one lot (default 1)")
    figures.add_argument("--tick-size", type=numbers.positive, metavar="T", help="price step")
    figures.add_argument("--max-price", type=numbers.positive, metavar="PRICE", help="highest price (default 1000000)")
    figures.add_argument("--settle", choices=("XBt", "USDt"), help="settlement currency (default by kind)")
    rate = numbers.rate
    figures.add_argument("--initial-margin", dest="initial_margin_ratio", type=rate, metavar="R", help="default 1%%")
    figures.add_argument("--maintenance-margin", dest="maintenance_margin_ratio", type=rate, metavar="R", help="0.5%%")
    figures.add_argument("--taker-fee", type=rate, metavar="R", help="default 0.05%%")
    figures.add_argument("--maker-fee", type=rate, metavar="R", help="below 0: a rebate (default 0)")
    figures.add_argument("--funding-rate", type=rate, metavar="R", help="charged next; above 0 longs pay")


def _finish(command: argparse.ArgumentParser, function: str, module: str) -> None:
    add_json(command)

    def run(options: argparse.Namespace) -> int:
        from importlib import import_module

        return int(getattr(import_module(module), function)(options))

    command.set_defaults(command=run)
