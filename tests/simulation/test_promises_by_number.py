"""The watchers by number: each notices the breach it is there for, and keeps quiet about the same thing done right."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from math import inf

import pytest
import structlog

from config.policy import Policy, SwitchMode, SwitchPolicy
from connectors.simulated.engine.inputs import AmendOrder, CancelAll, CancelAllAfter
from connectors.vocabulary import OrderSide, Position, PositionKey
from daemon.core import judgement, stops, tiers
from daemon.core.commands import FeedSwitch, PlaceStop, RaiseAlert, Severity
from daemon.core.events import PositionSeen, Source
from daemon.core.reasons import Reason
from tests.simulation.faults import RequestFate
from tests.simulation.plans import Plan
from tests.simulation.promises.asked_of_stops import common_failures
from tests.simulation.promises.ground import WHOLE_AGAIN_S, GuardFacts
from tests.simulation.promises.p02_covers_every_position import PROMPT_S
from tests.simulation.promises.p10_people_hear import TELL_S, TURNED_S
from tests.simulation.promises.p11_no_secret_leaves import encodings
from tests.simulation.promises.p12_says_what_it_cannot import DISK_S
from tests.simulation.requests import Sent
from tests.simulation.virtual_loop import passing
from tests.simulation.world import World, play

PLAN = Plan(seed=47, troubles=0, act_every_s=inf)
SYMBOL = "XBTUSD"
Script = Callable[[World], Awaitable[None]]


def _broken(script: Script, plan: Plan = PLAN) -> str:
    return "\n".join(str(violation) for violation in play(plan, script).violations)


def _facts(world: World) -> GuardFacts:
    return world.promises.ground.of(world.guard)


def _sent(world: World, verb: str, path: str, body: bytes, fate: RequestFate = RequestFate.ANSWERED) -> None:
    """A request leaves, as if the guard had sent it."""
    world.promises.on_sent(Sent("guard1", verb, f"/api/v1/{path}", body, world.loop.time(), fate))


def _as_the_guard(world: World, value: AmendOrder, body: bytes) -> None:
    """The exchange carries something out, as if the guard had asked for it."""
    finish = world.promises.on_arrival("/api/v1/order", body)
    world.venue.submit(value)
    finish()


async def _covered(world: World) -> dict[str, object]:
    """A position with its stop, for long enough to be known to everybody; the stop's row."""
    await passing(5)
    world.bot.open(SYMBOL, side=1, leverage=10)
    await passing(20)
    (stop,) = world.promises.our_stops((world.account, SYMBOL))
    return dict(stop)


def test_a_request_that_ends_a_cover_is_noticed_where_it_is_carried_out() -> None:
    """P1: our stop is amended to one contract lot, as if the guard had asked for it; nobody else touched anything."""

    async def script(world: World) -> None:
        order_id = str((await _covered(world))["orderID"])
        body = f'{{"orderID":"{order_id}"}}'.encode()
        _as_the_guard(world, AmendOrder(account=world.account, order_id=order_id, order_qty=100), body)

    assert "without cover" in _broken(script)


def test_a_cover_that_takes_too_long_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """P2: a position opens in front of a guard without trouble, which does nothing about it."""

    async def script(world: World) -> None:
        await passing(WHOLE_AGAIN_S + 8)
        monkeypatch.setattr(stops, "reconcile", lambda _draft, _symbol: None)
        world.bot.open(SYMBOL, side=1, leverage=10)
        await passing(PROMPT_S + 2)

    assert "s ago and is not covered" in _broken(script)


def test_a_cover_farther_than_policy_asks_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """P2: the stop rests half way between its place and liquidation, and nobody moves it back."""

    async def script(world: World) -> None:
        stop = await _covered(world)
        monkeypatch.setattr(stops, "reconcile", lambda _draft, _symbol: None)
        held = world.promises.ground.book.holding((world.account, SYMBOL))
        assert held.liquidation is not None
        middle = (Decimal(str(stop["stopPx"])) + held.liquidation) / 2
        world.venue.submit(
            AmendOrder(account=world.account, order_id=str(stop["orderID"]), stop_px=middle.quantize(Decimal(1)))
        )
        await passing(WHOLE_AGAIN_S + 4)

    assert "is not covered at policy's buffer" in _broken(script)


