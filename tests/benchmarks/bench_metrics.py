"""A page of metrics of 1, 100 and 1,000 positions: processor time, longest piece of the loop's time, size.

The longest piece is what a stop that has to go out may wait for; the page as it is served pauses between pieces. The
second table says what counting adds to a decision.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from time import perf_counter, process_time, thread_time

from daemon.core.ledger import StreamFacts
from daemon.core.state import GuardState
from daemon.core.step import step
from daemon.shell.metrics.meter import Meter
from daemon.shell.metrics.page import Page
from daemon.shell.metrics.rendering import pieces
from daemon.shell.metrics.snapshot import JournalFigures, Running, Snapshot
from tests.benchmarks.bench_core_step import events_of, guarding
from tests.benchmarks.measure import median_costs, print_table

SIZES = (1, 100, 1_000)
ROUNDS = 7


def snapshot_of(state: GuardState) -> Snapshot:
    """Return a snapshot of an open guard, with nothing told by its streams lately."""
    known = {"samples": 10_000, "hourly_percent": Decimal("0.5")}
    estimate = {symbol: replace(each, **known) for symbol, each in state.volatility.items()}
    running = Running(
        state=replace(state, volatility=estimate),
        market=StreamFacts(),
        account=StreamFacts(),
        live={"market": True, "account": True},
        marks_received=1,
        marks_told=1,
        journal=JournalFigures(records=1, waiting=0, lag_s=0, is_ok=True),
    )
    counts = Meter().read(state.now_ns)
    return Snapshot(
        now_ns=state.now_ns, version="bench", venue="testnet", started_ns=state.now_ns, counts=counts, running=running
    )


def longest_piece_s(snapshot: Snapshot) -> float:
    """Render a page and return how long its longest piece took."""
    longest_s, begun_s = 0.0, thread_time()
    for _ in pieces(snapshot):
        longest_s = max(longest_s, thread_time() - begun_s)
        begun_s = thread_time()
    return longest_s


async def served_s(snapshot: Snapshot) -> float:
    """Return how long a scraper waits for its page while nothing else runs."""
    begun_s = perf_counter()
    _ = await Page(lambda: snapshot).text()
    return perf_counter() - begun_s


def row_of(count: int) -> tuple[str, float, float, float, float]:
    """Return one line of the table."""
    snapshot = snapshot_of(guarding(count).state)
    costs, longest = [], []
    for _ in range(ROUNDS):
        begun_s = process_time()
        page = b"".join(pieces(snapshot))
        costs.append(process_time() - begun_s)
        longest.append(longest_piece_s(snapshot))
    waits = min(asyncio.run(served_s(snapshot)) for _ in range(3))
    return f"{count:,}", sorted(costs)[ROUNDS // 2] * 1e3, min(longest) * 1e3, waits * 1e3, len(page) / 1e3


def counting_row(count: int) -> tuple[str, float, float, float]:
    """Return what a decision about a mark costs, and what counting it costs."""
    guard, meter = guarding(count), Meter()
    before, event = guard.state, events_of(guard)["MarkSeen"]
    outcome = step(before, event)
    costs = median_costs(
        {"decide": lambda: step(before, event), "count": lambda: meter.decided(event, before, outcome)}, rounds=ROUNDS
    )
    return f"{count:,}", costs["decide"], costs["count"], costs["count"] / costs["decide"]


if __name__ == "__main__":
    columns = ["positions", "CPU ms a page", "longest piece, ms", "scraper waits, ms", "kB"]
    print_table("a page of metrics", columns, [row_of(count) for count in SIZES])
    columns = ["positions", "decide", "count it", "count to decide"]
    print_table("a mark outside its band, CPU us", columns, [counting_row(count) for count in SIZES])
