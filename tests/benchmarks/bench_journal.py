"""The journal: what a decision pays on its path, and what the disk does beside it.

On the path an event is numbered, encoded, checked and handed to the writing thread. Beside it that thread hangs the
records on the chain and writes groups, each made durable with one `fdatasync`. The floor is the same bytes written and
synchronised one by one, which is what a decision would pay if it waited for the disk.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec

from daemon.app import _after_the_request
from daemon.core.events import HealthTicked, MarkSeen, PositionSeen, Source
from daemon.shell.journal import Journal
from daemon.shell.journal_file import JournalFile, Wake
from daemon.shell.records import NO_CHAIN, encode_event, sealed
from tests.benchmarks.measure import median_costs, print_costs, print_table, quantile
from tests.builders import START_NS, a_position

MARK = MarkSeen(at_ns=START_NS, symbol="XBTUSDT", price=Decimal("63211.5"))
TICK = HealthTicked(at_ns=START_NS, market_age_ns=1, account_age_ns=1, loop_lag_ns=1, clock_skew_ns=1)
ROW = PositionSeen(at_ns=START_NS, position=a_position(), source=Source.STREAM)
SINGLES, BURST = 200, 2_000
RATE_S, RATED = 0.001, 1_000


def path_costs(folder: Path) -> None:
    """Print what one record costs the thread that decides."""
    file = JournalFile(folder / "path")
    file.start()
    journal = Journal(file, first_seq=1, version="bench")
    journal.begin_segment({})
    line, before = encode_event(1, MARK), NO_CHAIN.encode()
    costs = median_costs(
        {
            "floor: msgspec.json.encode": lambda: msgspec.json.encode(MARK),
            "record: number, encode, CRC": lambda: encode_event(1, MARK),
            "beside the path: chain": lambda: sealed(line, before),
            "append a mark": lambda: journal.append_event(MARK),
            "append a tick": lambda: journal.append_event(TICK),
            "append a position row": lambda: journal.append_event(ROW),
        },
        rounds=5,
    )
    file.close()
    written = len(sealed(line, before)[0])
    print_costs(f"journal, CPU us a record ({len(line)} B, {written} B as written)", costs, floor="append a mark")


def write_one_by_one(folder: Path) -> list[float]:
    """Return the microseconds of each record that is written and synchronised alone."""
    line = encode_event(1, MARK)
    descriptor = os.open(folder / "floor", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write() -> None:
        os.write(descriptor, line)
        os.fdatasync(descriptor)

    try:
        return [_wall_us(write) for _ in range(SINGLES)]
    finally:
        os.close(descriptor)


def durable_one_by_one(folder: Path) -> list[float]:
    """Return the microseconds from handing a record over to knowing that it is on disk."""
    with_file = _Open(folder / "single")

    def append() -> None:
        with_file.journal.append_event(MARK)
        assert with_file.file.wait_durable(5)

    times = [_wall_us(append) for _ in range(SINGLES)]
    with_file.file.close()
    return times


class _Open:
    """A journal that runs, with its first segment on disk."""

    def __init__(self, folder: Path, wake_later: Callable[[Wake], object] | None = None) -> None:
        self.file = JournalFile(folder) if wake_later is None else JournalFile(folder, wake_later=wake_later)
        self.file.start()
        self.journal = Journal(self.file, first_seq=1, version="bench")
        self.journal.begin_segment({})
        assert self.file.wait_durable(5)
        self.before = self.file.groups_written

    @property
    def groups(self) -> int:
        """Groups written since."""
        return self.file.groups_written - self.before


def burst(folder: Path) -> tuple[float, int]:
    """Return the microseconds a record and the groups of many records at once."""
    opened = _Open(folder / "burst")

    def append() -> None:
        for _ in range(BURST):
            opened.journal.append_event(MARK)
        assert opened.file.wait_durable(30)

    took_us = _wall_us(append)
    opened.file.close()
    return took_us / BURST, opened.groups


async def steady(folder: Path, wake_later: Callable[[Wake], object] | None) -> tuple[float, float, int]:
    """Return p50 and p99 of an append at a thousand a second with the disk at work, and the groups."""
    opened = _Open(folder, wake_later)
    times = []
    for _ in range(RATED):
        times.append(_wall_us(lambda: opened.journal.append_event(MARK)))
        await asyncio.sleep(RATE_S)
    assert await asyncio.to_thread(opened.file.wait_durable, 5)
    opened.file.close()
    return statistics.median(times), quantile(times, 0.99), opened.groups


def _wall_us(action: Callable[[], object]) -> float:
    started_ns = time.perf_counter_ns()
    action()
    return (time.perf_counter_ns() - started_ns) / 1e3


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        path_costs(folder)
        floor, ours = write_one_by_one(folder), durable_one_by_one(folder)
        each_us, groups = burst(folder)
        at_once = asyncio.run(steady(folder / "at-once", None))
        later = asyncio.run(steady(folder / "later", _after_the_request))
    base = statistics.median(floor)
    rows = [
        ("floor: write + fdatasync, each alone", base, quantile(floor, 0.99), 1.0, SINGLES),
        ("durable, each alone (hand-over, thread, sync)", *_summary(ours), statistics.median(ours) / base, SINGLES),
        (f"durable, {BURST:,} at once, a record", each_us, "", each_us / base, groups),
        ("append at 1,000 a second, thread woken at once", *at_once[:2], at_once[0] / base, at_once[2]),
        ("append at 1,000 a second, woken later as in the daemon", *later[:2], later[0] / base, later[2]),
    ]
    print_table("journal, wall us", ["", "p50", "p99", "ratio", "syncs"], rows)


def _summary(times: list[float]) -> tuple[float, float]:
    return statistics.median(times), quantile(times, 0.99)


if __name__ == "__main__":
    main()
