"""The calls by which the simulated bot shows every guard that it lives, for as long as it does.

Why: a guard whose settings name a bot expects to hear of it; the way there (a local socket) is not what the simulation
is about.

Units: seconds of virtual time.
"""

from __future__ import annotations

from decimal import Decimal

from config.bots import BotPolicy, OnSilence
from tests.simulation.bot import BOTS_PREFIX
from tests.simulation.scene import Scene
from tests.simulation.virtual_loop import passing

NAME = "maker"
EVERY_S = 3.0
SILENT_AFTER_S = 15
ANSWERED_WITHIN_S = 8.0
"""So long after a bot counts as silent nothing of it rests that may add exposure, if nothing else is wrong."""


def maker(*, on_silence: OnSilence, must_be_alive: bool) -> dict[str, BotPolicy]:
    """The settings of the one simulated bot."""
    policy = BotPolicy(
        id_prefix=BOTS_PREFIX,
        silent_after_s=Decimal(SILENT_AFTER_S),
        on_silence=on_silence,
        must_be_alive=must_be_alive,
    )
    return {NAME: policy}


async def beat(scene: Scene) -> None:
    """Call every guard that expects it, until cancelled."""
    while True:
        await passing(EVERY_S)
        if scene.bot.is_dead:
            continue
        for guard in scene.guards:
            if NAME in guard.policy.bots:
                guard.hear(NAME)
