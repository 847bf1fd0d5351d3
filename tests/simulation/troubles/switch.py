"""What others do to the one dead man's switch that the account has."""

from __future__ import annotations

from random import Random

from connectors.simulated.engine.changes import Change
from connectors.simulated.engine.inputs import CancelAllAfter, SetFault
from connectors.simulated.engine.tables.reports import SWITCH_FIRED
from tests.simulation.guard_life import SimGuard
from tests.simulation.scene import Scene
from tests.simulation.troubles.staging import changes_seen, open_symbols, some_position
from tests.simulation.troubles.trouble import Trouble, some_s
from tests.simulation.virtual_loop import passing

ARMED_WITHIN_S = 6.0
"""The guard arms the switch this soon after an order appears that may add exposure."""


def _was_armed(scene: Scene) -> bool:
    return scene.venue.exchange.next_timer_ms() is not None


async def foreign_switch(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Some other client arms the switch, and goes away."""
    scene.venue.submit(CancelAllAfter(account=scene.account, timeout_ms=random.randint(1_000, 20_000)))
    scene.hit("foreign switch")
    await passing(some_s(random, 1, 25))


def _is_taken(change: Change) -> bool:
    return change.table == "order" and change.row["ordStatus"] == "Canceled" and SWITCH_FIRED in str(change.row["text"])


async def fired(scene: Scene, guard: SimGuard, random: Random) -> None:
    """The switch fires: every order of the account goes, stops too."""
    await some_position(scene, random)
    with changes_seen(scene, "switch fired", _is_taken):
        for _ in range(random.randint(1, 3)):
            scene.venue.submit(SetFault(name="switch-fired", account=scene.account))
            await passing(some_s(random, 0.2, 10))


async def _arm(scene: Scene, random: Random) -> None:
    """Have a bot quote, so that a guard that uses the switch arms it."""
    symbols = open_symbols(scene)
    if symbols and not _was_armed(scene):
        scene.promises.disturb()
        scene.bot.drawing(random).quote(random.choice(symbols))
        await passing(ARMED_WITHIN_S)


async def disarmed(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Another program sends 0 when it connects or ends, and with that takes the guard's countdown away."""
    for _ in range(random.randint(1, 3)):
        await _arm(scene, random)
        if _was_armed(scene):
            scene.hit("switch disarmed")
        scene.venue.submit(CancelAllAfter(account=scene.account, timeout_ms=0))
        await passing(some_s(random, 0.5, 20))


SWITCH = (
    Trouble(name="foreign switch", listed="switch re-armed by somebody else", cast=foreign_switch),
    Trouble(name="switch fired", listed="switch fired", cast=fired),
    Trouble(name="switch disarmed", listed="switch disarmed by somebody else", cast=disarmed, hinders=False),
)
