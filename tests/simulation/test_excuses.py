"""What the watchers excuse, each beside what they do not: a race that no guard can win is not its doing.

Why: an excuse that is too wide lets a broken guard through, so every one is shown from both sides.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from math import inf

import pytest

from config.modes import RuleMode
from config.policy import Policy, TakeProfitPolicy
from connectors.simulated.engine.inputs import PlaceOrder
from connectors.simulated.engine.switches import ClientIdReuse, Switches
from connectors.vocabulary import OrderSide, OrderStatus, PositionKey
from daemon.core import stops
from daemon.core.commands import ReduceAtMarket
from daemon.core.events import Event, OrderSeen, PictureRead, RequestRefused, Source, Started
from daemon.core.memory.interventions import Latch, LatchKind
from daemon.core.reasons import Reason
from tests.builders import an_order
from tests.simulation import world as ending
from tests.simulation.faults import RequestFate
from tests.simulation.guard_life import SimGuard
from tests.simulation.plans import Plan
from tests.simulation.promises import p04_one_stop_per_position
from tests.simulation.promises.ground import GuardFacts
from tests.simulation.promises.p01_never_adds_danger import body_of
from tests.simulation.requests import Sent
from tests.simulation.virtual_loop import passing
from tests.simulation.world import World, flat_where_it_is_latched, play

PLAN = Plan(seed=47, troubles=0, act_every_s=inf)
FORGETFUL = replace(PLAN, switches=Switches(client_id_reuse=ClientIdReuse.WHEN_CLOSED))
SYMBOL = "XBTUSD"
Script = Callable[[World], Awaitable[None]]


def _broken(script: Script, plan: Plan = PLAN) -> str:
    return "\n".join(str(violation) for violation in play(plan, script).violations)


def _facts(world: World) -> GuardFacts:
    return world.promises.ground.of(world.guard)


def _sent(world: World, verb: str, body: bytes, fate: RequestFate = RequestFate.ANSWERED, by: str = "guard1") -> None:
    """A request about an order leaves, as if a guard had sent it."""
    world.promises.on_sent(Sent(by, verb, "/api/v1/order", body, world.loop.time(), fate))


def _body_of(name: str) -> bytes:
    return f'{{"clOrdID":"{name}","ordType":"Market","execInst":"ReduceOnly"}}'.encode()


def _reduction(account: int, name: str) -> PlaceOrder:
    return PlaceOrder(
        account=account,
        symbol=SYMBOL,
        side="Sell",
        order_qty=100,
        ord_type="Market",
        exec_inst="ReduceOnly",
        cl_ord_id=name,
    )


def _twice_under_one_name(fates: tuple[RequestFate, ...], arrivals: int) -> str:
    """What breaks when these requests leave under one name, and so many arrive at a venue that forgets used ids."""

    async def script(world: World) -> None:
        await passing(3)
        world.bot.open(SYMBOL, side=1, leverage=5)
        await passing(5)
        name = f"sw-{world.account}-{SYMBOL}-L-r9"
        for fate in fates:
            _sent(world, "POST", _body_of(name), fate)
            for _ in range(arrivals):
                world.venue.submit(_reduction(world.account, name))

    return _broken(script, FORGETFUL)


def test_placing_again_under_the_same_name_is_noticed_when_both_did_something() -> None:
    """P4: a venue that forgets ids takes the same order twice from one guard."""
    found = _twice_under_one_name((RequestFate.ANSWERED, RequestFate.ANSWERED), arrivals=1)
    assert "stands for two orders that did something" in found


def test_one_request_that_the_network_delivers_twice_is_no_doing_of_the_guards() -> None:
    """P4: an earlier one was turned back on its way, the repeat arrives twice; one after that is judged again."""
    assert not _twice_under_one_name((RequestFate.TWICE,), arrivals=2)
    found = _twice_under_one_name((RequestFate.TWICE, RequestFate.ANSWERED), arrivals=1)
    assert "stands for two orders that did something" in found


def test_a_reduction_that_was_held_up_may_arrive_after_its_repeat() -> None:
    """P4: it was asked for and not found, its repeat was filled; nothing at the venue lets anybody call it back."""
    found = _twice_under_one_name((RequestFate.DELAYED, RequestFate.ANSWERED), arrivals=1)
    assert "stands for two orders that did something" not in found


@pytest.mark.parametrize(("is_refused", "is_breach"), [(True, False), (False, True)], ids=["refused", "no word of it"])
def test_a_name_that_the_venue_refused_is_free_for_two_guards_in_one_moment(
    monkeypatch: pytest.MonkeyPatch, is_refused: bool, is_breach: bool
) -> None:
    """P4: what was sent and refused does not count; what was sent and is unknown, and sent again, does."""
    monkeypatch.setattr(stops, "reconcile", lambda _draft, _symbol: None)

    async def script(world: World) -> None:
        await passing(3)
        assert world.bot.open(SYMBOL, side=1, leverage=5)
        name = f"sw-{world.account}-{SYMBOL}-L-r9"
        _facts(world).commands[900] = ReduceAtMarket(
            command_id=900,
            reason=Reason.RULE_EXIT,
            client_order_id=name,
            key=PositionKey(account=world.account, symbol=SYMBOL),
            side=OrderSide.SELL,
            quantity=100,
        )
        _sent(world, "POST", _body_of(name))
        if is_refused:
            for promise in world.promises.each:
                promise.on_event(_facts(world), RequestRefused(at_ns=1, command_id=900, reason="in liquidation"))
        for guard in ("guard1", "guard2"):
            _sent(world, "POST", _body_of(name), by=guard)
        for _ in range(2):
            world.venue.submit(_reduction(world.account, name))

    found = _broken(script, FORGETFUL)
    assert ("stands for two orders that did something" in found) == is_breach


@pytest.mark.parametrize(
    ("is_kept", "is_read", "is_market", "is_breach"),
    [(False, False, True, False), (True, False, True, True), (False, True, True, True), (False, False, False, True)],
    ids=["lost and not read", "remembered", "read since", "no reduction"],
)
def test_a_guard_that_lost_its_memory_may_reduce_under_an_id_that_it_used(
    monkeypatch: pytest.MonkeyPatch, *, is_kept: bool, is_read: bool, is_market: bool, is_breach: bool
) -> None:
    """P4: the end of its journal went, no read gets through, a reduction is due: an act of its own."""
    monkeypatch.setattr(p04_one_stop_per_position, "_is_remembered", lambda _facts, _name: is_kept)

    async def script(world: World) -> None:
        await passing(3)
        assert world.bot.open(SYMBOL, side=1, leverage=5)
        await passing(5)
        name, facts = f"sw-{world.account}-{SYMBOL}-L-r9", _facts(world)
        ended = an_order("v-1", name, symbol=SYMBOL, status=OrderStatus.FILLED, leaves_quantity=0, filled_quantity=100)
        events: list[Event] = [OrderSeen(at_ns=1, order=ended, source=Source.STREAM)]
        events.append(Started(at_ns=2, account=world.account))
        if is_read:
            events.append(
                PictureRead(
                    at_ns=3, command_id=1, asked_ns=2, positions=(), open_orders=(), recent_orders=(), margins=()
                )
            )
        body = _body_of(name) if is_market else _body_of(name).replace(b"Market", b"Limit")
        _sent(world, "POST", body)
        world.venue.submit(_reduction(world.account, name))
        for event in events:
            for promise in world.promises.each:
                if isinstance(promise, p04_one_stop_per_position.OneStopPerPosition):
                    promise.on_event(facts, event)
        _sent(world, "POST", body)
        world.venue.submit(_reduction(world.account, name))

    found = _broken(script, FORGETFUL)
    assert ("stands for two orders that did something" in found) == is_breach


@pytest.mark.parametrize("is_told", [False, True], ids=["news to the guard", "the guard was told"])
def test_a_left_over_stop_of_a_symbol_that_opens_this_moment_may_be_cancelled(is_told: bool) -> None:
    """P1: under a flatten a stop of the bot's is left over on a flat symbol, which a bot opens as the cancel leaves."""

    async def script(world: World) -> None:
        await passing(5)
        assert world.bot.open(SYMBOL, side=1, leverage=5)
        world.venue.submit(
            PlaceOrder(
                account=world.account,
                symbol=SYMBOL,
                side="Sell",
                ord_type="Stop",
                stop_px=Decimal(20_000),
                exec_inst="Close,MarkPrice",
                cl_ord_id="mm-left",
            )
        )
        (order_id,) = [name for name, row in world.promises.orders.items() if row["clOrdID"] == "mm-left"]
        _facts(world).latches["operator-flatten"] = "flatten"
        if is_told:
            await passing(1)
        _sent(world, "DELETE", f'{{"orderID":["{order_id}"]}}'.encode())

    assert ("cancels mm-left" in _broken(script)) == is_told


