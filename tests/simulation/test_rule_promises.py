"""The watchers of rules, latches, corrections and take-profit orders: each notices the breach it is there for."""

from __future__ import annotations

from decimal import Decimal
from math import inf

import pytest

from config.policy import Policy
from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.inputs import SetLeverage
from daemon.core.draft import Draft
from daemon.core.operator_requests import FlattenAsked
from daemon.core.restraint import latches
from tests.simulation.faults import RequestFate
from tests.simulation.promises import TOO_MUCH_S
from tests.simulation.promises.book import Book
from tests.simulation.promises.ground import Ground
from tests.simulation.promises.p01_never_adds_danger import body_of
from tests.simulation.promises.p04_one_stop_per_position import OneStopPerPosition
from tests.simulation.requests import Sent
from tests.simulation.virtual_loop import passing
from tests.simulation.world import Plan, Report, World, play

PLAN = Plan(seed=43, troubles=0, act_every_s=inf)
SYMBOL = "XBTUSD"


def _broken(report: Report) -> str:
    return "\n".join(str(violation) for violation in report.violations)


def test_a_latch_that_lifts_by_itself_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """P7: a flatten that a person asked for ends without a person."""

    def lift_all(draft: Draft) -> None:
        for name in list(draft.latches):
            if draft.now_ns > draft.latches[name].since_ns + 5 * 10**9:
                latches.lift(draft, name, "nobody")

    monkeypatch.setattr(latches, "pass_time", lift_all)

    async def script(world: World) -> None:
        await passing(5)
        world.guard.ask(FlattenAsked())
        await passing(10)

    assert "flatten operator-flatten lifts by itself (nobody)" in _broken(play(PLAN, script))


@pytest.mark.parametrize("policy", [Policy(), Policy(observe=True)], ids=["no rule asks for it", "observing"])
def test_what_no_rule_asks_for_is_noticed_as_it_leaves(policy: Policy) -> None:
    """P1: a leverage, and a take-profit order, that the settings do not allow."""

    async def script(world: World) -> None:
        await passing(3)
        for path, body in (("position/leverage", b'{"leverage":5}'), ("order", b'{"ordType":"Limit"}')):
            sent = Sent("guard1", "POST", f"/api/v1/{path}", body, world.loop.time(), RequestFate.ANSWERED)
            world.promises.danger.check_leaving((policy,), sent, body_of(sent))

    found = _broken(play(Plan(seed=43, troubles=0, act_every_s=inf, policy=policy), script))
    assert "no rule that is on asks for" in found
    assert "a take-profit order while the rule is off" in found
    assert ("an observing guard sends" in found) == policy.observe


def test_a_correction_that_brings_liquidation_nearer_is_noticed() -> None:
    """P1: a higher leverage of an isolated position, as if the guard had asked for it."""

    async def script(world: World) -> None:
        await passing(5)
        world.bot.open(SYMBOL, side=1, leverage=3)
        await passing(10)
        compare = world.promises.danger.on_arrival("/api/v1/position/leverage", b"{}")
        assert compare is not None
        world.venue.submit(SetLeverage(account=world.account, symbol=SYMBOL, leverage=Decimal(25)))
        compare()

    assert "brings liquidation of XBTUSD from" in _broken(play(PLAN, script))


def test_take_profit_orders_for_more_than_the_position_are_noticed() -> None:
    """P4: two rungs of one lot each on one lot held, for longer than the venue's rows take."""

    async def script(world: World) -> None:
        row: Row = {"clOrdID": "sw-1-XBTUSD-L-t1", "ordType": "Limit", "account": 1, "symbol": SYMBOL, "leavesQty": 100}
        book = Book(exchange=world.venue.exchange, now_s=world.loop.time, orders={"a": row, "b": row})
        book.holding((1, SYMBOL)).quantity = 100
        ground = Ground(exchange=world.venue.exchange, now_s=world.loop.time, book=book)
        promise = OneStopPerPosition(ground)
        for _ in range(2):
            promise.count_takes()
            await passing(TOO_MUCH_S + 1)
        world.promises.violations.extend(ground.violations)

    assert "take-profit orders for 200 of XBTUSD, of which 100 are held" in _broken(play(PLAN, script))
