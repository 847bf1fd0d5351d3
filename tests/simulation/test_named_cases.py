"""What random worlds once brought to light, each told as short as it can be."""

from __future__ import annotations

from decimal import Decimal
from math import inf

from config.policy import ForeignStops, Policy, StopPolicy, StopStyle
from connectors.simulated.engine.inputs import PlaceOrder
from connectors.simulated.engine.switches import Switches
from daemon.core.events import Started
from daemon.core.operator_requests import FlattenAsked
from daemon.shell.journal import OpenCommands
from tests.simulation.faults import RequestFate
from tests.simulation.promises import WHOLE_AGAIN_S
from tests.simulation.virtual_loop import passing
from tests.simulation.world import Plan, World, play

SYMBOL = "XBTUSD"


async def _open_and_close(world: World) -> None:
    """Let every guard see a position come and go, so that all of them remember it as flat."""
    await passing(5)
    world.bot.open(SYMBOL, side=1, leverage=10)
    await passing(5)
    world.bot._close(SYMBOL, world.promises.size((world.account, SYMBOL)))
    await passing(40)
    assert not world.promises.our_stops((world.account, SYMBOL))


def test_a_restarted_guard_keeps_a_stop_whose_position_it_has_not_heard_of() -> None:
    """P1: flat when it was killed; meanwhile the second guard covered a new position, and orders are told first."""

    async def script(world: World) -> None:
        await _open_and_close(world)
        first = world.guards[0]
        first.strike()
        await first.wait_dead()
        world.bot.open(SYMBOL, side=1, leverage=10)
        await passing(8)
        before = world.promises.counts["CancelOrder"]
        first.line.weather.silent_feeds = frozenset({"position"})
        first.start()
        await passing(10)
        first.line.weather.silent_feeds = frozenset()
        assert world.promises.counts["CancelOrder"] == before
        assert len(world.promises.our_stops((world.account, SYMBOL))) == 1

    report = play(Plan(seed=31, guards=2, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_a_guard_that_hears_of_a_stop_before_its_position_keeps_it() -> None:
    """P1: two guards, one of them slower to hear of positions than of orders."""

    async def script(world: World) -> None:
        await _open_and_close(world)
        slow = world.guards[1]
        before = world.promises.counts["CancelOrder"]
        slow.line.weather.silent_feeds = frozenset({"position"})
        world.bot.open(SYMBOL, side=1, leverage=10)
        await passing(20)
        assert world.promises.counts["CancelOrder"] == before
        assert len(world.promises.our_stops((world.account, SYMBOL))) == 1
        slow.line.weather.silent_feeds = frozenset()
        world.network.hang_up(slow.name)

    report = play(Plan(seed=32, guards=2, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_a_feed_refused_for_its_rate_earns_no_ban() -> None:
    """P8: the bucket is empty for half a minute while the switch should be fed; the address is never shut out."""

    async def script(world: World) -> None:
        await passing(5)
        world.bot._work(SYMBOL, 0)
        await passing(2)
        world.promises.quiet_since_s = inf
        for _ in range(60):
            world.scene.drain(20)
            await passing(0.5)
            assert not world.venue.limits.is_banned(f"address of {world.guard.name}", world.venue.clock())
        world.promises.quiet_since_s = 0.0
        world.promises.disturb()
        await passing(WHOLE_AGAIN_S)

    report = play(Plan(seed=33, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_a_change_that_fails_pauses_although_other_stops_suffice() -> None:
    """P8: a bot's stop covers everything, ours is too small, and no amendment gets through: no endless loop."""

    async def script(world: World) -> None:
        await passing(5)
        world.bot.open(SYMBOL, side=1, leverage=10)
        await passing(3)
        trigger = world.stop_price(SYMBOL)
        assert trigger is not None
        world.venue.submit(
            PlaceOrder(
                account=world.account,
                symbol=SYMBOL,
                side="Sell",
                ord_type="Stop",
                stop_px=trigger + 200,
                exec_inst="Close,MarkPrice",
            )
        )
        await passing(3)
        world.promises.quiet_since_s = inf
        world.guard.line.weather.request_fates = {RequestFate.UNREACHABLE: 1.0}
        world.bot._grow(SYMBOL, world.promises.size((world.account, SYMBOL)))
        await passing(20)
        world.guard.line.weather.request_fates = {}
        world.promises.quiet_since_s = 0.0
        world.promises.disturb()
        await passing(WHOLE_AGAIN_S)
        world.promises.audit(is_strict=True)

    policy = Policy(stop=StopPolicy(foreign=ForeignStops.ADOPT))
    report = play(Plan(seed=34, troubles=0, act_every_s=inf, policy=policy), script)
    assert not report.violations, str(report)


def test_a_clock_set_back_between_two_lives_does_not_stop_time() -> None:
    """P2, P7: the journal was written by a clock ten minutes ahead; the next process is right, and acts in time."""

    async def script(world: World) -> None:
        guard = world.guard
        await passing(3)
        guard.strike()
        await guard.wait_dead()
        guard.clock.set_off(600_000_000_000)
        guard.start()
        await passing(20)
        guard.strike()
        await guard.wait_dead()
        guard.clock.set_off(0)
        guard.start()
        await passing(5)
        fed = world.promises.counts["FeedSwitch"]
        world.bot._work(SYMBOL, 0)
        world.promises.quiet_since_s = inf
        guard.line.weather.request_fates = {RequestFate.UNREACHABLE: 1.0}
        world.bot.open("ETHUSD", side=1, leverage=10)
        await passing(2)
        guard.line.weather.request_fates = {}
        world.promises.quiet_since_s = 0.0
        world.promises.disturb()
        await passing(40)
        world.promises.audit(is_strict=True)
        assert world.promises.counts["FeedSwitch"] >= fed + 2

    report = play(Plan(seed=35, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_two_guards_agree_on_a_close_that_shows_a_quantity() -> None:
    """P4: a venue that shows the size at placement on a Close order, and a position that outgrows it."""

    async def script(world: World) -> None:
        await passing(5)
        world.bot.open(SYMBOL, side=1, leverage=10)
        await passing(5)
        placed = world.promises.counts["PlaceStop"]
        world.bot._grow(SYMBOL, world.promises.size((world.account, SYMBOL)))
        await passing(WHOLE_AGAIN_S)
        world.promises.audit(is_strict=True)
        assert len(world.promises.our_stops((world.account, SYMBOL))) == 1
        assert world.promises.counts["PlaceStop"] <= placed + 2

    policy = Policy(stop=StopPolicy(style=StopStyle.CLOSE))
    plan = Plan(
        seed=36,
        guards=2,
        troubles=0,
        act_every_s=inf,
        policy=policy,
        switches=Switches(close_shows_quantity=True),
    )
    report = play(plan, script)
    assert not report.violations, str(report)


def test_a_command_without_an_outcome_is_named_at_one_start_only() -> None:
    """P7: what a start has reported as unanswered is not reported again by every later one."""
    commands = OpenCommands((3, 5))
    commands.note_event(Started(at_ns=1, account=1, unanswered=commands.ids))
    assert commands.ids == ()


def test_an_observer_under_a_flatten_says_what_it_would_do_once() -> None:
    """P10: flatten is asked of an observing guard; it would close, and would not also rest a stop at every event."""

    async def script(world: World) -> None:
        await passing(5)
        world.bot.open(SYMBOL, side=1, leverage=10)
        await passing(5)
        world.guard.ask(FlattenAsked())
        await passing(60)
        assert world.told("cover") == ["observed", "observed"]

    report = play(Plan(seed=1039, troubles=0, act_every_s=inf, policy=Policy(observe=True)), script)
    assert not report.violations, str(report)


def test_a_stop_that_a_stream_lists_before_its_position_is_not_left_over() -> None:
    """P1: proved flat, then blind while a bot opened and put its stop: that outlives the position."""

    async def script(world: World) -> None:
        await passing(5)
        world.guard.ask(FlattenAsked())
        await world.until(lambda: "flat" in world.told("latch"), within_s=20)
        world.promises.quiet_since_s = inf
        world.guard.line.weather.is_down = True
        world.network.hang_up(world.guard.name)
        await passing(20)
        world.bot.open(SYMBOL, side=1, leverage=10)
        mark = world.prices.mark(SYMBOL)
        world.venue.submit(
            PlaceOrder(
                account=world.account,
                symbol=SYMBOL,
                side="Sell",
                order_qty=world.promises.size((world.account, SYMBOL)),
                ord_type="Stop",
                stop_px=mark.quantize(Decimal(1)) - 600,
                exec_inst="MarkPrice,ReduceOnly",
            )
        )
        world.guard.line.weather.is_down = False
        await world.until(lambda: not world.promises.size((world.account, SYMBOL)), within_s=60)
        assert len(world.promises.orders) > 0, "gone before its position"
        await world.until(lambda: not world.promises.orders, within_s=60)

    report = play(Plan(seed=2030, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)
