"""What the exchange as a whole does: maintenance, delisting, settlement, winding down."""

from __future__ import annotations

from contextlib import ExitStack
from decimal import Decimal
from random import Random

from connectors.simulated.engine.inputs import Announce, Input, PlaceOrder, RestrictMarket, SettleContract
from connectors.simulated.engine.refusals import Refused
from tests.simulation.guard_life import SimGuard
from tests.simulation.scene import Scene
from tests.simulation.troubles.staging import (
    bites_of,
    board_fault,
    held,
    held_symbols,
    open_symbols,
    refusals_seen,
    some_position,
)
from tests.simulation.troubles.trouble import Trouble, either_sign, some_s
from tests.simulation.virtual_loop import passing


async def maintenance(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Announced, then 503 for everything and no socket stays open; no price moves, and then all is back."""
    notice_s, lasting_s = some_s(random, 0.5, 20), some_s(random, 3, 90)
    scene.venue.submit(
        Announce(title="Scheduled maintenance", content=f"In {notice_s:.0f} s, for {lasting_s:.0f} s.", is_urgent=True)
    )
    await passing(notice_s)
    with ExitStack() as until:
        until.enter_context(board_fault(scene, "trading-halt"))
        fault = until.enter_context(board_fault(scene, "maintenance"))
        until.callback(lambda: scene.hit("maintenance") if bites_of(scene, fault) else None)
        volatility = scene.prices.volatility
        until.callback(setattr, scene.prices, "volatility", volatility)
        scene.prices.volatility = 0.0
        for each in scene.guards:
            until.callback(setattr, each.line.weather, "are_streams_down", False)
            each.line.weather.are_streams_down = True
            scene.network.hang_up(each.name)
        await passing(lasting_s)


def _may_end(scene: Scene) -> list[str]:
    """Return the contracts that may end: one is left, so that the world goes on."""
    symbols = open_symbols(scene)
    return symbols if len(symbols) > 1 else []


async def delisted(scene: Scene, guard: SimGuard, random: Random) -> None:
    """A contract takes no new positions for a while, and then ends at the mean of its index."""
    symbols = _may_end(scene)
    if not symbols:
        return
    symbol = random.choice([each for each in symbols if held(scene, each)] or symbols)
    scene.venue.submit(Announce(title=f"{symbol} will be delisted"))
    scene.venue.submit(RestrictMarket(symbol=symbol))
    await passing(some_s(random, 1, 30))
    if symbol in _may_end(scene):
        scene.promises.disturb()
        scene.venue.submit(SettleContract(symbol=symbol))
        scene.hit("symbol delisted")


async def forced_settlement(scene: Scene, guard: SimGuard, random: Random) -> None:
    """A contract that is held ends at once, without a word and at a price far from its mark."""
    symbol = await some_position(scene, random)
    if symbol is None or symbol not in _may_end(scene):
        return
    away = Decimal(either_sign(random) * random.randint(1, 80)) / 1000
    price = (scene.prices.mark(symbol) * (1 + away)).quantize(Decimal("0.01"))
    is_held = held(scene, symbol) != 0
    scene.promises.disturb()
    scene.venue.submit(SettleContract(symbol=symbol, price=price))
    if is_held and not held(scene, symbol):
        scene.hit("forced settlement")
    await passing(some_s(random, 1, 5))


async def new_positions_banned(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Only what shrinks a position is taken; the guard has to go on protecting what is held."""
    await some_position(scene, random)

    def is_bite(value: Input, refusal: Refused) -> bool:
        return isinstance(value, PlaceOrder) and "reduce only" in refusal.message

    symbols = open_symbols(scene)
    with ExitStack() as until:
        until.enter_context(refusals_seen(scene, "new-position ban", is_bite))
        for symbol in symbols:
            scene.venue.submit(RestrictMarket(symbol=symbol))
            until.callback(_allow, scene, symbol)
        for _ in range(random.randint(1, 8)):
            scene.promises.disturb()
            scene.bot.drawing(random).quote(random.choice(symbols))
            if there := held_symbols(scene):
                scene.bot.cancel_guards(random.choice(there))
            await passing(some_s(random, 0.5, 10))


def _allow(scene: Scene, symbol: str) -> None:
    if symbol in open_symbols(scene):
        scene.venue.submit(RestrictMarket(symbol=symbol, reduce_only=False))


async def winding_down(scene: Scene, guard: SimGuard, random: Random) -> None:
    """The end of a venue: no new positions, spreads blow out, one contract after the other ends, the host is dead."""
    for symbol in open_symbols(scene):
        scene.venue.submit(RestrictMarket(symbol=symbol))
    scene.venue.submit(Announce(title="We are closing", is_urgent=True))
    await passing(some_s(random, 5, 30))
    with board_fault(scene, "book-thin", depth_percent="0.05", spread_times="200"):
        for symbol in open_symbols(scene):
            await passing(some_s(random, 5, 30))
            is_held = held(scene, symbol) != 0
            scene.venue.submit(SettleContract(symbol=symbol))
            if is_held:
                scene.hit("winding down")
        await passing(some_s(random, 5, 30))
    for each in scene.guards:
        each.line.weather.is_down = True
        scene.network.hang_up(each.name)


VENUE: tuple[Trouble, ...] = (
    Trouble(name="maintenance", listed="maintenance with announcement", cast=maintenance),
    Trouble(name="symbol delisted", listed="symbol delisted", cast=delisted),
    Trouble(name="forced settlement", listed="forced settlement", cast=forced_settlement),
    Trouble(name="new-position ban", listed="new-position ban", cast=new_positions_banned, hinders=False),
    Trouble(name="winding down", listed="", cast=winding_down, is_scripted=True),
)
