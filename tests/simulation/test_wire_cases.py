"""What the wire did to a guard, each told as short as it can be: requests, answers, connections, frames gone wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from random import Random

import pytest

from config.policy import Policy, StopPolicy, StopStyle
from connectors.simulated.engine.inputs import ClearFault, SetFault
from connectors.vocabulary import Side
from daemon.core.operator_requests import SetStop
from tests.simulation.faults import EVERY_VERB, Blight, RequestFate
from tests.simulation.plans import Plan
from tests.simulation.promises import WHOLE_AGAIN_S
from tests.simulation.troubles import TROUBLES
from tests.simulation.virtual_loop import passing
from tests.simulation.world import World, play

SYMBOL = "XBTUSD"
ORDERS = frozenset({"POST", "PUT"})


@contextmanager
def hindered(world: World) -> Iterator[None]:
    """Nobody can be whole while this lasts."""
    with world.scene.hindered():
        yield


@contextmanager
def ending_as(
    world: World,
    fate: RequestFate,
    *,
    verbs: frozenset[str] = ORDERS,
    path: str = "/order",
    most: int = 1_000,
    late_s: tuple[float, float] = (0.5, 9.0),
) -> Iterator[list[float]]:
    """Let requests of the first guard meet a fate; yield the times at which it bit."""
    struck: list[float] = []
    blight = Blight(
        fates={fate: 1.0},
        random=Random(7),  # noqa: S311 - a scene is always the same
        on_bite=lambda _: struck.append(world.loop.time()),
        verbs=verbs,
        path=path,
        most=most,
        late_s=late_s,
    )
    with hindered(world), world.guard.line.blighted(blight):
        yield struck


@contextmanager
def _fault(
    world: World,
    name: str,
    *,
    table: str | None = None,
    account: int | None = None,
    symbol: str | None = None,
    path: str | None = None,
    **parameters: str | int,
) -> Iterator[None]:
    """Set a fault of the exchange's own for a while."""
    board = world.venue.exchange.faults()
    fault = SetFault(name=name, parameters=dict(parameters), table=table, account=account, symbol=symbol, path=path)
    world.venue.submit(fault)
    one = board.active[board.count]
    try:
        yield
    finally:
        assert world.venue.faults.keeper.hits(one), f"{name} never bit"
        world.venue.submit(ClearFault(number=one.number))


async def _covered(world: World, *, leverage: int = 10) -> None:
    """Have one position with its stop at rest."""
    await passing(5)
    world.bot.open(SYMBOL, side=1, leverage=leverage)
    await passing(5)
    world.promises.audit(is_strict=True)
    assert world.stop_price(SYMBOL) is not None


async def _whole_again(world: World) -> None:
    """Nothing is left undone."""
    await passing(WHOLE_AGAIN_S + 5)
    world.promises.audit(is_strict=True)


