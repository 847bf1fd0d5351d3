"""Worlds drawn from seeds: a fixed set, the named ones, and a few that nobody has played before.

`SIM_START=7` plays the same fresh ones again (their numbers stand in the names of the tests), `SIM_SEEDS=20` more of
them; `make sim` plays as many as one likes.
"""

from __future__ import annotations

import os

import pytest

from tests.simulation.named_seeds import NAMED_SEEDS, NamedSeed
from tests.simulation.parade import FIXED_SEEDS, drawn_and_played
from tests.simulation.plans import MINUTES, plan_of
from tests.simulation.shrink import Attempt, attempt

FRESH = int(os.environ.get("SIM_SEEDS", "1"))
FRESH_MINUTES = 2.0
START = int(os.environ["SIM_START"])
"""Drawn from the time, unless it is given, where the run begins (`tests/conftest.py`)."""


def words(played: Attempt) -> str:
    """Return what a failure says, and what repeats it; a world with items of its own is repeated by its test."""
    length = "" if played.plan.minutes == MINUTES else f" MINUTES={played.plan.minutes:g}"
    again = f"\n  again: make sim SEED={played.plan.seed}{length} TRACE=1" if played.plan.items is None else ""
    return f"{played.first}\n{played.report}{again}"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", FIXED_SEEDS)
def test_promises_hold_in_a_world_drawn_from_a_seed(seed: int) -> None:
    """P1 to P12: bots trade, people ask, rules act, networks fail, guards die; in the calm all is whole again."""
    played = drawn_and_played(seed)
    assert not played.promises, words(played)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(START, START + FRESH))
def test_promises_hold_in_a_world_nobody_has_seen(seed: int) -> None:
    """P1 to P12: the same, with seeds drawn from the time, and shorter: sweeps are for the long ones."""
    played = attempt(plan_of(seed, minutes=FRESH_MINUTES))
    assert not played.promises, words(played)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("named", NAMED_SEEDS, ids=lambda named: named.broke)
def test_what_once_broke_holds(named: NamedSeed) -> None:
    """P1 to P12: a world that broke a promise before the guard was mended."""
    played = attempt(named.plan)
    assert not played.promises, words(played)
