"""From a frame that leaves the venue to the order that arrives there, over loopback, with the whole daemon between.

Each guard is a process of its own and meets a scripted venue that holds the clock (`scripted_venue`). Three times:

- `position to stop`: a position row goes out, the guard's first stop comes in. The common case.
- `mark to first request`: a mark passes the trigger where no stop rests (the venue refused it); the guard asks for its
  second witness.
- `mark to reduction`: the same, until the market order is in. Between the two lie the four reads of that witness, one
  after the other, which the floor does not make: it believes one message.

Loopback has no distance. On a real line each request adds a round trip, and the reads four.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import Any

from tests.benchmarks.measure import print_table, quantile

TURNS = 2
PATIENCE_S = 120
CASES = (
    ("raw", "marks", 200),
    ("httpx", "marks", 200),
    ("seawall", "opens", 200),
    ("seawall", "crosses", 25),
)


def _start(module: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def times_of(kind: str, story: str, rounds: int) -> dict[str, Any]:
    """Return what the venue measured: pairs of microseconds, and how many connections it was asked for."""
    with _start("scripted_venue", story, str(rounds)) as venue:
        assert venue.stdout is not None
        where = json.loads(venue.stdout.readline())
        with _start("guards", kind, where["http"], where["ws"]) as guard:
            try:
                found: dict[str, Any] = json.loads(venue.stdout.readline())
            finally:
                guard.kill()
                venue.kill()
    return found


def main() -> None:
    """Print the table."""
    taken: dict[tuple[str, str], list[list[float]]] = {}
    connections: dict[tuple[str, str], int] = {}
    for _ in range(TURNS):
        for kind, story, rounds in CASES:
            found = times_of(kind, story, rounds)
            taken.setdefault((kind, story), []).extend(found["times"])
            connections[kind, story] = found["connections"]
    to_order = {case: [order for _, order in times] for case, times in taken.items()}
    lines = {
        "floor: websockets, raw HTTP; mark to order": (to_order["raw", "marks"], connections["raw", "marks"]),
        "websockets, httpx; mark to order": (to_order["httpx", "marks"], connections["httpx", "marks"]),
        "seawall: position to stop": (to_order["seawall", "opens"], connections["seawall", "opens"]),
        "seawall: mark to first request": (
            [first for first, _ in taken["seawall", "crosses"]],
            connections["seawall", "crosses"],
        ),
        "seawall: mark to reduction": (to_order["seawall", "crosses"], connections["seawall", "crosses"]),
    }
    floor = statistics.median(lines["floor: websockets, raw HTTP; mark to order"][0])
    rows = [
        (name, len(times), statistics.median(times), quantile(times, 0.99), statistics.median(times) / floor, opened)
        for name, (times, opened) in lines.items()
    ]
    print_table("frame to order, wall us", ["", "n", "p50", "p99", "ratio", "connections"], rows)


if __name__ == "__main__":
    main()
