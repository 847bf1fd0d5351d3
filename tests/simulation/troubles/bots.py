"""What bots do to the account they share with the guard."""

from __future__ import annotations

from random import Random

from tests.simulation.guard_life import SimGuard
from tests.simulation.scene import Scene
from tests.simulation.troubles.trouble import Trouble
from tests.simulation.virtual_loop import passing

BOT_ACTS = "bot acts"


async def act(scene: Scene, guard: SimGuard, random: Random) -> None:
    """One deed of the bot, whatever comes to its mind."""
    scene.note(scene.bot.act(random))
    scene.hit(BOT_ACTS)


async def flood(scene: Scene, guard: SimGuard, random: Random) -> None:
    """A bot uses up the account's requests."""
    for _ in range(random.randint(5, 30)):
        scene.drain(20)
        scene.hit("flood")
        await passing(0.5)


BOTS = (
    Trouble(name=BOT_ACTS, listed="", cast=act, is_scripted=True, hinders=False, is_fault=False),
    Trouble(name="flood", listed="a bot that floods", cast=flood),
)
