"""`seawall stress`: reads an account, walks it through the moves, shows what happens."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from daemon.exit_codes import CommandFailed, ExitCode
from daemon.stress.account import Account, Stress
from daemon.stress.file import read_account
from daemon.stress.moves import NothingMoves, stress
from daemon.stress.page import page_html
from daemon.stress.words import as_fields, in_words
from daemon.wire_rows import RowsUnusable

_encode = msgspec.json.Encoder(decimal_format="number").encode


def run_stress(options: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        CommandFailed: If the account cannot be read or holds nothing that moves.
    """
    if options.live and options.config is None:
        raise CommandFailed("--live needs --config: the exchange and the keys to ask it with", ExitCode.USAGE)
    try:
        account = _account(options)
        found = stress(
            account,
            symbols=options.symbol,
            underlying=options.underlying,
            step_percent=options.step,
            most_percent=options.most,
            slippage_percent=options.slippage,
        )
    except (RowsUnusable, NothingMoves) as error:
        raise CommandFailed(str(error), ExitCode.BAD_INPUT) from error
    if options.html is not None:
        _write_page(options.html, found)
    sys.stdout.write((_encode(as_fields(found)).decode() if options.as_json else in_words(found)) + "\n")
    return ExitCode.OK


def _account(options: argparse.Namespace) -> Account:
    if options.file is not None:
        return read_account(options.file)
    from daemon.stress.sources import daemon_account, live_account  # noqa: PLC0415 - a file needs no network

    return live_account(options.config) if options.live else daemon_account(options.config, options.socket)


def _write_page(path: Path, found: Stress) -> None:
    try:
        path.write_text(page_html(found), encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{path}: cannot be written: {error.strerror or error}", ExitCode.BAD_INPUT) from error
