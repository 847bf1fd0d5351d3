"""What the benchmarks share: interleaved medians, quantiles, and one shape of table.

Why interleaved: other work on the machine comes and goes, so the variants of one comparison take turns and the median
over the turns is kept. CPU-bound costs are taken from the thread's CPU clock, which others cannot stretch by much.

Units: microseconds.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence

ROUNDS = 11
LEAST_NS = 20_000_000
"""One turn of one variant lasts at least this long."""

Action = Callable[[], object]


def cpu_us(action: Action, calls: int) -> float:
    """Return the CPU time of one call in the calling thread, over so many calls."""
    started_ns = time.thread_time_ns()
    for _ in range(calls):
        action()
    return (time.thread_time_ns() - started_ns) / calls / 1_000


def median_costs(actions: Mapping[str, Action], *, rounds: int = ROUNDS) -> dict[str, float]:
    """Return the median CPU time of one call of each action; they take turns."""
    calls = {name: _enough_calls(action) for name, action in actions.items()}
    taken: dict[str, list[float]] = {name: [] for name in actions}
    gc.collect()
    for _ in range(rounds):
        for name, action in actions.items():
            taken[name].append(cpu_us(action, calls[name]))
    return {name: statistics.median(costs) for name, costs in taken.items()}


def _enough_calls(action: Action) -> int:
    calls = 1
    while cpu_us(action, calls) * calls * 1_000 < LEAST_NS:
        calls *= 4
    return calls


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table: the first column to the left, figures to the right."""
    texts = [[_text(cell) for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in [list(columns), *texts]) for at in range(len(columns))]
    lines = [title, *(_line(row, widths) for row in [list(columns), *texts]), ""]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def print_costs(title: str, costs: Mapping[str, float], *, floor: str) -> None:
    """Print microseconds, calls a second and the ratio to one of them."""
    rows = [(name, cost, f"{1e6 / cost:,.0f}", cost / costs[floor]) for name, cost in costs.items()]
    print_table(title, ["", "us", "per s", "ratio"], rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
    return "  " + "  ".join(cells)


def _text(cell: object) -> str:
    if not isinstance(cell, float):
        return str(cell)
    return f"{cell:.2f}" if cell < 100 else f"{cell:,.0f}"
