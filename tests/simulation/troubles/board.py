"""Faults of the exchange's own board, set for a while and taken off again; whoever asks the board counts the bites.

Units: seconds of virtual time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from random import Random

from connectors.simulated.engine.inputs import ClearFault, SetFault
from tests.simulation.bot import CONTRACTS
from tests.simulation.scene import Scene
from tests.simulation.troubles.trouble import either_sign


def trade_something(scene: Scene, random: Random) -> None:
    """Let the bot trade: there are rows to tell and stops to place, so that the wire has what to spoil."""
    symbol, side = random.choice(tuple(CONTRACTS)), either_sign(random)
    if not scene.bot.is_dead:
        scene.bot.open(symbol, side=side, leverage=5, share=0.03)


@contextmanager
def fault_set(
    scene: Scene,
    fault: str,
    trouble: str,
    random: Random,
    *,
    parameters: Mapping[str, str | int | bool] | None = None,
    probability: str = "1",
    **scope: str | int | None,
) -> Iterator[None]:
    """Set a fault, and take it off; what it has bitten by then are hits of the trouble."""
    board = scene.venue.exchange.faults()
    scene.venue.submit(
        SetFault(
            name=fault,
            parameters=dict(parameters or {}),
            probability=Decimal(probability),
            seed=random.getrandbits(31),
            **scope,  # type: ignore[arg-type]  # account is a number, the others are texts
        )
    )
    one = board.active[board.count]
    try:
        yield
    finally:
        for _ in range(scene.venue.faults.keeper.hits(one)):
            scene.hit(trouble)
        if one.number in board.active:
            scene.venue.submit(ClearFault(number=one.number))
