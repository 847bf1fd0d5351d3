"""Guard-hours that count, a minute of one process: sparse and dense worlds of the simulation, and what limits them.

The floor is what nobody can leave out: the core decides on one tick of health a second, with one position and nothing
around it. An hour counts only when it was dense enough (`tests/simulation/tracing.py`); the density stands beside it.
CPU time of the process counts, for a sweep is bound by nothing else.
"""

from __future__ import annotations

import time
from cProfile import Profile
from pstats import Stats

from tests.benchmarks.bench_core_step import deciding, events_of, guarding
from tests.benchmarks.measure import median_costs, print_table
from tests.simulation.plans import MINUTES, Pace, plan_of
from tests.simulation.shrink import attempt
from tests.simulation.tracing import HOUR_S, Density

WORLDS = {Pace.SPARSE: (range(4, 8), 60.0), Pace.DENSE: (range(4, 8), MINUTES)}
"""Seeds and minutes. Four in a row hold one whose journals are replayed, as in every sparse sweep."""
PARTS = {
    "the core": "/daemon/core/",
    "the rest of the daemon": "/daemon/shell/",
    "the connector": "/connectors/bitmex/",
    "the exchange": "/connectors/simulated/",
    "the simulation and its promises": "/tests/simulation/",
}


def floor_s() -> float:
    """Return the CPU seconds that the core takes for an hour of ticks."""
    guard = guarding(1)
    tick = deciding(guard.state, events_of(guard)["HealthTicked"])
    return median_costs({"tick": tick})["tick"] * HOUR_S / 1e6


def played(pace: Pace) -> tuple[Density, float]:
    """Play the worlds of a pace; return what was lived, and the CPU seconds it took."""
    seeds, minutes = WORLDS[pace]
    lived, began_s = Density(), time.process_time()
    for seed in seeds:
        lived.add(attempt(plan_of(seed, minutes=minutes, pace=pace)).report.density)
    return lived, time.process_time() - began_s


def shares(pace: Pace) -> list[tuple[str, float]]:
    """Return which part of the code spends how much of one world, in hundredths; libraries are the rest."""
    seeds, _ = WORLDS[pace]
    profile = Profile()
    profile.runcall(attempt, plan_of(seeds[0], minutes=MINUTES * 2, pace=pace))
    spent = {where[0]: 0.0 for where in Stats(profile).stats}  # type: ignore[attr-defined]
    for where, (_, _, own_s, _, _) in Stats(profile).stats.items():  # type: ignore[attr-defined]
        spent[where[0]] += own_s
    whole_s = sum(spent.values())
    found = [(name, sum(s for path, s in spent.items() if part in path)) for name, part in PARTS.items()]
    found.append(("asyncio, dataclasses, json and other libraries", whole_s - sum(own_s for _, own_s in found)))
    return [(name, 100 * own_s / whole_s) for name, own_s in found]


def main() -> None:
    """Print the tables."""
    least_s, rows = floor_s(), []
    for pace in Pace:
        lived, took_s = played(pace)
        hours = max(lived.lived_s / HOUR_S, 1e-9)
        cost_s = took_s / hours
        per_hour = (round(each / hours) for each in (lived.frames, lived.decisions, lived.faults))
        rows.append((pace.value, lived.counted_s / HOUR_S / took_s * 60, cost_s, cost_s / least_s, *per_hour))
    rows.append(("floor: a tick a second", 60 / least_s, least_s, 1.0, 0, 0, 0))
    columns = ["", "that count a minute", "CPU s each", "to floor", "frames", "decisions", "faults"]
    print_table("guard-hours of one process; frames, decisions and faults of an hour", columns, rows)
    for pace in Pace:
        print_table(f"what a {pace.value} world spends its time on", ["", "%"], shares(pace))


if __name__ == "__main__":
    main()
