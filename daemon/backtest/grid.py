"""Settings side by side: each combination is a run of its own, in processes that share nothing.

Why processes: a run is one thread of pure Python. They are started anew (not forked), so nothing of this one is in
them.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context

from daemon.backtest.asked import BacktestOptions
from daemon.backtest.history import History, load_history
from daemon.backtest.plan import Plan
from daemon.backtest.play import play
from daemon.backtest.progress import ProgressShown, shown_progress
from daemon.backtest.record import RunRecord
from daemon.backtest.settings import Cell
from daemon.exit_codes import CommandFailed, ExitCode


def play_grid(options: BacktestOptions, cells: list[Cell], history: History) -> list[RunRecord]:
    """Play every cell over the same history; return their records in the order of the cells.

    Raises:
        CommandFailed: If a process was ended from outside.
    """
    jobs = max(1, min(options.jobs, len(cells)))
    with _shown(options, len(cells)) as shown:
        if jobs == 1:
            return [_counted(play(history, cell.plan), number, shown) for number, cell in enumerate(cells, start=1)]
        return _in_processes(options, cells, jobs, shown)


def _in_processes(
    options: BacktestOptions, cells: list[Cell], jobs: int, shown: ProgressShown | None
) -> list[RunRecord]:
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        with _deaf_to_interrupts():
            futures = [pool.submit(play_cell, options, cell.plan) for cell in cells]
        try:
            for number, _ in enumerate(as_completed(futures), start=1):
                if shown is not None:
                    shown(number)
            return [future.result() for future in futures]
        except BrokenProcessPool as error:
            words = "a process of the grid was ended from outside (too little memory?); try --jobs 1"
            raise CommandFailed(words, ExitCode.BROKEN) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in active_children():
                process.terminate()
            raise


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Start processes that pass over an interrupt from the keyboard: this one ends them, without their tracebacks."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def play_cell(options: BacktestOptions, plan: Plan) -> RunRecord:
    """Play one cell in a process of its own, which reads the candles again."""
    return play(load_history(options.candles, since=options.since, until=options.until, seed=options.seed), plan)


def _counted(record: RunRecord, number: int, shown: ProgressShown | None) -> RunRecord:
    if shown is not None:
        shown(number)
    return record


@contextmanager
def _shown(options: BacktestOptions, cells: int) -> Iterator[ProgressShown | None]:
    shown = shown_progress(options.progress, start_ms=0, end_ms=cells, output=sys.stderr, counts="combinations")
    try:
        if shown is not None:
            shown(0)
        yield shown
    finally:
        if shown is not None:
            shown.end()
