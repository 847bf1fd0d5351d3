"""The options of `seawall exchange`, by what they are about.

Nothing of the exchange is imported here, so that `--help` is instant.
"""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called
from __future__ import annotations

import argparse
from pathlib import Path

from daemon.arguments import Commands, account_count, add_command, add_json, add_tape, balances, port_number

_CLOCK = (
    "protocol time: real (default), or that of the tape: rows are stamped with it and timers run on it, it moves with "
    "the tape's steps at any --speed; while the tape stands, it does too, and nothing moves: the same requests at the "
    "same steps give the same bytes; signatures and request limits keep to real time"
)


def add_exchange(commands: Commands) -> None:
    """Add the command with its options and what can be done instead of serving."""
    exchange = add_command(
        commands,
        "exchange",
        "run the embedded exchange, which speaks BitMEX's protocol on loopback",
        "Serves REST and WebSocket on 127.0.0.1, with accounts, keys, margin and liquidation, and plays prices from a "
        "built-in scenario, a scenario file or a candle file.",
        "  seawall exchange --json\n"
        "  seawall exchange --port 8800 --limits off --scenario crash --speed 20\n"
        "  seawall exchange --candles history.csv.gz --from 2020-03-12 --to 2020-03-13 --speed fit:60\n"
        "  seawall exchange --state day/ --record day.jsonl --switch unknown_cancel_is_404=on\n"
        "  seawall exchange switches",
    )
    _add_addresses(exchange)
    _add_prices(exchange)
    _add_listing(exchange)
    _add_accounts(exchange)
    _add_memory(exchange)
    _add_behaviour(exchange)
    exchange.set_defaults(command=_serve)
    others = exchange.add_subparsers(title="instead of serving", metavar="[COMMAND]")
    _add_compare(others)
    _add_switches(others)
    _add_scenarios(others)
    _add_fault(others)


def _add_addresses(exchange: argparse.ArgumentParser) -> None:
    group = exchange.add_argument_group("addresses, always on 127.0.0.1")
    group.add_argument(
        "--port", type=port_number, default=0, metavar="N", help="REST and WebSocket; 0 takes a free one"
    )
    group.add_argument("--control-port", type=port_number, default=0, metavar="N", help="control API; 0: a free one")
    add_json(group, "first line of output is one JSON object with addresses and keys; no live line")


def _add_prices(exchange: argparse.ArgumentParser) -> None:
    group = exchange.add_argument_group("prices and time")
    source = add_tape(
        group,
        "built-in history (calm, crash, flash-crash, squeeze, gap, grind) or scenario file (default calm)",
    )
    source.add_argument(
        "--market", type=Path, metavar="FILE", help="play a recorded session, or recorded trades, as the market"
    )
    group.add_argument("--pick-day", action="store_true", help="of a longer candle file play the most violent day only")
    group.add_argument(
        "--start-paused", action="store_true", help="publish first prices, then wait for the control API"
    )
    group.add_argument("--clock", choices=("real", "tape"), default="real", help=_CLOCK)


def _add_listing(exchange: argparse.ArgumentParser) -> None:
    group = exchange.add_argument_group("instruments")
    group.add_argument(
        "--listing",
        choices=("venue", "majors"),
        default="venue",
        help="everything the venue lists on the day (default), or XBTUSD, XBTUSDT, ETHUSD and XBTH27 only",
    )
    group.add_argument(
        "--instruments",
        type=Path,
        metavar="FILE",
        help="list these instead: a reply of GET /instrument as JSON, or the same rows as CSV, plain or gzip",
    )


def _add_accounts(exchange: argparse.ArgumentParser) -> None:
    group = exchange.add_argument_group("accounts")
    group.add_argument("--accounts", type=account_count, default=1, metavar="N", help="funded accounts (default 1)")
    group.add_argument(
        "--balance",
        type=balances,
        default={},
        metavar="XBt=N,USDt=N",
        help="opening balances of each account in minor units (default: one XBT and 100,000 USDT)",
    )


def _add_memory(exchange: argparse.ArgumentParser) -> None:
    group = exchange.add_argument_group("what is kept")
    group.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="keep everything there, to go on after a restart; a snapshot and the inputs since, bounded in size",
    )
    group.add_argument(
        "--snapshot",
        type=Path,
        metavar="FILE",
        help="begin with this state (POST /snapshot of the control API, or snapshot.json of a state directory), under "
        "the same options it was made with",
    )
    group.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="write every request, answer and frame to a new file, secrets hidden",
    )


