"""The watchers themselves: each notices the breach it is there for. A check that cannot fail proves nothing."""

from __future__ import annotations

from decimal import Decimal
from math import inf

import pytest

from connectors.simulated.engine.inputs import CancelAll, PlaceOrder
from daemon.core import stops
from daemon.core.draft import Draft
from tests.simulation.promises import WHOLE_AGAIN_S
from tests.simulation.virtual_loop import passing
from tests.simulation.world import Plan, Report, World, play

PLAN = Plan(seed=41, troubles=0, act_every_s=inf)
SYMBOL = "XBTUSD"


def _broken(report: Report) -> set[str]:
    return {violation.promise for violation in report.violations}


def _stop(world: World, number: int, *, away: int) -> PlaceOrder:
    """A stop that carries our prefix and none of our care."""
    return PlaceOrder(
        account=world.account,
        symbol=SYMBOL,
        side="Sell",
        order_qty=100,
        ord_type="Stop",
        stop_px=Decimal(60_000 - away),
        exec_inst="MarkPrice,ReduceOnly",
        cl_ord_id=f"sw-{world.account}-{SYMBOL}-L-s{number}",
    )


def test_an_order_of_ours_that_grows_a_position_is_noticed() -> None:
    """P1: an order with our prefix opens a position."""

    async def script(world: World) -> None:
        await passing(2)
        name = f"sw-{world.account}-{SYMBOL}-L-r1"
        world.venue.submit(
            PlaceOrder(account=world.account, symbol=SYMBOL, order_qty=100, ord_type="Market", cl_ord_id=name)
        )

    assert "P1" in _broken(play(PLAN, script))


def test_a_third_stop_of_ours_is_noticed() -> None:
    """P4: three of our stops rest for one position."""

    async def script(world: World) -> None:
        await passing(2)
        world.bot.open(SYMBOL, side=1, leverage=10)
        await passing(0.001)
        for number in (7, 8, 9):
            world.venue.submit(_stop(world, number, away=1_000 * number))

    assert "P4" in _broken(play(PLAN, script))


def test_a_position_left_uncovered_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """P2: the core forgets about stops."""

    def forget(draft: Draft, symbol: str) -> None:
        """Reconcile nothing."""

    async def script(world: World) -> None:
        await passing(2)
        world.bot.open(SYMBOL, side=1, leverage=10)
        await passing(WHOLE_AGAIN_S + 3)

    monkeypatch.setattr(stops, "reconcile", forget)
    assert "P2" in _broken(play(PLAN, script))


def test_a_loosened_stop_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """P3: the core forgets the tightest trigger, margin is added, and the stop that vanished returns looser."""

    async def script(world: World) -> None:
        await passing(2)
        world.bot.open(SYMBOL, side=1, leverage=10)
        await passing(3)
        world.bot.add_margin(SYMBOL, 5_000_000)
        await passing(1)
        world.venue.submit(CancelAll(account=world.account))
        await passing(3)

    assert not _broken(play(PLAN, script))
    monkeypatch.setattr(stops, "_tightest", lambda _guarded, _cover: None)
    assert "P3" in _broken(play(PLAN, script))
