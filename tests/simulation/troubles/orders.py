"""What the exchange does with single orders, the guard's stops among them."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from connectors.simulated.engine.changes import Change
from connectors.simulated.engine.inputs import AmendOrder, Input, PlaceOrder
from connectors.simulated.engine.refusals import Refused
from tests.simulation.guard_life import SimGuard
from tests.simulation.promises import OURS
from tests.simulation.scene import Scene
from tests.simulation.troubles.staging import (
    board_fault,
    changes_seen,
    ended_of_ours,
    held,
    is_passed,
    move_past_stop,
    order_of_ours,
    refusals_seen,
    some_position,
)
from tests.simulation.troubles.trouble import Trouble, some_s
from tests.simulation.virtual_loop import passing

LEVEL = Decimal("0.02")
"""Between two levels of a thin book, in percent of the price."""
DEPTH = 10_000_000
"""Contracts a level of an ordinary book."""
WIDEST = Decimal(10_000)
"""Times that the exchange spreads a book at most."""
REFUSALS = (
    "Invalid ordStatus",
    "Account has insufficient Available Balance, 12345 XBt required",
    "Position is in liquidation",
    "Too many open orders",
)
STOP_REFUSALS = ("Invalid stopPx for ordType", "Too many stop orders", "Instrument has no mark price")
AMEND_REFUSALS = ("Invalid amend", "Amending is not allowed", "Invalid ordStatus")
VENUES_OWN = "Canceled by the venue"
REJECTED = "Rejected by the venue"


def _is_ours_refused(value: Input, _refusal: Refused) -> bool:
    return isinstance(value, PlaceOrder) and value.cl_ord_id.startswith(OURS)


async def refused(scene: Scene, guard: SimGuard, random: Random) -> None:
    """New orders, or stops only, are refused, while a position needs one."""
    name, message = random.choice(
        [("order-refused", each) for each in REFUSALS] + [("stop-refused", each) for each in STOP_REFUSALS]
    )
    symbol = await some_position(scene, random)
    with (
        refusals_seen(scene, "order refused", _is_ours_refused),
        board_fault(scene, "stop-refused" if random.random() < 0.5 else name, message=message),
    ):
        if symbol is not None:
            scene.bot.cancel_guards(symbol)
        await passing(some_s(random, 2, 40))


async def amend_refused(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Stops cannot be changed any more, while the position grows that they protect."""
    symbol = await some_position(scene, random)
    with (
        refusals_seen(scene, "amend refused", lambda value, _: isinstance(value, AmendOrder)),
        board_fault(scene, "amend-refused", message=random.choice(AMEND_REFUSALS)),
    ):
        if symbol is not None:
            scene.bot.grow(symbol, random.uniform(0.1, 0.5))
        await passing(some_s(random, 2, 40))


async def crossed_refused(scene: Scene, guard: SimGuard, random: Random) -> None:
    """A stop that would fire at once is refused instead; prices run, so that one may be."""
    await some_position(scene, random)
    with (
        refusals_seen(scene, "crossed stop refused", _is_ours_refused),
        board_fault(scene, "crossed-stop-refused"),
    ):
        for _ in range(random.randint(1, 6)):
            scene.prices.jump(random.uniform(-0.02, 0.02))
            await passing(some_s(random, 0.5, 5))


async def rejected(scene: Scene, guard: SimGuard, random: Random) -> None:
    """A stop is answered with a 200, and the row in it says Rejected."""
    symbol = await some_position(scene, random)
    with (
        changes_seen(scene, "order rejected", ended_of_ours(REJECTED)),
        board_fault(scene, "order-rejected", reason=REJECTED),
    ):
        if symbol is not None:
            scene.bot.cancel_guards(symbol)
        await passing(some_s(random, 2, 40))


async def cancelled(scene: Scene, guard: SimGuard, random: Random) -> None:
    """A stop is accepted, and the venue cancels it some time later, again and again."""
    await some_position(scene, random)
    after_ms = random.choice((0, 0, 300, 2_000, 6_000))
    with (
        changes_seen(scene, "order cancelled", ended_of_ours(VENUES_OWN)),
        board_fault(scene, "stop-cancelled", after_ms=after_ms, text=f"Canceled: {VENUES_OWN}"),
    ):
        await passing(some_s(random, 3, 40))


async def asleep(scene: Scene, guard: SimGuard, random: Random) -> None:
    """The mark passes a stop, and the stop does not fire."""
    symbol = await some_position(scene, random)
    if symbol is None:
        return
    with board_fault(scene, "stop-asleep", symbol=symbol):
        if not move_past_stop(scene, symbol):
            return
        until_s = scene.loop.time() + some_s(random, 3, 40)
        if is_passed(scene, symbol):
            scene.hit("stop asleep")
        await passing(until_s - scene.loop.time())


def _is_unfilled(change: Change) -> bool:
    row = order_of_ours(change)
    return row is not None and row["triggered"] == "StopOrderTriggered" and row["ordStatus"] == "New"


async def unfilled(scene: Scene, guard: SimGuard, random: Random) -> None:
    """The stop fires, and its market order is not filled."""
    symbol = await some_position(scene, random)
    if symbol is None:
        return
    with (
        board_fault(scene, "stop-unfilled", symbol=symbol),
        changes_seen(scene, "stop unfilled", _is_unfilled),
    ):
        if move_past_stop(scene, symbol):
            await passing(some_s(random, 3, 40))


def _is_part(change: Change) -> bool:
    row = order_of_ours(change)
    if row is None or row["ordType"] != "Stop" or not row["cumQty"]:
        return False
    return row["ordStatus"] in {"PartiallyFilled", "Canceled"}


async def in_parts(scene: Scene, guard: SimGuard, random: Random) -> None:
    """The stop fires into a book so thin that it is filled in parts, and what is left is cancelled."""
    symbol = await some_position(scene, random, leverage=random.choice((None, 10, 25)))
    if symbol is None:
        return
    market = scene.venue.exchange.world.markets[symbol]
    depth = max(market.contract.lot_size, abs(held(scene, symbol)) // random.randint(2, 12))
    times = market.mark * LEVEL / 100 / market.contract.tick_size * random.randint(1, 30)
    with (
        board_fault(
            scene,
            "book-thin",
            symbol=symbol,
            depth_percent=str(Decimal(depth * 100) / DEPTH),
            spread_times=str(min(max(Decimal(1), times.quantize(Decimal(1))), WIDEST)),
        ),
        changes_seen(scene, "stop filled in parts", _is_part),
    ):
        if move_past_stop(scene, symbol):
            await passing(some_s(random, 2, 30))


ORDERS: tuple[Trouble, ...] = (
    Trouble(name="order refused", listed="order refused", cast=refused),
    Trouble(name="amend refused", listed="order refused", cast=amend_refused, from_seed=13_000_000),
    Trouble(name="crossed stop refused", listed="", cast=crossed_refused),
    Trouble(name="order rejected", listed="", cast=rejected),
    Trouble(name="order cancelled", listed="order accepted then cancelled by the venue", cast=cancelled),
    Trouble(name="stop asleep", listed="stop not triggering although the mark passed", cast=asleep),
    Trouble(name="stop unfilled", listed="stop triggered but not filled", cast=unfilled),
    Trouble(name="stop filled in parts", listed="stop filled in parts", cast=in_parts),
)
