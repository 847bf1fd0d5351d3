"""What prices do, and what is told of them."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from connectors.simulated.engine.changes import Change
from tests.simulation.guard_life import SimGuard
from tests.simulation.prices import VOLATILITY
from tests.simulation.scene import Scene
from tests.simulation.troubles.staging import bites_of, board_fault, changes_seen, open_symbols, some_position
from tests.simulation.troubles.trouble import Trouble, either_sign, some_s
from tests.simulation.virtual_loop import passing

WHOLE_STEP_S = 1.2
"""Longer than one step of prices."""
DEAREST = 300
"""A funding rate that flips, in hundred-thousandths: near the venue's cap."""


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


async def stale_mark(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Position rows go on showing the mark, and what hangs on it, of a while ago."""
    await some_position(scene, random)
    with board_fault(scene, "mark-stale", where="both") as fault:
        try:
            await passing(some_s(random, 3, 60))
        finally:
            if bites_of(scene, fault):
                scene.hit("stale mark")


async def frozen_mark(scene: Scene, guard: SimGuard, random: Random) -> None:
    """The mark stands still while the market moves, and then is where the market is."""
    symbol = random.choice((None, *open_symbols(scene)))
    with board_fault(scene, "mark-frozen", symbol=symbol) as fault:
        try:
            await passing(some_s(random, 3, 90))
        finally:
            if bites_of(scene, fault):
                scene.hit("frozen mark")


async def index_outage(scene: Scene, guard: SimGuard, random: Random) -> None:
    """The index stands still; the mark does too, or follows the last price."""
    with board_fault(scene, "index-outage", mark=random.choice(("frozen", "last"))) as fault:
        try:
            await passing(some_s(random, 3, 60))
        finally:
            if bites_of(scene, fault):
                scene.hit("index outage")


async def bad_print(scene: Scene, guard: SimGuard, random: Random) -> None:
    """One step of prices is far off: the last price, the index, or the mark itself."""
    what = random.choice(("last", "index", "mark", "mark"))
    percent = str(round(either_sign(random) * some_s(random, 0.5, 30), 3))
    symbol = random.choice((None, *open_symbols(scene)))
    with board_fault(scene, "bad-print", symbol=symbol, percent=percent, what=what) as fault:
        try:
            await passing(WHOLE_STEP_S)
        finally:
            if bites_of(scene, fault):
                scene.hit("bad print")
    await passing(WHOLE_STEP_S)


async def thin_book(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Spreads blow out and hardly anything stands behind them."""
    thin, wide = str(round(some_s(random, 0.001, 1), 5)), str(round(some_s(random, 5, 500), 1))
    with board_fault(scene, "book-thin", depth_percent=thin, spread_times=wide) as fault:
        try:
            await passing(some_s(random, 5, 40))
        finally:
            if bites_of(scene, fault):
                scene.hit("thin book")


async def halt(scene: Scene, guard: SimGuard, random: Random) -> None:
    """No order is taken or filled, and the mark goes on."""
    symbol = random.choice((None, *open_symbols(scene)))
    with board_fault(scene, "trading-halt", symbol=symbol) as fault:
        try:
            await passing(some_s(random, 3, 40))
        finally:
            if bites_of(scene, fault):
                scene.hit("trading halt")


def _is_funding(change: Change) -> bool:
    return change.table == "execution" and change.row["execType"] == "Funding"


async def funding_flips(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Who received funding pays it at the next exchange, near the cap; liquidation prices move without a fill."""
    symbol = await some_position(scene, random)
    if symbol is None:
        return
    rate = either_sign(random) * Decimal(random.randint(50, DEAREST)) / 100_000
    try:
        with changes_seen(scene, "funding flips", _is_funding):
            for _ in range(random.randint(2, 4)):
                scene.prices.funding[symbol] = rate
                rate = -rate
                scene.prices.skip_to_funding(before_s=3.0)
                await passing(4.0)
                scene.promises.disturb()
                await passing(some_s(random, 1, 20))
    finally:
        scene.prices.funding.pop(symbol, None)


MARKET = (
    Trouble(name="jump", listed="", cast=jump),
    Trouble(name="storm", listed="", cast=storm),
    Trouble(name="stale mark", listed="stale mark", cast=stale_mark),
    Trouble(name="frozen mark", listed="frozen mark", cast=frozen_mark),
    Trouble(name="index outage", listed="", cast=index_outage),
    Trouble(name="bad print", listed="a bad print", cast=bad_print),
    Trouble(name="thin book", listed="", cast=thin_book),
    Trouble(name="trading halt", listed="", cast=halt),
    Trouble(name="funding flips", listed="funding flips", cast=funding_flips, hinders=False),
)