@pytest.mark.parametrize(("after_s", "is_breach"), [(2.0, False), (4.0, True)])
def test_what_waited_for_a_connection_over_a_reload_may_leave_for_a_moment(after_s: float, *, is_breach: bool) -> None:
    """P1: it was decided, and passed the choke point, under the settings of before; seconds later it is a breach."""
    taking = Policy(take_profit=TakeProfitPolicy(mode=RuleMode.ON))

    async def script(world: World) -> None:
        await passing(3)
        world.guard.reload(Policy(), may_loosen=False)
        await passing(after_s)
        body = (
            b'{"symbol":"XBTUSD","side":"Sell","ordType":"Limit","execInst":"ReduceOnly","clOrdID":"sw-1-XBTUSD-L-t1"}'
        )
        sent = Sent("guard1", "POST", "/api/v1/order", body, world.loop.time(), RequestFate.ANSWERED)
        world.promises.danger.on_sent(_facts(world), sent, body_of(sent))

    assert ("a take-profit order while the rule is off" in _broken(script, replace(PLAN, policy=taking))) is is_breach


@pytest.mark.parametrize("kind", LatchKind)
def test_a_latch_that_only_freezes_has_no_proof_to_give(monkeypatch: pytest.MonkeyPatch, kind: LatchKind) -> None:
    """P2: two guards of other settings latch by one rule; that of the one which flattens is proved, the other's not."""
    monkeypatch.setattr(ending, "FLAT_WITHIN_S", ending.CALM_S)
    proved = Latch(name="daily_loss", kind=LatchKind.FLATTEN, text="", since_ns=1, proven_ns=2)
    latches = {"guard1": replace(proved, kind=kind, proven_ns=0), "guard2": proved}

    async def script(world: World) -> None:
        await passing(5)
        states = {guard.name: guard.state for guard in world.guards}
        shown = {name: replace(state, latches={"daily_loss": latches[name]}) for name, state in states.items() if state}
        monkeypatch.setattr(SimGuard, "state", property(lambda guard: shown[guard.name]))
        await flat_where_it_is_latched(world)

    is_breach = kind is LatchKind.FLATTEN
    assert ("the proof is open, or not proved flat" in _broken(script, replace(PLAN, guards=2))) == is_breach
