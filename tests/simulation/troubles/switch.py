"""What others do to the one dead man's switch that the account has."""

from __future__ import annotations

from random import Random

from connectors.simulated.engine.inputs import CancelAllAfter
from tests.simulation.guard_life import SimGuard
from tests.simulation.scene import Scene
from tests.simulation.troubles.trouble import Trouble, some_s
from tests.simulation.virtual_loop import passing


async def foreign_switch(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Some other client arms the switch, and goes away."""
    scene.venue.submit(CancelAllAfter(account=scene.account, timeout_ms=random.randint(1_000, 20_000)))
    scene.hit("foreign switch")
    await passing(some_s(random, 1, 25))


SWITCH = (Trouble(name="foreign switch", listed="switch re-armed by somebody else", cast=foreign_switch),)
