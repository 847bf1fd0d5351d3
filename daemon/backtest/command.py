"""`seawall backtest`: read, play, report. Exit code 0: no guarded position was liquidated, no order was unsafe."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from daemon.backtest.asked import BacktestOptions
from daemon.backtest.figures import figures
from daemon.backtest.grid import play_grid
from daemon.backtest.grid_report import grid_lines, grid_object, grid_page
from daemon.backtest.history import History, load_history
from daemon.backtest.page import page
from daemon.backtest.play import play
from daemon.backtest.progress import shown_progress
from daemon.backtest.record import RunRecord
from daemon.backtest.settings import cells_of, plan_of
from daemon.backtest.summary import as_object, summary_lines
from daemon.exit_codes import CommandFailed, ExitCode


def run_backtest(options: BacktestOptions) -> int:
    """Run the command; return its exit code.

    Raises:
        CommandFailed: If something given cannot be used.
    """
    for path in (options.json, options.html):
        _require_writable(path)
    history = load_history(options.candles, since=options.since, until=options.until, seed=options.seed)
    return _grid(options, history) if options.grid is not None else _one(options, history)


def _one(options: BacktestOptions, history: History) -> int:
    plan = plan_of(options, start_ms=history.start_ms, end_ms=history.end_ms)
    shown = shown_progress(options.progress, start_ms=history.start_ms, end_ms=history.end_ms)
    try:
        record = play(history, plan, shown)
    finally:
        if shown is not None:
            shown.end()
    _put_out(options, summary_lines(record), as_object(record))
    if options.html is not None:
        _write(options.html, page(record))
    return exit_code([record])


def _grid(options: BacktestOptions, history: History) -> int:
    plan = plan_of(options, start_ms=history.start_ms, end_ms=history.end_ms)
    cells = cells_of(options, plan)
    records = play_grid(options, cells, history)
    names = [cell.name for cell in cells]
    _put_out(options, grid_lines(names, records), grid_object(names, records))
    if options.html is not None:
        _write(options.html, grid_page(names, records))
    return exit_code(records)


def exit_code(records: list[RunRecord]) -> int:
    """Return what the exit code says of some runs: the gravest."""
    found = [figures(record.lanes) for record in records if not record.observes]
    if any(one.unsafe for one in found):
        return ExitCode.DEMO_LATE_OR_UNSAFE
    if any(one.guarded_liquidations for one in found):
        return ExitCode.DEMO_LIQUIDATED
    return ExitCode.OK


def _put_out(options: BacktestOptions, lines: list[str], found: dict[str, object]) -> None:
    text = json.dumps(found, indent=1)
    if options.json == Path("-"):
        sys.stdout.write(text + "\n")
        return
    if options.json is not None:
        _write(options.json, text + "\n")
    sys.stdout.write("\n".join(lines) + "\n")


def _require_writable(path: Path | None) -> None:
    """Refuse an output that cannot be written before anything is played, not after.

    Raises:
        CommandFailed: If it cannot.
    """
    if path is None or path == Path("-"):
        return
    if path.is_dir():
        raise CommandFailed(f"{path}: cannot be written: it is a directory", ExitCode.BAD_INPUT)
    if not path.absolute().parent.is_dir():
        raise CommandFailed(f"{path}: cannot be written: there is no such directory", ExitCode.BAD_INPUT)
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise CommandFailed(f"{path}: cannot be written: no permission", ExitCode.BAD_INPUT)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{path}: cannot be written: {error.strerror}", ExitCode.BAD_INPUT) from error
