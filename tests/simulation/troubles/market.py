"""What prices do."""

from __future__ import annotations

from random import Random

from tests.simulation.guard_life import SimGuard
from tests.simulation.prices import VOLATILITY
from tests.simulation.scene import Scene
from tests.simulation.troubles.trouble import Trouble, either_sign, some_s
from tests.simulation.virtual_loop import passing


async def jump(scene: Scene, guard: SimGuard, random: Random) -> None:
    """The price is somewhere else at once."""
    scene.prices.jump(either_sign(random) * some_s(random, 0.001, 0.03))
    scene.hit("jump")
    await passing(some_s(random, 1, 5))


async def storm(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Prices run."""
    scene.prices.volatility = VOLATILITY * random.choice((3, 6, 10))
    scene.hit("storm")
    try:
        await passing(some_s(random, 5, 40))
    finally:
        scene.prices.volatility = VOLATILITY


MARKET = (
    Trouble(name="jump", listed="", cast=jump),
    Trouble(name="storm", listed="", cast=storm),
)
