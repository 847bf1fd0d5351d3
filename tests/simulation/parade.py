"""The fixed worlds of the suite: every trouble of the catalogue passes by, a few at a time, and some alone.

Why: random seeds meet whatever they meet. These worlds are there so that nothing on the list is left to chance: each
kind of trouble is cast on an account with positions, and the suite asks which of them really bit; what found no
occasion gets a world of its own.

Units: seconds of virtual time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from random import Random

from tests.simulation.agenda import Item
from tests.simulation.plans import Plan, plan_of
from tests.simulation.shrink import Attempt, attempt
from tests.simulation.troubles import TROUBLES
from tests.simulation.troubles.bots import BOT_ACTS
from tests.simulation.troubles.people import OPERATOR_ASKS
from tests.simulation.troubles.trouble import Trouble

FIXED_SEEDS = (1, 2, 3, 4)
"""Worlds as they are drawn, played by every run of the suite."""
TOGETHER = 5
"""So many kinds share a world, one after another."""
ROUNDS = 1
"""So often each is cast; twice as many make the suite half a minute longer."""
APART_S = 12.0
TRIES = 6
ALONE_S = 340.0
"""What is never drawn, or takes minutes, has a world of its own, and all the time it takes."""
MINUTES_LONG = frozenset({"ban"})
BOT_EVERY_S = 6.0
FLIPS = "bot flips"
"""Stops are placed and cancelled: something that a trouble of the wire can strike."""
FLIPS_AFTER_S = 1.5
SECOND_GUARD = "second guard"
"""The one trouble that needs two guards, and strikes the second."""
_FIRST_S = 12.0
_SEED = 1000
"""The first world of the parade; far from the seeds that are drawn."""


def groups() -> dict[str, tuple[Trouble, ...]]:
    """Return the worlds of the parade by name, with the troubles that each shows."""
    played = [each for each in TROUBLES.values() if each.name not in {BOT_ACTS, OPERATOR_ASKS}]
    alone = [each for each in played if _is_alone(each)]
    drawn = [each for each in played if not _is_alone(each)]
    together = [tuple(drawn[start : start + TOGETHER]) for start in range(0, len(drawn), TOGETHER)]
    return {", ".join(trouble.name for trouble in group): group for group in (*together, *((each,) for each in alone))}


def _is_alone(trouble: Trouble) -> bool:
    return trouble.is_scripted or trouble.name in MINUTES_LONG


def plan_of_group(kinds: Sequence[Trouble], number: int) -> Plan:
    """Return a world that shows some kinds: each in turn, a bot that trades among them, and stops that have to move.

    Args:
        kinds: What is shown.
        number: Another one makes another world.
    """
    is_alone = any(_is_alone(trouble) for trouble in kinds)
    casts = [trouble.name for trouble in kinds] * (1 if is_alone else ROUNDS)
    drawn = Random(f"parade {number} {kinds[0].name}")  # noqa: S311 - the same worlds in every run
    troubles = [(_FIRST_S + APART_S * index, cast) for index, cast in enumerate(casts)]
    minutes = (troubles[-1][0] + (ALONE_S if is_alone else APART_S)) / 60
    acts = [(at_s, BOT_ACTS) for at_s in _every(BOT_EVERY_S, minutes * 60)]
    acts += [(at_s + FLIPS_AFTER_S, FLIPS) for at_s, _ in troubles]
    return Plan(
        seed=_SEED + number,
        minutes=minutes,
        guards=2 if SECOND_GUARD in casts else 1,
        items=tuple(
            Item(index, at_s, what, int(what == SECOND_GUARD), drawn.getrandbits(48))
            for index, (at_s, what) in enumerate(sorted(troubles + acts), start=1)
        ),
    )


def _every(seconds: float, until_s: float) -> Iterator[float]:
    at_s = 3.0
    while at_s < until_s:
        yield at_s
        at_s += seconds


@cache
def shown(name: str) -> Attempt:
    """Play one world of the parade, once a process."""
    return attempt(plan_of_group(groups()[name], 0))


def shown_again(name: str) -> Iterator[Attempt]:
    """Play more worlds, with one kind of trouble each; not every situation is one in which it can bite."""
    for number in range(1, TRIES + 1):
        yield attempt(plan_of_group([TROUBLES[name]] * 2, number))


@cache
def drawn_and_played(seed: int) -> Attempt:
    """Play one world as it is drawn, once a process."""
    return attempt(plan_of(seed))


def all_fixed() -> Iterator[Attempt]:
    """Yield every fixed world, played."""
    yield from (shown(name) for name in groups())
    yield from (drawn_and_played(seed) for seed in FIXED_SEEDS)
