"""The ladder in a whole world: prices fall, answers get lost, and no money moves twice (P1, P5)."""

from __future__ import annotations

from decimal import Decimal
from math import inf

import pytest

from config.ladder import LadderPolicy, Step
from config.policy import Policy, TierPolicy
from tests.simulation.faults import RequestFate
from tests.simulation.virtual_loop import passing
from tests.simulation.world import Plan, World, play

SYMBOL = "XBTUSDT"
POLICY = Policy(
    tiers=TierPolicy(watch_percent=Decimal("8.5"), warn_percent=Decimal(7), critical_percent=Decimal(6)),
    ladder=LadderPolicy(
        watch=(Step.ADD_MARGIN,),
        warn=(Step.TRIM, Step.TIGHTEN),
        critical=(Step.FREEZE,),
        margin_step_percent=Decimal(1),
        margin_budget_percent=Decimal(3),
        cool_down_s=Decimal(20),
    ),
)


def equity(world: World) -> int:
    """Of the contract's currency."""
    rows = world.venue.exchange.margin_rows(world.account)
    return next(int(str(row["marginBalance"])) for row in rows if row["currency"] == "USDt")


def margin_added(world: World) -> int:
    """What was moved to the position, as its row counts it."""
    rows = world.venue.exchange.position_rows(world.account)
    return next((int(str(row["posCross"] or 0)) for row in rows if row["symbol"] == SYMBOL), 0)


@pytest.mark.parametrize(
    "fates",
    [
        {},
        {RequestFate.REPLY_LOST: 0.5},
        {RequestFate.REPLY_SILENT: 0.3, RequestFate.DELAYED: 0.4},
        {RequestFate.OVERLOADED: 0.6},
    ],
    ids=["fine", "reply lost", "late", "503"],
)
def test_margin_is_added_within_the_budget_and_the_trim_follows(fates: dict[RequestFate, float]) -> None:
    """P1, P5: whatever becomes of answers, no more than the day's budget moves, and everything is covered."""

    async def script(world: World) -> None:
        await passing(5)
        world.bot.open(SYMBOL, side=1, leverage=10, share=0.1)
        await passing(10)
        before, at_first = equity(world), abs(world.promises.size((world.account, SYMBOL)))
        world.guard.line.weather.request_fates = fates
        world.promises.quiet_since_s = inf
        world.prices.jump(-0.012)
        await passing(90)
        added = margin_added(world)
        assert 0 < added <= before * 3 // 100 + 1
        world.guard.line.weather.request_fates = {}
        world.prices.jump(-0.045)
        await passing(30)
        assert abs(world.promises.size((world.account, SYMBOL))) < at_first
        assert margin_added(world) <= before * 3 // 100 + 1
        assert world.promises.counts["liquidations"] == 0

    report = play(Plan(seed=91, troubles=0, act_every_s=inf, policy=POLICY), script)
    assert not report.violations, str(report)