def _add_behaviour(exchange: argparse.ArgumentParser) -> None:
    group = exchange.add_argument_group("behaviour")
    group.add_argument(
        "--rows", choices=("full", "sparse"), default="full", help="empty columns: null (default), or left out"
    )
    group.add_argument(
        "--limits", choices=("on", "off"), default="on", help="enforce the venue's request limits (default on)"
    )
    group.add_argument(
        "--switch",
        action="append",
        default=[],
        dest="switches",
        metavar="NAME=VALUE",
        help="choose where the real venue's behaviour is not known, any number of times; `seawall exchange switches` "
        "lists all",
    )


def _add_compare(commands: Commands) -> None:
    compare = add_command(
        commands,
        "compare",
        "say where two snapshots differ",
        "Prints one line for each place where two snapshots differ; its exit code says whether they do.",
        "  seawall exchange compare before.json state/snapshot.json",
    )
    compare.add_argument("left", type=Path, metavar="A", help="a snapshot")
    compare.add_argument("right", type=Path, metavar="B", help="another")
    compare.set_defaults(command=_compare)


def _add_switches(commands: Commands) -> None:
    switches = add_command(
        commands,
        "switches",
        "list what can be chosen with --switch",
        "Lists every choice where the real venue's behaviour is not known or was another at other times.",
        "  seawall exchange switches",
    )
    switches.set_defaults(command=_list_switches)


def _add_scenarios(commands: Commands) -> None:
    scenarios = add_command(
        commands,
        "scenarios",
        "list what --scenario takes by name",
        "Lists the built-in histories and the scenario files that come with Seawall.",
        "  seawall exchange scenarios",
    )
    scenarios.set_defaults(command=_list_scenarios)


def _add_fault(commands: Commands) -> None:
    fault = add_command(
        commands,
        "fault",
        "break something in a running exchange, and mend it",
        "Sets and clears faults of the running exchange: lost requests, blind streams, stops that do not fire, halts.",
        "  seawall exchange fault list\n"
        "  seawall exchange fault set reply-lost verb=POST path=/order count=1\n"
        "  seawall exchange fault set stream-mute duration_ms=30000\n"
        "  seawall exchange fault clear reply-lost",
    )
    what = fault.add_subparsers(title="what to do", metavar="COMMAND", required=True)
    shown = add_command(what, "list", "what is set, and what can be", "Lists both.", "  seawall exchange fault list")
    add_json(shown)
    put = add_command(what, "set", "set a fault", "Sets one.", "  seawall exchange fault set overload probability=0.5")
    put.add_argument("name", metavar="NAME", help="which fault; `list` shows all")
    put.add_argument(
        "pairs", nargs="*", default=[], metavar="KEY=VALUE", help="whom it meets, how often, how long, parameters"
    )
    cleared = add_command(what, "clear", "clear faults", "Clears some or all.", "  seawall exchange fault clear")
    cleared.add_argument("name", nargs="?", metavar="NAME", help="name or number; all if left out")
    for one, run in ((shown, _list_faults), (put, _set_fault), (cleared, _clear_faults)):
        one.add_argument("--control", metavar="URL", help="control API of the exchange; needed if several are running")
        one.set_defaults(command=run)


def _serve(options: argparse.Namespace) -> int:
    from daemon.exchange.command import run_embedded_exchange

    return run_embedded_exchange(options)


def _compare(options: argparse.Namespace) -> int:
    from daemon.exchange.compare import compare

    return compare(options.left, options.right)


def _list_scenarios(_: argparse.Namespace) -> int:
    from daemon.exchange.scenarios import write_scenarios

    return write_scenarios()


def _list_faults(options: argparse.Namespace) -> int:
    from daemon.exchange.fault import list_faults

    return list_faults(options.control, as_json=options.as_json)


def _set_fault(options: argparse.Namespace) -> int:
    from daemon.exchange.fault import set_fault

    return set_fault(options.control, options.name, options.pairs)


def _clear_faults(options: argparse.Namespace) -> int:
    from daemon.exchange.fault import clear_faults

    return clear_faults(options.control, options.name)


def _list_switches(_: argparse.Namespace) -> int:
    from daemon.exchange.switches import write_switches

    return write_switches()