@pytest.mark.parametrize("fate", [RequestFate.GATEWAY, RequestFate.RESET], ids=lambda fate: fate.value)
def test_what_is_turned_back_at_once_is_not_sent_as_fast_as_the_wire_allows(fate: RequestFate) -> None:
    """P8: something on the way turned each placement back at once: asked, not found, sent, seven times a second."""

    async def script(world: World) -> None:
        await passing(5)
        with ending_as(world, fate) as struck:
            world.bot.open(SYMBOL, side=1, leverage=10)
            await passing(40)
        assert struck[1] - struck[0] < 1.0, "the first repeat waits for nothing"
        assert len(struck) <= 15
        await _whole_again(world)

    report = play(Plan(seed=41, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


@pytest.mark.parametrize("fate", [RequestFate.OVERLOADED_DONE, RequestFate.GATEWAY_DONE], ids=lambda fate: fate.value)
def test_a_stop_that_a_503_denies_is_asked_for(fate: RequestFate) -> None:
    """P5: 503 for a placement that was carried out, and the order stream is mute: the guard asks before it repeats."""

    async def script(world: World) -> None:
        await passing(5)
        world.guard.line.weather.silent_feeds = frozenset({"order", "execution"})
        with ending_as(world, fate, most=1) as struck:
            world.bot.open(SYMBOL, side=1, leverage=10)
            await passing(6)
        world.guard.line.weather.silent_feeds = frozenset()
        assert len(struck) == 1
        assert world.promises.counts["FindOrders"] >= 1
        await _whole_again(world)
        assert len(world.promises.our_stops((world.account, SYMBOL))) == 1

    report = play(Plan(seed=42, troubles=0, act_every_s=inf), script)
    assert report.counts["most stops at once"] == 1
    assert not report.violations, str(report)


def test_a_placement_arrives_after_the_venue_had_nothing_of_it() -> None:
    """P4, P5: nothing after 5 s, asked, not found, sent again; the first one arrives 3 s later and changes nothing."""

    async def script(world: World) -> None:
        await passing(5)
        with ending_as(world, RequestFate.DELAYED, most=1, late_s=(8.0, 8.5)):
            world.bot.open(SYMBOL, side=1, leverage=10)
            await passing(12)
        await _whole_again(world)
        assert len(world.promises.our_stops((world.account, SYMBOL))) == 1

    report = play(Plan(seed=43, troubles=0, act_every_s=inf), script)
    assert report.counts["most stops at once"] == 1
    assert not report.violations, str(report)


def test_an_amend_that_arrives_late_loosens_nothing() -> None:
    """P3: an amend is lost for 5 s, the bot adds again, and what was lost arrives after the newer change."""

    async def script(world: World) -> None:
        await _covered(world)
        with ending_as(world, RequestFate.DELAYED, verbs=frozenset({"PUT"}), most=1, late_s=(8.5, 9.0)):
            world.bot._grow(SYMBOL, world.promises.size((world.account, SYMBOL)))
            await passing(6)
            world.bot._grow(SYMBOL, world.promises.size((world.account, SYMBOL)))
            await passing(10)
        assert world.promises.counts["PUT delayed"] == 1
        await _whole_again(world)

    report = play(Plan(seed=44, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_a_limit_without_a_word_earns_no_ban() -> None:
    """P8: 429 to everything, and nothing says for how long: few requests, no ban, people hear of it."""

    async def script(world: World) -> None:
        await _covered(world)
        with ending_as(world, RequestFate.LIMITED_BARE, verbs=EVERY_VERB, path="") as struck:
            world.bot.open("ETHUSD", side=1, leverage=10)
            await passing(40)
        assert len(struck) <= 45
        assert "budget_empty" in world.told("degraded")
        await _whole_again(world)

    report = play(Plan(seed=45, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_a_ban_while_the_switch_is_armed() -> None:
    """P6, P8: sockets end, requests get a 403 page: hardly anything is sent, and afterwards all comes back."""

    async def script(world: World) -> None:
        await _covered(world)
        world.bot._work(SYMBOL, 0)
        await passing(3)
        fed = world.promises.counts["FeedSwitch"]
        assert fed
        with hindered(world):
            await TROUBLES["ban"].cast(world.scene, world.guard, Random(3))  # noqa: S311 - a scene is always the same
        assert 1 <= world.scene.hits["ban"] <= 12
        await _whole_again(world)

    report = play(Plan(seed=46, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_a_clock_that_jumps_while_requests_are_under_way() -> None:
    """P5, P12: signatures are expired when they arrive; the stop comes when the clock is right."""

    async def script(world: World) -> None:
        await _covered(world)
        with hindered(world):
            world.guard.line.weather.latency_s = (0.5, 1.5)
            world.bot.open("ETHUSD", side=1, leverage=10)
            await passing(0.2)
            world.guard.clock.set_off(-40_000_000_000)
            world.bot._grow(SYMBOL, world.promises.size((world.account, SYMBOL)))
            await passing(30)
            world.guard.clock.set_off(0)
            world.guard.line.weather.latency_s = (0.01, 0.06)
        assert world.guard.line.statuses[401] >= 1
        await passing(60)
        world.promises.audit(is_strict=True)

    report = play(Plan(seed=47, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_a_table_whose_partial_never_comes_costs_no_other() -> None:
    """P2, P12: on each new connection `position` gets no partial; a new position is covered by what is read instead."""

    async def script(world: World) -> None:
        await passing(5)
        with hindered(world), _fault(world, "partial-missing", table="position"):
            world.network.hang_up(world.guard.name)
            await passing(3)
            world.bot.open(SYMBOL, side=1, leverage=10)
            await world.until(lambda: world.stop_price(SYMBOL) is not None, within_s=15)
            await passing(20)
        assert "blind_account" in world.told("degraded")
        await passing(20)
        await _whole_again(world)

    report = play(Plan(seed=48, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_a_stream_that_is_mute_and_answers_pings_hides_no_position_for_long() -> None:
    """P2: socket open, pongs come, no account data: a position that opens meanwhile is found by the next reading."""

    async def script(world: World) -> None:
        await passing(5)
        with hindered(world), _fault(world, "stream-mute", account=world.account):
            await passing(2)
            world.bot.open(SYMBOL, side=1, leverage=10)
            await world.until(lambda: world.stop_price(SYMBOL) is not None, within_s=45)
        world.network.hang_up(world.guard.name)
        await _whole_again(world)

    report = play(Plan(seed=49, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


@pytest.mark.parametrize("where", ["rest", "stream"])
def test_one_source_says_flat_and_the_stop_stays(where: str) -> None:
    """P1: a picture, or the stream, shows no contracts where there are some: one word alone takes no stop away."""

    async def script(world: World) -> None:
        await _covered(world)
        stop = world.stop_price(SYMBOL)
        with hindered(world), _fault(world, "sources-disagree", symbol=SYMBOL, where=where, quantity=0):
            for _ in range(80):
                await passing(1)
                assert world.stop_price(SYMBOL) == stop
        await passing(40)
        await _whole_again(world)

    report = play(Plan(seed=50, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_an_empty_list_of_positions_is_no_proof_of_flat() -> None:
    """P1: GET /position is `[]` for a minute while the streams break: the stop of what is open stays."""

    async def script(world: World) -> None:
        await _covered(world)
        stop = world.stop_price(SYMBOL)
        with hindered(world), _fault(world, "positions-missing"):
            for _ in range(6):
                world.network.hang_up(world.guard.name)
                await passing(10)
                assert world.stop_price(SYMBOL) == stop
        await _whole_again(world)

    report = play(Plan(seed=51, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_two_guards_and_an_answer_that_comes_twice() -> None:
    """P5: a question is answered with the answer to the one before: found by its bytes, asked again elsewhere."""

    async def script(world: World) -> None:
        await passing(5)
        with ending_as(world, RequestFate.ECHOED, verbs=EVERY_VERB, path="") as struck:
            world.bot.open(SYMBOL, side=1, leverage=10)
            await passing(20)
            world.bot._grow(SYMBOL, world.promises.size((world.account, SYMBOL)))
            await passing(20)
        assert struck
        await _whole_again(world)

    report = play(Plan(seed=52, guards=2, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_a_loosened_stop_and_a_guard_that_was_not_told() -> None:
    """P1: a person loosens a stop at one guard; the other took the looser one away while the tight one went."""

    async def script(world: World) -> None:
        await _covered(world)
        stop = world.stop_price(SYMBOL)
        assert stop is not None
        for _ in range(4):
            looser = SetStop(symbol=SYMBOL, side=Side.LONG, price=stop - 500, may_loosen=True)
            world.guards[1].ask(looser)
            for _ in range(60):
                await passing(0.1)
                assert world.promises.our_stops((world.account, SYMBOL))
        await _whole_again(world)

    policy = Policy(stop=StopPolicy(style=StopStyle.CLOSE))
    report = play(Plan(seed=53, guards=2, troubles=0, act_every_s=inf, policy=policy), script)
    assert not report.violations, str(report)


def test_one_page_of_403_is_no_ban_of_two_minutes() -> None:
    """P2: something before the venue slips once, just as a stop is placed: it rests within a quarter of a minute."""

    async def script(world: World) -> None:
        await passing(5)
        with ending_as(world, RequestFate.FORBIDDEN, most=1) as struck:
            world.bot.open(SYMBOL, side=1, leverage=10)
            await world.until(lambda: world.stop_price(SYMBOL) is not None, within_s=18)
        assert len(struck) == 1
        await _whole_again(world)

    report = play(Plan(seed=54, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


@pytest.mark.parametrize(
    ("fate", "late_s"),
    [(RequestFate.GATEWAY, 0.0), (RequestFate.LOST, 0.0), (RequestFate.DELAYED, 9.0), (RequestFate.DELAYED, 10.5)],
    ids=["turned back", "lost", "just before the repeat", "just after the repeat"],
)
def test_a_lost_placement_is_repeated_although_nobody_answers_questions(fate: RequestFate, late_s: float) -> None:
    """P2, P4, P5: placements get through and reads do not: naked as long as that lasted, for one lost POST."""

    async def script(world: World) -> None:
        key = (world.account, SYMBOL)
        await passing(5)
        with (
            ending_as(world, fate, verbs=frozenset({"POST"}), most=1, late_s=(late_s, late_s)),
            ending_as(world, RequestFate.GATEWAY, verbs=frozenset({"GET"})),
        ):
            world.bot.open(SYMBOL, side=1, leverage=10)
            await world.until(lambda: world.stop_price(SYMBOL) is not None, within_s=12)
            for _ in range(300):
                await passing(0.1)
                assert len(world.promises.our_stops(key)) == 1
        await _whole_again(world)

    report = play(Plan(seed=41, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)


def test_reads_of_a_copy_that_stands_still_deny_one_stop_after_the_other() -> None:
    """P4: each placement is asked for before it is there, so the copy never shows it; the third would be too many."""

    async def script(world: World) -> None:
        await passing(5)
        with hindered(world), _fault(world, "reads-stale", path="/order"):
            await passing(30)  # a picture of no orders is what is shown from now on
            for turn in range(4):
                with ending_as(world, RequestFate.GATEWAY, verbs=frozenset({"POST"}), most=1) as struck:
                    if not turn:
                        world.bot.open(SYMBOL, side=1, leverage=10)
                    await world.until(lambda struck=struck: struck, within_s=40)
                    await passing(2)
        await _whole_again(world)
        assert len(world.promises.our_stops((world.account, SYMBOL))) == 1

    report = play(Plan(seed=2031, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)