def test_the_common_failure_lies_before_every_single_liquidation() -> None:
    """P2: two longs that share the margin of one currency fail together before either price alone is reached."""

    async def script(world: World) -> None:
        await passing(2)
        world.bot.open(SYMBOL, side=1, leverage=0, share=0.5)
        world.bot.open("ETHUSD", side=1, leverage=0, share=0.5)
        await passing(3)
        world.promises.audit()
        found = common_failures(world.venue.exchange, world.account)
        assert set(found) == {(world.account, SYMBOL), (world.account, "ETHUSD")}
        for key, price in found.items():
            held = world.promises.ground.book.holding(key)
            assert held.liquidation is not None
            assert held.mark is not None
            assert held.liquidation < price < held.mark

    assert not _broken(script)


def test_a_stop_that_a_request_moves_away_is_noticed_at_the_exchange() -> None:
    """P3: whatever the guard remembers, what rests is not moved from the mark; the same by anybody else is not ours."""

    async def script(world: World) -> None:
        stop = await _covered(world)
        order_id, price = str(stop["orderID"]), Decimal(str(stop["stopPx"]))
        _as_the_guard(world, AmendOrder(account=world.account, order_id=order_id, stop_px=price - 100), b"{}")

    assert "was moved from" in _broken(script)


def test_a_stop_of_a_flat_position_may_be_moved() -> None:
    """P3: a person let it go back, the position was closed, and the amend arrives a moment after the close."""

    async def script(world: World) -> None:
        stop = await _covered(world)
        order_id, price = str(stop["orderID"]), Decimal(str(stop["stopPx"]))
        world.bot._close(SYMBOL, world.promises.size((world.account, SYMBOL)))
        assert world.promises.our_stops((world.account, SYMBOL))
        _as_the_guard(world, AmendOrder(account=world.account, order_id=order_id, stop_px=price - 100), b"{}")

    assert not _broken(script)


def _told(world: World, quantity: int) -> None:
    """A row of the guard's live table."""
    key = PositionKey(account=world.account, symbol=SYMBOL)
    row = Position(key=key, quantity=quantity, currency="XBt")
    facts, event = _facts(world), PositionSeen(at_ns=1, position=row, source=Source.STREAM)
    for promise in world.promises.each:
        promise.on_event(facts, event)


def test_a_looser_stop_is_no_loosening_after_the_live_table_told_a_turn() -> None:
    """P3: it is one while the table tells the position; once it tells the other side, that life is over."""

    async def script(world: World) -> None:
        stop = await _covered(world)
        looser = PlaceStop(
            command_id=900,
            reason=Reason.COVER_MISSING,
            client_order_id="sw-1-XBTUSD-L-s9",
            key=PositionKey(account=world.account, symbol=SYMBOL),
            side=OrderSide.SELL,
            quantity=100,
            stop_price=Decimal(str(stop["stopPx"])) - 100,
        )
        world.promises.on_commands(world.guard, (looser,))
        _told(world, -100)
        world.promises.on_commands(world.guard, (looser,))

    assert _broken(script).count("was confirmed before") == 1


def test_a_second_placement_before_any_word_of_the_first_is_noticed() -> None:
    """P5: the first left and no answer came; the next of its series leaves. After a refusal it may."""

    async def script(world: World) -> None:
        await passing(3)
        body = b'{"clOrdID":"sw-1-XBTUSD-L-s%d","ordType":"Stop","execInst":"MarkPrice,ReduceOnly"}'
        _sent(world, "POST", "order", body % 1, RequestFate.UNREACHABLE)
        _sent(world, "POST", "order", body % 1, RequestFate.LOST)
        assert not world.promises.violations
        _sent(world, "POST", "order", body % 2)

    assert "leaves while no word came back of" in _broken(script)


