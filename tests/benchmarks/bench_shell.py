"""What the shell costs: a mark inside its band, a decision with its journal, and a recovery.

Prints microseconds for one mark inside its band (as it comes from the connector's sink), for one event through the
runner (journal, core, journal, outbox) on accounts of one and of a thousand positions, and milliseconds for a recovery.
"""

# ruff: noqa: T201 - a benchmark prints its figures
from __future__ import annotations

import asyncio
import tempfile
import timeit
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from time import perf_counter

from config.policy import Policy
from connectors.ports import Feed
from daemon.core.commands import SetBand
from daemon.core.events import HealthTicked, InstrumentSeen, MarkSeen, PositionSeen, Source, Started
from daemon.core.state import initial_state
from daemon.shell.bands import Bands
from daemon.shell.clock import SystemClock
from daemon.shell.inbox import Inbox
from daemon.shell.journal import Journal
from daemon.shell.journal_file import JournalFile
from daemon.shell.outbox import Outbox
from daemon.shell.recover import recover
from daemon.shell.runner import Runner
from tests.fakes import ACCOUNT, SECOND_NS, START_NS, a_long, an_instrument

ROUNDS, RUNS = 50_000, 7


def best_us(action: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    """Return the cost of one call in microseconds, the best of several runs."""
    return min(timeit.repeat(action, number=rounds, repeat=RUNS)) / rounds * 1e6


def mark_inside_band_us() -> float:
    """One frame's sign of life and one mark inside its band."""
    inbox = Inbox(clock=SystemClock(), take=lambda _event: None, bands=Bands())
    inbox.read_marks_with(lambda _frame, _symbol: Decimal(100))
    inbox.set_band(SetBand(symbol="X", low=Decimal(90), high=Decimal(110)))
    frame = b"frame"

    def one() -> None:
        inbox.feed_alive(Feed.MARKET, received_ns=1)
        inbox.mark_price("X", 100.5, frame, received_ns=1)

    return best_us(one)


class Bench:
    """A runner over a real journal, with so many positions."""

    def __init__(self, folder: Path, positions: int) -> None:
        self.folder = folder
        self.file = JournalFile(folder)
        self.file.start()
        self.outbox = Outbox()
        state = initial_state(ACCOUNT, Policy(observe=True))
        self.journal = Journal(self.file, first_seq=1, version="bench")
        self.journal.begin_segment(state)
        self.runner = Runner(state=state, journal=self.journal, outbox=self.outbox)
        self.now_ns = START_NS
        self.runner.take(Started(at_ns=START_NS, account=ACCOUNT))
        for number in range(positions):
            self._open(f"S{number}USD")

    def _open(self, symbol: str) -> None:
        position = a_long()
        position = replace(position, key=replace(position.key, symbol=symbol))
        self.runner.take(InstrumentSeen(at_ns=self.now_ns, instrument=an_instrument(symbol)))
        self.runner.take(MarkSeen(at_ns=self.now_ns, symbol=symbol, price=Decimal(60_000)))
        self.runner.take(PositionSeen(at_ns=self.now_ns, position=position, source=Source.STREAM))

    async def drain(self) -> None:
        """Take what was decided out of the queue."""
        while len(self.outbox):
            await self.outbox.wait_next()

    def mark(self) -> None:
        """One mark that left its band."""
        self.now_ns += 1_000_000
        self.runner.take(MarkSeen(at_ns=self.now_ns, symbol="S0USD", price=Decimal(60_001)))

    def tick(self) -> None:
        """One health tick."""
        self.now_ns += SECOND_NS // 1000
        self.runner.take(
            HealthTicked(at_ns=self.now_ns, market_age_ns=0, account_age_ns=0, loop_lag_ns=0, clock_skew_ns=0)
        )


def bytes_in(folder: Path) -> int:
    """Size of all segments."""
    return sum(path.stat().st_size for path in folder.iterdir())


async def measure(positions: int) -> None:
    """Print the figures of one size of account."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), positions)
        await bench.drain()
        for name, action in (("mark outside its band", bench.mark), ("health tick", bench.tick)):
            print(f"{name}, {positions} positions: {best_us(action, rounds=200):.0f} us an event")
            await bench.drain()
        bench.file.close()
        begun = perf_counter()
        recovered = recover(Path(folder))
        took_ms = (perf_counter() - begun) * 1e3
        size = bytes_in(Path(folder))
        assert recovered.state == bench.runner.state
        print(
            f"recovery, {positions} positions: {took_ms:.0f} ms ({bench.journal.records} records, {size / 1e6:.1f} MB)"
        )


if __name__ == "__main__":
    print(f"mark inside its band: {mark_inside_band_us():.2f} us")
    for count in (1, 1000):
        asyncio.run(measure(count))
