"""What commands share on the command line: how they are added, options of several, values read and checked."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeAlias

from daemon.exit_codes import CommandFailed, ExitCode

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - argparse gives it no public name
Options = argparse.ArgumentParser | argparse._ArgumentGroup  # noqa: SLF001 - likewise

MOST_ACCOUNTS: Final = 1_000
"""Each account is kept whole in memory and announced at the start; far more than anybody tries at once."""


def whole_number(text: str) -> int:
    """Read a whole number from 0 up.

    Raises:
        argparse.ArgumentTypeError: If it is none.
    """
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 up, not {text!r}")
    return int(text)


def port_number(text: str) -> int:
    """Read a port number, 0 meaning "any free one".

    Raises:
        argparse.ArgumentTypeError: If it is none.
    """
    number = whole_number(text)
    if number > 65_535:
        raise argparse.ArgumentTypeError(f"must be a port from 0 to 65535, not {number}")
    return number


def account_count(text: str) -> int:
    """Read how many accounts to fund, one at least.

    Raises:
        argparse.ArgumentTypeError: If it is no such number.
    """
    number = whole_number(text)
    if not 1 <= number <= MOST_ACCOUNTS:
        raise argparse.ArgumentTypeError(f"must be from 1 to {MOST_ACCOUNTS}, not {number}")
    return number


def balances(text: str) -> dict[str, int]:
    """Read "XBt=100000000,USDt=5000000" as minor units by currency.

    Raises:
        argparse.ArgumentTypeError: If it is not of this form.
    """
    read: dict[str, int] = {}
    for part in text.split(","):
        currency, sign, amount = part.partition("=")
        if currency not in {"XBt", "USDt"} or not sign:
            raise argparse.ArgumentTypeError(f"must be like XBt=100000000,USDt=5000000, not {text!r}")
        read[currency] = whole_number(amount)
    return read


def add_command(
    commands: Commands, name: str, title: str, description: str, examples: str, *, aliases: Sequence[str] = ()
) -> argparse.ArgumentParser:
    """Add a command whose help ends in examples."""
    return commands.add_parser(
        name,
        aliases=aliases,
        help=title,
        description=textwrap.fill(description, 100),
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_json(options: Options, title: str = "one JSON object instead of text") -> None:
    """Add `--json`."""
    options.add_argument("--json", dest="as_json", action="store_true", help=title)


def add_tape(
    options: Options, title: str, *, default: str = "calm", choices: Sequence[str] | None = None
) -> argparse._MutuallyExclusiveGroup:
    """Add what is played: a scenario or candles, which part of them, and how fast; return the group of the sources."""
    source = options.add_mutually_exclusive_group()
    metavar = None if choices else "NAME"
    source.add_argument("--scenario", choices=choices, default=default, metavar=metavar, help=title)
    source.add_argument("--candles", type=Path, metavar="FILE", help="minute candles, CSV or CSV.gz")
    options.add_argument("--from", dest="since", metavar="TIME", help="first moment of the candle file, UTC")
    options.add_argument("--to", dest="until", metavar="TIME", help="last moment of the candle file, UTC")
    options.add_argument(
        "--seed", type=whole_number, default=1, metavar="N", help="origin of everything random (default 1)"
    )
    options.add_argument("--speed", metavar="PACE", help="a factor (20), fit:SECONDS, or max")
    return source


def require_candles_for_range(options: argparse.Namespace) -> None:
    """A range of nothing is a slip (a forgotten --candles), not a wish for the built-in history.

    Raises:
        CommandFailed: If there is a range and no file.
    """
    if options.candles is not None:
        return
    if options.since or options.until:
        raise CommandFailed("--from and --to choose a part of a candle file: name it with --candles", ExitCode.USAGE)
    if getattr(options, "pick_day", False):  # `demo` picks one by itself
        raise CommandFailed("--pick-day chooses a day of a candle file: name it with --candles", ExitCode.USAGE)
