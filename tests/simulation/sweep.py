"""Many worlds over all processors, `make sim SEEDS=1000 START=7`; or one, line by line, `make sim SEED=7 TRACE=1`.

Why: no fixed set finds what nobody thought of. A sweep plays fresh seeds, tells how far it is, makes each failure
small, prints what led to it and the one command that repeats it, and in the end how much was lived and how densely.

Exit status: 0 when every promise held, 1 when one broke, 2 for arguments that make no sense.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace

from tests.simulation.plans import MINUTES, Pace, Plan, plan_of
from tests.simulation.shrink import Attempt, attempt, shrink
from tests.simulation.tracing import HOUR_S, Density

PROGRESS_EVERY_S = 10.0
SEEDS = 40
AHEAD = 4
"""So many seeds a process are handed out before they are needed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What to play."""

    seeds: tuple[int, ...]
    minutes: float
    pace: Pace
    jobs: int
    only: frozenset[int] | None = None
    is_traced: bool = False

    def plan(self, seed: int) -> Plan:
        """The world of a seed."""
        return replace(plan_of(seed, minutes=self.minutes, pace=self.pace), only=self.only)

    def command(self, attempt: Attempt) -> str:
        """The one command that repeats an attempt."""
        words = [f"make sim SEED={attempt.plan.seed}"]
        if attempt.plan.only is not None:
            words.append(f"ONLY={','.join(str(number) for number in sorted(attempt.plan.only)) or 'none'}")
        if self.minutes != MINUTES:
            words.append(f"MINUTES={self.minutes:g}")
        if self.pace is not Pace.DENSE:
            words.append(f"PACE={self.pace.value}")
        return " ".join([*words, "TRACE=1"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """What one process tells of one seed."""

    first: Attempt
    small: Attempt | None
    """The failure made small; None when nothing failed."""


@dataclass(slots=True)
class Totals:
    """What came of all."""

    worlds: int = 0
    failed: int = 0
    virtual_s: float = 0.0
    density: Density = field(default_factory=Density)
    hits: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)

    def add(self, played: Played) -> None:
        """Add one world."""
        report = played.first.report
        self.worlds += 1
        self.failed += played.small is not None
        self.virtual_s += report.virtual_s
        self.density.add(report.density)
        self.hits += report.hits
        self.counts += report.counts
        self.checked.update(report.checked)  # with those that were never asked


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def play_seed(order: Order, seed: int) -> Played:
    """Play one seed, and make a failure small."""
    first = attempt(order.plan(seed))
    return Played(first=first, small=shrink(first) if first.promises else None)


def main(words: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit status."""
    order = _order(words)
    if order.is_traced or len(order.seeds) == 1:
        return _play_one(order)
    _say(f"{len(order.seeds)} seeds from {order.seeds[0]}, {order.jobs} processes")
    began_s, totals = time.monotonic(), Totals()
    told_s = began_s
    for played in _play_all(order):
        totals.add(played)
        if played.small is not None:
            _say(_failure(order, played))
        if time.monotonic() - told_s > PROGRESS_EVERY_S:
            told_s = time.monotonic()
            _say(_progress(order, totals, told_s - began_s))
    _say(_totals(totals, time.monotonic() - began_s))
    return 1 if totals.failed else 0


