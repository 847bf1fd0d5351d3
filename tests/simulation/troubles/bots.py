"""What bots do to the account they share with the guard."""

from __future__ import annotations

from random import Random

from config.bots import OnSilence
from connectors.simulated.engine.changes import Change
from connectors.simulated.engine.tables.reports import CANCELED_BY_API
from tests.simulation.guard_life import SimGuard
from tests.simulation.heartbeats import ANSWERED_WITHIN_S, EVERY_S, NAME, SILENT_AFTER_S
from tests.simulation.scene import Scene
from tests.simulation.troubles.staging import changes_seen, ended_of_ours, held, open_symbols, some_position
from tests.simulation.troubles.trouble import Trouble, some_s
from tests.simulation.virtual_loop import passing

BOT_ACTS = "bot acts"


async def act(scene: Scene, guard: SimGuard, random: Random) -> None:
    """One deed of the bot, whatever comes to its mind."""
    scene.note(scene.bot.act(random))
    scene.hit(BOT_ACTS)


async def adds(scene: Scene, guard: SimGuard, random: Random) -> None:
    """A bot adds to its position, a few times in a row, as if there were no stop to follow."""
    symbol = await some_position(scene, random)
    for _ in range(random.randint(2, 8) if symbol else 0):
        before = abs(held(scene, str(symbol)))
        scene.promises.disturb()
        scene.bot.grow(str(symbol), random.uniform(0.05, 0.5))
        if abs(held(scene, str(symbol))) > before > 0:
            scene.hit("bot adds")
        await passing(some_s(random, 0.05, 4))


async def flips(scene: Scene, guard: SimGuard, random: Random) -> None:
    """A bot turns its position round, a few times in a row: every stop is on the wrong side at once."""
    symbol = await some_position(scene, random)
    for _ in range(random.randint(2, 6) if symbol else 0):
        symbol = symbol if held(scene, str(symbol)) else await some_position(scene, random)
        before = held(scene, str(symbol))
        scene.promises.disturb()
        scene.bot.flip(str(symbol))
        if before * held(scene, str(symbol)) < 0:
            scene.hit("bot flips")
        await passing(some_s(random, 0.05, 6))


async def flood(scene: Scene, guard: SimGuard, random: Random) -> None:
    """A bot uses up the account's requests."""
    for _ in range(random.randint(5, 30)):
        scene.drain(20)
        scene.hit("flood")
        await passing(0.5)


async def cancels_stops(scene: Scene, guard: SimGuard, random: Random) -> None:
    """A bot that tidies up: it cancels the guard's stops as often as it sees them."""
    symbol = await some_position(scene, random)
    if symbol is None:
        return
    for _ in range(random.randint(1, 10)):
        scene.promises.disturb()
        with changes_seen(scene, "bot cancels stops", ended_of_ours(CANCELED_BY_API)):
            scene.bot.cancel_guards(symbol)
        await passing(some_s(random, 0.05, 5))


async def crowds(scene: Scene, guard: SimGuard, random: Random) -> None:
    """A bot fills all ten places for stops that the venue has for a contract, and takes them away later."""
    symbol = await some_position(scene, random)
    if symbol is None:
        return

    def is_stop(change: Change) -> bool:
        return change.table == "order" and change.row["ordStatus"] == "New" and change.row["ordType"] == "Stop"

    with changes_seen(scene, "bot crowds stops", is_stop):
        for _ in range(12):
            scene.bot.drawing(random).place_stop(symbol)
    scene.bot.cancel_guards(symbol)
    try:
        await passing(some_s(random, 3, 30))
    finally:
        scene.bot.cancel_own(symbol)


async def dies(scene: Scene, guard: SimGuard, random: Random) -> None:
    """The bot stops in the middle of its work: position and quotes stay, nobody looks after them."""
    symbols = open_symbols(scene)
    if not symbols or scene.bot.is_dead:
        return
    scene.promises.disturb()
    for _ in range(random.randint(1, 3)):
        scene.bot.drawing(random).quote(random.choice(symbols))
    scene.bot.is_dead = True
    died_s = scene.loop.time()
    try:
        if scene.bot.quotes():
            scene.hit("bot dies")
        await passing(some_s(random, 10, 90))
        _judge(scene, died_s)
    finally:
        scene.bot.is_dead = False


def _judge(scene: Scene, died_s: float) -> None:
    """P6: of a bot that is silent nothing rests that may add exposure, where the settings say so."""
    calm_s = scene.loop.time() - max(died_s, scene.promises.quiet_since_s)
    for guard in scene.guards:
        policy = guard.policy.bots.get(NAME)
        is_meant = policy is not None and policy.on_silence is not OnSilence.ALERT and not guard.policy.observe
        if is_meant and guard.state is not None and calm_s > SILENT_AFTER_S + EVERY_S + ANSWERED_WITHIN_S:
            for row in scene.bot.quotes():
                scene.promises.broken("P6", f"{row['clOrdID']} of a bot that died {calm_s:.0f} s ago rests still")


BOTS = (
    Trouble(name=BOT_ACTS, listed="", cast=act, is_scripted=True, hinders=False, is_fault=False),
    Trouble(name="bot adds", listed="a bot that adds", cast=adds, hinders=False),
    Trouble(name="bot flips", listed="a bot that flips", cast=flips, hinders=False),
    Trouble(name="flood", listed="a bot that floods", cast=flood),
    Trouble(name="bot cancels stops", listed="a bot that cancels the guard's stops", cast=cancels_stops, hinders=False),
    Trouble(name="bot crowds stops", listed="", cast=crowds),
    Trouble(name="bot dies", listed="a bot that dies", cast=dies, hinders=False),
)
