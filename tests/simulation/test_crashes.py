"""A crash with and without a guard: two accounts hold the same position, one of them is guarded.

The market runs on a virtual clock; everything else is the product. Where the unguarded account is liquidated, the
guarded one was stopped before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import inf
from pathlib import Path

import pytest

from connectors.simulated.tape.source import tape_of_file, tape_of_scenario
from connectors.simulated.tape.tape import Tape
from tests.simulation.prices import STEP_S
from tests.simulation.virtual_loop import passing
from tests.simulation.world import Plan, Report, World, play

SYMBOL = "XBTUSD"


def _liquidated(world: World) -> set[int]:
    """Accounts that were liquidated."""
    rows = (row for account in world.venue.accounts for row in world.venue.exchange.execution_rows(account))
    return {int(str(row["account"])) for row in rows if str(row["text"]).startswith("Liquidation")}


def _crash(tape: Tape, *, side: int, leverage: int) -> tuple[Report, set[int], tuple[int, int]]:
    """Play a tape over two accounts; return the report, who was liquidated, and both accounts."""
    liquidated: set[int] = set()
    accounts: list[int] = []

    async def script(world: World) -> None:
        accounts.extend(world.venue.accounts)
        await passing(STEP_S)
        for account in accounts:
            assert world.bot_of(account).open(SYMBOL, side=side, leverage=leverage)
        await passing((tape.real_total_ms or 0) / 1000 + 5)
        liquidated.update(_liquidated(world))

    plan = Plan(seed=3, troubles=0, act_every_s=inf, accounts=2, tape=tape)
    report = play(plan, _only_first_is_judged(script))
    return report, liquidated, (accounts[0], accounts[1])


def _only_first_is_judged(script: Callable[[World], Awaitable[None]]) -> Callable[[World], Awaitable[None]]:
    """The promises are about the guarded account: the other one is there to show what they are worth."""

    async def judged(world: World) -> None:
        world.promises.only(world.account)
        await script(world)

    return judged


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("scenario", "side", "leverage"),
    [("crash", 1, 10), ("squeeze", -1, 10), ("flash-crash", 1, 10), ("gap", 1, 20)],
)
def test_a_guarded_account_outlives_a_scenario(scenario: str, side: int, leverage: int) -> None:
    """P2: the unguarded twin is liquidated, the guarded account is stopped before that."""
    report, liquidated, (guarded, unguarded) = _crash(tape_of_scenario(scenario, seed=5), side=side, leverage=leverage)
    assert not report.violations, str(report)
    assert guarded not in liquidated
    assert unguarded in liquidated
    assert report.counts["our fills"] > 0


@pytest.mark.real_day
@pytest.mark.timeout(180)
def test_a_guarded_account_outlives_march_2020(real_data: Path) -> None:
    """P2: six hours of 2020-03-12, when BTC lost a quarter; only the unguarded twin is liquidated."""
    tape = tape_of_file(
        real_data / "candles" / "bitmex-xbtusd-1m-2020-03.csv.gz",
        seed=5,
        since="2020-03-12T09:00",
        until="2020-03-12T15:00",
    )
    report, liquidated, (guarded, unguarded) = _crash(tape, side=1, leverage=5)
    assert not report.violations, str(report)
    assert guarded not in liquidated
    assert unguarded in liquidated