def _order(words: Sequence[str] | None) -> Order:
    parser = argparse.ArgumentParser(
        prog="make sim", description="In brackets: what `make sim` calls it. An empty word is none.", allow_abbrev=False
    )
    parser.add_argument("--seeds", type=_or_none(int), help=f"how many, {SEEDS} if missing (SEEDS)")
    parser.add_argument("--start", type=_or_none(int), help="the first; drawn from the time if missing (START)")
    parser.add_argument("--seed", type=_or_none(int), help="this one alone (SEED)")
    parser.add_argument("--only", type=_or_none(_numbers), help="items of it, as in 3,17, or none (ONLY)")
    parser.add_argument("--trace", type=_or_none(str), nargs="?", const="1", help="tell every line of it (TRACE)")
    parser.add_argument("--minutes", type=_or_none(float), help=f"of trouble, {MINUTES:g} if missing (MINUTES)")
    parser.add_argument("--pace", type=_or_none(Pace), help="dense, or sparse for long worlds (PACE)")
    parser.add_argument("--jobs", type=_or_none(int), help="processes, one a processor if missing (JOBS)")
    given = parser.parse_args(words)
    seeds, jobs, minutes = given.seeds, given.jobs, given.minutes
    if any(number is not None and number <= 0 for number in (seeds, jobs, minutes)):
        parser.error("SEEDS, JOBS and MINUTES are more than 0")
    if given.seed is None and (given.trace or given.only is not None):
        parser.error("TRACE and ONLY are for one SEED")
    start = int(time.time()) % 1_000_000 if given.start is None else given.start
    return Order(
        seeds=tuple(range(start, start + (seeds or SEEDS))) if given.seed is None else (given.seed,),
        minutes=minutes or MINUTES,
        pace=given.pace or Pace.DENSE,
        jobs=jobs or os.cpu_count() or 1,
        only=given.only,
        is_traced=bool(given.trace),
    )


def _or_none(kind: Callable[[str], object]) -> Callable[[str], object]:
    """Read a word of an option; an empty one is as good as none."""

    def read(word: str) -> object:
        return kind(word) if word else None

    read.__name__ = kind.__name__.strip("_")
    return read


def _numbers(word: str) -> frozenset[int]:
    return frozenset(int(each) for each in word.split(",") if each != "none")


def _play_one(order: Order) -> int:
    plan = order.plan(order.seeds[0])
    lived = attempt(plan, _say if order.is_traced else None)
    _say("agenda:")
    for item in lived.report.agenda:
        _say(f"  {item}")
    _say(lived.report)
    _say(f"checked: {_listed(lived.report.checked)}")
    if lived.error:
        _say(f"  RAISED {lived.error}")
    if lived.promises and not order.is_traced:
        _say(f"  again, line by line: {order.command(lived)}")
    return 1 if lived.promises else 0


def _play_all(order: Order) -> Iterator[Played]:
    """Play every seed in processes of their own; yield what comes, as it comes."""
    left = iter(order.seeds)
    with ProcessPoolExecutor(max_workers=order.jobs) as pool:
        waiting: set[Future[Played]] = set()

        def hand_out() -> None:
            while len(waiting) < order.jobs * AHEAD and (seed := next(left, None)) is not None:
                waiting.add(pool.submit(play_seed, order, seed))

        hand_out()
        while waiting:
            done = next(as_completed(waiting))
            waiting.discard(done)
            hand_out()
            yield done.result()


# ------------------------------------------------------------ in words


def _failure(order: Order, played: Played) -> str:
    small = played.small or played.first
    agenda = [f"  {item}" for item in small.report.agenda]
    return "\n".join(
        [
            f"\nFAILED seed {played.first.plan.seed}: {played.first.first}",
            f"  {len(played.first.report.agenda)} items, made {len(agenda)}: {small.first}",
            *agenda,
            *(f"  {line}" for line in small.report.before_failure),
            f"  again: {order.command(small)}",
            "",
        ]
    )


def _progress(order: Order, totals: Totals, real_s: float) -> str:
    hours = totals.density.counted_s / HOUR_S
    return (
        f"{totals.worlds} of {len(order.seeds)} worlds, {totals.failed} failed,"
        f" {hours:.1f} guard-hours ({hours * 60 / max(real_s, 1e-9):.1f} a minute), {real_s:.0f} s"
    )


def _totals(totals: Totals, real_s: float) -> str:
    hours = totals.density.counted_s / HOUR_S
    return "\n".join(
        [
            "",
            f"{totals.worlds} worlds in {real_s:.0f} s, {totals.failed} failed",
            f"{totals.density}",
            f"{hours * 60 / max(real_s, 1e-9):.1f} guard-hours that count, a minute",
            f"troubles that bit: {_listed(totals.hits)}",
            f"promises checked: {_listed(totals.checked)}",
        ]
    )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


if __name__ == "__main__":
    sys.exit(main())
