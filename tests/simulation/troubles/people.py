"""What a person at the console does."""

from __future__ import annotations

from random import Random

from tests.simulation.guard_life import SimGuard
from tests.simulation.policies import changed
from tests.simulation.scene import Scene
from tests.simulation.troubles.trouble import Trouble, some_s
from tests.simulation.virtual_loop import passing

OPERATOR_ASKS = "operator asks"
OPERATOR_RELOADS = "operator reloads"
OPERATOR_ANSWERS = "operator answers"


async def ask(scene: Scene, guard: SimGuard, random: Random) -> None:
    """One request of a person, refused where the desk would refuse it."""
    scene.note(scene.operator.act(guard, random))
    scene.hit(OPERATOR_ASKS)


async def answer(scene: Scene, guard: SimGuard, random: Random) -> None:
    """An acknowledgement, a silence, a pause, or the end of one."""
    scene.note(scene.operator.answer(guard, random))
    scene.hit(OPERATOR_ANSWERS)


async def reload(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Other settings for every guard, one after the other, as a person types: meanwhile they differ."""
    policy = changed(guard.policy, random)
    may_loosen = random.random() < 0.2
    for n, each in enumerate(scene.guards):
        if n:
            await passing(some_s(random, 0.05, 15))
        scene.promises.disturb()
        if each.is_alive:
            each.reload(policy, may_loosen=may_loosen)
        else:
            each.former_policies.append(each.policy)
            each.policy = policy  # what it starts with again
    scene.note(f"reloads{', letting stops go back' if may_loosen else ''}")
    scene.hit(OPERATOR_RELOADS)


PEOPLE = (
    Trouble(name=OPERATOR_ANSWERS, listed="", cast=answer, is_scripted=True, hinders=False, is_fault=False),
    Trouble(name=OPERATOR_ASKS, listed="", cast=ask, is_scripted=True, hinders=False, is_fault=False),
    Trouble(name=OPERATOR_RELOADS, listed="", cast=reload, is_scripted=True, hinders=False, is_fault=False),
)
