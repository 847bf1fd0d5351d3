"""What troubles of the exchange have in common: its fault board, somebody who watches, a position to work on.

Why: a trouble says that it bit only when it did. So whoever sets a fault also says by which change at the exchange its
bite is known, and it is counted there.

Units: prices `Decimal`, quantities in contracts, seconds of virtual time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from random import Random

from connectors.simulated.engine.changes import Change, Row
from connectors.simulated.engine.faults.board import ActiveFault
from connectors.simulated.engine.inputs import ClearFault, Input, SetFault
from connectors.simulated.engine.markets.market import MarketState
from connectors.simulated.engine.refusals import Refused
from tests.simulation.bot import CONTRACTS
from tests.simulation.promises import OURS
from tests.simulation.scene import Scene
from tests.simulation.virtual_loop import passing

KNOWN_WITHIN_S = 4.0
"""A position that a trouble needs is left alone for so long, so that the guard has covered it."""
BEYOND = Decimal("0.3")
"""How far a price goes beyond a stop, as a share of the way to the liquidation price."""

Raw = str | int | bool


@contextmanager
def board_fault(scene: Scene, name: str, *, symbol: str | None = None, **parameters: Raw) -> Iterator[ActiveFault]:
    """Set a fault of the embedded exchange for as long as the block lasts."""
    board = scene.venue.exchange.faults()
    scene.venue.submit(SetFault(name=name, parameters=parameters, symbol=symbol))
    number = board.count
    try:
        yield board.active[number]
    finally:
        if number in board.active:
            scene.venue.submit(ClearFault(number=number))


def bites_of(scene: Scene, fault: ActiveFault) -> int:
    """Return how often a fault has bitten, in the engine and on frames."""
    return scene.venue.faults.keeper.hits(fault)


@contextmanager
def changes_seen(scene: Scene, name: str, is_bite: Callable[[Change], bool]) -> Iterator[None]:
    """Count each change at the exchange that shows that a trouble bit."""

    def look(changes: Sequence[Change]) -> None:
        for change in changes:
            if is_bite(change):
                scene.hit(name)

    scene.venue.watchers.append(look)
    try:
        yield
    finally:
        scene.venue.watchers.remove(look)


@contextmanager
def refusals_seen(scene: Scene, name: str, is_bite: Callable[[Input, Refused], bool]) -> Iterator[None]:
    """Count each refusal by the exchange that shows that a trouble bit."""

    def look(value: Input, refusal: Refused) -> None:
        if is_bite(value, refusal):
            scene.hit(name)

    scene.venue.refusal_watchers.append(look)
    try:
        yield
    finally:
        scene.venue.refusal_watchers.remove(look)


def order_of_ours(change: Change) -> Row | None:
    """Return the row of a change of an order of the guard's; None for every other change."""
    if change.table != "order" or not str(change.row["clOrdID"]).startswith(OURS):
        return None
    return change.row


def ended_of_ours(text: str) -> Callable[[Change], bool]:
    """Tell a change in which an order of the guard's ended for a reason."""

    def is_bite(change: Change) -> bool:
        row = order_of_ours(change)
        return row is not None and row["ordStatus"] in {"Canceled", "Rejected"} and text in str(row["text"])

    return is_bite


# ---------------------------------------------------------------------- positions


def open_symbols(scene: Scene) -> list[str]:
    """Return the contracts that can still be traded."""
    markets = scene.venue.exchange.world.markets
    return [symbol for symbol in CONTRACTS if markets[symbol].state is MarketState.OPEN]


def held_symbols(scene: Scene) -> list[str]:
    """Return the contracts the account holds."""
    return [symbol for symbol in CONTRACTS if scene.promises.size((scene.account, symbol))]


def held(scene: Scene, symbol: str) -> int:
    """Return the account's position, signed."""
    return scene.promises.size((scene.account, symbol))


async def some_position(scene: Scene, random: Random, *, leverage: int | None = None) -> str | None:
    """Return a symbol with a position; open one where there is none, or none of a leverage that matters.

    Args:
        scene: The world.
        random: Of the trouble.
        leverage: Open a fresh one of this leverage if a symbol is free.
    """
    there = held_symbols(scene)
    free = [symbol for symbol in open_symbols(scene) if symbol not in there]
    if free and (not there or leverage is not None):
        symbol = random.choice(free)
        chosen = random.choice((5, 10, 20)) if leverage is None else leverage
        scene.bot.open(symbol, side=random.choice((1, -1)), leverage=chosen, share=0.1)
        await passing(KNOWN_WITHIN_S)
        there = [symbol] if held(scene, symbol) else held_symbols(scene)
    return random.choice(there) if there else None


def position_row(scene: Scene, symbol: str) -> Row | None:
    """Return the account's position row of a symbol."""
    rows = scene.venue.exchange.position_rows(scene.account)
    return next((row for row in rows if row["symbol"] == symbol), None)


def liquidation_of(scene: Scene, symbol: str) -> Decimal | None:
    """Return the liquidation price of a position; None where there is none."""
    row = position_row(scene, symbol)
    price = None if row is None else row["liquidationPrice"]
    return None if price is None else Decimal(str(price))


def our_stop(scene: Scene, symbol: str) -> Row | None:
    """Return the guard's stop that is nearest to the mark; None where none rests."""
    stops = scene.promises.our_stops((scene.account, symbol))
    if not stops:
        return None
    nearest = max if held(scene, symbol) > 0 else min
    return nearest(stops, key=lambda row: Decimal(str(row["stopPx"])))


def is_passed(scene: Scene, symbol: str) -> bool:
    """Return whether the mark is beyond a stop of the guard's that still waits."""
    row = our_stop(scene, symbol)
    if row is None:
        return False
    mark, stop = scene.venue.exchange.world.markets[symbol].mark, Decimal(str(row["stopPx"]))
    return mark < stop if row["side"] == "Sell" else mark > stop


def move_past_stop(scene: Scene, symbol: str) -> bool:
    """Move the price beyond the guard's stop and not as far as liquidation; False where no stop rests."""
    row, line = our_stop(scene, symbol), liquidation_of(scene, symbol)
    if row is None:
        return False
    stop = Decimal(str(row["stopPx"]))
    side = 1 if row["side"] == "Sell" else -1
    is_near = line is not None and 0 < (stop - line) * side < stop / 20
    way = abs(stop - line) * BEYOND if is_near and line is not None else stop / 500
    scene.prices.move_to(symbol, stop - way * side)
    return True