def test_a_feed_with_another_timeout_is_noticed() -> None:
    """P6: seconds sent where milliseconds are meant, over either way."""

    async def script(world: World) -> None:
        await passing(3)
        _sent(world, "POST", "order/cancelAllAfter", b'{"timeout":60}')
        world.guard.line.told.spoken('{"op":"cancelAllAfter","args":60}')

    assert _broken(script).count("fed with 60 ms") == 2


def test_a_feed_without_prices_or_with_a_wrong_clock_is_noticed() -> None:
    """P6: no price for long, and a clock that has been off since long, are no grounds to feed."""

    async def script(world: World) -> None:
        await passing(100)
        facts = _facts(world)
        feed = FeedSwitch(command_id=900, reason=Reason.SWITCH_FEED, timeout_ns=60 * 10**9)
        world.promises.on_commands(world.guard, (feed,))
        assert not world.promises.violations
        facts.heard_s["instrument"] -= 30
        world.guard.clock.offset_ns = 9 * 10**9
        world.promises.on_commands(world.guard, (feed,))
        world.guard.clock.offset_ns = 0

    found = _broken(script)
    assert "no price has come for" in found
    assert "s off" in found


def test_a_switch_left_alone_in_calm_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """P6: in `always` the guard stops feeding although all is well."""

    async def script(world: World) -> None:
        await passing(20)
        monkeypatch.setattr("daemon.core.switch.decide", lambda _draft: None)
        await passing(40)

    plan = replace(PLAN, policy=Policy(switch=SwitchPolicy(mode=SwitchMode.ALWAYS)))
    assert "the switch was not fed for" in _broken(script, plan)


def test_a_switch_left_armed_without_need_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """P6: in `auto` the countdown goes on after the last order that may add exposure is gone."""

    async def script(world: World) -> None:
        await passing(3)
        world.bot._work(SYMBOL, 0)
        await passing(5)
        monkeypatch.setattr("daemon.core.switch.decide", lambda _draft: None)
        world.venue.submit(CancelAll(account=world.account))
        await passing(30)

    assert "is left armed although" in _broken(script)


def test_a_guard_in_mode_off_that_writes_the_switch_is_noticed() -> None:
    """P6: `off` is never written; a timer that others set is none of ours."""

    async def script(world: World) -> None:
        await passing(3)
        world.venue.submit(CancelAllAfter(account=world.account, timeout_ms=5_000))
        await passing(20)
        assert not world.promises.violations
        _sent(world, "POST", "order/cancelAllAfter", b'{"timeout":0}')

    plan = replace(PLAN, policy=Policy(switch=SwitchPolicy(mode=SwitchMode.OFF)))
    assert "writes the switch in mode off" in _broken(script, plan)


def test_a_guard_that_comes_back_another_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """P7: killed with everything on disk, it recovers a state that it never had."""

    async def script(world: World) -> None:
        await _covered(world)
        world.guard.strike()
        await world.guard.wait_dead()
        world.promises.forget(world.guard, is_memory_lost=False)
        real = type(world.guard._life)._state_from  # type: ignore[union-attr]
        monkeypatch.setattr(
            type(world.guard._life), "_state_from", lambda life, found: replace(real(life, found), positions={})
        )
        world.guard.start()
        await passing(1)

    assert "comes back with another positions than it died with" in _broken(script)


def test_what_is_sent_against_the_venues_word_is_noticed() -> None:
    """P8: after a 429, after a ban's page, and a read where the reserve begins."""

    async def script(world: World) -> None:
        await passing(3)
        facts = _facts(world)
        facts.answered("GET", "/api/v1/position", "", 200, {"x-ratelimit-remaining": "3", "x-ratelimit-limit": "120"})
        _sent(world, "GET", "position", b"")
        facts.answered("GET", "/api/v1/position", "", 429, {"retry-after": "7"})
        _sent(world, "POST", "order", b'{"clOrdID":"sw-1-X-s1","ordType":"Market","execInst":"Close"}')
        facts.answered("GET", "/api/v1/position", "", 403, {"content-type": "text/html"})
        _sent(world, "GET", "", b"")

    found = _broken(script)
    assert "are kept for protection" in found
    assert "asked it to stay away 7.0 s longer" in found
    assert "into a ban" in found


