"""The agenda of a world: everything that will be done to it, drawn from its seed before it begins, and carrying it out.

Why: what goes wrong is a list of numbered items, so a failure can be repeated with some of them only, and made small.
Each item brings a seed of its own for all it draws; leaving another item out changes nothing of it.

Units: seconds of virtual time since the world began.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from random import Random
from typing import TYPE_CHECKING

from tests.simulation.scene import Scene
from tests.simulation.troubles import TROUBLES
from tests.simulation.troubles.bots import BOT_ACTS
from tests.simulation.troubles.people import OPERATOR_ANSWERS, OPERATOR_ASKS, OPERATOR_RELOADS
from tests.simulation.troubles.trouble import Trouble
from tests.simulation.virtual_loop import passing

if TYPE_CHECKING:
    from tests.simulation.plans import Plan

LASTING_S = 40.0
"""The next trouble of a chain comes at most so much later than the pause says: about as long as troubles last."""
RELOADS_FROM = 100_000
"""Worlds of lower seeds know no reloads."""
ANSWERS_FROM = 9_600_000
"""Worlds of lower seeds know nobody who answers."""
FEW = 6
"""Half of all worlds know so many kinds of trouble at most: few kinds, often, meet each other more than many do."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that will be done."""

    number: int
    at_s: float
    trouble: str
    """A name in the catalogue (`troubles/`)."""
    guard: int
    """Whom it strikes, counted from 0."""
    seed: int
    """Of everything that it draws."""

    def __str__(self) -> str:
        return f"#{self.number} at {self.at_s:.1f} s: {self.trouble} (guard{self.guard + 1})"


def agenda_of(seed: int, plan: Plan) -> tuple[Item, ...]:
    """Draw everything that will be done to the world of a seed, in order of time."""
    drawn = [
        *_series(Random(f"bot {seed}"), plan, plan.act_every_s, lambda _: BOT_ACTS),  # noqa: S311
        *_series(Random(f"operator {seed}"), plan, plan.ask_every_s, lambda _: OPERATOR_ASKS),  # noqa: S311
    ]
    kinds = kinds_of(seed)
    for chain in range(plan.troubles if kinds else 0):
        drawn += _series(Random(f"trouble {chain} {seed}"), plan, plan.trouble_every_s, _chooser(kinds), LASTING_S)  # noqa: S311
    drawn.sort(key=lambda item: item.at_s)
    drawn += _reloads(seed, plan)
    drawn += _answers(seed, plan)
    return tuple(
        Item(number, each.at_s, each.trouble, each.guard, each.seed) for number, each in enumerate(drawn, start=1)
    )


def _reloads(seed: int, plan: Plan) -> Iterator[Item]:
    """In some worlds people change the settings while it runs; the others are those that earlier builds played."""
    if seed > RELOADS_FROM and seed % 4 == 1:
        yield from _series(Random(f"reload {seed}"), plan, 2 * plan.ask_every_s, lambda _: OPERATOR_RELOADS)  # noqa: S311


def _answers(seed: int, plan: Plan) -> Iterator[Item]:
    """In some worlds people answer what they are told: they take it on, silence it, pause the guard and end that."""
    if seed > ANSWERS_FROM and seed % 2 == 0:
        yield from _series(Random(f"answer {seed}"), plan, plan.act_every_s * 2, lambda _: OPERATOR_ANSWERS)  # noqa: S311


def kinds_of(seed: int) -> tuple[Trouble, ...]:
    """Draw what kinds of trouble the world of a seed knows: all, or a few."""
    drawn = Random(f"kinds {seed}")  # noqa: S311 - a world is a function of its seed
    kinds = tuple(each for each in TROUBLES.values() if not each.is_scripted and seed >= each.from_seed)
    if drawn.random() < 0.5:
        return kinds
    return tuple(drawn.sample(kinds, min(len(kinds), drawn.randint(1, FEW))))


def _chooser(kinds: Sequence[Trouble]) -> Callable[[Random], str]:
    weights = [trouble.weight for trouble in kinds]
    return lambda random: random.choices(kinds, weights)[0].name


def _series(
    random: Random, plan: Plan, pause_s: float, choose: Callable[[Random], str], lasting_s: float = 0.0
) -> Iterator[Item]:
    at_s = 0.0
    while pause_s < inf:
        at_s += random.expovariate(1 / pause_s) + random.uniform(0.0, lasting_s)
        if at_s >= plan.minutes * 60:
            return
        yield Item(0, round(at_s, 3), choose(random), random.randrange(plan.guards), random.getrandbits(48))


async def carry_out(scene: Scene, agenda: Sequence[Item], within_s: float) -> None:
    """Do everything on an agenda at its time, and end what still lasts when the time is over."""
    began_s = scene.loop.time()
    async with asyncio.TaskGroup() as tasks:
        lasting = []
        for item in sorted(agenda, key=lambda item: (item.at_s, item.number)):
            if item.at_s >= within_s:
                break
            await passing(max(0.0, began_s + item.at_s - scene.loop.time()))
            lasting.append(tasks.create_task(_carry_out(scene, item), name=str(item)))
        await passing(max(0.0, began_s + within_s - scene.loop.time()))
        for task in lasting:
            task.cancel()


async def _carry_out(scene: Scene, item: Item) -> None:
    trouble, before = TROUBLES[item.trouble], scene.hits[item.trouble]
    guard = scene.guards[item.guard % len(scene.guards)]
    random = Random(item.seed)  # noqa: S311 - everything an item draws is a function of its seed
    scene.cast[trouble.name] += 1
    scene.note(f"begins {item}")
    try:
        if trouble.hinders:
            with scene.hindered():
                await trouble.cast(scene, guard, random)
        else:
            await trouble.cast(scene, guard, random)
    finally:
        bites = scene.hits[trouble.name] - before
        scene.note(f"ends   #{item.number} {item.trouble}, bit {bites} times")
        if bites and trouble.is_fault:
            scene.faults.append((guard.name, scene.loop.time()))
