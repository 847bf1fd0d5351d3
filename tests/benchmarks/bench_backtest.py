"""How many days a minute a backtest plays: a made-up day of minute candles, a calm one and one with a crash.

A day is played as `seawall backtest` does by default: a long and a short, each on a guarded and an unguarded account.
The floor is the embedded exchange alone, which takes the same prices with nobody on it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from random import Random
from statistics import median

from config.modes import Action, RuleMode
from config.policy import Policy
from connectors.vocabulary import Side
from daemon.backtest.history import History, load_history
from daemon.backtest.plan import Lane, Plan
from daemon.backtest.play import play
from daemon.backtest.venue import BacktestVenue
from tests.benchmarks.measure import print_table
from tests.unit.daemon.backtest.histories import write_candles

ROUNDS = 3
MINUTES = 24 * 60
LANES = tuple(Lane(side=side, leverage=Decimal(10)) for side in Side)


def closes(*, with_crash: bool) -> list[float]:
    """Return a day of closes: a walk of 0.05 % a minute, and from noon on a fall of a fifth within two hours."""
    random, price, found = Random(7), 8_000.0, []  # noqa: S311 - a seeded walk, no secret
    for minute in range(MINUTES):
        falls = with_crash and 720 <= minute < 840
        price *= 1 + random.gauss(0, 0.002 if falls else 0.0005) - (0.0018 if falls else 0)
        found.append(price)
    return found


def all_rules() -> Policy:
    """Every account rule on, telling only."""
    policy = Policy()
    account = policy.account
    loud = {
        each.name: replace(getattr(account, each.name), mode=RuleMode.ON, action=Action.ALERT)
        for each in fields(account)
    }
    return replace(policy, account=replace(account, **loud))


def exchange_alone(history: History) -> None:
    """Let the exchange take the prices."""
    now = [history.start_ms]
    venue = BacktestVenue(seed=1, equity_sat=1, has_guard=True, now_ms=lambda: now[0])
    for step in history.steps():
        now[0] = step.tape_ms
        venue.play(step)


def cpu_s(action: Callable[[], object]) -> float:
    """Return the processor time of one call."""
    started_ns = time.thread_time_ns()
    action()
    return (time.thread_time_ns() - started_ns) / 1e9


def main() -> None:
    """Print one table a day."""
    for name, with_crash in (("a calm day", False), ("a day with a crash", True)):
        with tempfile.TemporaryDirectory() as folder:
            path = write_candles(Path(folder) / "day.csv", closes(with_crash=with_crash))
            history = load_history(path, since=None, until=None, seed=1)
        actions: dict[str, Callable[[], object]] = {
            "exchange alone (floor)": lambda history=history: exchange_alone(history),
            "long and short, defaults": lambda history=history: play(history, Plan(lanes=LANES)),
            "the same, every account rule on": lambda history=history: play(
                history, Plan(lanes=LANES, policy=all_rules())
            ),
        }
        taken: dict[str, list[float]] = {each: [] for each in actions}
        for _ in range(ROUNDS):
            for each, action in actions.items():
                taken[each].append(cpu_s(action))
        costs = {each: median(figures) for each, figures in taken.items()}
        floor = costs["exchange alone (floor)"]
        rows = [(each, cost, 60 / cost, cost / floor) for each, cost in costs.items()]
        print_table(name, ["", "CPU s a day", "days a minute", "to floor"], rows)


if __name__ == "__main__":
    main()
