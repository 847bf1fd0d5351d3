"""What a person at the console does."""

from __future__ import annotations

from random import Random

from tests.simulation.guard_life import SimGuard
from tests.simulation.scene import Scene
from tests.simulation.troubles.trouble import Trouble

OPERATOR_ASKS = "operator asks"


async def ask(scene: Scene, guard: SimGuard, random: Random) -> None:
    """One request of a person, refused where the desk would refuse it."""
    scene.note(scene.operator.act(guard, random))
    scene.hit(OPERATOR_ASKS)


PEOPLE = (Trouble(name=OPERATOR_ASKS, listed="", cast=ask, is_scripted=True, hinders=False, is_fault=False),)