def _degraded(phase: str) -> RaiseAlert:
    return RaiseAlert(
        reason=Reason.DEGRADED,
        alert_id="a",
        severity=Severity.WARNING,
        topic="degraded",
        state="uncovered",
        symbol=SYMBOL,
        text="",
        facts=(("phase", phase),),
    )


def test_a_state_that_begins_twice_is_noticed() -> None:
    """P10: one cause, one message: again only after it has ended."""

    async def script(world: World) -> None:
        await passing(3)
        for phase in ("began", "ended", "began"):
            world.promises.on_commands(world.guard, (_degraded(phase),))
        assert not world.promises.violations
        world.promises.on_commands(world.guard, (_degraded("began"),))

    assert "says a second time that uncovered XBTUSD has begun" in _broken(script)


@pytest.mark.parametrize("is_unreadable", [False, True])
def test_a_tier_that_nobody_is_told_of_is_noticed(monkeypatch: pytest.MonkeyPatch, *, is_unreadable: bool) -> None:
    """P10: one and a half percent from liquidation, and people hear neither of it nor that the guard cannot see."""
    monkeypatch.setattr(tiers, "judge", lambda _draft, _symbol: None)

    async def script(world: World) -> None:
        await passing(WHOLE_AGAIN_S + 4)
        if is_unreadable:
            world.promises.ground.of(world.guard).active.add(("table_doubted", ""))
        world.bot.open(SYMBOL, side=1, leverage=33)
        await passing(TELL_S + TURNED_S + 6)

    assert ("was never told as near as it is" in _broken(script)) is not is_unreadable


def test_a_secret_is_noticed_in_every_disguise() -> None:
    """P11: plain, in hex, in base64 at any offset, in a URL: in a log, an alert, a journal and a status."""

    async def script(world: World) -> None:
        await passing(3)
        secret = world.guard.ports.key.secret
        for text in encodings(secret):
            before = len(world.promises.violations)
            with pytest.raises(structlog.DropEvent):
                world.promises.secrets.take_log(None, "info", {"event": f"x {text} y"})
            assert len(world.promises.violations) == before + 1
        world.promises.on_commands(world.guard, (replace(_degraded("began"), text=secret),))
        world.guard.disk.submit(b"{" + secret.encode() + b"}\n")

    found = _broken(script)
    assert "a secret stands in the log" in found
    assert "a secret stands in the alert degraded uncovered" in found
    assert "of the journal" in found


def test_a_cause_that_nobody_is_told_of_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """P12: a disk that refuses, streams that are silent, a stalled loop: each without a word."""
    monkeypatch.setattr(judgement, "judge_account", lambda _draft: None)

    async def script(world: World) -> None:
        await passing(5)
        world.guard.disk.problem = "no space left on device"
        world.guard.line.weather.silent_feeds = frozenset({"private", "public"})
        world.loop.stall(5.0)
        await passing(DISK_S + 30)

    found = _broken(script)
    assert "a disk that refuses" in found
    assert "does not say that its loop was held up" in found


def test_a_stop_that_does_not_fire_and_is_left_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Life of a stop: the mark is beyond a resting trigger, and the guard only looks on."""

    async def script(world: World) -> None:
        await passing(WHOLE_AGAIN_S + 4)
        world.bot.open(SYMBOL, side=1, leverage=5)
        await passing(5)
        monkeypatch.setattr(stops, "reconcile", lambda _draft, _symbol: None)
        monkeypatch.setattr(judgement, "judge_position", lambda _draft, _symbol: None)
        stop = dict(world.promises.our_stops((world.account, SYMBOL))[0])
        sleeping = stop | {"orderID": "asleep", "stopPx": world.prices.mark(SYMBOL) + 500}
        world.promises.orders["asleep"] = sleeping
        await passing(WHOLE_AGAIN_S + 6)

    assert "has not fired" in _broken(script)
