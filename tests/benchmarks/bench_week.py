"""A simulated week of the embedded exchange: memory, objects and the size of its state, day by day.

A bot trades all contracts minute by minute on two accounts (fills, resting orders under ever new client ids,
stops, leverage, liquidations, fundings) while clients come and go, all in this process. After the first days
memory must be flat.
"""

from __future__ import annotations

import argparse
import gc
import time

from connectors.simulated.server.settings import ClockKind
from tests.benchmarks.measure import print_table
from tests.week import Bot

MINUTE_MS = 60_000
DAY = 24 * 60
_KB = 1_024


def resident_mb() -> float:
    """Return the memory of this process that is in use."""
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - no path of ours
        pages = int(statm.read().split()[1])
    return pages * 4 / _KB


def main() -> None:
    """Live the days and print what each left behind."""
    options = argparse.ArgumentParser()
    options.add_argument("--days", type=int, default=7)
    days = options.parse_args().days
    bot = Bot(step_ms=MINUTE_MS, image_period_ms=0, clock=ClockKind.TAPE)
    rows = []
    for day in range(1, days + 1):
        started_s = time.perf_counter()
        bot.live(DAY)
        lived_s = time.perf_counter() - started_s
        gc.collect()
        started_s = time.perf_counter()
        document = bot.venue.save()
        saved_s = time.perf_counter() - started_s
        objects = len(gc.get_objects())
        rows.append(
            (
                f"{day}",
                f"{lived_s:.1f}",
                f"{resident_mb():.0f}",
                f"{objects:,}",
                f"{len(document) / _KB**2:.1f}",
                f"{saved_s * 1_000:.0f}",
            )
        )
        assert bot.venue.exchange.money_is_conserved()
    print_table(
        "a week of trading in all majors, two accounts",
        ("day", "lived in s", "resident MB", "objects", "snapshot MB", "written in ms"),
        rows,
    )


if __name__ == "__main__":
    main()
